/*
 * Canonical form against a plain reference: random values are made twice at the same time, once in
 * canonical form with sorted fields, once with fields shuffled and everything encoded in a random
 * longer form. The second must become the first.
 */
#include "wire/document/document.h"

#include "base/limits.h"
#include "base/rfc3339.h"
#include "tests/unit/fixture_value.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MAX = 6 };

// One value in both forms.
struct twins {
    struct buffer clean; // canonical
    struct buffer messy; // the same value, otherwise
};

// One field of a map in both forms.
struct twin_field {
    struct buffer name; // as it is, for sorting
    struct twins twins; // name and value
};

static void twins_release(struct twins *twins)
{
    buffer_release(&twins->clean);
    buffer_release(&twins->messy);
}

// Appends a tag and `size` bytes of a number, big endian.
static void append_number(struct buffer *out, unsigned tag, uint64_t number, unsigned size)
{
    buffer_append_u8(out, (uint8_t)tag);
    for (unsigned i = size; i > 0; i--) {
        buffer_append_u8(out, (uint8_t)(number >> (8 * (i - 1))));
    }
}

// Appends the head of a text, binary, array or map with a number of 2 or 4 bytes.
static void append_long_head(struct random *random, struct buffer *out, unsigned tag_of_2,
                             uint64_t number)
{
    bool is_longest = number > UINT16_MAX || random_chance(random, 500000);
    append_number(out, tag_of_2 + is_longest, number, is_longest ? 4 : 2);
}

static void make_integer(struct random *random, struct twins *out)
{
    int64_t integer = (int64_t)natural_random(random);
    pack_i64(&out->clean, integer);
    unsigned tag = integer >= 0 && random_chance(random, 500000) ? 0xcf : 0xd3;
    append_number(&out->messy, tag, (uint64_t)integer, 8);
}

static void make_float(struct random *random, struct twins *out)
{
    double real = real_random(random);
    if (random_chance(random, 200000)) {
        pack_double(&out->clean, 0.0);
        pack_double(&out->messy, -0.0);
        return;
    }
    float narrow = (float)(random_chance(random, 500000) ? 0.25 : 1e10);
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    if (random_chance(random, 500000)) {
        pack_double(&out->clean, (double)narrow);
        append_number(&out->messy, 0xca, bits, 4);
        return;
    }
    pack_double(&out->clean, real == 0 ? 0.0 : real);
    pack_double(&out->messy, real);
}

static void make_text(struct random *random, struct bytes text, struct twins *out)
{
    pack_text(&out->clean, text);
    append_long_head(random, &out->messy, 0xda, text.size);
    buffer_append(&out->messy, text);
}

static void make_binary(struct random *random, struct bytes binary, struct twins *out)
{
    pack_binary(&out->clean, binary);
    append_long_head(random, &out->messy, 0xc5, binary.size);
    buffer_append(&out->messy, binary);
}

static void make_timestamp(struct random *random, struct twins *out)
{
    int64_t seconds = (int64_t)(natural_random(random) % (uint64_t)RFC3339_SECONDS_MAX);
    uint32_t nanoseconds = (uint32_t)random_below(random, 2) * 5;
    pack_timestamp(&out->clean, seconds, nanoseconds);
    append_number(&out->messy, 0xc7, 12, 1);
    append_number(&out->messy, 0xff, nanoseconds, 4);
    for (unsigned i = 8; i > 0; i--) {
        buffer_append_u8(&out->messy, (uint8_t)((uint64_t)seconds >> (8 * (i - 1))));
    }
}

static void make_value(struct random *random, unsigned depth, struct twins *out);

static void make_array(struct random *random, unsigned depth, struct twins *out)
{
    uint32_t count = (uint32_t)random_below(random, 5);
    pack_array(&out->clean, count);
    append_long_head(random, &out->messy, 0xdc, count);
    for (uint32_t i = 0; i < count; i++) {
        make_value(random, depth - 1, out);
    }
}

static int compare_fields(const void *a, const void *b)
{
    const struct twin_field *field_a = a;
    const struct twin_field *field_b = b;
    return bytes_compare(buffer_bytes(&field_a->name), buffer_bytes(&field_b->name));
}

// Makes up to FIELDS_MAX fields with different names, sorted; returns how many.
static uint32_t make_fields(struct random *random, unsigned depth, struct twin_field *fields)
{
    uint32_t wanted = (uint32_t)random_below(random, FIELDS_MAX + 1);
    for (uint32_t i = 0; i < wanted; i++) {
        text_append_random(random, 5, &fields[i].name);
        make_text(random, buffer_bytes(&fields[i].name), &fields[i].twins);
        make_value(random, depth - 1, &fields[i].twins);
    }
    qsort(fields, wanted, sizeof *fields, compare_fields);
    uint32_t count = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        if (count == 0 || compare_fields(&fields[count - 1], &fields[i]) != 0) {
            struct twin_field kept = fields[i];
            fields[i] = fields[count];
            fields[count++] = kept;
        }
    }
    return count;
}

static void shuffle(struct random *random, struct twin_field *fields, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint64_t other = random_below(random, i);
        struct twin_field moved = fields[other];
        fields[other] = fields[i - 1];
        fields[i - 1] = moved;
    }
}

static void make_map(struct random *random, unsigned depth, struct twins *out)
{
    struct twin_field fields[FIELDS_MAX] = {0};
    uint32_t count = make_fields(random, depth, fields);
    pack_map(&out->clean, count);
    append_long_head(random, &out->messy, 0xde, count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_append(&out->clean, buffer_bytes(&fields[i].twins.clean));
    }
    shuffle(random, fields, count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_append(&out->messy, buffer_bytes(&fields[i].twins.messy));
    }
    for (uint32_t i = 0; i < FIELDS_MAX; i++) {
        buffer_release(&fields[i].name);
        twins_release(&fields[i].twins);
    }
}

static void make_value(struct random *random, unsigned depth, struct twins *out)
{
    AUTO(buffer_release) struct buffer text = {0};
    text_append_random(random, 40, &text);
    switch (random_below(random, depth > 0 ? 8 : 6)) {
    case 0:
        pack_nil(&out->clean);
        pack_nil(&out->messy);
        break;
    case 1: make_integer(random, out); break;
    case 2: make_float(random, out); break;
    case 3: make_text(random, buffer_bytes(&text), out); break;
    case 4: make_binary(random, buffer_bytes(&text), out); break;
    case 5: make_timestamp(random, out); break;
    case 6: make_array(random, depth, out); break;
    default: make_map(random, depth, out); break;
    }
}

static void check_becomes(struct bytes raw, struct bytes expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    buffer_append(&out, bytes_from_text("before"));
    const char *reason = "";
    cr_assert_eq(document_canonicalize(raw, &out, &reason), STATUS_ok, "%s", reason);
    cr_assert(bytes_equal(bytes_of(out.data + 6, out.size - 6), expected));
}

static void check_refused(struct bytes raw, enum status expected, const char *about)
{
    AUTO(buffer_release) struct buffer out = {0};
    const char *reason = "";
    buffer_append(&out, bytes_from_text("before"));
    cr_assert_eq(document_canonicalize(raw, &out, &reason), expected, "%s", reason);
    cr_assert_not_null(strstr(reason, about), "%s", reason);
    cr_assert_eq(out.size, 6);
    cr_assert_not(document_is_canonical(raw));
}

static void check_refused_literal(const char *data, size_t size, const char *about)
{
    check_refused(bytes_of(data, size), STATUS_bad_request, about);
}

static size_t count_values(struct bytes bytes)
{
    struct cursor cursor = cursor_of(bytes);
    struct value value;
    size_t count = 0;
    while (!cursor_at_end(&cursor)) {
        cr_assert_eq(cursor_value(&cursor, &value), STATUS_ok);
        count++;
    }
    return count;
}

Test(document, any_encoding_of_a_value_becomes_the_canonical_one)
{
    struct random random;
    size_t values = 0;
    random_init(&random, 1);
    for (unsigned i = 0; i < rounds_of(200000); i++) {
        AUTO(twins_release) struct twins twins = {0};
        make_map(&random, i % 4 + 1, &twins);
        values += count_values(buffer_bytes(&twins.clean));
        check_becomes(buffer_bytes(&twins.messy), buffer_bytes(&twins.clean));
        check_becomes(buffer_bytes(&twins.clean), buffer_bytes(&twins.clean));
        cr_assert(document_is_canonical(buffer_bytes(&twins.clean)));
        cr_assert_not(document_is_canonical(buffer_bytes(&twins.messy)));
    }
    cr_assert_gt(values, rounds_of(1000000), "%zu values", values);
}

Test(document, that_is_canonical_is_a_fixed_point_and_others_are_not_called_so)
{
    struct random random;
    random_init(&random, 2);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 200000; i++) {
        AUTO(twins_release) struct twins twins = {0};
        AUTO(buffer_release) struct buffer out = {0};
        make_map(&random, 2, &twins);
        bytes_damage(&random, random_chance(&random, 500000) ? &twins.clean : &twins.messy);
        struct bytes raw = buffer_bytes(&twins.clean);
        if (document_canonicalize(raw, &out, NULL) == STATUS_ok) {
            cr_assert_eq(document_is_canonical(raw), bytes_equal(raw, buffer_bytes(&out)));
            cr_assert(document_is_canonical(buffer_bytes(&out)));
            accepted++;
        } else {
            cr_assert_not(document_is_canonical(raw));
        }
        buffer_clear(&out);
        if (document_canonicalize(buffer_bytes(&twins.messy), &out, NULL) == STATUS_ok) {
            cr_assert(document_is_canonical(buffer_bytes(&out)));
        }
    }
    cr_assert_gt(accepted, 50000);
}

// Not canonical for one reason alone.
static void check_rewritten(const char *data, size_t size, const char *expected,
                            size_t expected_size)
{
    cr_assert_not(document_is_canonical(bytes_of(data, size)), "%zu", size);
    check_becomes(bytes_of(data, size), bytes_of(expected, expected_size));
}

Test(document, numbers_in_another_form_are_noticed)
{
    check_rewritten("\x81\xa1x\xcb\x80\0\0\0\0\0\0\0", 12, "\x81\xa1x\xcb\0\0\0\0\0\0\0\0", 12);
    check_rewritten("\x81\xa1x\xca\x3f\x80\0\0", 8, "\x81\xa1x\xcb\x3f\xf0\0\0\0\0\0\0", 12);
    check_rewritten("\x81\xa1x\xcc\x7f", 5, "\x81\xa1x\x7f", 4);
    check_rewritten("\x81\xa1x\xd1\x00\x80", 6, "\x81\xa1x\xcc\x80", 5);
    check_rewritten("\x81\xa1x\xd0\xff", 5, "\x81\xa1x\xff", 4);
}

Test(document, signed_forms_as_long_as_the_unsigned_one_are_noticed)
{
    check_rewritten("\x81\xa1x\xd1\x01\x2c", 6, "\x81\xa1x\xcd\x01\x2c", 6);
    check_rewritten("\x81\xa1x\xd2\x00\x01\x00\x00", 8, "\x81\xa1x\xce\x00\x01\x00\x00", 8);
    check_rewritten("\x81\xa1x\xd3\0\0\0\x01\0\0\0\0", 12, "\x81\xa1x\xcf\0\0\0\x01\0\0\0\0", 12);
}

Test(document, names_and_containers_in_another_form_are_noticed)
{
    check_rewritten("\x81\xd9\x01x\x01", 5, "\x81\xa1x\x01", 4);
    check_rewritten("\x82\xa1y\x01\xa1x\x02", 7, "\x82\xa1x\x02\xa1y\x01", 7);
    check_rewritten("\x81\xa1x\xdc\x00\x00", 6, "\x81\xa1x\x90", 4);
    check_rewritten("\x81\xa1x\xde\x00\x00", 6, "\x81\xa1x\x80", 4);
    check_rewritten("\x81\xa1x\xc5\x00\x00", 6, "\x81\xa1x\xc4\x00", 5);
    check_rewritten("\x81\xa1x\xc7\x04\xff\0\0\0\0", 10, "\x81\xa1x\xd6\xff\0\0\0\0", 9);
    check_rewritten("\x81\xa1x\xd7\xff\0\0\0\0\0\0\0\0", 13, "\x81\xa1x\xd6\xff\0\0\0\0", 9);
    check_rewritten("\xde\x00\x00", 3, "\x80", 1);
}

Test(document, must_be_a_map)
{
    check_refused(bytes_of("\x90", 1), STATUS_type, "map");
    check_refused(bytes_of("\xa1x", 2), STATUS_type, "map");
    check_refused(bytes_of(NULL, 0), STATUS_bad_request, "msgpack");
}

Test(document, field_names_are_unique)
{
    check_refused_literal("\x82\xa1x\x01\xa1x\x02", 7, "twice");
    check_refused_literal("\x83\xa1x\x01\xa1y\x02\xd9\x01x\x03", 11, "twice");
}

Test(document, field_names_are_texts_without_nul)
{
    check_refused_literal("\x81\x01\x01", 3, "name");
    check_refused_literal("\x81\xa2x\0\x01", 5, "NUL");
    check_refused_literal("\x81\xa1\xff\x01", 4, "UTF-8");
}

Test(document, texts_are_utf8)
{
    check_refused_literal("\x81\xa1x\xa1\xff", 5, "UTF-8");
}

Test(document, floats_are_finite)
{
    check_refused_literal("\x81\xa1x\xcb\x7f\xf8\0\0\0\0\0\0", 12, "finite");
    check_refused_literal("\x81\xa1x\xca\xff\x80\0\0", 8, "finite");
}

Test(document, extensions_other_than_timestamps_are_refused)
{
    check_refused_literal("\x81\xa1x\xd4\x01\x00", 6, "extension");
    check_refused_literal("\x81\xa1x\xc7\x0c\xff\0\0\0\0\x7f\0\0\0\0\0\0\0", 18, "years");
}

Test(document, ends_where_it_ends)
{
    check_refused_literal("\x80\x80", 2, "further");
    check_refused_literal("\x81\xa1x", 3, "msgpack");
}

// A document whose containers nest `depth` deep, itself included, out of canonical form if `messy`.
static void make_nested(unsigned depth, bool messy, struct buffer *out)
{
    buffer_clear(out);
    if (messy) {
        append_number(out, 0xde, 1, 2);
    } else {
        pack_map(out, 1);
    }
    pack_text_literal(out, "a");
    for (unsigned i = 1; i < depth; i++) {
        pack_array(out, 1);
    }
    pack_nil(out);
}

Test(document, nests_as_deep_as_allowed_and_no_deeper)
{
    AUTO(buffer_release) struct buffer raw = {0};
    for (unsigned messy = 0; messy < 2; messy++) {
        AUTO(buffer_release) struct buffer out = {0};
        make_nested(DOCUMENT_DEPTH_MAX, messy, &raw);
        cr_assert_eq(document_canonicalize(buffer_bytes(&raw), &out, NULL), STATUS_ok);
        make_nested(DOCUMENT_DEPTH_MAX + 1, messy, &raw);
        check_refused(buffer_bytes(&raw), STATUS_too_deep, "deeply");
    }
}

// A document of exactly `size` canonical bytes, above 64 KiB.
static void make_sized(size_t size, struct buffer *out)
{
    AUTO(buffer_release) struct buffer letters = {0};
    size_t text_size = size - 8;
    memset(buffer_extend(&letters, text_size), 'x', text_size);
    buffer_clear(out);
    pack_map(out, 1);
    pack_text_literal(out, "a");
    pack_text(out, buffer_bytes(&letters));
    cr_assert_eq(out->size, size);
}

Test(document, is_as_large_as_allowed_and_no_larger)
{
    AUTO(buffer_release) struct buffer raw = {0};
    AUTO(buffer_release) struct buffer out = {0};
    make_sized(DOCUMENT_SIZE_MAX, &raw);
    cr_assert(document_is_canonical(buffer_bytes(&raw)));
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), &out, NULL), STATUS_ok);
    make_sized(DOCUMENT_SIZE_MAX + 1, &raw);
    check_refused(buffer_bytes(&raw), STATUS_too_large, "larger");
}

// Sorting must not be quadratic, whatever the order; a quadratic one would take minutes here.
Test(document, many_fields_in_descending_order_are_sorted_fast, .timeout = 20)
{
    AUTO(buffer_release) struct buffer raw = {0};
    AUTO(buffer_release) struct buffer out = {0};
    enum { COUNT = 100000 };
    pack_map(&raw, COUNT);
    for (unsigned i = COUNT; i > 0; i--) {
        char text[12];
        pack_text(&raw, bytes_of(text, (size_t)snprintf(text, sizeof text, "%07u", i)));
        pack_nil(&raw);
    }
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), &out, NULL), STATUS_ok);
    cr_assert(document_is_canonical(buffer_bytes(&out)));
    cr_assert_eq(out.size, raw.size);
}
