/*
 * The journal: the replicated log on disk. A folder of segment files of framed entries
 * (wire/entry.h), positions contiguous, CRCs chained. Synchronous, over the disk port; the shell
 * runs it on a thread of its own, the simulator on its simulated disk.
 */
#ifndef SKEIN_STORAGE_JOURNAL_H
#define SKEIN_STORAGE_JOURNAL_H

#include "base/buffer.h"
#include "base/status.h"
#include "storage/disk.h"
#include "wire/entry.h"

struct journal;

struct journal_options {
    const char *folder;    // folder in the node's directory, "journal/1"; copied
    uint64_t cluster_id;   // 0 while the cluster is not born: the journal must be empty then
    uint64_t segment_size; // bytes of a segment; SEGMENT_SIZE in the daemons
    uint64_t high_water;   // durable high-water mark (position); a journal that ends below it is
                           // damaged (rule 19)
    uint64_t high_water_epoch; // epoch of that entry; another epoch there means damage, too
};

// What was found when the journal was opened, and where it stands now.
struct journal_view {
    struct entry_place base; // place of the entry before the first one held; zero when none
    struct entry_place end;  // place of the last entry held, = base when it holds none
    bool damaged;            // not to be trusted beyond `end` (rules 19, 20)
    char damage[160];        // where and what, for the operator; empty when not damaged
    uint64_t cut_size;       // bytes of a torn tail that were cut off at open
    uint64_t disk_size;      // bytes of all segment files
};

// The epochs of the entries held: entries from `position` on have `epoch`, up to the next run.
struct journal_run {
    uint64_t epoch;
    uint64_t position;
};

// Opens the journal in its folder, makes an empty one if there is none; checks every entry, cuts a
// torn tail (only bytes that were never acknowledged), tells damage from a tear (rules 18, 19).
// A damaged journal opens with status ok and view.damaged set; the first append, truncation or
// reset removes what is beyond `end`, and only then it is no longer damaged. Fails with read_only
// (no space for the first segment), wrong_cluster (entries of another cluster), version_mismatch
// (another format) or internal.
MUST_CHECK enum status journal_open(struct disk *disk, const struct journal_options *options,
                                    struct journal **ret_journal);

// Closes the files; unsynced entries may be lost.
void journal_destroy(struct journal **take_journal);

// Where it stands. The journal's own, borrowed until the next call.
const struct journal_view *journal_view(const struct journal *journal);

// The runs of epochs of the entries held, oldest first; borrowed until the next call.
const struct journal_run *journal_runs(const struct journal *journal, size_t *ret_count);

// From the birth of the cluster on, while the journal is empty; again if that birth came no
// further.
void journal_set_cluster(struct journal *journal, uint64_t cluster_id);

// Appends framed entries that continue the end of the journal. They are durable after
// journal_sync(). Entries that don't continue it are a bug of the caller (asserted: position and
// previous CRC). read_only: the disk is full, nothing was appended; it may be tried again.
// internal: stop the process; every later call fails, too.
MUST_CHECK enum status journal_append(struct journal *journal, struct bytes entries);

// Makes everything appended durable; one fdatasync when all of it is in one segment.
MUST_CHECK enum status journal_sync(struct journal *journal);

// Removes the entries after `position` durably; position is between base and end. `kept` of the
// entry that becomes the last is found by reading it.
MUST_CHECK enum status journal_truncate(struct journal *journal, uint64_t position);

// Appends whole framed entries to `out`, from `position` on (held here), at least one, no more
// than fit into `size` unless the first is larger. Verifies their CRCs: ends before one that is
// wrong, damaged when that is the first.
MUST_CHECK enum status journal_read(struct journal *journal, uint64_t position, size_t size,
                                    struct buffer *out);

// Removes whole segments all of whose entries are at or below `position`, which becomes at most
// the base. The last segment stays.
MUST_CHECK enum status journal_drop(struct journal *journal, uint64_t position);

// Empties the journal durably; it then begins after `base` (state transfer, refill). After a crash
// in it the journal is as before or empty after `base`. read_only: no space, nothing was done.
MUST_CHECK enum status journal_reset(struct journal *journal, const struct entry_place *base);

// Prepares what the next appends need (allocates the next segment in bounded steps), when there is
// nothing else to do. Returns true while there is more of it.
bool journal_prepare(struct journal *journal);

#endif
