/*
 * Ids of documents and names of collections. An id is a text of 1 to DOCUMENT_ID_SIZE_MAX bytes of
 * UTF-8 without NUL, or a signed 64-bit integer.
 */
#ifndef SKEIN_WIRE_DOCUMENT_ID_H
#define SKEIN_WIRE_DOCUMENT_ID_H

#include "base/buffer.h"
#include "wire/cursor.h"

struct document_id {
    bool is_text;
    struct bytes text; // is_text; borrowed
    int64_t integer;   // otherwise
};

// Takes an id; borrows its text. Fails with bad_request for anything that is no id, the cursor then
// stays.
MUST_CHECK enum status document_id_take(struct cursor *cursor, struct document_id *ret_id);

// Appends the id as msgpack.
void document_id_pack(const struct document_id *id, struct buffer *out);

// Appends the id as an order-preserving key (wire/key.h): integers come before texts.
void document_id_append_key(const struct document_id *id, struct buffer *key);

// Takes an id off the front of a key and appends it to `out` as msgpack.
MUST_CHECK enum status document_id_take_key(struct bytes *rest, struct buffer *out);

// As on the command line and in HTTP paths: `i:42` is an integer, everything else a text. Borrows.
// Fails with bad_request for an integer beyond 64 bits and for what is no id.
MUST_CHECK enum status document_id_from_text(struct bytes text, struct document_id *ret_id);

// Appends the same form.
void document_id_print(const struct document_id *id, struct buffer *out);

bool document_id_equal(const struct document_id *a, const struct document_id *b);

// A name is 1 to COLLECTION_NAME_SIZE_MAX bytes of UTF-8 without NUL that don't begin with '$'.
bool collection_name_is_valid(struct bytes name);

#endif
