/*
 * A table of sets, each with room for a few cells:
 *
 *      hash of key ──► set ──► [ used last | ... | used longest ago ]
 *
 * 1. A cell that is used moves to the front of its set; a new one replaces the last.
 * 2. A cell keeps its memory when its content changes, so a full cache allocates no more.
 * 3. What is written changes cells that are there and brings in no new ones: most of what is
 *    written isn't read soon.
 * 4. Who reads a cell, is overtaken by a write, and then wants to keep what it read, would keep an
 *    old value for good. So writes are counted, and what was read in an earlier turn is not kept.
 */
#include "storage/cell_cache.h"

#include "base/assert.h"
#include "base/limits.h"
#include "storage/state.h"

#include <pthread.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SET_SIZE = 4 };

struct cell {
    uint64_t hash;       // of the key
    uint8_t *bytes;      // owned; key, value; NULL: never used
    uint32_t room;       // bytes allocated
    uint32_t key_size;   // 0: no cell here
    uint32_t value_size; // bytes
};

struct set {
    struct cell cells[SET_SIZE]; // the one used last first
};

struct cell_cache {
    pthread_mutex_t lock; // guards all below
    struct set *sets;     // owned
    size_t set_count;     // a power of two
    uint64_t turn;        // counts writes
};

struct cell_cache *cell_cache_new(size_t cells)
{
    struct cell_cache *cache = calloc(1, sizeof *cache);
    ASSERT(cache != NULL);
    ASSERT(pthread_mutex_init(&cache->lock, NULL) == 0);
    cache->set_count = 1;
    while (cache->set_count * SET_SIZE < cells) {
        cache->set_count *= 2;
    }
    cache->sets = calloc(cache->set_count, sizeof *cache->sets);
    ASSERT(cache->sets != NULL);
    return cache;
}

void cell_cache_destroy(struct cell_cache **take_cache)
{
    struct cell_cache *cache = *take_cache;
    *take_cache = NULL;
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->set_count; i++) {
        for (size_t k = 0; k < SET_SIZE; k++) {
            free(cache->sets[i].cells[k].bytes);
        }
    }
    free(cache->sets);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void lock(struct cell_cache *cache)
{
    ASSERT(pthread_mutex_lock(&cache->lock) == 0);
}

static void unlock(struct cell_cache *cache)
{
    ASSERT(pthread_mutex_unlock(&cache->lock) == 0);
}

static struct set *set_of(struct cell_cache *cache, uint64_t hash)
{
    return &cache->sets[hash & (cache->set_count - 1)];
}

static bool cell_has_key(const struct cell *cell, uint64_t hash, struct bytes key)
{
    return cell->hash == hash && cell->key_size == key.size && cell->key_size > 0 &&
           memcmp(cell->bytes, key.data, key.size) == 0;
}

// Place of the key in its set; SET_SIZE if it isn't there.
static size_t find_cell(const struct set *set, uint64_t hash, struct bytes key)
{
    size_t i = 0;
    while (i < SET_SIZE && !cell_has_key(&set->cells[i], hash, key)) {
        i++;
    }
    return i;
}

static struct cell *move_to_front(struct set *set, size_t place)
{
    struct cell cell = set->cells[place];
    memmove(&set->cells[1], &set->cells[0], place * sizeof cell);
    set->cells[0] = cell;
    return &set->cells[0];
}

static void fill(struct cell *cell, uint64_t hash, struct bytes key, struct bytes value)
{
    uint32_t size = (uint32_t)(key.size + value.size);
    if (size > cell->room) {
        free(cell->bytes);
        cell->bytes = malloc(size);
        ASSERT(cell->bytes != NULL);
        cell->room = size;
    }
    cell->hash = hash;
    cell->key_size = (uint32_t)key.size;
    cell->value_size = (uint32_t)value.size;
    memcpy(cell->bytes, key.data, key.size);
    if (value.size > 0) {
        memcpy(cell->bytes + key.size, value.data, value.size);
    }
}

static bool fits(struct bytes key, struct bytes value)
{
    return key.size + value.size <= CACHED_CELL_SIZE_MAX;
}

bool cell_cache_get(struct cell_cache *cache, struct bytes key, struct buffer *out,
                    uint64_t *ret_turn)
{
    uint64_t hash = XXH3_64bits(key.data, key.size);
    lock(cache);
    struct set *set = set_of(cache, hash);
    size_t place = find_cell(set, hash, key);
    if (place < SET_SIZE) {
        const struct cell *cell = move_to_front(set, place);
        buffer_append(out, bytes_of(cell->bytes + cell->key_size, cell->value_size));
    }
    *ret_turn = cache->turn;
    unlock(cache);
    return place < SET_SIZE;
}

void cell_cache_keep(struct cell_cache *cache, uint64_t turn, struct bytes key, struct bytes value)
{
    if (!fits(key, value)) {
        return;
    }
    uint64_t hash = XXH3_64bits(key.data, key.size);
    lock(cache);
    struct set *set = set_of(cache, hash);
    if (turn == cache->turn && find_cell(set, hash, key) == SET_SIZE) {
        fill(move_to_front(set, SET_SIZE - 1), hash, key, value);
    }
    unlock(cache);
}

static void write_cell(struct cell_cache *cache, struct bytes key, struct bytes value, bool removed)
{
    uint64_t hash = XXH3_64bits(key.data, key.size);
    struct set *set = set_of(cache, hash);
    size_t place = find_cell(set, hash, key);
    if (place == SET_SIZE) {
        return;
    }
    if (removed || !fits(key, value)) {
        set->cells[place].key_size = 0;
    } else {
        fill(&set->cells[place], hash, key, value);
    }
}

void cell_cache_write(struct cell_cache *cache, const struct state_batch *batch)
{
    struct bytes key;
    struct bytes value;
    bool removed;
    size_t offset = 0;
    lock(cache);
    cache->turn++;
    while (state_batch_next(batch, &offset, &key, &value, &removed)) {
        write_cell(cache, key, value, removed);
    }
    unlock(cache);
}

void cell_cache_clear(struct cell_cache *cache)
{
    lock(cache);
    cache->turn++;
    for (size_t i = 0; i < cache->set_count; i++) {
        for (size_t k = 0; k < SET_SIZE; k++) {
            cache->sets[i].cells[k].key_size = 0;
        }
    }
    unlock(cache);
}
