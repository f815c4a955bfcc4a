/*
 * A set of configurations: what has been linearized, and which value that leaves. Each is known by
 * 128 bits that are made of random ones, so that two of them are taken for one with a likelihood of
 * about their number squared over 2^128.
 */
#ifndef SKEIN_TESTS_CHECK_CONFIGURATIONS_H
#define SKEIN_TESTS_CHECK_CONFIGURATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct configuration_hash {
    uint64_t high;
    uint64_t low;
};

struct configurations {
    struct configuration_hash *slots; // owned; both zero: free
    size_t capacity;                  // a power of two, or 0
    size_t count;
};

void configurations_init(struct configurations *configurations);
void configurations_release(struct configurations *configurations);

// Adds one; false if it is there already.
bool configurations_add(struct configurations *configurations, struct configuration_hash hash);

#endif
