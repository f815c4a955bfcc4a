/*
 * What the files of the query machine share.
 */
#ifndef SKEIN_STORAGE_QUERY_INTERNAL_H
#define SKEIN_STORAGE_QUERY_INTERNAL_H

#include "storage/apply.h"
#include "storage/marks.h"
#include "storage/past.h"
#include "storage/results.h"
#include "wire/document/operation.h"

// One query under way.
struct query {
    struct marks *marks;             // borrowed
    const struct patience *patience; // borrowed; NULL: any
    struct view view;                // read through: a mark's snapshot, or `own`
    struct state_snapshot *own;      // owned; NULL when a mark is read
    bool is_marked;                  // the view is the one of the mark of version `marked`
    uint64_t marked;                 // see there
    bool is_past;                    // of a version or time that isn't marked: history has to say
    struct past past;                // is_past
    struct applied applied;          // where the view stands
    struct operation_fault fault;    // why it failed
    struct buffer results;           // of a read
    struct buffer key;               // of the cell at hand
    struct buffer value;             // of the cell at hand
    struct buffer name;              // of the collection looked up last; empty: none yet
    bool is_there;                   // there is such a collection
    struct collection_record collection; // its record; all zero if there is none
};

// Put a sentence into the query's fault and hand the status back.
__attribute__((format(printf, 3, 4))) enum status
query_fail(struct query *query, enum status status, const char *format, ...);
enum status query_fail_state(struct query *query, enum status status);

// Reads the cell at query->key into query->value; not found is no failure.
MUST_CHECK enum status query_get_cell(struct query *query, bool *ret_found);

// Runs the operations of a read; results are in query->results.
MUST_CHECK enum status query_read(struct query *query, struct bytes operations);

// Appends the result of an operation that lists the collections.
MUST_CHECK enum status query_collections(struct query *query);

#endif
