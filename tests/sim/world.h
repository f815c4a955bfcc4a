/*
 * The world of a simulated run: virtual time, one queue of things to happen, the digest of
 * everything that did, and the first violation found.
 */
#ifndef SKEIN_TESTS_SIM_WORLD_H
#define SKEIN_TESTS_SIM_WORLD_H

#include "base/random.h"
#include "tests/sim/coverage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Something that is going to happen: `run(context, argument)` at a moment.
struct occurrence {
    uint64_t at_us;  // virtual time
    uint64_t number; // of its insertion; orders what happens at the same moment
    void (*run)(void *context, uint64_t argument);
    void *context;     // borrowed; outlives the occurrence
    uint64_t argument; // the run function's own
};

enum { VIOLATION_SIZE_MAX = 512 };

struct world {
    uint64_t now_us;                    // virtual time since the beginning of the run
    struct occurrence *heap;            // owned; a heap of four children a node, earliest first
    size_t count;                       // occurrences waiting
    size_t capacity;                    // room in the heap
    uint64_t next_number;               // of the next insertion
    uint64_t happened;                  // occurrences run so far
    uint64_t digest;                    // hash of all that happened
    struct coverage coverage;           // ways to recover that were taken
    bool is_tracing;                    // tell every step on standard output
    bool is_violated;                   // something that must never happen did
    char violation[VIOLATION_SIZE_MAX]; // what, in words; the first one
};

void world_init(struct world *world, bool is_tracing);
void world_release(struct world *world);

// Something happens at `at_us`, or now if that is past.
void world_at(struct world *world, uint64_t at_us, void (*run)(void *, uint64_t), void *context,
              uint64_t argument);

// Runs what is next; false when nothing waits or what is next is later than `until_us`, and time is
// `until_us` then.
bool world_step(struct world *world, uint64_t until_us);

// Makes a number part of the digest.
void world_mix(struct world *world, uint64_t number);

// Tells one line, with the time in front, when the run is traced.
__attribute__((format(printf, 2, 3))) void world_trace(const struct world *world,
                                                       const char *format, ...);

// A violation: something happened that the rules forbid. The first one is kept; the run ends.
__attribute__((format(printf, 2, 3))) void world_violate(struct world *world, const char *format,
                                                         ...);

// An exponential wait with this mean, at least 1, at most 16 times the mean.
uint64_t random_wait(struct random *random, uint64_t mean);

#endif
