/*
 * Reading msgpack in place: a cursor steps over the values of a run of bytes, without allocating
 * and without building objects. Texts and blobs are borrowed from those bytes. Every function that
 * takes a value fails with bad_request, leaving the cursor where it was, when the next value is cut
 * short or of another type.
 */
#ifndef SKEIN_WIRE_CURSOR_H
#define SKEIN_WIRE_CURSOR_H

#include "base/bytes.h"
#include "base/status.h"

struct cursor {
    const uint8_t *next; // next byte to read
    const uint8_t *end;  // end of the run
};

enum value_kind {
    VALUE_NIL,
    VALUE_BOOLEAN,
    VALUE_UNSIGNED, // 0 to 2^64-1
    VALUE_NEGATIVE, // -2^63 to -1
    VALUE_FLOAT,    // float32 or float64
    VALUE_TEXT,
    VALUE_BINARY,
    VALUE_ARRAY,
    VALUE_MAP,
    VALUE_TIMESTAMP, // extension type -1
    VALUE_EXTENSION, // any other extension
};

// One value; of a container only the head, its elements follow in the cursor. Only what its kind
// has may be read.
struct value {
    enum value_kind kind;
    union {
        bool boolean;       // VALUE_BOOLEAN
        uint64_t natural;   // VALUE_UNSIGNED
        int64_t integer;    // VALUE_NEGATIVE
        double real;        // VALUE_FLOAT
        struct bytes bytes; // TEXT, BINARY, EXTENSION (payload)
        uint32_t count;     // ARRAY: elements; MAP: pairs
        struct {
            int64_t seconds;      // TIMESTAMP, since 1970
            uint32_t nanoseconds; // TIMESTAMP, below 10^9
        };
    };
};

static inline struct cursor cursor_of(struct bytes bytes)
{
    // Even adding 0 to NULL is undefined in C.
    const uint8_t *end = bytes.size == 0 ? bytes.data : bytes.data + bytes.size;
    return (struct cursor){.next = bytes.data, .end = end};
}

static inline bool cursor_at_end(const struct cursor *cursor)
{
    return cursor->next == cursor->end;
}

// What is left.
static inline struct bytes cursor_rest(const struct cursor *cursor)
{
    return bytes_of(cursor->next, (size_t)(cursor->end - cursor->next));
}

// Takes the next value, or the head of a container. A container whose count can't fit into what is
// left is refused.
MUST_CHECK enum status cursor_value(struct cursor *cursor, struct value *ret_value);

// The kind of the next value, without taking it.
MUST_CHECK enum status cursor_peek(const struct cursor *cursor, enum value_kind *ret_kind);

// Shorthands for one type.
MUST_CHECK enum status cursor_u64(struct cursor *cursor, uint64_t *ret_value);
MUST_CHECK enum status cursor_flag(struct cursor *cursor, bool *ret_value);
MUST_CHECK enum status cursor_text(struct cursor *cursor, struct bytes *ret_text);
MUST_CHECK enum status cursor_binary(struct cursor *cursor, struct bytes *ret_binary);
MUST_CHECK enum status cursor_array(struct cursor *cursor, uint32_t *ret_count);
MUST_CHECK enum status cursor_map(struct cursor *cursor, uint32_t *ret_pairs);

// Steps over one whole value, nested at most WIRE_DEPTH_MAX deep (too_deep otherwise), and says
// which bytes it took (ret_bytes may be NULL).
MUST_CHECK enum status cursor_skip(struct cursor *cursor, struct bytes *ret_bytes);

#endif
