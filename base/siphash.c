/*
 * SipHash-2-4, after the paper. Four words of state are mixed twice for every eight bytes of input
 * and four times at the end; the last word holds what is left of the input and its size.
 */
#include "base/siphash.h"

#include "base/little_endian.h"

enum { WORD_SIZE = 8, ROUNDS_FOR_A_WORD = 2, ROUNDS_AT_THE_END = 4 };

static uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[3];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[2] = rotate_left(v[2], 32);
    }
}

static void take_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, ROUNDS_FOR_A_WORD);
    v[0] ^= word;
}

uint64_t siphash(struct siphash_key key, struct bytes bytes)
{
    uint64_t v[4] = {key.low ^ 0x736f6d6570736575, key.high ^ 0x646f72616e646f6d,
                     key.low ^ 0x6c7967656e657261, key.high ^ 0x7465646279746573};
    size_t whole_size = bytes.size - bytes.size % WORD_SIZE;
    for (size_t at = 0; at < whole_size; at += WORD_SIZE) {
        take_word(v, load_u64(bytes.data + at));
    }
    uint64_t last = (uint64_t)bytes.size << 56;
    for (size_t at = whole_size; at < bytes.size; at++) {
        last |= (uint64_t)bytes.data[at] << (8 * (at - whole_size));
    }
    take_word(v, last);
    v[2] ^= 0xff;
    mix(v, ROUNDS_AT_THE_END);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
