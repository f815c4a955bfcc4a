/*
 * A reader among clients, storage nodes and coordinators that send it anything.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/reader/reader.h"
#include "tests/fuzz/machine.h"

static void step(void *self, const struct event *event, struct outbox *out)
{
    reader_step(self, event, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct process process = fuzz_process(ROLE_reader);
    struct reader *reader = reader_new(&process);
    const struct machine machine = {.self = reader, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    reader_destroy(&reader);
    return 0;
}
