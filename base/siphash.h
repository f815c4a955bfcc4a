/*
 * SipHash-2-4 (Aumasson and Bernstein 2012): 64 bits of hash that nobody can steer who doesn't know
 * the key, and that spread well when everybody does.
 */
#ifndef SKEIN_BASE_SIPHASH_H
#define SKEIN_BASE_SIPHASH_H

#include "base/bytes.h"

// The 128 bits of a key.
struct siphash_key {
    uint64_t low;  // its first eight bytes, little endian
    uint64_t high; // its last eight
};

uint64_t siphash(struct siphash_key key, struct bytes bytes);

#endif
