/*
 * Jobs.
 *
 *   jobs_advance ──► choose ──► build ──► scan documents ──► put their entries ──► to the end:
 *                          │                                    │                   INDEX_READY
 *                          │                                    └► a conflict: INDEX_FAILED
 *                          └──► clear ──► scan cells ──► remove them ──► to the end: no job
 *
 * 1. A chunk scans what the next transaction would see, the overlay before the state; so a document
 *    that a pending entry writes is met as it will be. The scan ends before anything is changed.
 * 2. Documents that are written while their index is built put their entries themselves, whether
 *    the job has passed them or not. So the job has only to see to those that were there when it
 *    began, and may meet entries that are there already.
 * 3. A chunk ends after so many cells, after CHUNK_READ_MAX bytes that were read or CHUNK_SIZE_MAX
 *    bytes of changes, whatever comes first: a step of the executor stays short, and its entry has
 *    room for it (base/limits.h).
 * 4. A document that expires has a cell elsewhere, which goes with it when its collection is
 *    cleared. Cells that say when history is too old are left to their time.
 */
#include "storage/jobs.h"

#include "base/assert.h"
#include "base/limits.h"
#include "storage/schema_write.h"
#include "wire/key.h"

enum {
    CHUNK_READ_MAX = 4 * MIB,
    CHUNK_SIZE_MAX = 128 * KIB,
    CHUNK_EXCESS_MAX = 4 * CELL_KEY_SIZE_MAX, // what the last change may be larger
};

static_assert(TRANSACTION_SIZE_MAX >= CHUNK_SIZE_MAX + CHUNK_EXCESS_MAX,
              "where a transaction has room, a chunk has");

// A chunk of a job on its way.
struct chunk {
    struct jobs *jobs;
    struct documents *documents;
    struct job_record job;
    const struct index_record *index; // that is built
    struct collection_record record;  // owned; of the collection that is cleared
    size_t cells;                     // that it may still look at
    size_t read_size;                 // bytes read so far
    uint64_t count;                   // cells that it has seen
    bool is_last;                     // it comes to the end of the job's cells
};

void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){0};
}

void jobs_release(struct jobs *jobs)
{
    state_batch_release(&jobs->changes);
    buffer_release(&jobs->key);
    buffer_release(&jobs->cell);
    buffer_release(&jobs->next);
    buffer_release(&jobs->entry);
    buffer_release(&jobs->value);
}

static void copy(struct buffer *to, struct bytes bytes)
{
    buffer_clear(to);
    buffer_append(to, bytes);
}

// Copies the first job of a range into key and value; absent if there is none.
static enum status take_first(struct jobs *jobs, const struct documents *documents,
                              struct bytes from, struct bytes to)
{
    struct view_scan *scan;
    struct bytes key;
    struct bytes value;
    TRY(view_scan_new(&documents->view, from, to, false, &scan));
    bool found = view_scan_next(scan, &key, &value);
    if (found) {
        copy(&jobs->key, key);
        copy(&jobs->cell, value);
    }
    TRY(view_scan_destroy(&scan));
    return found ? STATUS_ok : STATUS_absent;
}

// The next job behind the last one, or else the first; absent if there is none.
static enum status choose(struct jobs *jobs, const struct documents *documents)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    AUTO(buffer_release) struct buffer behind = {0};
    cell_range(CELL_JOB, &from, &to);
    cell_key_job(&behind, jobs->last + 1);
    enum status status = take_first(jobs, documents, buffer_bytes(&behind), buffer_bytes(&to));
    if (status == STATUS_absent) {
        status = take_first(jobs, documents, buffer_bytes(&from), buffer_bytes(&to));
    }
    return status;
}

// Whether the chunk has room for another cell.
static bool has_room(const struct chunk *chunk)
{
    return chunk->cells > 0 && chunk->read_size < CHUNK_READ_MAX &&
           chunk->jobs->changes.cells.size < CHUNK_SIZE_MAX;
}

// Does `visit` to the next cells of a range, from where the job goes on, as far as there is room.
static enum status scan_cells(struct chunk *chunk, struct bytes from, struct bytes to,
                              enum status (*visit)(struct chunk *, struct bytes, struct bytes))
{
    struct bytes next = chunk->job.next;
    struct bytes begin = bytes_compare(next, from) > 0 ? next : from;
    struct view view = chunk->documents->view;
    struct view_scan *scan;
    struct bytes key;
    struct bytes value;
    enum status status = STATUS_ok;
    view.spares_cache = true;
    TRY(view_scan_new(&view, begin, to, false, &scan));
    chunk->is_last = true;
    while (status == STATUS_ok && view_scan_next(scan, &key, &value)) {
        if (!has_room(chunk)) {
            chunk->is_last = false;
            break;
        }
        chunk->cells--;
        chunk->count++;
        chunk->read_size += key.size + value.size;
        copy(&chunk->jobs->next, key);
        buffer_append_u8(&chunk->jobs->next, 0); // the first key behind it
        status = visit(chunk, key, value);
    }
    enum status scanned = view_scan_destroy(&scan);
    return status == STATUS_ok ? scanned : status;
}

static void end_job(struct chunk *chunk)
{
    overlay_remove(chunk->documents->overlay, buffer_bytes(&chunk->jobs->key));
}

// Writes how far the job has come.
static void keep_job(struct chunk *chunk)
{
    AUTO(buffer_release) struct buffer value = {0};
    struct job_record job = chunk->job;
    job.done += chunk->count;
    job.next = buffer_bytes(&chunk->jobs->next);
    job_record_encode(&job, &value);
    overlay_put(chunk->documents->overlay, buffer_bytes(&chunk->jobs->key), buffer_bytes(&value));
}

// The index that the job builds; NULL if it isn't there.
static const struct index_record *index_of(const struct collection *collection,
                                           const struct job_record *job)
{
    for (size_t i = 0; collection != NULL && i < collection->record.index_count; i++) {
        if (collection->record.indexes[i].id == job->index) {
            return &collection->record.indexes[i];
        }
    }
    return NULL;
}

// Gathers the entry of a document in the index: its key, and whether others could put it, too,
// before the key of the document's id.
static enum status gather_entry(struct chunk *chunk, struct bytes key, struct bytes value)
{
    struct jobs *jobs = chunk->jobs;
    struct stored_document stored;
    struct bytes id;
    bool is_shared = false;
    TRY(cell_key_document_id(key, &id));
    TRY(stored_document_decode(value, &stored));
    buffer_clear(&jobs->entry);
    buffer_clear(&jobs->value);
    TRY(index_entry_key_at(chunk->index, stored.document, id, &jobs->entry, &is_shared));
    buffer_append_u8(&jobs->value, is_shared);
    buffer_append(&jobs->value, id);
    state_batch_put(&jobs->changes, buffer_bytes(&jobs->entry), buffer_bytes(&jobs->value));
    return STATUS_ok;
}

// Puts the entries that were gathered. unique: two documents have the same values.
static enum status put_entries(struct chunk *chunk)
{
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(&chunk->jobs->changes, &offset, &key, &value, &removed)) {
        struct bytes id = bytes_of(value.data + 1, value.size - 1);
        TRY(documents_put_entry(chunk->documents, key, value.data[0] != 0, id));
    }
    return STATUS_ok;
}

static void end_build(struct chunk *chunk, struct collection *collection, enum index_state state)
{
    schema_set_index_state(chunk->documents, collection, chunk->job.index, state);
    chunk->jobs->has_settled = true;
    end_job(chunk);
}

static enum status build(struct chunk *chunk)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    uint32_t id = chunk->job.collection;
    struct collection *collection = catalog_find_id(chunk->documents->catalog, id);
    chunk->index = index_of(collection, &chunk->job);
    if (chunk->index == NULL || chunk->index->state != INDEX_BUILDING) {
        end_job(chunk);
        return STATUS_ok;
    }
    cell_key_collection_kind(&from, CELL_DOCUMENT, id);
    cell_key_collection_kind(&to, CELL_DOCUMENT, id + 1);
    enum status status = scan_cells(chunk, buffer_bytes(&from), buffer_bytes(&to), gather_entry);
    if (status == STATUS_ok) {
        status = put_entries(chunk);
    }
    if (status == STATUS_unique || status == STATUS_too_large) {
        end_build(chunk, collection, INDEX_FAILED);
        return STATUS_ok;
    }
    TRY(status);
    if (chunk->is_last) {
        end_build(chunk, collection, INDEX_READY);
    } else {
        keep_job(chunk);
    }
    return STATUS_ok;
}

// Gathers the removal of a cell, and of the one that says when its document expires.
static enum status gather_removal(struct chunk *chunk, struct bytes key, struct bytes value)
{
    struct jobs *jobs = chunk->jobs;
    state_batch_remove(&jobs->changes, key);
    if (key.data[0] != CELL_DOCUMENT) {
        return STATUS_ok;
    }
    struct stored_document stored;
    TRY(stored_document_decode(value, &stored));
    uint64_t expires_us = document_expires_us(&chunk->record, &stored);
    if (expires_us != TIME_NEVER) {
        buffer_clear(&jobs->entry);
        cell_key_expiry_at(&jobs->entry, expires_us, bytes_of(key.data + 1, key.size - 1));
        state_batch_remove(&jobs->changes, buffer_bytes(&jobs->entry));
    }
    return STATUS_ok;
}

// Clears what is left of the cells that begin with a kind and the id of a collection or an index.
static enum status clear_range(struct chunk *chunk, enum cell_kind kind, uint32_t id)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_key_collection_kind(&from, kind, id);
    cell_key_collection_kind(&to, kind, id + 1);
    bool is_cleared = bytes_compare(chunk->job.next, buffer_bytes(&to)) >= 0;
    if (is_cleared || !chunk->is_last) {
        return STATUS_ok;
    }
    return scan_cells(chunk, buffer_bytes(&from), buffer_bytes(&to), gather_removal);
}

// In the order of the keys, so that `next` tells what is done.
static enum status clear_ranges(struct chunk *chunk)
{
    chunk->is_last = true;
    if (chunk->job.kind == JOB_CLEAR_INDEX) {
        return clear_range(chunk, CELL_INDEX, chunk->job.index);
    }
    TRY(clear_range(chunk, CELL_DOCUMENT, chunk->job.collection));
    for (size_t i = 0; i < chunk->record.index_count; i++) {
        TRY(clear_range(chunk, CELL_INDEX, chunk->record.indexes[i].id));
    }
    return clear_range(chunk, CELL_HISTORY, chunk->job.collection);
}

static enum status clear(struct chunk *chunk)
{
    if (chunk->job.kind == JOB_CLEAR_COLLECTION) {
        TRY(collection_record_decode(chunk->job.record, &chunk->record));
    }
    TRY(clear_ranges(chunk));
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(&chunk->jobs->changes, &offset, &key, &value, &removed)) {
        overlay_remove(chunk->documents->overlay, key);
    }
    if (chunk->is_last) {
        end_job(chunk);
    } else {
        keep_job(chunk);
    }
    return STATUS_ok;
}

static void chunk_release(struct chunk *chunk)
{
    collection_record_release(&chunk->record);
}

enum status jobs_exist(struct jobs *jobs, const struct documents *documents, bool *ret_exist)
{
    enum status status = choose(jobs, documents);
    if (status != STATUS_ok && status != STATUS_absent) {
        return status;
    }
    *ret_exist = status == STATUS_ok;
    return STATUS_ok;
}

enum status jobs_advance(struct jobs *jobs, struct documents *documents, size_t cells,
                         bool *ret_exist)
{
    jobs->has_settled = false;
    TRY(jobs_exist(jobs, documents, ret_exist));
    if (!*ret_exist) {
        return STATUS_ok;
    }
    AUTO(chunk_release) struct chunk chunk = {.jobs = jobs, .documents = documents, .cells = cells};
    TRY(job_record_decode(buffer_bytes(&jobs->cell), &chunk.job));
    struct bytes number = bytes_of(jobs->key.data + 1, jobs->key.size - 1);
    TRY(key_take_u64(&number, &jobs->last));
    state_batch_clear(&jobs->changes);
    return chunk.job.kind == JOB_BUILD ? build(&chunk) : clear(&chunk);
}
