/*
 * A monitor that hears anything.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/monitor/monitor.h"
#include "tests/fuzz/machine.h"

static void step(void *self, const struct event *event, struct outbox *out)
{
    monitor_step(self, event, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct process process = fuzz_process(ROLE_monitor);
    struct monitor *monitor = monitor_new(&process);
    const struct machine machine = {.self = monitor, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    monitor_destroy(&monitor);
    return 0;
}
