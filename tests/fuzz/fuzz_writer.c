/*
 * A writer among clients, storage nodes and coordinators that send it anything.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/writer/writer.h"
#include "tests/fuzz/machine.h"

static void step(void *self, const struct event *event, struct outbox *out)
{
    writer_step(self, event, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct process process = fuzz_process(ROLE_writer);
    struct writer *writer = writer_new(&process);
    const struct machine machine = {.self = writer, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    writer_destroy(&writer);
    return 0;
}
