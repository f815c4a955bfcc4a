/*
 * What an interactive transaction has read: documents with their versions, and finds with the
 * digests of what they returned. The primary reads all of it again when it commits.
 */
#ifndef SKEIN_CLIENT_READ_SET_H
#define SKEIN_CLIENT_READ_SET_H

#include "client/key_table.h"
#include "wire/document/operation.h"

// Documents of one collection.
struct read_collection {
    struct buffer name;
    struct buffer ids; // packed [id, document_version], one after another
    uint32_t count;    // of them
};

struct read_set {
    struct key_table keys;               // documents that are in it
    struct read_collection *collections; // owned
    size_t collection_count;
    struct buffer finds; // packed operations, one after another
    uint32_t find_count;
};

// All zero is an empty set.
void read_set_release(struct read_set *set);

// A document was read with this version, 0 if there was none. Reading it again changes nothing: all
// is read at one version.
void read_set_add(struct read_set *set, struct bytes collection, const struct document_id *id,
                  uint64_t document_version);

// A find, whose limit is set, returned rows with this digest (wire/document/find_digest.h).
void read_set_add_find(struct read_set *set, const struct operation *find, uint64_t digest);

// Appends operations that fail with conflict if anything has changed; returns how many.
uint32_t read_set_pack(const struct read_set *set, struct buffer *out);

#endif
