/*
 * Marked versions: entry boundaries of which this node keeps a snapshot of the state until nobody
 * has read it for the horizon. The node marks and expires; query threads borrow a mark while they
 * read it.
 */
#ifndef SKEIN_STORAGE_MARKS_H
#define SKEIN_STORAGE_MARKS_H

#include "base/status.h"
#include "storage/state.h"

struct marks;

// `state` is borrowed and outlives the marks.
struct marks *marks_new(struct state *state);
void marks_destroy(struct marks **take_marks);

// Keeps a snapshot of the state as it is now under `version`; for a version kept already the new
// one takes its place, unless that is borrowed.
MUST_CHECK enum status marks_add(struct marks *marks, uint64_t version, uint64_t now_us);

// Gives up the snapshots that nobody has borrowed for `horizon_us`, and those that are older than
// MARK_AGE_MS_MAX, which go when given back. `now_us` is by the clock of marks_add().
void marks_expire(struct marks *marks, uint64_t now_us, uint64_t horizon_us);

// Forgets all (the state was replaced). Nothing is borrowed.
void marks_clear(struct marks *marks);

// Borrows the snapshot of `version`; too_old when it is not kept (any more). Any thread.
MUST_CHECK enum status marks_borrow(struct marks *marks, uint64_t version,
                                    const struct state_snapshot **ret_snapshot);
void marks_give_back(struct marks *marks, uint64_t version);

// Number kept, for the operator.
size_t marks_count(struct marks *marks);

#endif
