/*
 * Collections in the order in which they came, and a table of open addressing that finds them by
 * name. There are a thousand at most, so the table has one size for good, and taking some away
 * again, which is rare, fills it anew.
 */
#include "storage/catalog.h"

#include "base/assert.h"
#include "base/limits.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { TABLE_SIZE = 2048 };

static_assert(TABLE_SIZE >= 2 * COLLECTION_COUNT_MAX, "the table is at most half full");

struct collection {
    struct collection_record record;
    size_t name_size;
    uint8_t name[COLLECTION_NAME_SIZE_MAX];
};

struct catalog {
    bool loaded;                    // holds all collections of the state
    struct collection *collections; // owned array, of COLLECTION_COUNT_MAX
    size_t count;                   // collections in use
    uint16_t table[TABLE_SIZE];     // 1 + number of a collection; 0: free
};

struct catalog *catalog_new(void)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    ASSERT(catalog != NULL);
    catalog->collections = calloc(COLLECTION_COUNT_MAX, sizeof(struct collection));
    ASSERT(catalog->collections != NULL);
    return catalog;
}

void catalog_destroy(struct catalog **take_catalog)
{
    if (*take_catalog != NULL) {
        free((*take_catalog)->collections);
        free(*take_catalog);
        *take_catalog = NULL;
    }
}

bool catalog_is_loaded(const struct catalog *catalog)
{
    return catalog->loaded;
}

static struct bytes name_of(const struct collection *collection)
{
    return bytes_of(collection->name, collection->name_size);
}

// Where in the table the collection called `name` is, or would be.
static size_t place_of(const struct catalog *catalog, struct bytes name)
{
    size_t place = XXH3_64bits(name.data, name.size) % TABLE_SIZE;
    while (catalog->table[place] != 0 &&
           !bytes_equal(name_of(&catalog->collections[catalog->table[place] - 1]), name)) {
        place = (place + 1) % TABLE_SIZE;
    }
    return place;
}

static const struct collection_record *append(struct catalog *catalog, struct bytes name,
                                              uint32_t id)
{
    ASSERT(catalog->count < COLLECTION_COUNT_MAX && name.size <= COLLECTION_NAME_SIZE_MAX);
    size_t place = place_of(catalog, name);
    ASSERT(catalog->table[place] == 0);
    struct collection *collection = &catalog->collections[catalog->count++];
    collection->record.id = id;
    collection->name_size = name.size;
    memcpy(collection->name, name.data, name.size);
    catalog->table[place] = (uint16_t)catalog->count;
    return &collection->record;
}

static enum status load_cell(struct catalog *catalog, struct bytes key, struct bytes value)
{
    AUTO(buffer_release) struct buffer name = {0};
    AUTO(collection_record_release) struct collection_record record = {0};
    TRY(cell_key_name(key, &name));
    TRY(collection_record_decode(value, &record));
    bool fits = name.size <= COLLECTION_NAME_SIZE_MAX && catalog->count < COLLECTION_COUNT_MAX;
    if (!fits) {
        return STATUS_damaged;
    }
    append(catalog, buffer_bytes(&name), record.id);
    return STATUS_ok;
}

enum status catalog_load(struct catalog *catalog, struct state *state)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    catalog_clear(catalog);
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
    status = status == STATUS_ok ? scanned : status;
    catalog->loaded = status == STATUS_ok;
    return status;
}

const struct collection_record *catalog_find(const struct catalog *catalog, struct bytes name)
{
    uint16_t number = catalog->table[place_of(catalog, name)];
    return number == 0 ? NULL : &catalog->collections[number - 1].record;
}

const struct collection_record *catalog_add(struct catalog *catalog, struct bytes name)
{
    uint32_t id = 1;
    for (size_t i = 0; i < catalog->count; i++) {
        uint32_t taken = catalog->collections[i].record.id;
        id = taken >= id ? taken + 1 : id;
    }
    return append(catalog, name, id);
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

void catalog_truncate(struct catalog *catalog, size_t count)
{
    ASSERT(count <= catalog->count);
    if (count == catalog->count) {
        return;
    }
    catalog->count = count;
    memset(catalog->table, 0, sizeof catalog->table);
    for (size_t i = 0; i < count; i++) {
        catalog->table[place_of(catalog, name_of(&catalog->collections[i]))] = (uint16_t)(i + 1);
    }
}

void catalog_clear(struct catalog *catalog)
{
    catalog->loaded = false;
    catalog_truncate(catalog, 0);
}
