/*
 * What the primary does on its own: documents expire, history that is too old is trimmed, jobs are
 * done. All of it becomes effects of entries, a bounded part at a time.
 *
 *   executor_has_work ──► executor_open ──► executor_work ──► executor_close
 *
 *   cells of expiry    | time | collection | id |            in the order of time: those up to the
 *   cells of trimming  | time | version | collection | id |  time of the entry are due
 *
 * 1. A timed cell is a hint: what is due is looked up again, and a cell that doesn't hold any more
 *    is only removed. So a collection that was dropped needn't care for its own.
 * 2. A call that changes what readers see takes a version: documents expire, or an index begins to
 *    serve or turns out to be impossible. What is seen is a function of the version; so the pages
 *    of a find go by the same plan wherever its version is read. Trimming and the rest of jobs take
 *    none: no read at a version that is still promised depends on what they change.
 * 3. A call changes all that it wants to or, if the state can't be read, nothing.
 * 4. Of one document's history older versions go first, so that what is left is never wrong.
 * 5. Cells that are gone leave their traces in the state for a while. `from` of timed cells keeps
 *    scans from stepping over them again and again.
 */
#include "base/assert.h"
#include "storage/executor_internal.h"

enum { WORK_SIZE_MAX = 256 * KIB }; // of effects, unless the last document is larger

// Learns of the first timed cell of a kind.
static enum status look_at_timed(struct executor *self, struct timed_cells *timed)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(timed->kind, &from, &to);
    struct bytes start = buffer_bytes(timed->from.size > 0 ? &timed->from : &from);
    struct view_scan *scan;
    TRY(view_scan_new(&self->documents.view, start, buffer_bytes(&to), false, &scan));
    struct bytes key;
    struct bytes value;
    struct timed_key at = {.time_us = TIME_NEVER};
    enum status status = STATUS_ok;
    if (view_scan_next(scan, &key, &value)) {
        status = cell_key_timed(key, &at);
        buffer_clear(&timed->from);
        buffer_append(&timed->from, key);
    }
    enum status scanned = view_scan_destroy(&scan);
    status = status == STATUS_ok ? scanned : status;
    timed->due_us = status == STATUS_ok ? at.time_us : 0;
    return status;
}

static enum status look(struct executor *self, uint64_t time_us)
{
    struct documents *documents = &self->documents;
    if (documents->expiry.due_us <= time_us) {
        TRY(look_at_timed(self, &documents->expiry));
    }
    if (documents->trimming.due_us <= time_us) {
        TRY(look_at_timed(self, &documents->trimming));
    }
    if (self->has_jobs) {
        TRY(jobs_exist(&self->jobs, documents, &self->has_jobs));
    }
    return STATUS_ok;
}

bool executor_has_work(struct executor *executor, uint64_t time_us)
{
    const struct documents *documents = &executor->documents;
    enum status status = look(executor, time_us);
    executor_note(executor, status);
    return status == STATUS_ok && (documents->expiry.due_us <= time_us ||
                                   documents->trimming.due_us <= time_us || executor->has_jobs);
}

// Gathers the timed cells of a kind that are due, `cells` at most.
static enum status gather_timed(struct executor *self, const struct timed_cells *timed,
                                size_t cells)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(timed->kind, &from, &to);
    struct bytes start = buffer_bytes(timed->from.size > 0 ? &timed->from : &from);
    struct view_scan *scan;
    state_batch_clear(&self->timed);
    TRY(view_scan_new(&self->documents.view, start, buffer_bytes(&to), false, &scan));
    struct bytes key;
    struct bytes value;
    struct timed_key at;
    enum status status = STATUS_ok;
    while (status == STATUS_ok && self->timed.count < cells && view_scan_next(scan, &key, &value)) {
        status = cell_key_timed(key, &at);
        if (status == STATUS_ok && at.time_us > self->time_us) {
            break;
        }
        state_batch_remove(&self->timed, key);
    }
    enum status scanned = view_scan_destroy(&scan);
    return status == STATUS_ok ? scanned : status;
}

// The document of an expiry cell goes, if it does expire then; else only the cell.
static enum status expire(struct executor *self, struct bytes key)
{
    struct documents *documents = &self->documents;
    struct document_place place;
    struct timed_key timed;
    struct document_id id;
    uint32_t collection;
    TRY(cell_key_timed(key, &timed));
    buffer_clear(&self->value);
    TRY(cell_key_place(timed.at, &collection, &self->value));
    struct cursor cursor = cursor_of(buffer_bytes(&self->value));
    TRY(document_id_take(&cursor, &id));
    TRY(documents_read(documents, catalog_find_id(self->catalog, collection), &id, &place));
    bool is_due = place.is_there &&
                  document_expires_us(&place.collection->record, &place.stored) == timed.time_us;
    if (!is_due) {
        overlay_remove(documents->overlay, key);
        return STATUS_ok;
    }
    self->expired++;
    return documents_remove(documents, &place);
}

// The history cell of a trimming cell goes, and so does that.
static enum status trim(struct executor *self, struct bytes key)
{
    struct timed_key timed;
    TRY(cell_key_timed(key, &timed));
    buffer_clear(&self->key);
    cell_key_history_at(&self->key, timed.at, timed.version);
    overlay_remove(self->overlay, buffer_bytes(&self->key));
    overlay_remove(self->overlay, key);
    return STATUS_ok;
}

// Does `each` to the timed cells of a kind that are due.
static enum status work_timed(struct executor *self, struct timed_cells *timed, size_t cells,
                              enum status (*each)(struct executor *, struct bytes))
{
    if (timed->due_us > self->time_us) {
        return STATUS_ok;
    }
    TRY(gather_timed(self, timed, cells));
    size_t end = overlay_open_batch(self->overlay)->cells.size + WORK_SIZE_MAX;
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (overlay_open_batch(self->overlay)->cells.size < end &&
           state_batch_next(&self->timed, &offset, &key, &value, &removed)) {
        TRY(each(self, key));
    }
    timed->due_us = 0;
    return STATUS_ok;
}

static enum status work(struct executor *self, size_t cells)
{
    struct documents *documents = &self->documents;
    bool has_settled = false;
    self->expired = 0;
    TRY(executor_load_catalog(self));
    TRY(work_timed(self, &documents->expiry, cells, expire));
    TRY(work_timed(self, &documents->trimming, cells, trim));
    if (self->has_jobs) {
        TRY(jobs_advance(&self->jobs, documents, cells, &self->has_jobs));
        has_settled = self->jobs.has_settled;
    }
    if (self->expired > 0 || has_settled) {
        self->version++;
        self->transactions++;
    }
    return STATUS_ok;
}

void executor_work(struct executor *executor, size_t cells)
{
    ASSERT(executor->is_open);
    overlay_begin(executor->overlay);
    catalog_begin(executor->catalog);
    executor->documents.version = executor->version + 1;
    executor->documents.time_us = executor->time_us;
    enum status status = work(executor, cells);
    executor_note(executor, status);
    if (status != STATUS_ok) {
        overlay_undo(executor->overlay);
        catalog_undo(executor->catalog);
        documents_reset(&executor->documents);
    }
}
