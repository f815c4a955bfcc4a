/*
 * Cursor and packer against each other, and the cursor against every form that msgpack has and
 * against damaged bytes.
 */
#include "wire/cursor.h"

#include "base/limits.h"
#include "tests/unit/fixture_value.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <msgpack.h>

static struct value take(const char *data, size_t size)
{
    struct cursor cursor = cursor_of(bytes_of(data, size));
    struct value value;
    cr_assert_eq(cursor_value(&cursor, &value), STATUS_ok);
    cr_assert(cursor_at_end(&cursor));
    return value;
}

// Refused by every taker, whole and without moving the cursor.
static void check_refused(struct bytes bytes)
{
    struct cursor cursor = cursor_of(bytes);
    struct value value;
    enum value_kind kind;
    cr_assert_eq(cursor_value(&cursor, &value), STATUS_bad_request);
    cr_assert_eq(cursor_peek(&cursor, &kind), STATUS_bad_request);
    cr_assert_eq(cursor_skip(&cursor, NULL), STATUS_bad_request);
    cr_assert_eq(cursor.next, bytes.data);
}

static void check_unsigned(const char *data, size_t size, uint64_t expected)
{
    struct value value = take(data, size);
    cr_assert_eq(value.kind, VALUE_UNSIGNED);
    cr_assert_eq(value.natural, expected);
}

static void check_negative(const char *data, size_t size, int64_t expected)
{
    struct value value = take(data, size);
    cr_assert_eq(value.kind, VALUE_NEGATIVE);
    cr_assert_eq(value.integer, expected);
}

static void check_bytes(const char *data, size_t size, enum value_kind kind, const char *expected)
{
    struct value value = take(data, size);
    cr_assert_eq(value.kind, kind);
    cr_assert(bytes_equal(value.bytes, bytes_from_text(expected)));
}

static void check_timestamp(const char *data, size_t size, int64_t seconds, uint32_t nanoseconds)
{
    struct value value = take(data, size);
    cr_assert_eq(value.kind, VALUE_TIMESTAMP);
    cr_assert_eq(value.seconds, seconds);
    cr_assert_eq(value.nanoseconds, nanoseconds);
}

Test(cursor, takes_integers_of_every_form_by_value)
{
    check_unsigned("\x7f", 1, 127);
    check_unsigned("\xcc\x80", 2, 128);
    check_unsigned("\xcd\x01\x02", 3, 0x102);
    check_unsigned("\xce\x01\x02\x03\x04", 5, 0x1020304);
    check_unsigned("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9, UINT64_MAX);
    check_unsigned("\xd0\x05", 2, 5);
    check_unsigned("\xd3\x00\x00\x00\x00\x00\x00\x00\x05", 9, 5);
    check_negative("\xff", 1, -1);
    check_negative("\xe0", 1, -32);
    check_negative("\xd0\x80", 2, -128);
    check_negative("\xd1\x80\x00", 3, -32768);
    check_negative("\xd2\xff\xff\xff\xfe", 5, -2);
    check_negative("\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, INT64_MIN);
}

Test(cursor, takes_floats_of_both_sizes)
{
    cr_assert_eq(take("\xca\x3f\xc0\x00\x00", 5).real, 1.5);
    cr_assert_eq(take("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", 9).real, 1.5);
}

Test(cursor, takes_texts_and_binaries_of_every_form)
{
    check_bytes("\xa2hi", 3, VALUE_TEXT, "hi");
    check_bytes("\xd9\x02hi", 4, VALUE_TEXT, "hi");
    check_bytes("\xda\x00\x02hi", 5, VALUE_TEXT, "hi");
    check_bytes("\xdb\x00\x00\x00\x02hi", 7, VALUE_TEXT, "hi");
    check_bytes("\xc4\x02hi", 4, VALUE_BINARY, "hi");
    check_bytes("\xc5\x00\x02hi", 5, VALUE_BINARY, "hi");
    check_bytes("\xc6\x00\x00\x00\x02hi", 7, VALUE_BINARY, "hi");
    check_bytes("\xd5\x07hi", 4, VALUE_EXTENSION, "hi");
    check_bytes("\xc7\x02\x07hi", 5, VALUE_EXTENSION, "hi");
}

Test(cursor, takes_timestamps_of_every_form)
{
    check_timestamp("\xd6\xff\xff\xff\xff\xff", 6, UINT32_MAX, 0);
    check_timestamp("\xd7\xff\x00\x00\x00\x07\xff\xff\xff\xff", 10, 0x3ffffffff, 1);
    check_timestamp("\xc7\x0c\xff\x00\x00\x00\x05\xff\xff\xff\xff\xff\xff\xff\xff", 15, -1, 5);
}

Test(cursor, refuses_timestamps_that_are_none)
{
    check_refused(bytes_of("\xd7\xff\xee\x6b\x28\x00\x00\x00\x00\x00", 10));
    check_refused(bytes_of("\xd4\xff\x00", 3));
    check_refused(bytes_of("\xc7\x00\xff", 3));
}

Test(cursor, refuses_the_tag_that_msgpack_never_uses)
{
    check_refused(bytes_of("\xc1\x00", 2));
}

Test(cursor, refuses_counts_that_cannot_fit)
{
    check_refused(bytes_of("\xdd\x10\x00\x00\x00", 5));
    check_refused(bytes_of("\xdf\xff\xff\xff\xff\x00", 6));
    check_refused(bytes_of("\x82\x01\x01\x01", 4));
    check_refused(bytes_of("\xdb\xff\xff\xff\xff", 5));
}

Test(cursor, refuses_every_truncation)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 20000; i++) {
        buffer_clear(&out);
        value_append_random(&random, 3, &out);
        size_t cut = random_below(&random, out.size);
        struct cursor cursor = cursor_of(bytes_of(out.data, cut));
        cr_assert_eq(cursor_skip(&cursor, NULL), STATUS_bad_request);
        cr_assert_eq(cursor.next, out.data);
    }
}

Test(cursor, skips_exactly_one_value)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 2);
    for (unsigned i = 0; i < 20000; i++) {
        buffer_clear(&out);
        value_append_random(&random, 4, &out);
        size_t size = out.size;
        value_append_random(&random, 1, &out);
        struct cursor cursor = cursor_of(buffer_bytes(&out));
        struct bytes skipped;
        cr_assert_eq(cursor_skip(&cursor, &skipped), STATUS_ok);
        cr_assert_eq(skipped.data, out.data);
        cr_assert_eq(skipped.size, size);
        cr_assert_eq(cursor.next, out.data + size);
    }
}

// What skipping says about `depth` arrays, each in the one before.
static enum status skip_nested(unsigned depth)
{
    uint8_t data[WIRE_DEPTH_MAX + 9];
    cr_assert(depth < sizeof data);
    memset(data, 0x91, depth);
    data[depth] = 0xc0;
    struct cursor cursor = cursor_of(bytes_of(data, depth + 1));
    return cursor_skip(&cursor, NULL);
}

Test(cursor, skips_up_to_the_depth_allowed_and_no_deeper)
{
    cr_assert_eq(skip_nested(WIRE_DEPTH_MAX), STATUS_ok);
    cr_assert_eq(skip_nested(WIRE_DEPTH_MAX + 1), STATUS_too_deep);
}

Test(cursor, shorthands_take_their_type_only)
{
    struct cursor cursor = cursor_of(bytes_of("\xa1x", 2));
    const uint8_t *begin = cursor.next;
    uint64_t number;
    bool flag;
    uint32_t count;
    struct bytes bytes;
    cr_assert_eq(cursor_u64(&cursor, &number), STATUS_bad_request);
    cr_assert_eq(cursor_flag(&cursor, &flag), STATUS_bad_request);
    cr_assert_eq(cursor_binary(&cursor, &bytes), STATUS_bad_request);
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_bad_request);
    cr_assert_eq(cursor_map(&cursor, &count), STATUS_bad_request);
    cr_assert_eq(cursor.next, begin);
    cr_assert_eq(cursor_text(&cursor, &bytes), STATUS_ok);
    cr_assert(cursor_at_end(&cursor));
}

Test(cursor, number_shorthand_refuses_negative_numbers)
{
    struct cursor cursor = cursor_of(bytes_of("\xd0\xff", 2));
    uint64_t number;
    cr_assert_eq(cursor_u64(&cursor, &number), STATUS_bad_request);
}

// Whether msgpack-c takes the bytes as one value.
static bool reference_accepts(struct bytes bytes, size_t *ret_size)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    int result = msgpack_unpack_next(&unpacked, (const char *)bytes.data, bytes.size, &offset);
    msgpack_unpacked_destroy(&unpacked);
    *ret_size = offset;
    return result == MSGPACK_UNPACK_SUCCESS || result == MSGPACK_UNPACK_EXTRA_BYTES;
}

// We refuse more than it does (bad timestamps, counts that can't fit), never less.
Test(cursor, agrees_with_the_reference_on_damaged_bytes)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 3);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 200000; i++) {
        buffer_clear(&out);
        value_append_random(&random, 3, &out);
        bytes_damage(&random, &out);
        struct cursor cursor = cursor_of(buffer_bytes(&out));
        struct bytes skipped;
        if (cursor_skip(&cursor, &skipped) == STATUS_ok) {
            size_t size;
            cr_assert(reference_accepts(buffer_bytes(&out), &size));
            cr_assert_eq(size, skipped.size);
            accepted++;
        }
    }
    cr_assert_gt(accepted, 50000);
}

Test(cursor, reads_back_what_was_packed)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 4);
    for (unsigned i = 0; i < 200000; i++) {
        buffer_clear(&out);
        uint64_t natural = natural_random(&random);
        int64_t integer = (int64_t)natural_random(&random);
        pack_u64(&out, natural);
        pack_i64(&out, integer);
        struct cursor cursor = cursor_of(buffer_bytes(&out));
        struct value value;
        cr_assert_eq(cursor_value(&cursor, &value), STATUS_ok);
        cr_assert(value.kind == VALUE_UNSIGNED && value.natural == natural);
        cr_assert_eq(cursor_value(&cursor, &value), STATUS_ok);
        cr_assert_eq(value.kind, integer < 0 ? VALUE_NEGATIVE : VALUE_UNSIGNED);
        cr_assert_eq(integer < 0 ? value.integer : (int64_t)value.natural, integer);
        cr_assert(cursor_at_end(&cursor));
    }
}
