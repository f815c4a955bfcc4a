/*
 * The journal: a folder of segment files, each named by the position of its first entry
 * (journal_segment.h draws their layout). Rules 8, 16 and 18 to 21.
 *
 *   0000000000000001   0000000000002a11   00000000000053f0          spare
 *   +--+-------------+ +--+-------------+ +--+----------+-----+  +---------+
 *   |  | records     | |  | records     | |  | records  |  0  |  |    0    |
 *   +--+-------------+ +--+-------------+ +--+----------+-----+  +---------+
 *
 * 1. Positions are contiguous and every entry holds the CRC of the one before; a segment's header
 *    holds the place of the entry before its first (rule 18).
 * 2. An append goes whole into one segment. It is either in memory and in the file, or, when it is
 *    refused with read_only, in neither.
 * 3. Entries up to `durable_position` survive a crash; each record says what that was when it was
 *    written. That is how an opening tells a torn batch, several entries written and not yet
 *    synced, of which a crash may keep a later one without an earlier one, from damage: a record
 *    that begins after a bad one proves damage only if it says that the bad one was durable.
 * 4. A tear is only in the last segment (journal_grow.c), a removal under way is marked
 *    (journal_cut.c), and what follows the last record is zeros (journal_recover.c).
 * 5. After a failed write or sync nothing is done any more (rule 21).
 *
 * What it can't see (rule 19): that the last batch is missing or damaged, when nothing written
 * later tells that it was durable and the high-water mark in the vote file has not reached it; it
 * is then cut as a tear. The mark follows at segment boundaries and after 100 ms without writes, so
 * that is at most the last busy segment, and it takes damage at the very end or a file cleanly
 * shortened together with a crash. Nor does it see that segments are missing in front: the state
 * does, whose applied position must not be below the base.
 */
#include "storage/journal.h"

#include "base/assert.h"
#include "storage/journal_internal.h"

#include <stdio.h>
#include <stdlib.h>

// Entries of one read.
struct read {
    uint64_t position;  // of the next entry
    size_t size;        // no more than this, unless the first entry is larger
    size_t begin;       // size of `out` at first
    struct buffer *out; // borrowed
};

void journal_path(const struct journal *journal, const char *name, char out[DISK_NAME_SIZE_MAX])
{
    snprintf(out, DISK_NAME_SIZE_MAX, "%s/%s", journal->folder, name);
}

enum status journal_open_segment(struct journal *journal, uint64_t base_position,
                                 struct disk_file **ret_file)
{
    char name[SEGMENT_NAME_SIZE];
    char path[DISK_NAME_SIZE_MAX];
    segment_name(base_position + 1, name);
    journal_path(journal, name, path);
    return disk_open(journal->disk, path, false, ret_file);
}

void journal_push_segment(struct journal *journal, const struct segment *segment)
{
    if (journal->segment_count == journal->segment_capacity) {
        journal->segment_capacity = journal->segment_count == 0 ? 8 : journal->segment_count * 2;
        size_t size = journal->segment_capacity * sizeof *journal->segments;
        journal->segments = realloc(journal->segments, size);
        ASSERT(journal->segments != NULL);
    }
    journal->segments[journal->segment_count++] = *segment;
    journal_measure(journal);
}

void journal_pop_segments(struct journal *journal, size_t count)
{
    while (journal->segment_count > count) {
        journal->segment_count--;
        segment_release(&journal->segments[journal->segment_count]);
    }
    journal_measure(journal);
}

void journal_push_run(struct journal *journal, uint64_t epoch, uint64_t position)
{
    size_t count = journal->run_count;
    if (count > 0 && journal->runs[count - 1].epoch == epoch) {
        return;
    }
    if (count == journal->run_capacity) {
        journal->run_capacity = count == 0 ? 8 : count * 2;
        journal->runs = realloc(journal->runs, journal->run_capacity * sizeof *journal->runs);
        ASSERT(journal->runs != NULL);
    }
    journal->runs[count] = (struct journal_run){.epoch = epoch, .position = position};
    journal->run_count++;
}

void journal_pop_runs(struct journal *journal, uint64_t position)
{
    while (journal->run_count > 0 && journal->runs[journal->run_count - 1].position > position) {
        journal->run_count--;
    }
}

static void close_reading(struct journal *journal)
{
    window_open(&journal->window, NULL);
    disk_close(journal->disk, &journal->reading);
}

void journal_close_files(struct journal *journal)
{
    close_reading(journal);
    disk_close(journal->disk, &journal->file);
}

void journal_measure(struct journal *journal)
{
    journal->view.disk_size = 0;
    for (size_t i = 0; i < journal->segment_count; i++) {
        journal->view.disk_size += journal->segments[i].size;
    }
}

// The end of every operation that changes the disk: any failure but a full disk is the last one.
static enum status settle(struct journal *journal, enum status status)
{
    if (status == STATUS_ok || status == STATUS_read_only) {
        return status;
    }
    journal->has_failed = true;
    return STATUS_internal;
}

// Makes the folder and those above it.
static enum status make_folders(struct disk *disk, const char *folder)
{
    char parent[JOURNAL_FOLDER_SIZE_MAX] = "";
    char path[JOURNAL_FOLDER_SIZE_MAX] = "";
    for (size_t i = 0; i <= strlen(folder); i++) {
        if (folder[i] == '/' || folder[i] == '\0') {
            TRY(disk_make_folder(disk, path));
            TRY(disk_sync_folder(disk, parent));
            memcpy(parent, path, sizeof parent);
        }
        path[i] = folder[i];
    }
    return STATUS_ok;
}

enum status journal_open(struct disk *disk, const struct journal_options *options,
                         struct journal **ret_journal)
{
    ASSERT(strlen(options->folder) < JOURNAL_FOLDER_SIZE_MAX);
    ASSERT(options->segment_size > SEGMENT_HEADER_SIZE);
    AUTO(journal_destroy) struct journal *journal = calloc(1, sizeof *journal);
    ASSERT(journal != NULL);
    journal->disk = disk;
    journal->cluster_id = options->cluster_id;
    journal->segment_size = options->segment_size;
    memcpy(journal->folder, options->folder, strlen(options->folder));
    window_init(&journal->window, disk);
    TRY(make_folders(disk, journal->folder));
    TRY(journal_recover(journal, options));
    *ret_journal = journal;
    journal = NULL;
    return STATUS_ok;
}

void journal_destroy(struct journal **take_journal)
{
    struct journal *journal = *take_journal;
    if (journal == NULL) {
        return;
    }
    journal_close_files(journal);
    disk_close(journal->disk, &journal->spare.file);
    journal_pop_segments(journal, 0);
    free(journal->segments);
    free(journal->runs);
    window_release(&journal->window);
    buffer_release(&journal->scratch);
    free(journal);
    *take_journal = NULL;
}

const struct journal_view *journal_view(const struct journal *journal)
{
    return &journal->view;
}

const struct journal_run *journal_runs(const struct journal *journal, size_t *ret_count)
{
    *ret_count = journal->run_count;
    return journal->runs;
}

void journal_set_cluster(struct journal *journal, uint64_t cluster_id)
{
    ASSERT(cluster_id != 0 && journal->view.end.position == 0);
    journal->cluster_id = cluster_id;
}

// Forgets what encode_entries() noted of entries that are not appended after all.
static void forget_entries(struct journal *journal)
{
    struct segment *last = journal_last(journal);
    segment_forget(last, last->used);
    journal_pop_runs(journal, journal->view.end.position);
}

// Encodes the entries as records at the end of the last segment into the scratch buffer, and notes
// them in the index and the runs. Returns the place of the last.
static struct entry_place encode_entries(struct journal *journal, struct bytes entries)
{
    struct segment *segment = journal_last(journal);
    struct entry_place end = journal->view.end;
    buffer_clear(&journal->scratch);
    while (entries.size > 0) {
        struct entry entry;
        size_t size = 0;
        enum status status = entry_decode(entries, journal->cluster_id, &entry, &size);
        ASSERT(status == STATUS_ok);
        ASSERT(entry.position == end.position + 1 && entry.previous_crc == end.crc);
        uint64_t offset = segment->used + journal->scratch.size;
        struct record_header header = {.size = (uint32_t)size,
                                       .position = entry.position,
                                       .durable_position = journal->durable_position};
        record_encode(segment, offset, &header, bytes_of(entries.data, size), &journal->scratch);
        segment_note(segment, entry.position, offset);
        journal_push_run(journal, entry.epoch, entry.position);
        end = entry_place_of(&entry);
        entries = bytes_of(entries.data + size, entries.size - size);
    }
    return end;
}

static enum status append(struct journal *journal, struct bytes entries)
{
    if (journal->view.damaged) {
        TRY(journal_cut(journal, journal->view.end.position));
    }
    struct entry_place end = encode_entries(journal, entries);
    struct segment *last = journal_last(journal);
    uint64_t size = journal->scratch.size;
    if (last->cluster_id != journal->cluster_id || last->used + size > last->size) {
        forget_entries(journal);
        TRY(journal_grow(journal, &journal->view.end, size));
        end = encode_entries(journal, entries);
        last = journal_last(journal);
    }
    enum status status = disk_write(journal->disk, journal->file, last->used,
                                    buffer_bytes(&journal->scratch));
    if (status != STATUS_ok) {
        forget_entries(journal);
        return status;
    }
    last->used += size;
    journal->view.end = end;
    return STATUS_ok;
}

enum status journal_append(struct journal *journal, struct bytes entries)
{
    ASSERT(journal->cluster_id != 0 && entries.size > 0);
    return journal->has_failed ? STATUS_internal : settle(journal, append(journal, entries));
}

enum status journal_sync(struct journal *journal)
{
    if (journal->has_failed) {
        return STATUS_internal;
    }
    // Without a file nothing was appended: the journal is damaged as it was found, and there was no
    // space yet to begin it anew.
    if (journal->file == NULL || journal->durable_position == journal->view.end.position) {
        return STATUS_ok;
    }
    TRY(settle(journal, journal_fatal(disk_sync(journal->disk, journal->file))));
    journal->durable_position = journal->view.end.position;
    return STATUS_ok;
}

enum status journal_truncate(struct journal *journal, uint64_t position)
{
    if (journal->has_failed) {
        return STATUS_internal;
    }
    if (position == journal->view.end.position && !journal->view.damaged) {
        return STATUS_ok;
    }
    return settle(journal, journal_cut(journal, position));
}

// The segment that holds the entry at `position`.
static size_t segment_of(const struct journal *journal, uint64_t position)
{
    size_t low = 0;
    size_t high = journal->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->segments[middle].base.position < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    ASSERT(low > 0);
    return low - 1;
}

// Lets the window show a segment.
static enum status show_segment(struct journal *journal, size_t index)
{
    uint64_t base = journal->segments[index].base.position;
    if (index + 1 == journal->segment_count && journal->file != NULL) {
        window_open(&journal->window, journal->file);
        return STATUS_ok;
    }
    if (journal->reading == NULL || journal->reading_base != base) {
        close_reading(journal);
        TRY(journal_open_segment(journal, base, &journal->reading));
        journal->reading_base = base;
    }
    window_open(&journal->window, journal->reading);
    return STATUS_ok;
}

// Takes entries of one segment; *ret_full when no more fits.
static enum status read_segment(struct journal *journal, struct read *read, bool *ret_full)
{
    size_t index = segment_of(journal, read->position);
    const struct segment *segment = &journal->segments[index];
    TRY(show_segment(journal, index));
    uint64_t offset;
    TRY(segment_find(segment, &journal->window, read->position, &offset));
    while (offset < segment->used) {
        struct record record;
        enum record_state state;
        TRY(record_read(segment, &journal->window, offset, &record, &state));
        if (state != RECORD_WHOLE || record.entry.position != read->position) {
            return STATUS_damaged;
        }
        size_t taken = read->out->size - read->begin;
        *ret_full = taken > 0 && taken + record.frame.size > read->size;
        if (*ret_full) {
            return STATUS_ok;
        }
        buffer_append(read->out, record.frame);
        read->position++;
        offset = record.next;
    }
    return STATUS_ok;
}

enum status journal_read(struct journal *journal, uint64_t position, size_t size,
                         struct buffer *out)
{
    ASSERT(position > journal->view.base.position && position <= journal->view.end.position);
    struct read read = {.position = position, .size = size, .begin = out->size, .out = out};
    bool is_full = false;
    enum status status = STATUS_ok;
    while (!is_full && status == STATUS_ok && read.position <= journal->view.end.position) {
        status = read_segment(journal, &read, &is_full);
    }
    bool is_bad = status == STATUS_damaged || status == STATUS_absent;
    if (is_bad && out->size > read.begin) {
        return STATUS_ok; // what comes before the bad one is good
    }
    if (status != STATUS_ok) {
        buffer_truncate(out, read.begin);
    }
    return is_bad ? STATUS_damaged : status;
}

// Removes the first segment. Its name is gone durably before the next one's is touched: a crash
// must not leave a hole.
static enum status drop_first(struct journal *journal)
{
    char name[SEGMENT_NAME_SIZE];
    char path[DISK_NAME_SIZE_MAX];
    segment_name(journal->segments[0].base.position + 1, name);
    journal_path(journal, name, path);
    close_reading(journal);
    TRY(journal_fatal(disk_remove(journal->disk, path)));
    TRY(journal_fatal(disk_sync_folder(journal->disk, journal->folder)));
    segment_release(&journal->segments[0]);
    journal->segment_count--;
    memmove(journal->segments, journal->segments + 1,
            journal->segment_count * sizeof *journal->segments);
    journal->view.base = journal->segments[0].base;
    journal_measure(journal);
    return STATUS_ok;
}

// Forgets the runs below the base.
static void drop_runs(struct journal *journal)
{
    uint64_t first = journal->view.base.position + 1;
    size_t gone = 0;
    while (gone + 1 < journal->run_count && journal->runs[gone + 1].position <= first) {
        gone++;
    }
    if (first > journal->view.end.position) {
        gone = journal->run_count;
    }
    journal->run_count -= gone;
    if (journal->run_count > 0) {
        memmove(journal->runs, journal->runs + gone, journal->run_count * sizeof *journal->runs);
        if (journal->runs[0].position < first) {
            journal->runs[0].position = first;
        }
    }
}

enum status journal_drop(struct journal *journal, uint64_t position)
{
    if (journal->has_failed) {
        return STATUS_internal;
    }
    while (journal->segment_count > 1 && journal->segments[1].base.position <= position) {
        TRY(settle(journal, drop_first(journal)));
    }
    drop_runs(journal);
    return STATUS_ok;
}

enum status journal_reset(struct journal *journal, const struct entry_place *base)
{
    if (journal->has_failed) {
        return STATUS_internal;
    }
    return settle(journal, journal_replace(journal, base));
}

bool journal_prepare(struct journal *journal)
{
    if (journal->has_failed) {
        return false;
    }
    bool more = false;
    return settle(journal, spare_step(journal, &more)) == STATUS_ok && more;
}
