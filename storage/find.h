/*
 * Finds: documents of a collection for which a predicate holds, in some order. Chooses an index,
 * or scans; pages by the position of the last row.
 *
 * Order: by the field that `order` names, or by the id for "$id", backwards with "-" in front;
 * documents without the field come where null comes. Those with equal values come in the order of
 * the index that is used, or of their ids if rows are sorted; it is the same on all pages, and goes
 * backwards with the rest. Of values longer than INDEX_KEY_SIZE_MAX the beginning counts. Without
 * `order` documents come as they are met: by the index that is used, or by id.
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
    uint64_t examined_size;           // examined_size() of them all
    bool is_cut;                      // examined_max or examined_size_max was reached
    bool is_sorted;                   // rows were sorted, for want of an index in that order
};

// When to give up what takes long, asked now and then.
struct patience {
    bool (*is_over)(void *context);
    void *context;
};

static inline bool patience_is_over(const struct patience *patience)
{
    return patience != NULL && patience->is_over(patience->context);
}

// What is wanted; all is borrowed as long as the find lives.
struct find_request {
    const struct view *view;
    const struct collection_record *collection;
    const struct operation *operation; // find, count or unchanged with a find; `where` is checked
    uint64_t rows_max;                 // rows that find_next() gives at most; operation->limit is
                                       // for the caller to look at
    uint64_t examined_max;             // rows looked at, at most; beyond, find_next() ends early
    uint64_t examined_size_max;        // the same of examined_size() of them all
    struct bytes after;                // position that an earlier find ended at; empty: none
    const struct patience *patience;   // NULL: any
};

// What looking at a document costs: its size, as often as a condition looks up one of its fields (0
// counts as once), or that of a condition so large that walking through it costs more; for a small
// one EXAMINED_SIZE_MIN.
static inline uint64_t examined_size(struct bytes document, uint32_t field_count,
                                     size_t condition_size)
{
    uint64_t size = (uint64_t)document.size * (field_count > 0 ? field_count : 1);
    uint64_t walk = (uint64_t)condition_size * EXAMINED_CONDITION_WEIGHT;
    size = size > walk ? size : walk;
    return size > EXAMINED_SIZE_MIN ? size : EXAMINED_SIZE_MIN;
}

// Begins. Fails with absent (no index of that name, or not serving yet), bad_request (order is no
// path, a position that isn't of this find), too_large (rows have to be sorted, and they are more
// than examined_max, or larger than examined_size_max; or choosing an index by the condition alone
// costs more), deadline (rows have to be sorted, and patience is over) or as states do;
// `ret_sentence` ends a sentence about the operation: "names the index
// \"x\", which doesn't exist".
MUST_CHECK enum status find_new(const struct find_request *request, struct find **ret_find,
                                char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

// The next row; false when there are no more, when rows_max, examined_max or examined_size_max is
// reached, when patience is over, or on an error; find_destroy tells the last two.
MUST_CHECK bool find_next(struct find *find, struct find_row *ret_row);

// Takes back the row that find_next() gave last, because there is no room for it: the find ends
// before it.
void find_put_back(struct find *find);

// Whether there are more rows than were given, or may be; appends the position to go on from.
// Called once, after find_next() said false or a row was put back.
MUST_CHECK bool find_has_more(struct find *find, struct buffer *ret_position);

// `ret_statistics` may be NULL; its index is borrowed from the request's collection.
MUST_CHECK enum status find_destroy(struct find **take_find,
                                    struct find_statistics *ret_statistics);

#endif
