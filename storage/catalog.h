/*
 * The collections that the executor knows: all of them, in memory, with their indexes, settings and
 * statistics. The executor is the only one who changes them, so what it knows stays true until it
 * is reset. What a transaction changes here can be undone with it.
 *
 *   catalog_begin ──► changes ──► catalog_begin: they stay
 *                            └──► catalog_undo: they never were
 */
#ifndef SKEIN_STORAGE_CATALOG_H
#define SKEIN_STORAGE_CATALOG_H

#include "base/status.h"
#include "storage/cells.h"
#include "storage/state.h"

struct catalog;

// A collection. Owned by the catalog, changed through it alone.
struct collection {
    struct collection_record record;
    struct collection_statistics statistics; // with all that the open entry does
    bool is_counted;                         // the open entry changes its statistics
    bool is_saved;                           // undoing brings the statistics of before back
    size_t name_size;
    uint8_t name[COLLECTION_NAME_SIZE_MAX];
};

static inline struct bytes collection_name(const struct collection *collection)
{
    return bytes_of(collection->name, collection->name_size);
}

struct catalog *catalog_new(void);
void catalog_destroy(struct catalog **take_catalog);

// Whether it was loaded since it was made or cleared.
bool catalog_is_loaded(const struct catalog *catalog);

// Reads all collections, their statistics and the counters from the state; documents of a
// collection without statistics are counted. Fails as cursors do, or with damaged; the catalog then
// isn't loaded.
MUST_CHECK enum status catalog_load(struct catalog *catalog, struct state *state);

// A collection by its name or its id, borrowed until it is removed; NULL for none.
struct collection *catalog_find(const struct catalog *catalog, struct bytes name);
struct collection *catalog_find_id(const struct catalog *catalog, uint32_t id);

// Number of collections.
size_t catalog_count(const struct catalog *catalog);

// What was changed up to now stays; what is changed from now on can be undone.
void catalog_begin(struct catalog *catalog);
void catalog_undo(struct catalog *catalog);

// Adds a collection that isn't there, with the next id and the settings of `record` (NULL: none),
// whose bytes are copied. There are fewer than COLLECTION_COUNT_MAX.
struct collection *catalog_add(struct catalog *catalog, struct bytes name,
                               const struct collection_record *record);

// Gives a collection another record, of the same id; its bytes are copied.
void catalog_change(struct catalog *catalog, struct collection *collection,
                    const struct collection_record *record);

// Removes a collection; it is borrowed up to the next catalog_begin().
void catalog_remove(struct catalog *catalog, struct collection *collection);

// Adds to the statistics of a collection; both may be negative.
void catalog_add_statistics(struct catalog *catalog, struct collection *collection,
                            int64_t documents, int64_t bytes);

// Gives the next id of an index or a job.
uint32_t catalog_next_index(struct catalog *catalog);
uint64_t catalog_next_job(struct catalog *catalog);

// The highest ids given so far.
const struct id_counters *catalog_counters(const struct catalog *catalog);

// Number of collections whose statistics the open entry changes.
size_t catalog_counted_count(const struct catalog *catalog);

// Those collections; borrowed until the catalog changes. Makes all changes up to now final, as
// catalog_begin() does.
struct collection *const *catalog_counted(struct catalog *catalog, size_t *ret_count);

// Their statistics are written: the open entry changes none any more.
void catalog_settle(struct catalog *catalog);

// Forgets all.
void catalog_clear(struct catalog *catalog);

#endif
