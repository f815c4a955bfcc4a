/*
 * One order of values, judged by trees that know nothing of msgpack, and by the keys that indexes
 * are made of.
 */
#include "wire/value_order.h"

#include "base/limits.h"
#include "tests/unit/fixture_tree.h"
#include "tests/unit/fixture_value.h"
#include "wire/key.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <math.h>

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

// Two values and their keys.
struct pair {
    struct buffer values[2];
    struct buffer keys[2];
};

static void pair_release(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        buffer_release(&pair->values[i]);
        buffer_release(&pair->keys[i]);
    }
}

static void pair_clear(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        buffer_clear(&pair->values[i]);
        buffer_clear(&pair->keys[i]);
    }
}

static int order_of_keys(struct pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        struct cursor cursor = cursor_of(buffer_bytes(&pair->values[i]));
        cr_assert_eq(key_append_value(&pair->keys[i], &cursor), STATUS_ok);
    }
    return bytes_compare(buffer_bytes(&pair->keys[0]), buffer_bytes(&pair->keys[1]));
}

// Both ways round, and each with itself.
static void check_pair(struct pair *pair)
{
    int expected = sign(order_of_keys(pair));
    struct bytes a = buffer_bytes(&pair->values[0]);
    struct bytes b = buffer_bytes(&pair->values[1]);
    cr_assert_eq(sign(value_compare(a, b)), expected);
    cr_assert_eq(sign(value_compare(b, a)), -expected);
    cr_assert_eq(value_compare(a, a), 0);
}

// A number of any encoding, often close to `near`.
static void append_number(struct random *random, uint64_t near, struct buffer *out)
{
    uint64_t number = random_chance(random, 600000) ? near + random_below(random, 9) - 4
                                                    : natural_random(random);
    switch (random_below(random, 5)) {
    case 0: pack_u64(out, number); break;
    case 1: pack_i64(out, (int64_t)number); break;
    case 2: pack_double(out, (double)number); break;
    case 3: pack_double(out, (double)(int64_t)number); break;
    default: pack_double(out, real_random(random)); break;
    }
}

Test(value_order, numbers_are_in_the_order_of_their_keys)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    random_init(&random, 11);
    for (unsigned i = 0; i < rounds_of(1500000); i++) {
        uint64_t near = natural_random(&random);
        pair_clear(&pair);
        append_number(&random, near, &pair.values[0]);
        append_number(&random, near, &pair.values[1]);
        check_pair(&pair);
    }
}

// Appends one of the numbers at which an encoding, or exactness, ends.
static bool append_extreme(unsigned number, struct buffer *out)
{
    static const double reals[] = {-INFINITY,
                                   -0x1p64,
                                   -0x1.0000000000001p63,
                                   -0x1p63,
                                   -0x1.fffffffffffffp62,
                                   -0x1p53,
                                   -1,
                                   -0x1p-1074,
                                   -0.0,
                                   0,
                                   0x1p-1074,
                                   0.5,
                                   1,
                                   0x1p53,
                                   0x1.fffffffffffffp62,
                                   0x1p63,
                                   0x1.0000000000001p63,
                                   0x1.fffffffffffffp63,
                                   0x1p64,
                                   0x1.0000000000001p64,
                                   0x1.fffffffffffffp1023,
                                   INFINITY,
                                   NAN};
    static const uint64_t naturals[] = {0,
                                        1,
                                        (1ULL << 53) - 1,
                                        1ULL << 53,
                                        (1ULL << 53) + 1,
                                        INT64_MAX - 511,
                                        INT64_MAX - 1,
                                        INT64_MAX,
                                        1ULL << 63,
                                        (1ULL << 63) + 1,
                                        UINT64_MAX - 1024,
                                        UINT64_MAX};
    static const int64_t negatives[] = {
        -1, -(1LL << 53) - 1, -(1LL << 53), INT64_MIN + 512, INT64_MIN + 1, INT64_MIN};
    enum {
        REALS = sizeof reals / sizeof reals[0],
        NATURALS = sizeof naturals / sizeof naturals[0]
    };
    enum { NEGATIVES = sizeof negatives / sizeof negatives[0] };
    if (number < REALS) {
        pack_double(out, reals[number]);
    } else if (number < REALS + NATURALS) {
        pack_u64(out, naturals[number - REALS]);
    } else if (number < REALS + NATURALS + NEGATIVES) {
        pack_i64(out, negatives[number - REALS - NATURALS]);
    } else {
        return false;
    }
    return true;
}

Test(value_order, extremes_are_in_the_order_of_their_keys)
{
    AUTO(pair_release) struct pair pair = {0};
    for (unsigned a = 0; append_extreme(a, &pair.values[0]); a++) {
        pair_clear(&pair);
        for (unsigned b = 0; append_extreme(b, &pair.values[1]); b++) {
            cr_assert(append_extreme(a, &pair.values[0]));
            check_pair(&pair);
            pair_clear(&pair);
        }
        pair_clear(&pair);
    }
}

Test(value_order, any_values_are_in_the_order_of_their_keys)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    random_init(&random, 12);
    for (unsigned i = 0; i < rounds_of(1000000); i++) {
        pair_clear(&pair);
        value_append_random(&random, 3, &pair.values[0]);
        value_append_random(&random, 3, &pair.values[1]);
        check_pair(&pair);
    }
}

// A copy of a value in which at most one value somewhere inside is another.
static struct tree *neighbour_of(struct grove *grove, struct random *random,
                                 const struct tree *tree)
{
    struct tree *copy = tree_copy(grove, tree);
    struct tree *at = copy;
    while (at->first != NULL) {
        at = at->first;
        while (at->next != NULL && random_chance(random, 600000)) {
            at = at->next;
        }
    }
    at->head = random_chance(random, 500000) ? tree_random(grove, random, 0)->head : at->head;
    return copy;
}

Test(value_order, values_that_are_nearly_equal_are_in_the_order_of_trees)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    unsigned equal = 0;
    random_init(&random, 13);
    for (unsigned i = 0; i < rounds_of(1000000); i++) {
        AUTO(grove_release) struct grove grove = {0};
        struct tree *a = tree_random(&grove, &random, 3);
        struct tree *b = neighbour_of(&grove, &random, a);
        pair_clear(&pair);
        tree_write(a, &pair.values[0]);
        tree_write(b, &pair.values[1]);
        check_pair(&pair);
        int order = value_compare(buffer_bytes(&pair.values[0]), buffer_bytes(&pair.values[1]));
        cr_assert_eq(sign(order), sign(tree_compare(a, b)));
        equal += order == 0;
    }
    cr_assert_gt(equal, rounds_of(1000000) / 30);
}

static enum value_type type_of(const char *value, size_t size)
{
    return value_type_of(bytes_of(value, size));
}

Test(value_order, every_value_has_a_type_and_every_type_a_name)
{
    cr_assert_eq(type_of("\xc0", 1), VALUE_TYPE_NULL);
    cr_assert_eq(type_of("\xc2", 1), VALUE_TYPE_BOOLEAN);
    cr_assert_eq(type_of("\x05", 1), VALUE_TYPE_NUMBER);
    cr_assert_eq(type_of("\xff", 1), VALUE_TYPE_NUMBER);
    cr_assert_eq(type_of("\xcb\0\0\0\0\0\0\0\0", 9), VALUE_TYPE_NUMBER);
    cr_assert_eq(type_of("\xd6\xff\0\0\0\0", 6), VALUE_TYPE_TIMESTAMP);
    cr_assert_eq(type_of("\xc4\0", 2), VALUE_TYPE_BINARY);
    cr_assert_eq(type_of("\xa0", 1), VALUE_TYPE_TEXT);
    cr_assert_eq(type_of("\x90", 1), VALUE_TYPE_ARRAY);
    cr_assert_eq(type_of("\x80", 1), VALUE_TYPE_MAP);
    cr_assert_str_eq(value_type_name(VALUE_TYPE_NULL), "null");
    cr_assert_str_eq(value_type_name(VALUE_TYPE_MAP), "map");
}
