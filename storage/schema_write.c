/*
 * Every change of a collection's record goes through the catalog, which keeps the record of before
 * for undoing, and then as a whole into the record's cell.
 *
 *   add index:   record with the index, building ──► job that builds ──► serves (storage/jobs.h)
 *   drop index:  record without it, no job that builds it any more ──► job that clears
 *   drop:        no record, no statistics, no job that builds ──► job that clears, with the record
 *
 * Jobs are known by their cells alone; there are few, and they are looked for only here and by
 * whoever works on them.
 */
#include "storage/schema_write.h"

#include "base/assert.h"
#include "wire/document/sentence.h"

static void put_cell(struct documents *documents)
{
    overlay_put(documents->overlay, buffer_bytes(&documents->key), buffer_bytes(&documents->value));
}

static void clear_cell(struct documents *documents)
{
    buffer_clear(&documents->key);
    buffer_clear(&documents->value);
}

static void put_record(struct documents *documents, const struct collection *collection)
{
    clear_cell(documents);
    cell_key_collection(&documents->key, collection_name(collection));
    collection_record_encode(&collection->record, &documents->value);
    put_cell(documents);
}

static void put_counters(struct documents *documents)
{
    clear_cell(documents);
    cell_key_counters(&documents->key);
    id_counters_encode(catalog_counters(documents->catalog), &documents->value);
    put_cell(documents);
}

static void put_job(struct documents *documents, const struct job_record *job)
{
    clear_cell(documents);
    cell_key_job(&documents->key, catalog_next_job(documents->catalog));
    job_record_encode(job, &documents->value);
    put_cell(documents);
    put_counters(documents);
}

static bool builds(const struct job_record *job, uint32_t collection_id, uint32_t index_id)
{
    return job->kind == JOB_BUILD && job->collection == collection_id &&
           (index_id == 0 || job->index == index_id);
}

// Appends the keys of the jobs that build an index (0: any) of a collection, as removals.
static enum status gather_builds(struct documents *documents, uint32_t collection_id,
                                 uint32_t index_id, struct state_batch *keys)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(CELL_JOB, &from, &to);
    struct view_scan *scan;
    TRY(view_scan_new(&documents->view, buffer_bytes(&from), buffer_bytes(&to), false, &scan));
    struct bytes key;
    struct bytes value;
    enum status status = STATUS_ok;
    while (status == STATUS_ok && view_scan_next(scan, &key, &value)) {
        struct job_record job;
        status = job_record_decode(value, &job);
        if (status == STATUS_ok && builds(&job, collection_id, index_id)) {
            state_batch_remove(keys, key);
        }
    }
    enum status scanned = view_scan_destroy(&scan);
    return status == STATUS_ok ? scanned : status;
}

static enum status remove_builds(struct documents *documents, uint32_t collection_id,
                                 uint32_t index_id)
{
    AUTO(state_batch_release) struct state_batch keys = {0};
    enum status status = gather_builds(documents, collection_id, index_id, &keys);
    if (status != STATUS_ok) {
        return sentence_fail(documents->sentence, status,
                             "met a state that can't be read: %s on the storage node",
                             status_name(status));
    }
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(&keys, &offset, &key, &value, &removed)) {
        overlay_remove(documents->overlay, key);
    }
    return STATUS_ok;
}

struct collection *schema_add_collection(struct documents *documents, struct bytes name,
                                         const struct collection_record *record)
{
    struct collection *collection = catalog_add(documents->catalog, name, record);
    put_record(documents, collection);
    put_counters(documents);
    return collection;
}

enum status schema_drop_collection(struct documents *documents, struct collection *collection)
{
    AUTO(buffer_release) struct buffer record = {0};
    uint32_t id = collection->record.id;
    TRY(remove_builds(documents, id, 0));
    collection_record_encode(&collection->record, &record);
    clear_cell(documents);
    cell_key_collection(&documents->key, collection_name(collection));
    overlay_remove(documents->overlay, buffer_bytes(&documents->key));
    clear_cell(documents);
    cell_key_statistics(&documents->key, id);
    overlay_remove(documents->overlay, buffer_bytes(&documents->key));
    catalog_remove(documents->catalog, collection);
    struct job_record job = {
        .kind = JOB_CLEAR_COLLECTION, .collection = id, .record = buffer_bytes(&record)};
    put_job(documents, &job);
    return STATUS_ok;
}

// Fills `room`, of INDEX_COUNT_MAX, with the indexes of a collection and returns its record with
// them, to be changed.
static struct collection_record copy_indexes(const struct collection *collection,
                                             struct index_record *room)
{
    struct collection_record record = collection->record;
    if (record.index_count > 0) {
        memcpy(room, record.indexes, record.index_count * sizeof *room);
    }
    record.indexes = room;
    return record;
}

void schema_add_index(struct documents *documents, struct collection *collection,
                      const struct index_record *index)
{
    struct index_record indexes[INDEX_COUNT_MAX];
    struct collection_record record = copy_indexes(collection, indexes);
    bool is_empty = collection->statistics.documents == 0;
    ASSERT(record.index_count < INDEX_COUNT_MAX);
    struct index_record *added = &indexes[record.index_count++];
    *added = *index;
    added->id = catalog_next_index(documents->catalog);
    added->state = is_empty ? INDEX_READY : INDEX_BUILDING;
    catalog_change(documents->catalog, collection, &record);
    put_record(documents, collection);
    if (is_empty) {
        put_counters(documents);
        return;
    }
    struct job_record job = {.kind = JOB_BUILD, .collection = record.id, .index = added->id};
    put_job(documents, &job);
}

// The number of the index of this id.
static size_t number_of(const struct collection_record *record, uint32_t index_id)
{
    size_t number = 0;
    while (number < record->index_count && record->indexes[number].id != index_id) {
        number++;
    }
    ASSERT(number < record->index_count);
    return number;
}

enum status schema_drop_index(struct documents *documents, struct collection *collection,
                              uint32_t index_id)
{
    struct index_record indexes[INDEX_COUNT_MAX];
    struct collection_record record = copy_indexes(collection, indexes);
    size_t number = number_of(&record, index_id);
    size_t behind = --record.index_count - number;
    TRY(remove_builds(documents, record.id, index_id));
    memmove(indexes + number, indexes + number + 1, behind * sizeof indexes[0]);
    catalog_change(documents->catalog, collection, &record);
    put_record(documents, collection);
    struct job_record job = {.kind = JOB_CLEAR_INDEX, .collection = record.id, .index = index_id};
    put_job(documents, &job);
    return STATUS_ok;
}

void schema_set_index_state(struct documents *documents, struct collection *collection,
                            uint32_t index_id, enum index_state state)
{
    struct index_record indexes[INDEX_COUNT_MAX];
    struct collection_record record = copy_indexes(collection, indexes);
    indexes[number_of(&record, index_id)].state = state;
    catalog_change(documents->catalog, collection, &record);
    put_record(documents, collection);
}
