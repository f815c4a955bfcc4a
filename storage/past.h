/*
 * Documents as they were: what a collection that keeps history knows about a document at an earlier
 * version or time.
 */
#ifndef SKEIN_STORAGE_PAST_H
#define SKEIN_STORAGE_PAST_H

#include "storage/cells.h"
#include "storage/view.h"

// A point in the past.
struct past {
    uint64_t version; // behind this transaction; 0: the time says when
    uint64_t time_us; // behind all transactions up to it
};

// The collection that is looked into; all is borrowed.
struct past_source {
    const struct view *view;
    const struct collection_record *collection;
    uint64_t now_us; // time of the last entry applied in that view
};

// Finds what a document was then; ret_stored borrows from `value`. Fails with absent (there was no
// such document), too_old (what is kept doesn't say) or as states do.
MUST_CHECK enum status past_find(const struct past_source *source, const struct document_id *id,
                                 const struct past *past, struct buffer *value,
                                 struct stored_document *ret_stored);

#endif
