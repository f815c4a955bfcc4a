/*
 * The writes that an interactive transaction has buffered, as its own gets see them: what they make
 * of a document, before the primary has done any of it.
 */
#ifndef SKEIN_CLIENT_OWN_WRITES_H
#define SKEIN_CLIENT_OWN_WRITES_H

#include "client/key_table.h"
#include "wire/document/operation.h"

// One operation that writes a document.
struct own_write {
    size_t at;     // where the operation begins in `operations`
    uint32_t next; // the next write of the same document; KEY_NONE: this is the last one
};

struct own_writes {
    struct bytes operations;  // operation maps, one after another; borrowed
    size_t taken;             // bytes of them that have been looked at
    uint32_t taken_count;     // operations in those
    struct key_table keys;    // documents that are written
    uint32_t *first;          // owned; by number of the document: its first write
    uint32_t *last;           // owned; by number of the document: its last write
    struct own_write *writes; // owned
    uint32_t count;           // of writes
};

// How the buffered writes bear on a document.
enum own_kind {
    OWN_nothing, // they don't
    OWN_change,  // they change the one that is there
    OWN_whole,   // they say what it is, whatever is there
};

// All zero has no writes.
void own_writes_release(struct own_writes *own);

// Looks at operations that were added since the last time; `operations` are all `count` of them and
// borrowed until the next call. Fails as operations_next() does.
MUST_CHECK enum status own_writes_update(struct own_writes *own, struct bytes operations,
                                         uint32_t count, struct operation_fault *ret_fault);

// `key` is that of a document, key_of_document().
enum own_kind own_writes_kind(const struct own_writes *own, struct bytes key);

// Makes of `document`, in canonical form and of no bytes if there is none, what the writes make of
// it. `time_us` stands for the time of the transaction. Fails as the first write will that can't be
// done, with its sentence: absent, exists, refused, type, too_large, too_deep, bad_request;
// `document` is then of no use.
MUST_CHECK enum status own_writes_apply(const struct own_writes *own, struct bytes key,
                                        uint64_t time_us, struct buffer *document,
                                        char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

#endif
