/*
 * Collections in an array, and a table of open addressing that finds them by name. There are a
 * thousand at most, so the table has one size for good, and taking one away again, which is rare,
 * fills it anew.
 *
 * 1. Every change appends to a list what it takes to undo it; undoing goes through the list from
 *    its end. Statistics are saved once a transaction and collection.
 * 2. A collection is counted from the first change of its statistics in an entry until the entry
 *    closes. A new one is counted at once, so that its statistics get written. The list of counted
 *    ones grows at its end, so undoing takes them off there; one that is removed for good leaves it
 *    in catalog_begin().
 * 3. What is removed or replaced stays in memory, in the list, until it can't come back.
 * 4. Ids come from counters that never go back, but for a transaction that is undone: its ids were
 *    seen by nobody.
 *
 * Reading collections from the state is in catalog_load.c.
 */
#include "storage/catalog.h"

#include "base/assert.h"
#include "base/limits.h"
#include "storage/catalog_internal.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(CATALOG_TABLE_SIZE >= 2 * COLLECTION_COUNT_MAX, "the table is at most half full");

enum undo_kind {
    UNDO_ADDITION,   // the collection goes
    UNDO_REMOVAL,    // the collection comes back
    UNDO_RECORD,     // it gets its record back
    UNDO_STATISTICS, // it gets its statistics back
};

struct catalog_undo {
    enum undo_kind kind;
    struct collection *collection;           // UNDO_REMOVAL: owned
    struct collection_record record;         // UNDO_RECORD; owned
    struct collection_statistics statistics; // UNDO_STATISTICS
    bool was_counted;                        // UNDO_STATISTICS
};

struct catalog *catalog_new(void)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    ASSERT(catalog != NULL);
    return catalog;
}

void catalog_destroy(struct catalog **take_catalog)
{
    struct catalog *catalog = *take_catalog;
    *take_catalog = NULL;
    if (catalog == NULL) {
        return;
    }
    catalog_clear(catalog);
    free(catalog->counted);
    free(catalog->undos);
    free(catalog);
}

bool catalog_is_loaded(const struct catalog *catalog)
{
    return catalog->loaded;
}

static void collection_destroy(struct collection **take_collection)
{
    collection_record_release(&(*take_collection)->record);
    free(*take_collection);
    *take_collection = NULL;
}

// A copy that owns its bytes. Decoding is the one way in which a record gets to own them.
static void copy_record(const struct collection_record *record, struct collection_record *ret_copy)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    collection_record_encode(record, &encoded);
    enum status status = collection_record_decode(buffer_bytes(&encoded), ret_copy);
    ASSERT(status == STATUS_ok);
}

// Where in the table the collection called `name` is, or would be.
static size_t place_of(const struct catalog *catalog, struct bytes name)
{
    size_t place = XXH3_64bits(name.data, name.size) % CATALOG_TABLE_SIZE;
    while (catalog->table[place] != 0 &&
           !bytes_equal(collection_name(catalog->collections[catalog->table[place] - 1]), name)) {
        place = (place + 1) % CATALOG_TABLE_SIZE;
    }
    return place;
}

void catalog_append(struct catalog *catalog, struct collection *collection)
{
    ASSERT(catalog->count < COLLECTION_COUNT_MAX);
    size_t place = place_of(catalog, collection_name(collection));
    ASSERT(catalog->table[place] == 0);
    catalog->collections[catalog->count++] = collection;
    catalog->table[place] = (uint16_t)catalog->count;
}

// Takes a collection out, which isn't destroyed; the last one gets its place.
static void take_out(struct catalog *catalog, const struct collection *collection)
{
    size_t number = 0;
    while (catalog->collections[number] != collection) {
        number++;
        ASSERT(number < catalog->count);
    }
    catalog->collections[number] = catalog->collections[--catalog->count];
    memset(catalog->table, 0, sizeof catalog->table);
    for (size_t i = 0; i < catalog->count; i++) {
        size_t place = place_of(catalog, collection_name(catalog->collections[i]));
        catalog->table[place] = (uint16_t)(i + 1);
    }
}

struct collection *collection_new(struct bytes name)
{
    ASSERT(name.size <= COLLECTION_NAME_SIZE_MAX);
    struct collection *collection = calloc(1, sizeof *collection);
    ASSERT(collection != NULL);
    collection->name_size = name.size;
    memcpy(collection->name, name.data, name.size);
    return collection;
}

void catalog_count_in(struct catalog *catalog, struct collection *collection)
{
    if (catalog->counted_count == catalog->counted_capacity) {
        size_t capacity = catalog->counted_capacity == 0 ? 16 : 2 * catalog->counted_capacity;
        catalog->counted = realloc(catalog->counted, capacity * sizeof(struct collection *));
        ASSERT(catalog->counted != NULL);
        catalog->counted_capacity = capacity;
    }
    catalog->counted[catalog->counted_count++] = collection;
    collection->is_counted = true;
}

static void count_out_last(struct catalog *catalog, struct collection *collection)
{
    ASSERT(catalog->counted[catalog->counted_count - 1] == collection);
    catalog->counted_count--;
    collection->is_counted = false;
}

struct collection *catalog_find(const struct catalog *catalog, struct bytes name)
{
    uint16_t number = catalog->table[place_of(catalog, name)];
    return number == 0 ? NULL : catalog->collections[number - 1];
}

struct collection *catalog_find_id(const struct catalog *catalog, uint32_t id)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->collections[i]->record.id == id) {
            return catalog->collections[i];
        }
    }
    return NULL;
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

static void remember(struct catalog *catalog, const struct catalog_undo *undo)
{
    if (catalog->undo_count == catalog->undo_capacity) {
        size_t capacity = catalog->undo_capacity == 0 ? 16 : 2 * catalog->undo_capacity;
        catalog->undos = realloc(catalog->undos, capacity * sizeof *catalog->undos);
        ASSERT(catalog->undos != NULL);
        catalog->undo_capacity = capacity;
    }
    catalog->undos[catalog->undo_count++] = *undo;
}

// Destroys a collection that is gone for good.
static void drop(struct catalog *catalog, struct collection **take_collection)
{
    size_t kept = 0;
    for (size_t i = 0; i < catalog->counted_count; i++) {
        if (catalog->counted[i] != *take_collection) {
            catalog->counted[kept++] = catalog->counted[i];
        }
    }
    catalog->counted_count = kept;
    collection_destroy(take_collection);
}

void catalog_begin(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->undo_count; i++) {
        catalog->undos[i].collection->is_saved = false;
    }
    for (size_t i = 0; i < catalog->undo_count; i++) {
        struct catalog_undo *undo = &catalog->undos[i];
        if (undo->kind == UNDO_RECORD) {
            collection_record_release(&undo->record);
        } else if (undo->kind == UNDO_REMOVAL) {
            drop(catalog, &undo->collection);
        }
    }
    catalog->undo_count = 0;
    catalog->begun = catalog->counters;
}

static void undo_one(struct catalog *catalog, struct catalog_undo *undo)
{
    struct collection *collection = undo->collection;
    switch (undo->kind) {
    case UNDO_ADDITION:
        count_out_last(catalog, collection);
        take_out(catalog, collection);
        collection_destroy(&collection);
        break;
    case UNDO_REMOVAL: catalog_append(catalog, collection); break;
    case UNDO_RECORD:
        collection_record_release(&collection->record);
        collection->record = undo->record;
        break;
    case UNDO_STATISTICS:
        collection->statistics = undo->statistics;
        collection->is_saved = false;
        if (!undo->was_counted) {
            count_out_last(catalog, collection);
        }
        break;
    }
}

void catalog_undo(struct catalog *catalog)
{
    while (catalog->undo_count > 0) {
        undo_one(catalog, &catalog->undos[--catalog->undo_count]);
    }
    catalog->counters = catalog->begun;
}

struct collection *catalog_add(struct catalog *catalog, struct bytes name,
                               const struct collection_record *record)
{
    struct collection_record made = record != NULL ? *record : (struct collection_record){0};
    made.id = ++catalog->counters.collection;
    struct collection *collection = collection_new(name);
    copy_record(&made, &collection->record);
    catalog_append(catalog, collection);
    catalog_count_in(catalog, collection);
    collection->is_saved = true; // it goes whole
    remember(catalog, &(struct catalog_undo){.kind = UNDO_ADDITION, .collection = collection});
    return collection;
}

void catalog_change(struct catalog *catalog, struct collection *collection,
                    const struct collection_record *record)
{
    ASSERT(record->id == collection->record.id);
    struct catalog_undo undo = {.kind = UNDO_RECORD, .collection = collection};
    undo.record = collection->record;
    struct collection_record changed;
    copy_record(record, &changed);
    collection->record = changed;
    remember(catalog, &undo);
}

void catalog_remove(struct catalog *catalog, struct collection *collection)
{
    take_out(catalog, collection);
    remember(catalog, &(struct catalog_undo){.kind = UNDO_REMOVAL, .collection = collection});
}

static void save_statistics(struct catalog *catalog, struct collection *collection)
{
    struct catalog_undo undo = {
        .kind = UNDO_STATISTICS,
        .collection = collection,
        .statistics = collection->statistics,
        .was_counted = collection->is_counted,
    };
    remember(catalog, &undo);
    collection->is_saved = true;
    if (!collection->is_counted) {
        catalog_count_in(catalog, collection);
    }
}

void catalog_add_statistics(struct catalog *catalog, struct collection *collection,
                            int64_t documents, int64_t bytes)
{
    if (!collection->is_saved) {
        save_statistics(catalog, collection);
    }
    collection->statistics.documents += (uint64_t)documents;
    collection->statistics.bytes += (uint64_t)bytes;
    ASSERT(collection->statistics.documents <= INT64_MAX);
}

uint32_t catalog_next_index(struct catalog *catalog)
{
    return ++catalog->counters.index;
}

uint64_t catalog_next_job(struct catalog *catalog)
{
    return ++catalog->counters.job;
}

const struct id_counters *catalog_counters(const struct catalog *catalog)
{
    return &catalog->counters;
}

size_t catalog_counted_count(const struct catalog *catalog)
{
    return catalog->counted_count;
}

struct collection *const *catalog_counted(struct catalog *catalog, size_t *ret_count)
{
    catalog_begin(catalog);
    *ret_count = catalog->counted_count;
    return catalog->counted;
}

void catalog_settle(struct catalog *catalog)
{
    catalog_begin(catalog);
    for (size_t i = 0; i < catalog->counted_count; i++) {
        catalog->counted[i]->is_counted = false;
    }
    catalog->counted_count = 0;
}

void catalog_clear(struct catalog *catalog)
{
    catalog_begin(catalog);
    for (size_t i = 0; i < catalog->count; i++) {
        collection_destroy(&catalog->collections[i]);
    }
    catalog->loaded = false;
    catalog->count = 0;
    catalog->counted_count = 0;
    memset(catalog->table, 0, sizeof catalog->table);
    catalog->counters = (struct id_counters){0};
    catalog->begun = catalog->counters;
}
