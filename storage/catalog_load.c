/*
 * Reading the catalog: the cells of collections, the counters, the statistics of each collection.
 *
 * 1. Nothing is open while the catalog is loaded, so the state alone has it all.
 * 2. A state that an earlier version of the program wrote may lack counters, then the ids that are
 *    there count, and statistics, then documents are counted once and the statistics are written
 *    with the next entry.
 */
#include "storage/catalog.h"

#include "base/limits.h"
#include "storage/catalog_internal.h"

static void raise_to(uint32_t *number, uint32_t to)
{
    *number = to > *number ? to : *number;
}

static enum status load_cell(struct catalog *catalog, struct bytes key, struct bytes value)
{
    AUTO(buffer_release) struct buffer name = {0};
    TRY(cell_key_name(key, &name));
    if (name.size > COLLECTION_NAME_SIZE_MAX || catalog->count == COLLECTION_COUNT_MAX) {
        return STATUS_damaged;
    }
    struct collection_record record;
    TRY(collection_record_decode(value, &record));
    struct collection *collection = collection_new(buffer_bytes(&name));
    collection->record = record;
    catalog_append(catalog, collection);
    raise_to(&catalog->counters.collection, record.id);
    for (size_t i = 0; i < record.index_count; i++) {
        raise_to(&catalog->counters.index, record.indexes[i].id);
    }
    return STATUS_ok;
}

static enum status load_collections(struct catalog *catalog, struct state *state)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(CELL_COLLECTION, &from, &to);
    struct state_cursor *cursor;
    TRY(state_cursor_new(state, NULL, buffer_bytes(&from), buffer_bytes(&to), &cursor));
    struct bytes key;
    struct bytes value;
    enum status status = STATUS_ok;
    while (status == STATUS_ok && state_cursor_next(cursor, state, &key, &value)) {
        status = load_cell(catalog, key, value);
    }
    enum status scanned = state_cursor_destroy(state, &cursor);
    return status == STATUS_ok ? scanned : status;
}

static enum status load_counters(struct catalog *catalog, struct state *state)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    cell_key_counters(&key);
    enum status status = state_get(state, NULL, buffer_bytes(&key), &value);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    TRY(status);
    struct id_counters counters;
    TRY(id_counters_decode(buffer_bytes(&value), &counters));
    raise_to(&catalog->counters.collection, counters.collection);
    raise_to(&catalog->counters.index, counters.index);
    catalog->counters.job = counters.job;
    return STATUS_ok;
}

static enum status count_documents(struct state *state, struct collection *collection)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_key_collection_kind(&from, CELL_DOCUMENT, collection->record.id);
    cell_key_collection_kind(&to, CELL_DOCUMENT, collection->record.id + 1);
    struct state_cursor *cursor;
    TRY(state_cursor_new(state, NULL, buffer_bytes(&from), buffer_bytes(&to), &cursor));
    struct bytes key;
    struct bytes value;
    struct stored_document stored;
    enum status status = STATUS_ok;
    while (status == STATUS_ok && state_cursor_next(cursor, state, &key, &value)) {
        status = stored_document_decode(value, &stored);
        collection->statistics.documents++;
        collection->statistics.bytes += status == STATUS_ok ? stored.document.size : 0;
    }
    enum status scanned = state_cursor_destroy(state, &cursor);
    return status == STATUS_ok ? scanned : status;
}

static enum status load_statistics(struct catalog *catalog, struct state *state,
                                   struct collection *collection)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    cell_key_statistics(&key, collection->record.id);
    enum status status = state_get(state, NULL, buffer_bytes(&key), &value);
    if (status == STATUS_absent) {
        catalog_count_in(catalog, collection);
        return count_documents(state, collection);
    }
    TRY(status);
    return collection_statistics_decode(buffer_bytes(&value), &collection->statistics);
}

static enum status load(struct catalog *catalog, struct state *state)
{
    TRY(load_collections(catalog, state));
    TRY(load_counters(catalog, state));
    for (size_t i = 0; i < catalog->count; i++) {
        TRY(load_statistics(catalog, state, catalog->collections[i]));
    }
    catalog->begun = catalog->counters;
    return STATUS_ok;
}

enum status catalog_load(struct catalog *catalog, struct state *state)
{
    catalog_clear(catalog);
    enum status status = load(catalog, state);
    if (status != STATUS_ok) {
        catalog_clear(catalog);
        return status;
    }
    catalog->loaded = true;
    return STATUS_ok;
}
