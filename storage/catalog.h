/*
 * The collections that the executor knows: all of them, in memory, by name. The executor is the
 * only one who makes them, so what it knows stays true until it is reset.
 */
#ifndef SKEIN_STORAGE_CATALOG_H
#define SKEIN_STORAGE_CATALOG_H

#include "base/status.h"
#include "storage/cells.h"
#include "storage/state.h"

struct catalog;

struct catalog *catalog_new(void);
void catalog_destroy(struct catalog **take_catalog);

// Whether it was loaded since it was made or cleared.
bool catalog_is_loaded(const struct catalog *catalog);

// Reads all collections from the state. Fails as cursors do, or with damaged; the catalog then
// isn't loaded.
MUST_CHECK enum status catalog_load(struct catalog *catalog, struct state *state);

// The collection called `name`, borrowed until the catalog changes; NULL for none.
const struct collection_record *catalog_find(const struct catalog *catalog, struct bytes name);

// Adds a collection that isn't there under the next free id. There are fewer than
// COLLECTION_COUNT_MAX.
const struct collection_record *catalog_add(struct catalog *catalog, struct bytes name);

// Number of collections; catalog_truncate takes the last ones added away again.
size_t catalog_count(const struct catalog *catalog);
void catalog_truncate(struct catalog *catalog, size_t count);

// Forgets all.
void catalog_clear(struct catalog *catalog);

#endif
