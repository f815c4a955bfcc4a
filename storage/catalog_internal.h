/*
 * What the files of the catalog share.
 */
#ifndef SKEIN_STORAGE_CATALOG_INTERNAL_H
#define SKEIN_STORAGE_CATALOG_INTERNAL_H

#include "storage/catalog.h"

enum { CATALOG_TABLE_SIZE = 2048 };

struct catalog_undo;

struct catalog {
    bool loaded;                                          // holds all collections of the state
    struct collection *collections[COLLECTION_COUNT_MAX]; // owned
    size_t count;                                         // collections in use
    uint16_t table[CATALOG_TABLE_SIZE];                   // 1 + number of a collection; 0: free
    struct id_counters counters;                          // highest ids given
    struct id_counters begun;                             // the same at catalog_begin()
    struct collection **counted; // owned array: statistics changed by the open entry
    size_t counted_count;        // in use
    size_t counted_capacity;     // allocated
    struct catalog_undo *undos;  // owned array; changes since catalog_begin(), in order
    size_t undo_count;           // in use
    size_t undo_capacity;        // allocated
};

// A collection of this name, with nothing in it.
struct collection *collection_new(struct bytes name);

// Puts a collection that isn't there into the array and the table.
void catalog_append(struct catalog *catalog, struct collection *collection);

// Notes that the open entry changes the statistics of a collection.
void catalog_count_in(struct catalog *catalog, struct collection *collection);

#endif
