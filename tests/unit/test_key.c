/*
 * The one property of keys: the order of their bytes is the order of the values, judged here by a
 * comparison that knows nothing of keys. And keys can be read back.
 */
#include "wire/key.h"

#include "base/limits.h"
#include "tests/unit/fixture_value.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

static_assert(LDBL_MANT_DIG >= 64, "a long double holds every 64-bit integer and every double");

// Where the kinds stand among each other.
static int rank_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NIL: return 0;
    case VALUE_BOOLEAN: return 1 + value->boolean;
    case VALUE_TIMESTAMP: return 4;
    case VALUE_BINARY: return 5;
    case VALUE_TEXT: return 6;
    case VALUE_ARRAY: return 7;
    case VALUE_MAP: return 8;
    default: return 3;
    }
}

static long double number_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_UNSIGNED: return (long double)value->natural;
    case VALUE_NEGATIVE: return (long double)value->integer;
    default: return (long double)value->real;
    }
}

static int compare_timestamps(const struct value *a, const struct value *b)
{
    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? -1 : 1;
    }
    return a->nanoseconds < b->nanoseconds ? -1 : a->nanoseconds > b->nanoseconds;
}

static int compare_values(struct cursor *cursor_a, struct cursor *cursor_b);

// Element by element; a container that ends comes before one that goes on.
static int compare_elements(struct cursor *cursor_a, struct cursor *cursor_b, uint64_t count_a,
                            uint64_t count_b)
{
    for (uint64_t i = 0; i < count_a && i < count_b; i++) {
        int order = compare_values(cursor_a, cursor_b);
        if (order != 0) {
            return order;
        }
    }
    return count_a < count_b ? -1 : count_a > count_b;
}

static int compare_values(struct cursor *cursor_a, struct cursor *cursor_b)
{
    struct value a;
    struct value b;
    cr_assert_eq(cursor_value(cursor_a, &a), STATUS_ok);
    cr_assert_eq(cursor_value(cursor_b, &b), STATUS_ok);
    if (rank_of(&a) != rank_of(&b)) {
        return rank_of(&a) - rank_of(&b);
    }
    long double number_a = number_of(&a);
    long double number_b = number_of(&b);
    switch (rank_of(&a)) {
    case 3: return number_a < number_b ? -1 : number_a > number_b;
    case 4: return compare_timestamps(&a, &b);
    case 5:
    case 6: return bytes_compare(a.bytes, b.bytes);
    case 7: return compare_elements(cursor_a, cursor_b, a.count, b.count);
    case 8: return compare_elements(cursor_a, cursor_b, 2ull * a.count, 2ull * b.count);
    default: return 0;
    }
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void append_key(const struct buffer *value, struct buffer *key)
{
    struct cursor cursor = cursor_of(buffer_bytes(value));
    cr_assert_eq(key_append_value(key, &cursor), STATUS_ok);
    cr_assert(cursor_at_end(&cursor));
}

// Two values, each with room for its key.
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
    return sign(bytes_compare(buffer_bytes(&pair->keys[0]), buffer_bytes(&pair->keys[1])));
}

static void check_pair(struct pair *pair)
{
    struct cursor a = cursor_of(buffer_bytes(&pair->values[0]));
    struct cursor b = cursor_of(buffer_bytes(&pair->values[1]));
    append_key(&pair->values[0], &pair->keys[0]);
    append_key(&pair->values[1], &pair->keys[1]);
    cr_assert_eq(order_of_keys(pair), sign(compare_values(&a, &b)));
}

// A number of any encoding; `near` is one that it should often be close to.
static void append_number(struct random *random, uint64_t near, struct buffer *out)
{
    uint64_t number = random_chance(random, 500000) ? near + random_below(random, 9) - 4
                                                    : natural_random(random);
    switch (random_below(random, 4)) {
    case 0: pack_u64(out, number); break;
    case 1: pack_i64(out, (int64_t)number); break;
    case 2: pack_double(out, (double)number); break;
    default: pack_double(out, real_random(random)); break;
    }
}

Test(key, order_of_numbers_is_the_order_of_their_values, .timeout = 120)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < rounds_of(2000000); i++) {
        uint64_t near = natural_random(&random);
        pair_clear(&pair);
        append_number(&random, near, &pair.values[0]);
        append_number(&random, near, &pair.values[1]);
        check_pair(&pair);
    }
}

// Checks a float against the integers around 2^shift, once unsigned and once signed.
static void check_around(double real, unsigned shift, struct pair *pair)
{
    for (uint64_t offset = 0; offset < 8; offset++) {
        uint64_t integer = (1ULL << shift) - 4 + offset;
        pair_clear(pair);
        pack_double(&pair->values[0], real);
        pack_u64(&pair->values[1], integer);
        check_pair(pair);
        pair_clear(pair);
        pack_double(&pair->values[0], real);
        pack_i64(&pair->values[1], (int64_t)integer);
        check_pair(pair);
    }
}

Test(key, order_holds_at_the_borders_of_integers)
{
    static const double borders[] = {-0x1p64, -0x1p63, 0,        0x1p53,
                                     0x1p63,  0x1p64,  INFINITY, -INFINITY};
    AUTO(pair_release) struct pair pair = {0};
    for (size_t i = 0; i < sizeof borders / sizeof borders[0]; i++) {
        check_around(borders[i], 0, &pair);
        check_around(borders[i], 53, &pair);
        check_around(borders[i], 62, &pair);
        check_around(borders[i], 63, &pair);
    }
}

Test(key, order_of_any_values_is_the_order_of_their_keys, .timeout = 120)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    random_init(&random, 2);
    for (unsigned i = 0; i < rounds_of(1000000); i++) {
        pair_clear(&pair);
        value_append_random(&random, 3, &pair.values[0]);
        value_append_random(&random, 3, &pair.values[1]);
        check_pair(&pair);
    }
}

// Short texts over {00, 01, ff}, which is where escaping goes wrong.
static void append_tricky(struct random *random, struct buffer *out)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xff};
    uint8_t text[4];
    size_t size = random_below(random, 5);
    for (size_t i = 0; i < size; i++) {
        text[i] = bytes[random_below(random, 3)];
    }
    pack_binary(out, bytes_of(text, size));
}

Test(key, escaping_keeps_the_order_inside_arrays, .timeout = 120)
{
    AUTO(pair_release) struct pair pair = {0};
    struct random random;
    random_init(&random, 3);
    for (unsigned i = 0; i < rounds_of(1000000); i++) {
        pair_clear(&pair);
        for (unsigned side = 0; side < 2; side++) {
            uint32_t count = (uint32_t)random_below(&random, 3);
            pack_array(&pair.values[side], count);
            for (uint32_t k = 0; k < count; k++) {
                append_tricky(&random, &pair.values[side]);
            }
        }
        check_pair(&pair);
    }
}

// Keys of two values, the first one descending.
Test(key, descending_values_sort_backwards_and_then_by_what_follows, .timeout = 120)
{
    AUTO(pair_release) struct pair firsts = {0};
    AUTO(pair_release) struct pair seconds = {0};
    struct random random;
    random_init(&random, 4);
    for (unsigned i = 0; i < rounds_of(1000000); i++) {
        pair_clear(&firsts);
        pair_clear(&seconds);
        for (unsigned side = 0; side < 2; side++) {
            append_tricky(&random, &firsts.values[side]);
            value_append_random(&random, 1, &seconds.values[side]);
            append_key(&firsts.values[side], &firsts.keys[side]);
            key_complement(&firsts.keys[side], 0);
            append_key(&seconds.values[side], &firsts.keys[side]);
        }
        struct cursor cursors[2] = {cursor_of(buffer_bytes(&firsts.values[0])),
                                    cursor_of(buffer_bytes(&firsts.values[1]))};
        int expected = -compare_values(&cursors[0], &cursors[1]);
        if (expected == 0) {
            cursors[0] = cursor_of(buffer_bytes(&seconds.values[0]));
            cursors[1] = cursor_of(buffer_bytes(&seconds.values[1]));
            expected = compare_values(&cursors[0], &cursors[1]);
        }
        cr_assert_eq(order_of_keys(&firsts), sign(expected));
    }
}

// The value read back has the same key, and is the same value in msgpack's own order.
static void check_reads_back(const struct buffer *value, bool is_descending)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer out = {0};
    append_key(value, &key);
    if (is_descending) {
        key_complement(&key, 0);
    }
    key_append_u8(&key, 0x7e);
    struct bytes rest = buffer_bytes(&key);
    cr_assert_eq(is_descending ? key_take_descending_value(&rest, &out)
                               : key_take_value(&rest, &out),
                 STATUS_ok);
    cr_assert_eq(rest.size, 1);
    struct cursor a = cursor_of(buffer_bytes(value));
    struct cursor b = cursor_of(buffer_bytes(&out));
    cr_assert_eq(compare_values(&a, &b), 0);
}

Test(key, values_are_read_back)
{
    AUTO(buffer_release) struct buffer value = {0};
    struct random random;
    random_init(&random, 5);
    for (unsigned i = 0; i < 200000; i++) {
        buffer_clear(&value);
        value_append_random(&random, 3, &value);
        check_reads_back(&value, i % 2 == 0);
    }
}

// The number is read back in exactly this encoding.
static void check_reads_as(const char *data, size_t size, const char *expected,
                           size_t expected_size)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer out = {0};
    struct cursor cursor = cursor_of(bytes_of(data, size));
    cr_assert_eq(key_append_value(&key, &cursor), STATUS_ok);
    struct bytes rest = buffer_bytes(&key);
    cr_assert_eq(key_take_value(&rest, &out), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_of(expected, expected_size)));
}

Test(key, numbers_without_a_fraction_are_read_back_as_integers)
{
    check_reads_as("\x05", 1, "\x05", 1);
    check_reads_as("\xcb\x40\x14\0\0\0\0\0\0", 9, "\x05", 1);
    check_reads_as("\xcb\xc0\x14\0\0\0\0\0\0", 9, "\xfb", 1);
    check_reads_as("\xcb\x40\x04\0\0\0\0\0\0", 9, "\xcb\x40\x04\0\0\0\0\0\0", 9);
    check_reads_as("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9,
                   "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    check_reads_as("\xd3\x80\0\0\0\0\0\0\x01", 9, "\xd3\x80\0\0\0\0\0\0\x01", 9);
    check_reads_as("\xcb\x43\xf0\0\0\0\0\0\0", 9, "\xcb\x43\xf0\0\0\0\0\0\0", 9);
}

Test(key, skipping_finds_the_end_of_a_value)
{
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer key = {0};
    struct random random;
    random_init(&random, 6);
    for (unsigned i = 0; i < 100000; i++) {
        buffer_clear(&value);
        buffer_clear(&key);
        value_append_random(&random, 3, &value);
        append_key(&value, &key);
        size_t size = key.size;
        key_append_integer(&key, 5);
        struct bytes rest = buffer_bytes(&key);
        struct bytes skipped;
        cr_assert_eq(key_skip_value(&rest, &skipped), STATUS_ok);
        cr_assert_eq(skipped.size, size);
        cr_assert_eq(rest.size, key.size - size);
    }
}

Test(key, equal_numbers_have_equal_keys)
{
    AUTO(pair_release) struct pair pair = {0};
    pack_u64(&pair.values[0], 1);
    pack_double(&pair.values[1], 1.0);
    check_pair(&pair);
    cr_assert_eq(order_of_keys(&pair), 0);
    pair_clear(&pair);
    pack_double(&pair.values[0], -0.0);
    pack_u64(&pair.values[1], 0);
    check_pair(&pair);
    cr_assert_eq(order_of_keys(&pair), 0);
}

Test(key, fixed_parts_sort_and_read_back)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_append_u8(&key, 1);
    key_append_u32(&key, 0x01020304);
    key_append_u64(&key, 0x0102030405060708);
    cr_assert(bytes_equal(buffer_bytes(&key), bytes_of("\1\1\2\3\4\1\2\3\4\5\6\7\x08", 13)));
    struct bytes rest = buffer_bytes(&key);
    uint8_t small;
    uint32_t middle;
    uint64_t large;
    cr_assert_eq(key_take_u8(&rest, &small), STATUS_ok);
    cr_assert_eq(key_take_u32(&rest, &middle), STATUS_ok);
    cr_assert_eq(key_take_u64(&rest, &large), STATUS_ok);
    cr_assert_eq(small, 1);
    cr_assert_eq(middle, 0x01020304);
    cr_assert_eq(large, 0x0102030405060708);
    cr_assert_eq(key_take_u8(&rest, &small), STATUS_bad_request);
}

Test(key, values_without_a_key_leave_it_as_it_was)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_append_u8(&key, 9);
    struct cursor extension = cursor_of(bytes_of("\x92\x01\xd4\x01\x00", 5));
    const uint8_t *begin = extension.next;
    cr_assert_eq(key_append_value(&key, &extension), STATUS_bad_request);
    cr_assert_eq(extension.next, begin);
    uint8_t nested[WIRE_DEPTH_MAX + 2];
    memset(nested, 0x91, sizeof nested - 1);
    nested[sizeof nested - 1] = 0xc0;
    struct cursor deep = cursor_of(bytes_of(nested, sizeof nested));
    cr_assert_eq(key_append_value(&key, &deep), STATUS_too_deep);
    cr_assert_eq(key.size, 1);
}

static void check_no_number(const char *behind_tag)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer out = {0};
    buffer_append_u8(&key, 0x21);
    buffer_append(&key, bytes_of(behind_tag, 10));
    struct bytes rest = buffer_bytes(&key);
    cr_assert_eq(key_take_value(&rest, &out), STATUS_bad_request);
    cr_assert_eq(rest.size, key.size);
    cr_assert_eq(out.size, 0);
}

Test(key, numbers_that_are_written_in_another_way_are_refused)
{
    check_no_number("\x3f\xff\xff\xff\xff\xff\xff\xff\x80\x04"); // -2, and 4 left over
    check_no_number("\xbf\xf8\0\0\0\0\0\0\x80\x01");             // 1.5, and 1 left over
    check_no_number("\x7f\xff\xff\xff\xff\xff\xff\xff\x80\x00"); // 0 with a sign
    check_no_number("\xff\xf8\0\0\0\0\0\0\x80\x00");             // no number
}

Test(key, survives_damage)
{
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 7);
    for (unsigned i = 0; i < 200000; i++) {
        buffer_clear(&value);
        buffer_clear(&key);
        buffer_clear(&out);
        value_append_random(&random, 3, &value);
        append_key(&value, &key);
        bytes_damage(&random, &key);
        struct bytes rest = buffer_bytes(&key);
        struct bytes ahead = rest;
        if (key_take_value(&rest, &out) == STATUS_ok) {
            cr_assert_eq(key_skip_value(&ahead, NULL), STATUS_ok);
            cr_assert_eq(ahead.size, rest.size);
            struct cursor cursor = cursor_of(buffer_bytes(&out));
            cr_assert_eq(cursor_skip(&cursor, NULL), STATUS_ok);
        } else {
            cr_assert_eq(out.size, 0);
        }
    }
}

// Whether `key` lies in the range of the keys of this kind.
static bool is_in_range_of(enum value_kind kind, const struct buffer *key)
{
    AUTO(buffer_release) struct buffer begin = {0};
    AUTO(buffer_release) struct buffer end = {0};
    key_append_type_begin(&begin, kind);
    key_append_type_end(&end, kind);
    return bytes_compare(buffer_bytes(&begin), buffer_bytes(key)) <= 0 &&
           bytes_compare(buffer_bytes(key), buffer_bytes(&end)) < 0;
}

// Numbers are one type.
static enum value_kind type_of(enum value_kind kind)
{
    return kind == VALUE_NEGATIVE || kind == VALUE_FLOAT ? VALUE_UNSIGNED : kind;
}

Test(key, types_have_ranges_of_their_own)
{
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer key = {0};
    struct random random;
    random_init(&random, 8);
    for (unsigned i = 0; i < 20000; i++) {
        buffer_clear(&value);
        buffer_clear(&key);
        value_append_random(&random, 2, &value);
        append_key(&value, &key);
        struct cursor cursor = cursor_of(buffer_bytes(&value));
        enum value_kind kind;
        cr_assert_eq(cursor_peek(&cursor, &kind), STATUS_ok);
        for (unsigned other = VALUE_NIL; other < VALUE_EXTENSION; other++) {
            bool is_same = type_of((enum value_kind)other) == type_of(kind);
            cr_assert_eq(is_in_range_of((enum value_kind)other, &key), is_same);
        }
    }
}

Test(key, texts_that_begin_alike_are_one_range)
{
    AUTO(buffer_release) struct buffer begin = {0};
    AUTO(buffer_release) struct buffer end = {0};
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct random random;
    random_init(&random, 9);
    for (unsigned i = 0; i < 20000; i++) {
        buffer_clear(&begin);
        buffer_clear(&end);
        buffer_clear(&key);
        buffer_clear(&text);
        struct bytes beginning = bytes_of("a\0\x7fz", random_below(&random, 5));
        for (uint64_t size = random_below(&random, 6); size > 0; size--) {
            buffer_append_u8(&text, (uint8_t) "a\0\x7fz"[random_below(&random, 4)]);
        }
        key_append_text_beginning(&begin, beginning);
        buffer_append(&end, buffer_bytes(&begin));
        key_append_end(&end);
        key_append_text(&key, buffer_bytes(&text));
        bool is_in = bytes_compare(buffer_bytes(&begin), buffer_bytes(&key)) <= 0 &&
                     bytes_compare(buffer_bytes(&key), buffer_bytes(&end)) < 0;
        cr_assert_eq(is_in, bytes_starts_with(buffer_bytes(&text), beginning));
    }
}
