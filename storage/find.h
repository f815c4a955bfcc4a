/*
 * Finds: documents of a collection for which a predicate holds, in some order. Chooses an index,
 * or scans; pages by the position of the last row.
 */
#ifndef SKEIN_STORAGE_FIND_H
#define SKEIN_STORAGE_FIND_H

#include "storage/cells.h"
#include "storage/view.h"
#include "wire/document/operation.h"

// A find under way.
struct find;

struct find_row {
    struct document_id id;         // borrowed until the next row
    struct stored_document stored; // the same
};

// What it took, for `stats`.
struct find_statistics {
    const struct index_record *index; // used; NULL: the documents themselves were scanned
    uint64_t examined;                // rows looked at
    bool is_sorted;                   // rows were sorted, for want of an index in that order
};

struct find_options {
    uint64_t rows_max;     // rows that next() gives at most
    uint64_t examined_max; // rows looked at, at most; beyond, find_next() ends early
    struct bytes after;    // position that an earlier find ended at; empty: from the beginning
};

// Begins. `operation` is a find, a count or the find of an unchanged, with a checked predicate; it
// and the rest are borrowed as long as the find lives. Fails with absent (no index of that name, or
// not serving yet), bad_request (order is no path, a position that isn't of this find) or as states
// do; `ret_sentence` ends a sentence: "names the index \"x\", which doesn't exist".
MUST_CHECK enum status find_new(const struct view *view, const struct collection_record *collection,
                                const struct operation *operation,
                                const struct find_options *options, struct find **ret_find,
                                char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

// The next row; false when there are no more, rows_max or examined_max is reached, or on an error,
// which find_destroy tells.
MUST_CHECK bool find_next(struct find *find, struct find_row *ret_row);

// Whether there are more rows than were given, or may be; appends the position to go on from.
// Called once, after find_next() said false.
bool find_has_more(struct find *find, struct buffer *ret_position);

// `ret_statistics` may be NULL.
MUST_CHECK enum status find_destroy(struct find **take_find,
                                    struct find_statistics *ret_statistics);

#endif
