/*
 * Opening: every entry is read and checked, segment by segment through one window.
 *
 *   header whole? ──no──► damaged             (1)
 *   marked as being replaced? ──yes──► finish that, empty
 *   continues the one before? ──no──► damaged  a segment, or the end of one, is missing
 *   read records while they are whole and continue the chain
 *   marked as being cut? ──yes──► finish that, this was the last segment
 *   another segment follows? ──yes──► next     (2)
 *   something after the end proves that it was not the end? ──yes──► damaged
 *   write zeros over what is after the end: maybe a torn batch, that nobody acknowledged
 *
 * 1. and 2. by what journal_grow.c promises: names only for whole headers, tears only in the last
 *    segment.
 * 3. A record after the end proves damage when it says that the entry missing there was durable;
 *    and so does a whole record right at the end that does not continue the chain.
 * 4. The end must not be below the high-water mark, nor the entry there of another epoch (rule 19).
 * 5. What is read may be known to the page cache only: a process that was killed between write and
 *    sync leaves it so, and one whose sync failed may leave it so that no later sync writes it. So
 *    what was not known durable is written again and synced before anybody is told of it (rule 8):
 *    the last records, the absence of a mark, the zeros after the end.
 * 6. A damaged journal is left as it was found, until somebody removes what is after its end.
 */
#include "storage/journal_internal.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void
report_damage(struct journal *journal, uint64_t base_position, const char *format, ...)
{
    struct journal_view *view = &journal->view;
    view->damaged = true;
    int size = snprintf(view->damage, sizeof view->damage,
                        "segment %016llx: ", (unsigned long long)base_position + 1);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(view->damage + size, sizeof view->damage - (size_t)size, format, arguments);
    va_end(arguments);
}

// Reads the header block of journal->file. Reports damage when it is none, or not that of the
// segment after `base_position`.
static enum status load_header(struct journal *journal, uint64_t base_position,
                               struct segment *ret_segment, struct bytes *ret_block)
{
    uint64_t file_size;
    TRY(disk_size(journal->disk, journal->file, &file_size));
    window_open(&journal->window, journal->file);
    TRY(window_get(&journal->window, 0, SEGMENT_HEADER_SIZE, ret_block));
    struct segment segment;
    enum status status = segment_header_decode(*ret_block, &segment);
    if (status == STATUS_damaged) {
        report_damage(journal, base_position, "no whole header");
        return STATUS_ok;
    }
    TRY(status);
    if (segment.base.position != base_position) {
        report_damage(journal, base_position, "holds another segment");
    } else if (file_size < segment.size) {
        report_damage(journal, base_position, "cut to %llu bytes", (unsigned long long)file_size);
    }
    *ret_segment = segment;
    return STATUS_ok;
}

static bool place_equal(const struct entry_place *a, const struct entry_place *b)
{
    return a->epoch == b->epoch && a->position == b->position && a->version == b->version &&
           a->crc == b->crc;
}

// Adds the segment to those in memory if it continues them.
static void admit_segment(struct journal *journal, const struct segment *segment)
{
    struct journal_view *view = &journal->view;
    if (journal->segment_count == 0) {
        view->base = view->end = segment->base;
    } else if (!place_equal(&segment->base, &view->end)) {
        report_damage(journal, segment->base.position,
                      "begins after entry %llu, but the entries before it end with %llu",
                      (unsigned long long)segment->base.position,
                      (unsigned long long)view->end.position);
        return;
    }
    journal->durable_position = segment->base.position;
    journal_push_segment(journal, segment);
}

static bool continues_chain(const struct journal *journal, const struct record *record)
{
    return record->entry.position == journal->view.end.position + 1 &&
           record->entry.previous_crc == journal->view.end.crc;
}

// Takes the records of the last segment in memory, up to `limit` or the first that is not one.
static enum status load_records(struct journal *journal, uint64_t limit)
{
    struct segment *segment = journal_last(journal);
    while (segment->used < limit) {
        struct record record;
        enum record_state state;
        TRY(record_read(segment, &journal->window, segment->used, &record, &state));
        if (state != RECORD_WHOLE || !continues_chain(journal, &record)) {
            return STATUS_ok;
        }
        segment_note(segment, record.entry.position, segment->used);
        journal_push_run(journal, record.entry.epoch, record.entry.position);
        journal->view.end = entry_place_of(&record.entry);
        if (record.header.durable_position > journal->durable_position) {
            journal->durable_position = record.header.durable_position;
        }
        segment->used = record.next;
    }
    return STATUS_ok;
}

// Looks at what is after the last record of the last segment: a proof of damage (reported), a torn
// batch, or nothing. *ret_tail_end is where the zeros begin.
static enum status check_tail(struct journal *journal, uint64_t *ret_tail_end)
{
    const struct segment *segment = journal_last(journal);
    uint64_t missing = journal->view.end.position + 1;
    uint64_t offset = segment->used;
    uint64_t tail_end = segment->used;
    window_open(&journal->window, journal->file);
    for (;;) {
        TRY(segment_search(segment, &journal->window, offset, &offset, &tail_end));
        if (offset >= segment->size) {
            *ret_tail_end = tail_end;
            return STATUS_ok;
        }
        struct record record;
        enum record_state state;
        TRY(record_read(segment, &journal->window, offset, &record, &state));
        bool breaks_chain = state == RECORD_WHOLE && offset == segment->used;
        bool proves = state != RECORD_NONE && record.header.durable_position >= missing;
        if (breaks_chain || proves) {
            report_damage(journal, segment->base.position,
                          "entry %llu is not whole at %llu, but entry %llu follows at %llu",
                          (unsigned long long)missing, (unsigned long long)segment->used,
                          (unsigned long long)record.header.position, (unsigned long long)offset);
            return STATUS_ok;
        }
        if (state == RECORD_NONE) {
            offset += RECORD_ALIGNMENT;
        } else {
            offset = tail_end = record.next;
        }
    }
}

// Goes on with a removal of entries that was under way.
static enum status resume_cut(struct journal *journal, const struct segment_mark *mark)
{
    struct segment *segment = journal_last(journal);
    if (segment->used != mark->offset || !place_equal(&journal->view.end, &mark->place)) {
        report_damage(journal, segment->base.position,
                      "entries end with %llu, but those up to %llu were kept",
                      (unsigned long long)journal->view.end.position,
                      (unsigned long long)mark->place.position);
        return STATUS_ok;
    }
    return journal_finish_cut(journal, mark, segment->size);
}

// Makes the end durable as it is in memory (5).
static enum status settle_end(struct journal *journal)
{
    const struct segment *segment = journal_last(journal);
    TRY(journal_rewrite(journal));
    TRY(journal_zero(journal, segment->used, segment->size));
    TRY(journal_zero(journal, SEGMENT_MARK_OFFSET, SEGMENT_MARK_OFFSET + SEGMENT_MARK_SIZE));
    TRY(disk_sync(journal->disk, journal->file));
    TRY(disk_sync_folder(journal->disk, journal->folder));
    journal->durable_position = journal->view.end.position;
    return STATUS_ok;
}

// Takes one segment. *ret_done when the journal ends with it, whatever follows.
static enum status load_segment(struct journal *journal, uint64_t base_position, bool *ret_done)
{
    struct segment segment = {0};
    struct bytes block;
    journal_close_files(journal);
    TRY(journal_open_segment(journal, base_position, &journal->file));
    TRY(load_header(journal, base_position, &segment, &block));
    *ret_done = journal->view.damaged;
    if (*ret_done) {
        return STATUS_ok;
    }
    if (segment.cluster_id != 0 && segment.base.position > 0 &&
        segment.cluster_id != journal->cluster_id) {
        return STATUS_wrong_cluster;
    }
    struct segment_mark mark = {.kind = 0};
    bool is_marked = segment_mark_decode(&segment, block, &mark);
    if (is_marked && mark.kind == SEGMENT_MARK_RESET) {
        *ret_done = true;
        return journal_finish_replace(journal, &segment, &mark.place);
    }
    admit_segment(journal, &segment);
    *ret_done = journal->view.damaged || is_marked;
    if (journal->view.damaged) {
        return STATUS_ok;
    }
    TRY(load_records(journal, is_marked ? mark.offset : segment.size));
    if (segment.cluster_id != journal->cluster_id && journal->view.end.position > 0) {
        return STATUS_wrong_cluster;
    }
    return is_marked ? resume_cut(journal, &mark) : STATUS_ok;
}

static uint64_t epoch_at(const struct journal *journal, uint64_t position)
{
    uint64_t epoch = journal->view.base.epoch;
    for (size_t i = 0; i < journal->run_count && journal->runs[i].position <= position; i++) {
        epoch = journal->runs[i].epoch;
    }
    return epoch;
}

static void check_high_water(struct journal *journal, const struct journal_options *options)
{
    const struct journal_view *view = &journal->view;
    uint64_t position = options->high_water;
    uint64_t last = journal->segment_count == 0 ? 0 : journal_last(journal)->base.position;
    if (view->end.position < position) {
        report_damage(journal, last, "entries end with %llu, but %llu had been durable",
                      (unsigned long long)view->end.position, (unsigned long long)position);
    } else if (position > 0 && position >= view->base.position &&
               epoch_at(journal, position) != options->high_water_epoch) {
        report_damage(journal, last, "entry %llu is of epoch %llu, but that of %llu was durable",
                      (unsigned long long)position, (unsigned long long)epoch_at(journal, position),
                      (unsigned long long)options->high_water_epoch);
    }
}

enum status journal_recover(struct journal *journal, const struct journal_options *options)
{
    AUTO(segment_list_release) struct segment_list list = {0};
    TRY(segment_list_read(journal, &list));
    TRY(spare_adopt(journal));
    bool is_done = false;
    for (size_t i = 0; i < list.count && !is_done; i++) {
        TRY(load_segment(journal, list.positions[i] - 1, &is_done));
    }
    if (list.count == 0) {
        struct entry_place none = {0};
        TRY(journal_grow(journal, &none, 0));
    }
    uint64_t tail_end = 0;
    if (!journal->view.damaged) {
        TRY(check_tail(journal, &tail_end));
    }
    if (!journal->view.damaged) {
        check_high_water(journal, options);
    }
    if (journal->view.damaged) {
        journal_close_files(journal);
        return STATUS_ok;
    }
    journal->view.cut_size = tail_end - journal_last(journal)->used;
    return settle_end(journal);
}

enum status journal_rewrite(struct journal *journal)
{
    const struct segment *segment = journal_last(journal);
    if (journal->durable_position >= journal->view.end.position) {
        return STATUS_ok;
    }
    uint64_t offset;
    window_open(&journal->window, journal->file);
    TRY(segment_find(segment, &journal->window, journal->durable_position + 1, &offset));
    while (offset < segment->used) {
        uint64_t left = segment->used - offset;
        struct bytes bytes;
        TRY(window_get(&journal->window, offset, left < WINDOW_SIZE ? (size_t)left : WINDOW_SIZE,
                       &bytes));
        if (bytes.size == 0) {
            return STATUS_internal;
        }
        TRY(disk_write(journal->disk, journal->file, offset, bytes));
        offset += bytes.size;
    }
    return STATUS_ok;
}
