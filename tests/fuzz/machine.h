/*
 * A machine among peers that say anything: events are made of the input, effects are looked at.
 */
#ifndef SKEIN_TESTS_FUZZ_MACHINE_H
#define SKEIN_TESTS_FUZZ_MACHINE_H

#include "cluster/machine.h"
#include "cluster/process.h"

// A process of this role, with one coordinator, as a machine is told of it.
struct process fuzz_process(enum role role);

// Starts the machine and goes through the input, step by step: messages (a request id below 16
// stands for that of a message that the machine has sent), timers, time that passes, connections
// that come and go. Everything that the machine sends has to decode.
void fuzz_machine_run(const struct machine *machine, struct bytes input);

#endif
