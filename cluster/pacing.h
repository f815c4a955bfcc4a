/*
 * Pacing: how long the steps of an election take, how long it waits between them, and when one
 * coordinator makes way for another (rule 33).
 */
#ifndef SKEIN_CLUSTER_PACING_H
#define SKEIN_CLUSTER_PACING_H

#include "base/random.h"
#include "cluster/process.h"

struct pacing {
    const struct process *process; // borrowed
    struct random random;          // the machine's own
    uint32_t failures;             // steps failed in a row
    uint32_t attempts_failed;      // those of them that had an epoch
    uint32_t deferrals;            // polls in a row after which a rival was let go first
    uint64_t rival_us;             // when another coordinator's latest attempt was first heard of
};

// `process` is borrowed; its seed begins the random numbers.
void pacing_init(struct pacing *pacing, const struct process *process);

// A primary is heard: failures are forgotten.
void pacing_reset(struct pacing *pacing);

// How long to wait for answers to a poll, which nobody has to write down: a part of a step, so that
// one more poll soon finds the voters of one mind; twice as long after every failure, up to a
// bound, so that a slow network does not prevent it for ever.
uint64_t pacing_poll_us(const struct pacing *pacing);

// How long to wait for promises, or for an appointee: twice as long after every attempt that
// failed, up to a bound, so that a slow disk is not asked for a new promise for ever before it
// could write the last one.
uint64_t pacing_step_us(const struct pacing *pacing);

// How long to leave the others alone before asking them again; always the same, so that a network
// that heals is noticed soon.
uint64_t pacing_resend_us(const struct pacing *pacing);

// How long to leave the first moves to the coordinators that the file names before this one.
uint64_t pacing_turn_us(const struct pacing *pacing);

// A step failed; `had_epoch` if it was one of an attempt. How long to wait before the next: jitter,
// longer each time, and after an attempt so long that two coordinators which ran into each other
// hardly do so again.
uint64_t pacing_fail_us(struct pacing *pacing, bool had_epoch);

// True the 1st, 2nd, 4th, 8th failure in a row: a state that lasts must not fill the log.
bool pacing_is_worth_telling(const struct pacing *pacing);

// Another coordinator tries just now.
void pacing_hear_rival(struct pacing *pacing, uint64_t now_us);

// Whether to make way for it; only a few times in a row, for what is heard may be a lie.
bool pacing_defers(struct pacing *pacing, uint64_t now_us);

#endif
