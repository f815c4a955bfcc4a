/*
 * The cell cache: the newest values of single cells that were read lately, in front of a state's
 * gets. A document that is read, written and read again costs one look into RocksDB and not three.
 *
 * Threads: any.
 */
#ifndef SKEIN_STORAGE_CELL_CACHE_H
#define SKEIN_STORAGE_CELL_CACHE_H

#include "base/buffer.h"

struct cell_cache;
struct state_batch;

// Room for so many cells of at most CACHED_CELL_SIZE_MAX bytes, rounded up to a power of two.
struct cell_cache *cell_cache_new(size_t cells);
void cell_cache_destroy(struct cell_cache **take_cache);

// Appends the value of `key` to `out` if it is there. If it isn't, the caller reads it elsewhere
// and may hand it to cell_cache_keep() with this turn.
bool cell_cache_get(struct cell_cache *cache, struct bytes key, struct buffer *out,
                    uint64_t *ret_turn);

// Keeps what was read after a get that found nothing, unless it is large or something has been
// written since that turn.
void cell_cache_keep(struct cell_cache *cache, uint64_t turn, struct bytes key, struct bytes value);

// Follows what was written, before the write returns to its caller.
void cell_cache_write(struct cell_cache *cache, const struct state_batch *batch);

// Forgets everything.
void cell_cache_clear(struct cell_cache *cache);

#endif
