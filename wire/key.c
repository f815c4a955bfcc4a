/*
 * Order-preserving keys, as drawn in the header.
 *
 * 1. The first byte of a value orders the types; no value begins with 00 or ff, nor does a
 *    complemented one. So 00 ends a container before any further element, and behind a text 00 is
 *    its end unless ff follows.
 * 2. A double sorts by its bits once the sign bit is flipped (all bits if it is negative). -0 is
 *    written as 0.
 * 3. An integer i is the nearest double d and the residual i - d. Neighbouring doubles near 2^64
 *    are 2048 apart, so the residual lies within -1024 and 1024, and (d, residual) orders as i
 *    does, also among true doubles, whose residual is 0.
 * 4. Recursion goes as deep as values nest, which is bounded by WIRE_DEPTH_MAX.
 */
#include "wire/key.h"

#include "base/assert.h"
#include "base/limits.h"
#include "wire/pack.h"

#include <math.h>

enum tag {
    TAG_END = 0x00,
    TAG_NULL = 0x05,
    TAG_FALSE = 0x10,
    TAG_TRUE = 0x11,
    TAG_NAN = 0x20,
    TAG_NUMBER = 0x21,
    TAG_TIMESTAMP = 0x30,
    TAG_BINARY = 0x40,
    TAG_TEXT = 0x50,
    TAG_ARRAY = 0x60,
    TAG_MAP = 0x70,
};

enum {
    ESCAPE = 0xff,          // behind a 00 that belongs to a text
    BEHIND_ALL = 0xff,      // above all tags
    RESIDUAL_ZERO = 0x8000, // how a residual of 0 is written
};

static const uint64_t SIGN_BIT = 0x8000000000000000;

static void append_big_endian(struct buffer *key, uint64_t value, unsigned size)
{
    uint8_t *to = buffer_extend(key, size);
    for (unsigned i = 0; i < size; i++) {
        to[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

void key_append_u8(struct buffer *key, uint8_t value)
{
    buffer_append_u8(key, value);
}

void key_append_u32(struct buffer *key, uint32_t value)
{
    append_big_endian(key, value, 4);
}

void key_append_u64(struct buffer *key, uint64_t value)
{
    append_big_endian(key, value, 8);
}

// Without the end.
static void append_escaped_part(struct buffer *key, enum tag tag, struct bytes bytes)
{
    buffer_append_u8(key, (uint8_t)tag);
    struct bytes left = bytes;
    while (left.size > 0) {
        const uint8_t *zero = memchr(left.data, 0, left.size);
        size_t size = zero == NULL ? left.size : (size_t)(zero - left.data) + 1;
        buffer_append(key, bytes_of(left.data, size));
        if (zero != NULL) {
            buffer_append_u8(key, ESCAPE);
        }
        left = bytes_of(left.data + size, left.size - size);
    }
}

static void append_escaped(struct buffer *key, enum tag tag, struct bytes bytes)
{
    append_escaped_part(key, tag, bytes);
    buffer_append_u8(key, TAG_END);
}

void key_append_text(struct buffer *key, struct bytes text)
{
    append_escaped(key, TAG_TEXT, text);
}

static void append_number(struct buffer *key, double nearest, int64_t residual)
{
    uint64_t bits = 0;
    if (nearest != 0) {
        memcpy(&bits, &nearest, sizeof bits);
    }
    bits ^= (bits & SIGN_BIT) != 0 ? UINT64_MAX : SIGN_BIT;
    buffer_append_u8(key, TAG_NUMBER);
    append_big_endian(key, bits, 8);
    append_big_endian(key, (uint64_t)(residual + RESIDUAL_ZERO), 2);
}

static void append_unsigned(struct buffer *key, uint64_t value)
{
    double nearest = (double)value;
    append_number(key, nearest, (int64_t)((__int128_t)value - (__int128_t)nearest));
}

void key_append_integer(struct buffer *key, int64_t value)
{
    double nearest = (double)value;
    append_number(key, nearest, (int64_t)((__int128_t)value - (__int128_t)nearest));
}

static void append_float(struct buffer *key, double value)
{
    if (isnan(value)) {
        buffer_append_u8(key, TAG_NAN);
    } else {
        append_number(key, value, 0);
    }
}

static void append_timestamp(struct buffer *key, const struct value *value)
{
    buffer_append_u8(key, TAG_TIMESTAMP);
    append_big_endian(key, (uint64_t)value->seconds ^ SIGN_BIT, 8);
    append_big_endian(key, value->nanoseconds, 4);
}

static enum status append_any(struct buffer *key, struct cursor *cursor, unsigned depth);

static enum status append_container(struct buffer *key, struct cursor *cursor,
                                    const struct value *head, unsigned depth)
{
    if (depth == WIRE_DEPTH_MAX) {
        return STATUS_too_deep;
    }
    bool is_map = head->kind == VALUE_MAP;
    uint64_t elements = is_map ? 2 * (uint64_t)head->count : head->count;
    buffer_append_u8(key, is_map ? TAG_MAP : TAG_ARRAY);
    for (uint64_t i = 0; i < elements; i++) {
        TRY(append_any(key, cursor, depth + 1));
    }
    buffer_append_u8(key, TAG_END);
    return STATUS_ok;
}

// `depth` containers are open around the value.
static enum status append_any(struct buffer *key, struct cursor *cursor, unsigned depth)
{
    struct value value;
    TRY(cursor_value(cursor, &value));
    switch (value.kind) {
    case VALUE_NIL: buffer_append_u8(key, TAG_NULL); break;
    case VALUE_BOOLEAN: buffer_append_u8(key, value.boolean ? TAG_TRUE : TAG_FALSE); break;
    case VALUE_UNSIGNED: append_unsigned(key, value.natural); break;
    case VALUE_NEGATIVE: key_append_integer(key, value.integer); break;
    case VALUE_FLOAT: append_float(key, value.real); break;
    case VALUE_TIMESTAMP: append_timestamp(key, &value); break;
    case VALUE_BINARY: append_escaped(key, TAG_BINARY, value.bytes); break;
    case VALUE_TEXT: append_escaped(key, TAG_TEXT, value.bytes); break;
    case VALUE_ARRAY:
    case VALUE_MAP: return append_container(key, cursor, &value, depth);
    case VALUE_EXTENSION: return STATUS_bad_request;
    }
    return STATUS_ok;
}

enum status key_append_value(struct buffer *key, struct cursor *cursor)
{
    size_t size = key->size;
    struct cursor at = *cursor;
    enum status status = append_any(key, &at, 0);
    if (status != STATUS_ok) {
        buffer_truncate(key, size);
        return status;
    }
    *cursor = at;
    return STATUS_ok;
}

void key_append_text_beginning(struct buffer *key, struct bytes text)
{
    append_escaped_part(key, TAG_TEXT, text);
}

// The smallest tag of a type, and the greatest.
static enum tag tag_of(enum value_kind kind, bool is_greatest)
{
    switch (kind) {
    case VALUE_NIL: return TAG_NULL;
    case VALUE_BOOLEAN: return is_greatest ? TAG_TRUE : TAG_FALSE;
    case VALUE_UNSIGNED:
    case VALUE_NEGATIVE:
    case VALUE_FLOAT: return TAG_NUMBER;
    case VALUE_TEXT: return TAG_TEXT;
    case VALUE_BINARY: return TAG_BINARY;
    case VALUE_ARRAY: return TAG_ARRAY;
    case VALUE_MAP: return TAG_MAP;
    case VALUE_TIMESTAMP: return TAG_TIMESTAMP;
    case VALUE_EXTENSION: break;
    }
    UNREACHABLE();
}

void key_append_type_begin(struct buffer *key, enum value_kind kind)
{
    buffer_append_u8(key, (uint8_t)tag_of(kind, false));
}

void key_append_type_end(struct buffer *key, enum value_kind kind)
{
    buffer_append_u8(key, (uint8_t)(tag_of(kind, true) + 1));
}

void key_append_end(struct buffer *key)
{
    buffer_append_u8(key, BEHIND_ALL);
}

void key_complement(struct buffer *key, size_t from)
{
    for (size_t i = from; i < key->size; i++) {
        key->data[i] = (uint8_t)~key->data[i];
    }
}

static enum status take_big_endian(struct bytes *rest, unsigned size, uint64_t *ret_value)
{
    if (rest->size < size) {
        return STATUS_bad_request;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | rest->data[i];
    }
    *rest = bytes_of(rest->data + size, rest->size - size);
    *ret_value = value;
    return STATUS_ok;
}

enum status key_take_u8(struct bytes *rest, uint8_t *ret_value)
{
    uint64_t value;
    TRY(take_big_endian(rest, 1, &value));
    *ret_value = (uint8_t)value;
    return STATUS_ok;
}

enum status key_take_u32(struct bytes *rest, uint32_t *ret_value)
{
    uint64_t value;
    TRY(take_big_endian(rest, 4, &value));
    *ret_value = (uint32_t)value;
    return STATUS_ok;
}

enum status key_take_u64(struct bytes *rest, uint64_t *ret_value)
{
    return take_big_endian(rest, 8, ret_value);
}

static bool fits_integer(double value)
{
    return value >= -0x1p63 && value < 0x1p64 && value == floor(value);
}

static enum status pack_integer(struct buffer *out, __int128_t value)
{
    if (value < INT64_MIN || value > UINT64_MAX) {
        return STATUS_bad_request;
    }
    if (value < 0) {
        pack_i64(out, (int64_t)value);
    } else {
        pack_u64(out, (uint64_t)value);
    }
    return STATUS_ok;
}

static enum status take_number(struct bytes *rest, struct buffer *out)
{
    uint64_t bits;
    uint64_t written_residual;
    TRY(take_big_endian(rest, 8, &bits));
    TRY(take_big_endian(rest, 2, &written_residual));
    bits ^= (bits & SIGN_BIT) != 0 ? SIGN_BIT : UINT64_MAX;
    double nearest;
    memcpy(&nearest, &bits, sizeof nearest);
    int64_t residual = (int64_t)written_residual - RESIDUAL_ZERO;
    if (isnan(nearest) || (nearest == 0 && signbit(nearest))) {
        return STATUS_bad_request; // these have other keys
    }
    if (residual == 0 && !fits_integer(nearest)) {
        pack_double(out, nearest);
        return STATUS_ok;
    }
    bool is_whole = fabs(nearest) <= 0x1p64 && nearest == floor(nearest);
    __int128_t integer = is_whole ? (__int128_t)nearest + residual : 0;
    // With more left over another double would be nearer.
    bool is_sound = is_whole && (double)integer == nearest;
    return is_sound ? pack_integer(out, integer) : STATUS_bad_request;
}

static enum status take_timestamp(struct bytes *rest, struct buffer *out)
{
    uint64_t seconds;
    uint64_t nanoseconds;
    TRY(take_big_endian(rest, 8, &seconds));
    TRY(take_big_endian(rest, 4, &nanoseconds));
    if (nanoseconds >= 1000000000) {
        return STATUS_bad_request;
    }
    pack_timestamp(out, (int64_t)(seconds ^ SIGN_BIT), (uint32_t)nanoseconds);
    return STATUS_ok;
}

// Takes the escaped bytes up to their end; ret_escaped is without the end.
static enum status take_escaped(struct bytes *rest, struct bytes *ret_escaped)
{
    const uint8_t *next = rest->data;
    const uint8_t *end = rest->data + rest->size;
    for (;;) {
        const uint8_t *zero = next == end ? NULL : memchr(next, 0, (size_t)(end - next));
        if (zero == NULL) {
            return STATUS_bad_request;
        }
        if (zero + 1 == end || zero[1] != ESCAPE) {
            *ret_escaped = bytes_of(rest->data, (size_t)(zero - rest->data));
            *rest = bytes_of(zero + 1, (size_t)(end - zero - 1));
            return STATUS_ok;
        }
        next = zero + 2;
    }
}

static void pack_bytes(struct buffer *out, enum tag tag, struct bytes bytes)
{
    if (tag == TAG_TEXT) {
        pack_text(out, bytes);
    } else {
        pack_binary(out, bytes);
    }
}

static enum status take_text(struct bytes *rest, enum tag tag, struct buffer *out)
{
    struct bytes escaped;
    TRY(take_escaped(rest, &escaped));
    if (escaped.size == 0 || memchr(escaped.data, 0, escaped.size) == NULL) {
        pack_bytes(out, tag, escaped);
        return STATUS_ok;
    }
    AUTO(buffer_release) struct buffer plain = {0};
    for (size_t i = 0; i < escaped.size; i++) {
        buffer_append_u8(&plain, escaped.data[i]);
        i += escaped.data[i] == 0; // the escape behind it
    }
    pack_bytes(out, tag, buffer_bytes(&plain));
    return STATUS_ok;
}

static enum status skip_any(struct bytes *rest, unsigned depth, uint64_t *ret_elements);

// Steps over the elements of a container and its end.
static enum status skip_elements(struct bytes *rest, unsigned depth, uint64_t *ret_elements)
{
    if (depth == WIRE_DEPTH_MAX) {
        return STATUS_too_deep;
    }
    uint64_t elements = 0;
    while (rest->size > 0 && rest->data[0] != TAG_END) {
        uint64_t inner;
        TRY(skip_any(rest, depth + 1, &inner));
        elements++;
    }
    uint8_t end;
    TRY(key_take_u8(rest, &end));
    *ret_elements = elements;
    return STATUS_ok;
}

static enum status skip_size(struct bytes *rest, size_t size)
{
    if (rest->size < size) {
        return STATUS_bad_request;
    }
    *rest = bytes_of(rest->data + size, rest->size - size);
    return STATUS_ok;
}

// ret_elements is set for containers only.
static enum status skip_any(struct bytes *rest, unsigned depth, uint64_t *ret_elements)
{
    uint8_t tag;
    struct bytes escaped;
    TRY(key_take_u8(rest, &tag));
    switch (tag) {
    case TAG_NULL:
    case TAG_FALSE:
    case TAG_TRUE:
    case TAG_NAN: return STATUS_ok;
    case TAG_NUMBER: return skip_size(rest, 10);
    case TAG_TIMESTAMP: return skip_size(rest, 12);
    case TAG_BINARY:
    case TAG_TEXT: return take_escaped(rest, &escaped);
    case TAG_ARRAY:
    case TAG_MAP: return skip_elements(rest, depth, ret_elements);
    default: return STATUS_bad_request;
    }
}

static enum status take_any(struct bytes *rest, unsigned depth, struct buffer *out);

static enum status take_container(struct bytes *rest, enum tag tag, unsigned depth,
                                  struct buffer *out)
{
    struct bytes ahead = *rest;
    uint64_t elements;
    TRY(skip_elements(&ahead, depth, &elements));
    if (tag == TAG_MAP && elements % 2 != 0) {
        return STATUS_bad_request;
    }
    if (tag == TAG_MAP) {
        pack_map(out, (uint32_t)(elements / 2));
    } else {
        pack_array(out, (uint32_t)elements);
    }
    for (uint64_t i = 0; i < elements; i++) {
        TRY(take_any(rest, depth + 1, out));
    }
    *rest = ahead;
    return STATUS_ok;
}

static enum status take_any(struct bytes *rest, unsigned depth, struct buffer *out)
{
    uint8_t tag;
    TRY(key_take_u8(rest, &tag));
    switch (tag) {
    case TAG_NULL: pack_nil(out); return STATUS_ok;
    case TAG_FALSE: pack_flag(out, false); return STATUS_ok;
    case TAG_TRUE: pack_flag(out, true); return STATUS_ok;
    case TAG_NAN: pack_double(out, NAN); return STATUS_ok;
    case TAG_NUMBER: return take_number(rest, out);
    case TAG_TIMESTAMP: return take_timestamp(rest, out);
    case TAG_BINARY:
    case TAG_TEXT: return take_text(rest, tag, out);
    case TAG_ARRAY:
    case TAG_MAP: return take_container(rest, tag, depth, out);
    default: return STATUS_bad_request;
    }
}

enum status key_take_value(struct bytes *rest, struct buffer *out)
{
    size_t size = out->size;
    struct bytes at = *rest;
    enum status status = take_any(&at, 0, out);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
        return status;
    }
    *rest = at;
    return STATUS_ok;
}

enum status key_take_descending_value(struct bytes *rest, struct buffer *out)
{
    AUTO(buffer_release) struct buffer ascending = {0};
    buffer_append(&ascending, *rest);
    key_complement(&ascending, 0);
    struct bytes at = buffer_bytes(&ascending);
    TRY(key_take_value(&at, out));
    size_t taken = rest->size - at.size;
    *rest = bytes_of(rest->data + taken, at.size);
    return STATUS_ok;
}

enum status key_skip_value(struct bytes *rest, struct bytes *ret_value)
{
    struct bytes at = *rest;
    uint64_t elements;
    TRY(skip_any(&at, 0, &elements));
    if (ret_value != NULL) {
        *ret_value = bytes_of(rest->data, rest->size - at.size);
    }
    *rest = at;
    return STATUS_ok;
}
