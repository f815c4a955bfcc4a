/*
 * A coordinator of three voters that hears anything from them and from everybody else.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/coordinator/coordinator.h"
#include "tests/fuzz/machine.h"

enum { VOTERS = 3 };

static void step(void *self, const struct event *event, struct outbox *out)
{
    coordinator_step(self, event, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct process process = fuzz_process(ROLE_coordinator);
    const struct voter_seed voters[VOTERS] = {
        {bytes_from_text("s1"), bytes_from_text("tcp://s1:7310"), true},
        {bytes_from_text("s2"), bytes_from_text("tcp://s2:7310"), false},
        {bytes_from_text("s3"), bytes_from_text("tcp://s3:7310"), false}};
    struct coordinator *coordinator = coordinator_new(&process, voters, VOTERS);
    const struct machine machine = {.self = coordinator, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    coordinator_destroy(&coordinator);
    return 0;
}
