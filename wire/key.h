/*
 * Keys that sort as the values they are made of: comparing two keys byte by byte compares the
 * values. Keys of several values are their keys one after another.
 *
 *   null      05
 *   false     10        true  11
 *   NaN       20
 *   number    21  double (8 bytes, ordered)  residual (2 bytes, from 0x8000)
 *   timestamp 30  seconds (8 bytes, sign flipped)  nanoseconds (4 bytes)
 *   binary    40  bytes, 00 written as 00 ff      00
 *   text      50  bytes, 00 written as 00 ff      00
 *   array     60  keys of the elements            00
 *   map       70  keys of names and values        00
 *
 * All numbers are one kind: the double nearest to an integer, and what is left over, so that
 * integers and floats interleave exactly and equal numbers have equal keys, whatever their
 * encoding. A descending value is its key with all bytes complemented.
 */
#ifndef SKEIN_WIRE_KEY_H
#define SKEIN_WIRE_KEY_H

#include "base/buffer.h"
#include "wire/cursor.h"

// Fixed-size parts in front of or behind values, big endian. Behind a text, a binary or a
// container only values may follow, since their ends are found by what comes after.
void key_append_u8(struct buffer *key, uint8_t value);
void key_append_u32(struct buffer *key, uint32_t value);
void key_append_u64(struct buffer *key, uint64_t value);

// Values whose type is known.
void key_append_text(struct buffer *key, struct bytes text);
void key_append_integer(struct buffer *key, int64_t value);

// Appends the key of the next value of the cursor, which then has passed it. Maps keep the order
// of their fields, so only canonical ones compare well. Fails with bad_request for what is
// malformed or of an unknown extension type and with too_deep beyond WIRE_DEPTH_MAX; the key is
// then as long as before.
MUST_CHECK enum status key_append_value(struct buffer *key, struct cursor *cursor);

// Appends what the keys of all texts that begin with `text` begin with, and no other key.
void key_append_text_beginning(struct buffer *key, struct bytes text);

// Append the first byte of the smallest key of a type, and the one behind that of the greatest.
// Integers and floats are one type; the kind is not VALUE_EXTENSION.
void key_append_type_begin(struct buffer *key, enum value_kind kind);
void key_append_type_end(struct buffer *key, enum value_kind kind);

// Appends a byte with which no value begins, and which is above all that do: the key is then behind
// all keys that are what it was, followed by further values or by the rest of a text.
void key_append_end(struct buffer *key);

// Complements what the key holds from `from` on: makes an ascending value a descending one. Behind
// a descending text, binary or container a value has to follow, also for the order.
void key_complement(struct buffer *key, size_t from);

// Take the same parts off the front of `*rest`; bad_request when it doesn't begin with such a part,
// `*rest` is then untouched.
MUST_CHECK enum status key_take_u8(struct bytes *rest, uint8_t *ret_value);
MUST_CHECK enum status key_take_u32(struct bytes *rest, uint32_t *ret_value);
MUST_CHECK enum status key_take_u64(struct bytes *rest, uint64_t *ret_value);

// Takes one ascending value off the front of `*rest` and appends it to `out` as msgpack: integers
// for numbers without a fraction that fit one, else float64. Fails with bad_request for what is the
// key of no value, with too_deep beyond WIRE_DEPTH_MAX; `*rest` and `out` are then as before.
MUST_CHECK enum status key_take_value(struct bytes *rest, struct buffer *out);

// The same for a descending value.
MUST_CHECK enum status key_take_descending_value(struct bytes *rest, struct buffer *out);

// Steps over one ascending value; ret_value (may be NULL) is the part of the key it took.
MUST_CHECK enum status key_skip_value(struct bytes *rest, struct bytes *ret_value);

#endif
