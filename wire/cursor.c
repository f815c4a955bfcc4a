/*
 * Stepping over msgpack. Every value begins with a head: a tag byte, and for most tags a number of
 * 1, 2, 4 or 8 bytes behind it (the value of an integer, the bits of a float, the size of a text,
 * the count of a container). take_head() reads exactly that; all else is built on it.
 *
 *    tag          form                 number
 *    00..7f       unsigned             the tag
 *    80..bf       map, array, text     low bits of the tag
 *    c0..df       see HEADS            the bytes behind the tag, big endian
 *    e0..ff       signed               the tag as a signed byte
 *
 * 1. Nothing is read beyond the end, and nothing is allocated.
 * 2. Work on a copy of the cursor, hand it back on success only: a failure leaves all as it was.
 * 3. An integer is VALUE_UNSIGNED if it is not negative, whatever its encoding.
 * 4. cursor_skip() keeps its own small stack, so that depth is bounded for hostile bytes, too.
 */
#include "wire/cursor.h"

#include "base/limits.h"

enum form {
    FORM_INVALID, // also every tag that HEADS doesn't name
    FORM_NIL,
    FORM_FALSE,
    FORM_TRUE,
    FORM_UNSIGNED,
    FORM_SIGNED,
    FORM_FLOAT32,
    FORM_FLOAT64,
    FORM_TEXT,
    FORM_BINARY,
    FORM_ARRAY,
    FORM_MAP,
    FORM_EXTENSION, // the number is the size; a type byte follows
};

struct head {
    enum form form;
    uint64_t number; // see above; sign extended for FORM_SIGNED
};

struct head_row {
    uint8_t form;        // enum form
    uint8_t number_size; // bytes of the number behind the tag
    uint8_t number;      // the number itself when it has no bytes
};

enum { TAG_TABLE_FIRST = 0xc0, TAG_TABLE_SIZE = 0x20, TIMESTAMP_TYPE = 0xff };

static const struct head_row HEADS[TAG_TABLE_SIZE] = {
    [0x00] = {FORM_NIL, 0, 0},       [0x02] = {FORM_FALSE, 0, 0},
    [0x03] = {FORM_TRUE, 0, 0},      [0x04] = {FORM_BINARY, 1, 0},
    [0x05] = {FORM_BINARY, 2, 0},    [0x06] = {FORM_BINARY, 4, 0},
    [0x07] = {FORM_EXTENSION, 1, 0}, [0x08] = {FORM_EXTENSION, 2, 0},
    [0x09] = {FORM_EXTENSION, 4, 0}, [0x0a] = {FORM_FLOAT32, 4, 0},
    [0x0b] = {FORM_FLOAT64, 8, 0},   [0x0c] = {FORM_UNSIGNED, 1, 0},
    [0x0d] = {FORM_UNSIGNED, 2, 0},  [0x0e] = {FORM_UNSIGNED, 4, 0},
    [0x0f] = {FORM_UNSIGNED, 8, 0},  [0x10] = {FORM_SIGNED, 1, 0},
    [0x11] = {FORM_SIGNED, 2, 0},    [0x12] = {FORM_SIGNED, 4, 0},
    [0x13] = {FORM_SIGNED, 8, 0},    [0x14] = {FORM_EXTENSION, 0, 1},
    [0x15] = {FORM_EXTENSION, 0, 2}, [0x16] = {FORM_EXTENSION, 0, 4},
    [0x17] = {FORM_EXTENSION, 0, 8}, [0x18] = {FORM_EXTENSION, 0, 16},
    [0x19] = {FORM_TEXT, 1, 0},      [0x1a] = {FORM_TEXT, 2, 0},
    [0x1b] = {FORM_TEXT, 4, 0},      [0x1c] = {FORM_ARRAY, 2, 0},
    [0x1d] = {FORM_ARRAY, 4, 0},     [0x1e] = {FORM_MAP, 2, 0},
    [0x1f] = {FORM_MAP, 4, 0},
};

static uint64_t load_4(const uint8_t *from)
{
    return (uint64_t)from[0] << 24 | (uint64_t)from[1] << 16 | (uint64_t)from[2] << 8 | from[3];
}

static uint64_t load_big_endian(const uint8_t *from, unsigned size)
{
    switch (size) {
    case 1: return from[0];
    case 2: return (uint64_t)from[0] << 8 | from[1];
    case 4: return load_4(from);
    default: return load_4(from) << 32 | load_4(from + 4);
    }
}

static uint64_t extend_sign(uint64_t number, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (uint64_t)((int64_t)(number << unused) >> unused);
}

static struct head short_head(uint8_t tag)
{
    if (tag < 0x80) {
        return (struct head){FORM_UNSIGNED, tag};
    }
    if (tag >= 0xe0) {
        return (struct head){FORM_SIGNED, extend_sign(tag, 1)};
    }
    if (tag >= 0xa0) {
        return (struct head){FORM_TEXT, tag & 0x1f};
    }
    return (struct head){tag < 0x90 ? FORM_MAP : FORM_ARRAY, tag & 0x0f};
}

static size_t size_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->next);
}

// How many bytes a value takes whose tag alone decides it; 0 for all others.
static size_t size_by_tag(uint8_t tag)
{
    if (tag < 0x80 || tag >= 0xe0) {
        return 1;
    }
    if (tag < TAG_TABLE_FIRST) {
        return tag >= 0xa0 ? 1u + (tag & 0x1f) : 0;
    }
    struct head_row row = HEADS[tag - TAG_TABLE_FIRST];
    return row.form >= FORM_NIL && row.form <= FORM_FLOAT64 ? 1u + row.number_size : 0;
}

// Steps over the next value if its tag decides its size, as that of most values does.
static bool skip_simple(struct cursor *at)
{
    size_t size = at->next == at->end ? 0 : size_by_tag(*at->next);
    if (size == 0 || size > size_left(at)) {
        return false;
    }
    at->next += size;
    return true;
}

static enum status take_head(struct cursor *at, struct head *ret_head)
{
    if (at->next == at->end) {
        return STATUS_bad_request;
    }
    uint8_t tag = *at->next++;
    if (tag < TAG_TABLE_FIRST || tag >= TAG_TABLE_FIRST + TAG_TABLE_SIZE) {
        *ret_head = short_head(tag);
        return STATUS_ok;
    }
    struct head_row row = HEADS[tag - TAG_TABLE_FIRST];
    if (row.form == FORM_INVALID || size_left(at) < row.number_size) {
        return STATUS_bad_request;
    }
    uint64_t number = row.number;
    if (row.number_size > 0) {
        number = load_big_endian(at->next, row.number_size);
        at->next += row.number_size;
    }
    if (row.form == FORM_SIGNED) {
        number = extend_sign(number, row.number_size);
    }
    *ret_head = (struct head){(enum form)row.form, number};
    return STATUS_ok;
}

static enum status take_bytes(struct cursor *at, uint64_t size, struct bytes *ret_bytes)
{
    if (size_left(at) < size) {
        return STATUS_bad_request;
    }
    *ret_bytes = bytes_of(at->next, size);
    at->next += size;
    return STATUS_ok;
}

// Every element takes at least one byte.
static enum status check_count(const struct cursor *at, struct head head)
{
    uint64_t least = head.form == FORM_MAP ? 2 * head.number : head.number;
    return least <= size_left(at) ? STATUS_ok : STATUS_bad_request;
}

static double float_from_bits(struct head head)
{
    if (head.form == FORM_FLOAT64) {
        double real;
        memcpy(&real, &head.number, sizeof real);
        return real;
    }
    uint32_t bits = (uint32_t)head.number;
    float real;
    memcpy(&real, &bits, sizeof real);
    return (double)real;
}

static enum status read_timestamp(struct bytes payload, struct value *ret_value)
{
    const uint8_t *data = payload.data;
    struct value value = {.kind = VALUE_TIMESTAMP};
    uint64_t word;
    switch (payload.size) {
    case 4: value.seconds = (int64_t)load_big_endian(data, 4); break;
    case 8:
        word = load_big_endian(data, 8);
        value.seconds = (int64_t)(word & 0x3ffffffff);
        value.nanoseconds = (uint32_t)(word >> 34);
        break;
    case 12:
        value.seconds = (int64_t)load_big_endian(data + 4, 8);
        value.nanoseconds = (uint32_t)load_big_endian(data, 4);
        break;
    default: return STATUS_bad_request;
    }
    if (value.nanoseconds >= 1000000000) {
        return STATUS_bad_request;
    }
    *ret_value = value;
    return STATUS_ok;
}

static enum status take_extension(struct cursor *at, uint64_t size, struct value *ret_value)
{
    if (size_left(at) == 0) {
        return STATUS_bad_request;
    }
    uint8_t type = *at->next++;
    struct bytes payload;
    TRY(take_bytes(at, size, &payload));
    if (type == TIMESTAMP_TYPE) {
        return read_timestamp(payload, ret_value);
    }
    *ret_value = (struct value){.kind = VALUE_EXTENSION, .bytes = payload};
    return STATUS_ok;
}

static struct value read_integer(struct head head)
{
    if (head.form == FORM_SIGNED && (int64_t)head.number < 0) {
        return (struct value){.kind = VALUE_NEGATIVE, .integer = (int64_t)head.number};
    }
    return (struct value){.kind = VALUE_UNSIGNED, .natural = head.number};
}

static enum status take_payload(struct cursor *at, struct head head, struct value *ret_value)
{
    struct bytes payload;
    TRY(take_bytes(at, head.number, &payload));
    enum value_kind kind = head.form == FORM_TEXT ? VALUE_TEXT : VALUE_BINARY;
    *ret_value = (struct value){.kind = kind, .bytes = payload};
    return STATUS_ok;
}

static enum status read_container(const struct cursor *at, struct head head,
                                  struct value *ret_value)
{
    TRY(check_count(at, head));
    enum value_kind kind = head.form == FORM_MAP ? VALUE_MAP : VALUE_ARRAY;
    *ret_value = (struct value){.kind = kind, .count = (uint32_t)head.number};
    return STATUS_ok;
}

// Takes what follows a head; ret_value is untouched on failure.
static enum status take_rest(struct cursor *at, struct head head, struct value *ret_value)
{
    switch (head.form) {
    case FORM_NIL: *ret_value = (struct value){.kind = VALUE_NIL}; return STATUS_ok;
    case FORM_FALSE:
    case FORM_TRUE:
        *ret_value = (struct value){.kind = VALUE_BOOLEAN, .boolean = head.form == FORM_TRUE};
        return STATUS_ok;
    case FORM_UNSIGNED:
    case FORM_SIGNED: *ret_value = read_integer(head); return STATUS_ok;
    case FORM_FLOAT32:
    case FORM_FLOAT64:
        *ret_value = (struct value){.kind = VALUE_FLOAT, .real = float_from_bits(head)};
        return STATUS_ok;
    case FORM_TEXT:
    case FORM_BINARY: return take_payload(at, head, ret_value);
    case FORM_ARRAY:
    case FORM_MAP: return read_container(at, head, ret_value);
    case FORM_EXTENSION: return take_extension(at, head.number, ret_value);
    case FORM_INVALID: break;
    }
    return STATUS_bad_request;
}

enum status cursor_value(struct cursor *cursor, struct value *ret_value)
{
    struct cursor at = *cursor;
    struct head head;
    TRY(take_head(&at, &head));
    TRY(take_rest(&at, head, ret_value));
    *cursor = at;
    return STATUS_ok;
}

enum status cursor_peek(const struct cursor *cursor, enum value_kind *ret_kind)
{
    struct cursor at = *cursor;
    struct value value;
    TRY(cursor_value(&at, &value));
    *ret_kind = value.kind;
    return STATUS_ok;
}

enum status cursor_u64(struct cursor *cursor, uint64_t *ret_value)
{
    struct cursor at = *cursor;
    struct head head;
    TRY(take_head(&at, &head));
    bool is_natural = head.form == FORM_UNSIGNED ||
                      (head.form == FORM_SIGNED && (int64_t)head.number >= 0);
    if (!is_natural) {
        return STATUS_bad_request;
    }
    *cursor = at;
    *ret_value = head.number;
    return STATUS_ok;
}

enum status cursor_flag(struct cursor *cursor, bool *ret_value)
{
    struct cursor at = *cursor;
    struct head head;
    TRY(take_head(&at, &head));
    if (head.form != FORM_FALSE && head.form != FORM_TRUE) {
        return STATUS_bad_request;
    }
    *cursor = at;
    *ret_value = head.form == FORM_TRUE;
    return STATUS_ok;
}

static enum status take_sized(struct cursor *cursor, enum form form, struct bytes *ret_bytes)
{
    struct cursor at = *cursor;
    struct head head;
    TRY(take_head(&at, &head));
    if (head.form != form) {
        return STATUS_bad_request;
    }
    TRY(take_bytes(&at, head.number, ret_bytes));
    *cursor = at;
    return STATUS_ok;
}

enum status cursor_text(struct cursor *cursor, struct bytes *ret_text)
{
    // Most texts are short, and every name of a field goes through here.
    const uint8_t *begin = cursor->next;
    bool is_short = begin != cursor->end && *begin >= 0xa0 && *begin < TAG_TABLE_FIRST;
    if (is_short && skip_simple(cursor)) {
        *ret_text = bytes_of(begin + 1, (size_t)(cursor->next - begin) - 1);
        return STATUS_ok;
    }
    return take_sized(cursor, FORM_TEXT, ret_text);
}

enum status cursor_binary(struct cursor *cursor, struct bytes *ret_binary)
{
    return take_sized(cursor, FORM_BINARY, ret_binary);
}

static enum status take_counted(struct cursor *cursor, enum form form, uint32_t *ret_count)
{
    struct cursor at = *cursor;
    struct head head;
    TRY(take_head(&at, &head));
    if (head.form != form) {
        return STATUS_bad_request;
    }
    TRY(check_count(&at, head));
    *cursor = at;
    *ret_count = (uint32_t)head.number;
    return STATUS_ok;
}

enum status cursor_array(struct cursor *cursor, uint32_t *ret_count)
{
    return take_counted(cursor, FORM_ARRAY, ret_count);
}

enum status cursor_map(struct cursor *cursor, uint32_t *ret_pairs)
{
    return take_counted(cursor, FORM_MAP, ret_pairs);
}

// Takes a value that is no container, or the head of one; ret_elements is how many values follow
// inside of it.
static enum status skip_head(struct cursor *at, bool *ret_container, uint64_t *ret_elements)
{
    struct head head;
    struct value value;
    TRY(take_head(at, &head));
    *ret_container = head.form == FORM_ARRAY || head.form == FORM_MAP;
    *ret_elements = head.form == FORM_MAP ? 2 * head.number : head.number;
    return *ret_container ? check_count(at, head) : take_rest(at, head, &value);
}

static enum status skip_nested(struct cursor *at)
{
    uint64_t left[WIRE_DEPTH_MAX + 1]; // values still to come, of each open container
    size_t depth = 0;
    left[0] = 1;
    for (;;) {
        while (depth > 0 && left[depth] == 0) {
            depth--;
        }
        if (left[depth] == 0) {
            return STATUS_ok;
        }
        left[depth]--;
        if (skip_simple(at)) {
            continue;
        }
        bool is_container;
        uint64_t elements;
        TRY(skip_head(at, &is_container, &elements));
        if (is_container && depth == WIRE_DEPTH_MAX) {
            return STATUS_too_deep;
        }
        if (is_container) {
            left[++depth] = elements;
        }
    }
}

enum status cursor_skip(struct cursor *cursor, struct bytes *ret_bytes)
{
    struct cursor at = *cursor;
    if (!skip_simple(&at)) {
        TRY(skip_nested(&at));
    }
    if (ret_bytes != NULL) {
        *ret_bytes = bytes_of(cursor->next, (size_t)(at.next - cursor->next));
    }
    *cursor = at;
    return STATUS_ok;
}
