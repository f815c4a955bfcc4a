/*
 * How a find goes about it: which index it uses, the range of keys that it scans, in which
 * direction, and whether rows have to be sorted afterwards.
 */
#ifndef SKEIN_STORAGE_FIND_PLAN_H
#define SKEIN_STORAGE_FIND_PLAN_H

#include "storage/cells.h"
#include "wire/document/operation.h"

// What a find orders by.
struct find_order {
    bool is_wanted;    // false: as rows are met
    bool is_backwards; // is_wanted
    bool is_by_id;     // is_wanted, and by no field
    struct bytes path; // is_wanted and not is_by_id; borrowed
};

struct find_plan {
    const struct index_record *index; // whose entries are scanned; NULL: the documents' own cells
    struct find_order order;          // that is wanted
    bool is_sorted;                   // it isn't the one of the scan: rows are to be sorted
    bool is_backwards;                // of the scan
    bool is_bounded;                  // the index says which part of the documents is wanted
    size_t head_size;                 // bytes that all keys begin with: kind and number
    struct buffer from;               // owned; the keys to scan are from <= key < to
    struct buffer to;                 // owned
};

void find_plan_release(struct find_plan *plan);

// Makes the plan of an operation as storage/find.h says; a failed one is to be released, too.
// `collection` and `operation` are borrowed as long as the plan lives. Fails with absent (the index
// named) or bad_request (order is no path).
MUST_CHECK enum status find_plan_make(const struct collection_record *collection,
                                      const struct operation *operation, struct find_plan *ret_plan,
                                      char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

#endif
