/*
 * The list of collections: each record with its statistics, and how far its indexes are. What an
 * index that is being built has is in the job that builds it, so the jobs are gone through first.
 */
#include "storage/query_internal.h"

#include "wire/key.h"
#include "wire/pack.h"

// How far an index is.
struct progress {
    uint32_t index; // id
    uint64_t done;  // documents
};

// What is gathered of all jobs.
struct listing {
    struct query *query;
    struct buffer progress; // owned; an array of struct progress
    struct results_list list;
};

static void listing_release(struct listing *listing)
{
    buffer_release(&listing->progress);
}

static enum status take_job(struct listing *listing, struct bytes key, struct bytes value)
{
    (void)key;
    struct job_record job;
    TRY(job_record_decode(value, &job));
    if (job.kind == JOB_BUILD) {
        struct progress progress = {.index = job.index, .done = job.done};
        buffer_append(&listing->progress, bytes_of(&progress, sizeof progress));
    }
    return STATUS_ok;
}

static uint64_t done_of(const struct listing *listing, const struct index_record *index,
                        uint64_t documents)
{
    if (index->state == INDEX_READY) {
        return documents;
    }
    struct progress progress;
    for (size_t at = 0; at < listing->progress.size; at += sizeof progress) {
        memcpy(&progress, listing->progress.data + at, sizeof progress);
        if (progress.index == index->id) {
            return progress.done;
        }
    }
    return 0;
}

static enum status load_statistics(struct query *query, uint32_t collection,
                                   struct collection_statistics *ret_statistics)
{
    buffer_clear(&query->key);
    cell_key_statistics(&query->key, collection);
    buffer_clear(&query->value);
    enum status status = view_get(&query->view, buffer_bytes(&query->key), &query->value);
    *ret_statistics = (struct collection_statistics){0};
    if (status != STATUS_ok) {
        return status == STATUS_absent ? STATUS_ok : status;
    }
    return collection_statistics_decode(buffer_bytes(&query->value), ret_statistics);
}

static enum status list_one(struct listing *listing, struct bytes name,
                            const struct collection_record *record)
{
    struct results_collection collection = {.name = name, .record = record};
    uint64_t done[INDEX_COUNT_MAX] = {0};
    TRY(load_statistics(listing->query, record->id, &collection.statistics));
    for (size_t i = 0; i < record->index_count && i < INDEX_COUNT_MAX; i++) {
        done[i] = done_of(listing, &record->indexes[i], collection.statistics.documents);
    }
    collection.done = done;
    return results_collection(&listing->query->results, &listing->list, &collection)
               ? STATUS_ok
               : STATUS_too_large;
}

static enum status take_collection(struct listing *listing, struct bytes key, struct bytes value)
{
    AUTO(buffer_release) struct buffer name = {0};
    AUTO(collection_record_release) struct collection_record record = {0};
    TRY(cell_key_name(key, &name));
    TRY(collection_record_decode(value, &record));
    return list_one(listing, buffer_bytes(&name), &record);
}

// Does `each` to all cells of a kind.
static enum status walk(struct listing *listing, enum cell_kind kind,
                        enum status (*each)(struct listing *listing, struct bytes key,
                                            struct bytes value))
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(kind, &from, &to);
    struct view_scan *scan;
    TRY(view_scan_new(&listing->query->view, buffer_bytes(&from), buffer_bytes(&to), false, &scan));
    struct bytes key;
    struct bytes value;
    enum status status = STATUS_ok;
    while (status == STATUS_ok && view_scan_next(scan, &key, &value)) {
        status = each(listing, key, value);
    }
    enum status scan_status = view_scan_destroy(&scan);
    return status != STATUS_ok ? status : scan_status;
}

enum status query_collections(struct query *query)
{
    AUTO(listing_release) struct listing listing = {.query = query};
    results_collections_begin(&query->results, &listing.list);
    enum status status = walk(&listing, CELL_JOB, take_job);
    if (status == STATUS_ok) {
        status = walk(&listing, CELL_COLLECTION, take_collection);
    }
    if (status == STATUS_too_large) {
        return query_fail(query, status,
                          "the list of collections doesn't fit into an answer of %d "
                          "bytes",
                          RESULTS_SIZE_MAX);
    }
    if (status != STATUS_ok) {
        return query_fail_state(query, status);
    }
    results_collections_end(&query->results, &listing.list);
    return STATUS_ok;
}
