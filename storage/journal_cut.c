/*
 * Removing entries at the end, and replacing the journal by an empty one. Bytes are removed piece
 * by piece and a crash may keep any of the pieces; what it leaves would look like damage. So first
 * a mark, in a sector of its own in the header block of a segment that stays until the end, says
 * durably what is being done, and an opening that finds the mark does it again from the start, from
 * writing the mark on: the one found may be in the page cache only.
 *
 *   journal_cut      make durable what is kept
 *                    mark in the segment that holds the last entry kept
 *                    remove later segments, write zeros over what follows it; sync
 *                    take the mark away; sync
 *   journal_replace  prepare the new segment; mark in the first segment
 *                    remove the others; sync the folder
 *                    give the new segment its name, maybe that of the marked one
 *                    remove the marked one; sync the folder
 *
 * Zeros are written so that what was removed can't come back: neither as entries when the tail is
 * read after a later crash, nor as records that seem to prove damage.
 *
 * Past the mark a full disk is a failure like any other: only bytes that are allocated are written.
 */
#include "storage/journal_internal.h"

#include "base/assert.h"

#include <stdlib.h>

enum { ZERO_STEP_SIZE = 256 * KIB };

static void on_name(void *context, const char *name)
{
    struct segment_list *list = context;
    uint64_t position;
    if (!segment_name_parse(name, &position)) {
        return;
    }
    if (list->count == list->capacity) {
        list->capacity = list->count == 0 ? 16 : list->count * 2;
        list->positions = realloc(list->positions, list->capacity * sizeof *list->positions);
        ASSERT(list->positions != NULL);
    }
    list->positions[list->count++] = position;
}

static int compare_positions(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

void segment_list_release(struct segment_list *list)
{
    free(list->positions);
    *list = (struct segment_list){0};
}

enum status segment_list_read(struct journal *journal, struct segment_list *list)
{
    TRY(disk_list(journal->disk, journal->folder, on_name, list));
    if (list->count > 0) {
        qsort(list->positions, list->count, sizeof *list->positions, compare_positions);
    }
    return STATUS_ok;
}

static enum status segment_remove(struct journal *journal, uint64_t position)
{
    char name[SEGMENT_NAME_SIZE];
    char path[DISK_NAME_SIZE_MAX];
    segment_name(position, name);
    journal_path(journal, name, path);
    return journal_fatal(disk_remove(journal->disk, path));
}

static enum status mark_write(struct journal *journal, const struct segment *segment,
                              struct disk_file *file, const struct segment_mark *mark)
{
    uint8_t bytes[SEGMENT_MARK_SIZE];
    segment_mark_encode(segment, mark, bytes);
    struct bytes encoded = bytes_of(bytes, sizeof bytes);
    TRY(journal_fatal(disk_write(journal->disk, file, SEGMENT_MARK_OFFSET, encoded)));
    return journal_fatal(disk_sync(journal->disk, file));
}

// Finds the place of the entry at `position` in the last segment, and where its record ends.
static enum status mark_cut(struct journal *journal, uint64_t position, struct segment_mark *mark)
{
    struct segment *segment = journal_last(journal);
    *mark = (struct segment_mark){
        .kind = SEGMENT_MARK_CUT, .offset = SEGMENT_HEADER_SIZE, .place = segment->base};
    if (position == segment->base.position) {
        return STATUS_ok;
    }
    uint64_t offset;
    struct record record;
    enum record_state state;
    window_open(&journal->window, journal->file);
    TRY(segment_find(segment, &journal->window, position, &offset));
    TRY(record_read(segment, &journal->window, offset, &record, &state));
    if (state != RECORD_WHOLE) {
        return STATUS_damaged;
    }
    mark->offset = record.next;
    mark->place = entry_place_of(&record.entry);
    return STATUS_ok;
}

// Makes the segment that `position` is in, or right before, the last one in memory.
static enum status retreat_to(struct journal *journal, uint64_t position)
{
    size_t count = journal->segment_count;
    while (journal->segments[count - 1].base.position > position) {
        count--;
    }
    if (count == journal->segment_count && journal->file != NULL) {
        return STATUS_ok;
    }
    journal_close_files(journal);
    journal_pop_segments(journal, count);
    return journal_open_segment(journal, journal_last(journal)->base.position, &journal->file);
}

// Makes the entries up to `position` durable: a mark must not outlive what it says is kept.
static enum status settle_kept(struct journal *journal, uint64_t position)
{
    if (journal->durable_position >= position) {
        return STATUS_ok;
    }
    if (journal->view.damaged) {
        TRY(journal_rewrite(journal));
    }
    return disk_sync(journal->disk, journal->file);
}

enum status journal_cut(struct journal *journal, uint64_t position)
{
    ASSERT(position >= journal->view.base.position && position <= journal->view.end.position);
    if (journal->segment_count == 0) {
        struct entry_place base = journal->view.end;
        return journal_replace(journal, &base);
    }
    TRY(journal_fatal(retreat_to(journal, position)));
    TRY(journal_fatal(settle_kept(journal, position)));
    struct segment *segment = journal_last(journal);
    struct segment_mark mark;
    TRY(journal_fatal(mark_cut(journal, position, &mark)));
    uint64_t tail_end = journal->view.damaged ? segment->size : segment->used;
    TRY(journal_finish_cut(journal, &mark, tail_end));
    journal->durable_position = position;
    return STATUS_ok;
}

enum status journal_finish_cut(struct journal *journal, const struct segment_mark *mark,
                               uint64_t tail_end)
{
    struct segment *segment = journal_last(journal);
    TRY(mark_write(journal, segment, journal->file, mark));
    AUTO(segment_list_release) struct segment_list list = {0};
    TRY(journal_fatal(segment_list_read(journal, &list)));
    for (size_t i = 0; i < list.count; i++) {
        if (list.positions[i] > segment->base.position + 1) {
            TRY(segment_remove(journal, list.positions[i]));
        }
    }
    TRY(journal_fatal(journal_zero(journal, mark->offset, tail_end)));
    TRY(journal_fatal(disk_sync(journal->disk, journal->file)));
    TRY(journal_fatal(disk_sync_folder(journal->disk, journal->folder)));
    uint64_t mark_end = SEGMENT_MARK_OFFSET + SEGMENT_MARK_SIZE;
    TRY(journal_fatal(journal_zero(journal, SEGMENT_MARK_OFFSET, mark_end)));
    TRY(journal_fatal(disk_sync(journal->disk, journal->file)));
    segment_forget(segment, mark->offset);
    segment->used = mark->offset;
    journal_pop_runs(journal, mark->place.position);
    journal->view.end = mark->place;
    journal->view.damaged = false;
    journal->view.damage[0] = '\0';
    journal_measure(journal);
    return STATUS_ok;
}

static enum status mark_replaced(struct journal *journal, const struct segment *segment,
                                 const struct entry_place *base)
{
    struct segment_mark mark = {.kind = SEGMENT_MARK_RESET, .place = *base};
    struct disk_file *file;
    TRY(journal_fatal(journal_open_segment(journal, segment->base.position, &file)));
    enum status status = mark_write(journal, segment, file, &mark);
    disk_close(journal->disk, &file);
    return status;
}

enum status journal_replace(struct journal *journal, const struct entry_place *base)
{
    TRY(spare_complete(journal, journal->segment_size));
    struct segment first = {0};
    if (journal->segment_count > 0) {
        first = journal->segments[0];
    }
    const struct segment *marked = journal->segment_count > 0 ? &first : NULL;
    return journal_fatal(journal_finish_replace(journal, marked, base));
}

enum status journal_finish_replace(struct journal *journal, const struct segment *marked,
                                   const struct entry_place *base)
{
    uint64_t kept = marked == NULL ? 0 : marked->base.position + 1;
    if (marked != NULL) {
        TRY(mark_replaced(journal, marked, base));
    }
    journal_close_files(journal);
    journal_pop_segments(journal, 0);
    journal_pop_runs(journal, 0);
    AUTO(segment_list_release) struct segment_list list = {0};
    TRY(journal_fatal(segment_list_read(journal, &list)));
    for (size_t i = 0; i < list.count; i++) {
        if (list.positions[i] != kept) {
            TRY(segment_remove(journal, list.positions[i]));
        }
    }
    TRY(journal_fatal(disk_sync_folder(journal->disk, journal->folder)));
    journal->view.base = journal->view.end = *base;
    journal->view.damaged = false;
    journal->view.damage[0] = '\0';
    TRY(journal_grow(journal, base, 0));
    journal->durable_position = base->position;
    if (marked != NULL && kept != base->position + 1) {
        TRY(segment_remove(journal, kept));
        TRY(journal_fatal(disk_sync_folder(journal->disk, journal->folder)));
    }
    return STATUS_ok;
}

enum status journal_zero(struct journal *journal, uint64_t from, uint64_t to)
{
    buffer_clear(&journal->scratch);
    size_t step = to - from < ZERO_STEP_SIZE ? (size_t)(to - from) : ZERO_STEP_SIZE;
    if (step > 0) {
        memset(buffer_extend(&journal->scratch, step), 0, step);
    }
    while (from < to) {
        size_t size = to - from < step ? (size_t)(to - from) : step;
        TRY(disk_write(journal->disk, journal->file, from, bytes_of(journal->scratch.data, size)));
        from += size;
    }
    return STATUS_ok;
}
