/*
 * Known answers of RFC 3720 B.4 and of the Castagnoli check value, for both ways of computing.
 */
#include "base/crc32c.h"

#include "base/random.h"

#include <criterion/criterion.h>

static void check_both(struct bytes bytes, uint32_t expected)
{
    cr_assert_eq(crc32c(0, bytes), expected);
    cr_assert_eq(crc32c_portable(0, bytes), expected);
}

static struct bytes random_bytes(struct random *random, uint8_t *space, size_t size_max)
{
    size_t size = random_below(random, size_max + 1);
    for (size_t i = 0; i < size; i++) {
        space[i] = (uint8_t)random_next(random);
    }
    return bytes_of(space, size);
}

Test(crc32c, gives_the_known_answers)
{
    uint8_t block[32];
    check_both(bytes_of(NULL, 0), 0);
    check_both(bytes_from_text("123456789"), 0xe3069283);
    memset(block, 0, sizeof block);
    check_both(bytes_of(block, sizeof block), 0x8a9136aa);
    memset(block, 0xff, sizeof block);
    check_both(bytes_of(block, sizeof block), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof block; i++) {
        block[i] = (uint8_t)i;
    }
    check_both(bytes_of(block, sizeof block), 0x46dd794e);
}

Test(crc32c, both_ways_agree_at_any_size_and_alignment)
{
    uint8_t space[300];
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 20000; i++) {
        size_t shift = random_below(&random, 8);
        struct bytes bytes = random_bytes(&random, space + shift, sizeof space - 8);
        uint32_t seed = (uint32_t)random_next(&random);
        cr_assert_eq(crc32c(seed, bytes), crc32c_portable(seed, bytes));
    }
}

Test(crc32c, chains)
{
    uint8_t space[300];
    struct random random;
    random_init(&random, 2);
    for (unsigned i = 0; i < 20000; i++) {
        struct bytes whole = random_bytes(&random, space, sizeof space);
        size_t cut = random_below(&random, whole.size + 1);
        uint32_t first = crc32c(0, bytes_of(whole.data, cut));
        struct bytes second = bytes_of(whole.data + cut, whole.size - cut);
        cr_assert_eq(crc32c(first, second), crc32c(0, whole));
    }
}

Test(crc32c, differs_when_any_one_bit_differs)
{
    uint8_t space[64] = {1, 2, 3};
    struct bytes bytes = bytes_of(space, sizeof space);
    uint32_t expected = crc32c(0, bytes);
    for (unsigned bit = 0; bit < 8 * sizeof space; bit++) {
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_neq(crc32c(0, bytes), expected);
        space[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
