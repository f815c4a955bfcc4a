/*
 * A set of keys, each with a number: 0, 1, 2 ... in the order in which they were added.
 */
#ifndef SKEIN_CLIENT_KEY_TABLE_H
#define SKEIN_CLIENT_KEY_TABLE_H

#include "base/buffer.h"
#include "wire/document/id.h"

#define KEY_NONE UINT32_MAX // the number of no key

struct key_place {
    size_t at; // where the key begins in `bytes`
    size_t size;
};

struct key_table {
    struct buffer bytes;      // all keys
    struct key_place *places; // owned; by number
    uint32_t count;
    uint32_t capacity;   // of `places`
    uint32_t *slots;     // owned: 1 + number of a key, 0 for a free slot
    uint32_t slot_count; // a power of two, or 0
};

// All zero is an empty table.
void key_table_release(struct key_table *table);

// The number of a key; KEY_NONE if it is not there.
uint32_t key_table_find(const struct key_table *table, struct bytes key);

// The number of a key, which is added if it is not there.
uint32_t key_table_add(struct key_table *table, struct bytes key);

// Appends the key of a document: of its collection and its id.
void key_of_document(struct bytes collection, const struct document_id *id, struct buffer *out);

#endif
