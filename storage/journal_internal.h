/*
 * The journal's insides, shared by its files: journal.c (the public operations), journal_grow.c
 * (the next segment), journal_cut.c (removing entries), journal_recover.c (opening).
 */
#ifndef SKEIN_STORAGE_JOURNAL_INTERNAL_H
#define SKEIN_STORAGE_JOURNAL_INTERNAL_H

#include "storage/journal.h"
#include "storage/journal_segment.h"

enum { JOURNAL_FOLDER_SIZE_MAX = DISK_NAME_SIZE_MAX - SEGMENT_NAME_SIZE - 1 };

// The next segment, prepared under a name of its own.
struct spare {
    struct disk_file *file; // owned; NULL when there is none
    uint64_t size;          // bytes allocated so far
    bool is_ready;          // it and its name are durable
};

struct journal {
    struct disk *disk; // borrowed
    char folder[JOURNAL_FOLDER_SIZE_MAX];
    uint64_t cluster_id;
    uint64_t segment_size;
    struct journal_view view;
    uint64_t durable_position; // entries up to here are durable
    bool has_failed;           // after a failure that must stop the process (rule 21)
    struct segment *segments;  // owned; oldest first; only those that are trusted
    size_t segment_count;
    size_t segment_capacity;
    struct journal_run *runs; // owned; oldest first
    size_t run_count;
    size_t run_capacity;
    struct disk_file *file;    // owned; the last segment's; NULL while there is none
    struct disk_file *reading; // owned; an earlier segment's, kept for the next read; or NULL
    uint64_t reading_base;     // base position of that segment
    struct spare spare;
    struct window window;  // for reading records
    struct buffer scratch; // for writing
};

// A failure past the point where nothing has changed yet: also a full disk is fatal there.
static inline enum status journal_fatal(enum status status)
{
    return status == STATUS_ok ? STATUS_ok : STATUS_internal;
}

static inline struct segment *journal_last(struct journal *journal)
{
    return &journal->segments[journal->segment_count - 1];
}

// True when the segment holds no record.
static inline bool segment_is_empty(const struct segment *segment)
{
    return segment->used == SEGMENT_HEADER_SIZE;
}

// The name of a file in the journal's folder.
void journal_path(const struct journal *journal, const char *name, char out[DISK_NAME_SIZE_MAX]);

// Opens the existing file of the segment whose base is at `base_position`.
MUST_CHECK enum status journal_open_segment(struct journal *journal, uint64_t base_position,
                                            struct disk_file **ret_file);

// Adds a segment after the last one in memory.
void journal_push_segment(struct journal *journal, const struct segment *segment);

// Frees the segments from `count` on in memory.
void journal_pop_segments(struct journal *journal, size_t count);

// An entry of `epoch` at `position` is now the last.
void journal_push_run(struct journal *journal, uint64_t epoch, uint64_t position);

// Keeps the runs of entries up to `position`.
void journal_pop_runs(struct journal *journal, uint64_t position);

// Closes every file of a segment (not the spare).
void journal_close_files(struct journal *journal);

// Sums up the sizes of the segments.
void journal_measure(struct journal *journal);

// In journal_grow.c.

// Takes over what an earlier process had prepared.
MUST_CHECK enum status spare_adopt(struct journal *journal);

// Makes the spare whole, of at least `size` bytes. read_only: no space for it.
MUST_CHECK enum status spare_complete(struct journal *journal, uint64_t size);

// One bounded step towards a spare of the usual size; *ret_more while there is more to do.
MUST_CHECK enum status spare_step(struct journal *journal, bool *ret_more);

// Makes an empty segment that begins after `base` the last one, in place of the last when that one
// is empty; what was appended before is durable on return. It has room for `room` bytes of records.
// read_only: no space, nothing was changed.
MUST_CHECK enum status journal_grow(struct journal *journal, const struct entry_place *base,
                                    uint64_t room);

// In journal_cut.c.

// The positions of the first entries by the names of all segment files, in order; to be freed.
struct segment_list {
    uint64_t *positions; // owned
    size_t count;
    size_t capacity;
};

void segment_list_release(struct segment_list *list);
MUST_CHECK enum status segment_list_read(struct journal *journal, struct segment_list *list);

// Removes every entry after `position`.
MUST_CHECK enum status journal_cut(struct journal *journal, uint64_t position);

// Writes the mark into the last segment in memory, removes all later segment files and what is
// between mark->offset and `tail_end`, and then the mark.
MUST_CHECK enum status journal_finish_cut(struct journal *journal, const struct segment_mark *mark,
                                          uint64_t tail_end);

// Replaces everything by an empty segment that begins after `base`.
MUST_CHECK enum status journal_replace(struct journal *journal, const struct entry_place *base);

// Does so with a mark in the segment `marked`, the first; NULL when no segment is trusted.
// read_only: what was removed did not make enough space; to be done again.
MUST_CHECK enum status journal_finish_replace(struct journal *journal, const struct segment *marked,
                                              const struct entry_place *base);

// Writes zeros over a part of the last segment's file; not synced.
MUST_CHECK enum status journal_zero(struct journal *journal, uint64_t from, uint64_t to);

// In journal_recover.c.

MUST_CHECK enum status journal_recover(struct journal *journal,
                                       const struct journal_options *options);

// Writes the records after durable_position again, into the last segment's file; not synced.
MUST_CHECK enum status journal_rewrite(struct journal *journal);

#endif
