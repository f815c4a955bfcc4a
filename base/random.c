/*
 * xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * seeded with splitmix64 as its authors advise.
 *
 * A number below a bound is the high half of a product with it (Lemire 2019, without the rejection
 * step): the bias is below bound / 2^64, which nobody here can notice.
 */
#include "base/random.h"

#include "base/assert.h"

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static uint64_t splitmix_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        random->state[i] = splitmix_next(&seed);
    }
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    ASSERT(bound >= 1);
    return (uint64_t)(((__uint128_t)random_next(random) * bound) >> 64);
}

uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
    ASSERT(low <= high);
    uint64_t span = high - low;
    return span == UINT64_MAX ? random_next(random) : low + random_below(random, span + 1);
}

bool random_chance(struct random *random, uint32_t parts_per_million)
{
    return random_below(random, 1000000) < parts_per_million;
}
