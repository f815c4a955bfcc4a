/*
 * The log as a node keeps it in memory: the epochs of all entries in its journal, and a window of
 * the newest entries themselves (what is not applied yet, and some more for followers a little
 * behind). Older entries are read back from the journal.
 */
#ifndef SKEIN_CLUSTER_LOG_H
#define SKEIN_CLUSTER_LOG_H

#include "base/buffer.h"
#include "base/status.h"
#include "wire/entry.h"

// Entries from `position` on have `epoch`, up to the next run.
struct log_run {
    uint64_t epoch;
    uint64_t position;
};

// One entry in the window.
struct log_item {
    struct entry entry; // its payload points into the frame
    uint8_t *frame;     // owned; the framed bytes
    size_t size;        // of the frame
};

struct log {
    struct entry_place base; // place of the entry before the first one in the journal
    struct entry_place last; // place of the last entry; = base when there is none
    struct log_run *runs;    // owned, oldest first; empty when there are no entries
    size_t run_count;
    size_t run_capacity;
    struct log_item *items;   // owned ring of the window
    size_t item_capacity;     // a power of two, or 0
    struct entry_place floor; // place of the entry before the window
    uint64_t window_first;    // position of the oldest entry in the window, floor.position + 1
    uint64_t window_end;      // position after the newest one; = window_first when it is empty
    size_t window_size;       // bytes of the frames in the window
};

// A log whose entries, if any, are all still on disk. The window begins empty after `floor`; the
// entries behind it are to be loaded before anything is appended.
void log_init(struct log *log, const struct entry_place *base, const struct entry_place *last,
              const struct entry_place *floor);
void log_release(struct log *log);

// Tells that entries from `position` on have `epoch`; called for the runs of the journal in order.
void log_add_run(struct log *log, uint64_t epoch, uint64_t position);

// Takes a copy of a framed entry that continues the log.
void log_append(struct log *log, struct bytes frame, const struct entry *entry);

// Takes a copy of a framed entry that the journal holds already, while it is read back after a
// start: the one at window_end.
void log_load(struct log *log, struct bytes frame, const struct entry *entry);

// Whether the window reaches to the end of the log, so that it can be appended to.
static inline bool log_is_loaded(const struct log *log)
{
    return log->window_end == log->last.position + 1;
}

// Removes all entries after `place`, which the log holds (or its base).
void log_truncate(struct log *log, const struct entry_place *place);

// Forgets the entries up to `position` in the window, not in the log.
void log_forget(struct log *log, uint64_t position);

// The journal dropped its entries up to `place`, which becomes the base.
void log_set_base(struct log *log, const struct entry_place *place);

// The entry at `position`, NULL when it isn't in the window. Borrowed until the log changes.
const struct log_item *log_find(const struct log *log, uint64_t position);

// The epoch of the entry at `position`; 0 for position 0; false when it is before the base or after
// the end.
bool log_epoch_at(const struct log *log, uint64_t position, uint64_t *ret_epoch);

// Position of the first entry of the run that `position` (in the log) belongs to.
uint64_t log_run_start(const struct log *log, uint64_t position);

// The place of the entry at `position`: of the base, the floor, the last entry, or one in the
// window; false when none of these.
bool log_place_at(const struct log *log, uint64_t position, struct entry_place *ret_place);

// Appends framed entries from `position` on to `out`, at least one and otherwise no more than
// `size` bytes; false when `position` isn't in the window. `*ret_last` is the last one's position.
bool log_gather(const struct log *log, uint64_t position, size_t size, struct buffer *out,
                uint64_t *ret_last);

#endif
