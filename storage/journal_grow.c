/*
 * The next segment. It is prepared beforehand as the file "spare": zeros, allocated and synced, so
 * that a later fdatasync has no metadata to commit and that a disk which fills up meanwhile still
 * has room for one segment (rule 21).
 *
 *   no spare ──spare_step──► growing ──spare_step──► ready ──journal_grow──► the last segment
 *                  └─────────────spare_complete───────┘
 *
 * 1. A segment file has its name only when its header is durable. So a numbered file without a
 *    whole header is damage, never the trace of a crash.
 * 2. The segment before is durable when the next one gets its name. So a tear is only ever in the
 *    last segment.
 * 3. The name is durable before the first record is written.
 * 4. Until the spare is whole nothing of the journal has changed, so a full disk refuses an append
 *    without a trace, and the next attempt starts afresh.
 */
#include "storage/journal_internal.h"

#include "base/assert.h"

enum {
    SPARE_STEP_SIZE = 256 * KIB, // what one step of preparing writes; an append may wait for it
    BLOCK_SIZE = 4 * KIB,        // files are multiples of it
};

static const char SPARE_NAME[] = "spare";

static enum status spare_open(struct journal *journal, bool create)
{
    char path[DISK_NAME_SIZE_MAX];
    journal_path(journal, SPARE_NAME, path);
    struct spare spare = {0};
    TRY(disk_open(journal->disk, path, create, &spare.file));
    enum status status = disk_size(journal->disk, spare.file, &spare.size);
    if (status != STATUS_ok) {
        disk_close(journal->disk, &spare.file);
        return status;
    }
    journal->spare = spare;
    return STATUS_ok;
}

static enum status spare_extend(struct journal *journal, uint64_t size)
{
    uint64_t available;
    TRY(disk_free_space(journal->disk, &available));
    if (available < size - journal->spare.size) {
        return STATUS_read_only;
    }
    TRY(disk_allocate(journal->disk, journal->spare.file, size));
    journal->spare.size = size;
    journal->spare.is_ready = false;
    return STATUS_ok;
}

static enum status spare_settle(struct journal *journal)
{
    TRY(journal_fatal(disk_sync(journal->disk, journal->spare.file)));
    TRY(journal_fatal(disk_sync_folder(journal->disk, journal->folder)));
    journal->spare.is_ready = true;
    return STATUS_ok;
}

enum status spare_adopt(struct journal *journal)
{
    enum status status = spare_open(journal, false);
    return status == STATUS_absent ? STATUS_ok : status;
}

enum status spare_complete(struct journal *journal, uint64_t size)
{
    if (journal->spare.file == NULL) {
        TRY(spare_open(journal, true));
    }
    if (journal->spare.size < size) {
        TRY(spare_extend(journal, size));
    }
    return journal->spare.is_ready ? STATUS_ok : spare_settle(journal);
}

enum status spare_step(struct journal *journal, bool *ret_more)
{
    struct spare *spare = &journal->spare;
    if (spare->is_ready) {
        *ret_more = false;
        return STATUS_ok;
    }
    if (spare->file == NULL) {
        TRY(spare_open(journal, true));
    }
    if (spare->size < journal->segment_size) {
        uint64_t left = journal->segment_size - spare->size;
        TRY(spare_extend(journal, spare->size + (left < SPARE_STEP_SIZE ? left : SPARE_STEP_SIZE)));
        TRY(journal_fatal(disk_sync(journal->disk, spare->file)));
        *ret_more = true;
        return STATUS_ok;
    }
    TRY(spare_settle(journal));
    *ret_more = false;
    return STATUS_ok;
}

// Turns the spare into the file of `segment`.
static enum status spare_use(struct journal *journal, const struct segment *segment)
{
    struct disk *disk = journal->disk;
    segment_header_encode(segment, &journal->scratch);
    TRY(disk_write(disk, journal->spare.file, 0, buffer_bytes(&journal->scratch)));
    TRY(journal_fatal(disk_sync(disk, journal->spare.file)));
    char name[SEGMENT_NAME_SIZE];
    char from[DISK_NAME_SIZE_MAX];
    char to[DISK_NAME_SIZE_MAX];
    segment_name(segment->base.position + 1, name);
    journal_path(journal, SPARE_NAME, from);
    journal_path(journal, name, to);
    TRY(disk_rename(disk, from, to));
    return journal_fatal(disk_sync_folder(disk, journal->folder));
}

enum status journal_grow(struct journal *journal, const struct entry_place *base, uint64_t room)
{
    struct entry_place after = *base; // `base` may be in what is replaced below
    uint64_t needed = (SEGMENT_HEADER_SIZE + room + BLOCK_SIZE - 1) & ~(uint64_t)(BLOCK_SIZE - 1);
    TRY(spare_complete(journal, needed > journal->segment_size ? needed : journal->segment_size));
    if (journal->file != NULL) {
        TRY(journal_fatal(disk_sync(journal->disk, journal->file)));
        journal->durable_position = journal->view.end.position;
    }
    struct segment segment = {.cluster_id = journal->cluster_id,
                              .size = journal->spare.size,
                              .used = SEGMENT_HEADER_SIZE,
                              .base = after};
    TRY(spare_use(journal, &segment));
    if (journal->segment_count > 0 && segment_is_empty(journal_last(journal))) {
        ASSERT(journal_last(journal)->base.position == after.position);
        journal_pop_segments(journal, journal->segment_count - 1);
    }
    journal_close_files(journal);
    journal->file = journal->spare.file;
    journal->spare = (struct spare){0};
    journal_push_segment(journal, &segment);
    return STATUS_ok;
}
