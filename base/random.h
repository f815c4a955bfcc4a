/*
 * A small seeded generator (xoshiro256**, Blackman and Vigna 2018), for jitter, ids in the
 * simulator and property tests. Not for keys or tokens.
 */
#ifndef SKEIN_BASE_RANDOM_H
#define SKEIN_BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state[4]; // never all zero once seeded
};

// Equal seeds give equal sequences.
void random_init(struct random *random, uint64_t seed);

// Any 64 bits.
uint64_t random_next(struct random *random);

// Uniform in [0, bound); bound is at least 1.
uint64_t random_below(struct random *random, uint64_t bound);

// Uniform in [low, high]; low is at most high.
uint64_t random_between(struct random *random, uint64_t low, uint64_t high);

// True `parts` times in a million.
bool random_chance(struct random *random, uint32_t parts_per_million);

#endif
