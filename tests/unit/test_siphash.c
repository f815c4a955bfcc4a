/*
 * The vectors of the authors' reference implementation: key 00 01 .. 0f, inputs 00 01 02 ..
 */
#include "base/siphash.h"

#include "base/little_endian.h"

#include <criterion/criterion.h>

static uint64_t hash_of(size_t size)
{
    uint8_t key[16];
    uint8_t input[64];
    for (uint8_t i = 0; i < 64; i++) {
        key[i % 16] = i % 16;
        input[i] = i;
    }
    return siphash((struct siphash_key){load_u64(key), load_u64(key + 8)}, bytes_of(input, size));
}

Test(siphash, is_the_published_function)
{
    cr_assert_eq(hash_of(0), 0x726fdb47dd0e0e31);
    cr_assert_eq(hash_of(1), 0x74f839c593dc67fd);
    cr_assert_eq(hash_of(7), 0xab0200f58b01d137);
    cr_assert_eq(hash_of(8), 0x93f5f5799a932462);
    cr_assert_eq(hash_of(15), 0xa129ca6149be45e5);
    cr_assert_eq(hash_of(63), 0x958a324ceb064572);
}

Test(siphash, takes_no_bytes_at_all)
{
    cr_assert_eq(siphash((struct siphash_key){1, 2}, bytes_of(NULL, 0)),
                 siphash((struct siphash_key){1, 2}, bytes_of("x", 0)));
    cr_assert_neq(siphash((struct siphash_key){1, 2}, bytes_of(NULL, 0)),
                  siphash((struct siphash_key){2, 1}, bytes_of(NULL, 0)));
}
