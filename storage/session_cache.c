/*
 * A hash table with chains, for finding, and a list in the order of use, for giving way:
 *
 *   buckets  [0]─► a ─► d   [1]   [2]─► b ...        oldest ─► b ─► d ─► a ◄─ newest
 *
 * 1. Touched sessions stay: their number is bounded by what one entry takes. So the cache holds at
 *    most `limit` sessions, or as many as are touched and one more.
 * 2. All is found by name; no order depends on addresses.
 */
#include "storage/session_cache.h"

#include "base/assert.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct session_cache {
    struct session **buckets; // owned array
    size_t bucket_count;      // a power of two
    size_t limit;             // sessions kept
    size_t count;             // sessions here
    struct session *newest;   // ends of the list in the order of use
    struct session *oldest;
    struct session **touched; // owned array of sessions of the list
    size_t touched_count;     // in use
    size_t touched_capacity;  // allocated
};

struct session_cache *session_cache_new(size_t limit)
{
    ASSERT(limit >= 1);
    struct session_cache *cache = calloc(1, sizeof *cache);
    ASSERT(cache != NULL);
    cache->limit = limit;
    cache->bucket_count = 64;
    while (cache->bucket_count < 2 * limit) {
        cache->bucket_count *= 2;
    }
    cache->buckets = calloc(cache->bucket_count, sizeof(struct session *));
    ASSERT(cache->buckets != NULL);
    return cache;
}

void session_cache_destroy(struct session_cache **take_cache)
{
    struct session_cache *cache = *take_cache;
    *take_cache = NULL;
    if (cache == NULL) {
        return;
    }
    session_cache_clear(cache);
    free(cache->buckets);
    free(cache->touched);
    free(cache);
}

static struct session **bucket_of(struct session_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void unlink_from_list(struct session_cache *cache, struct session *session)
{
    *(session->newer != NULL ? &session->newer->older : &cache->newest) = session->older;
    *(session->older != NULL ? &session->older->newer : &cache->oldest) = session->newer;
}

static void link_as_newest(struct session_cache *cache, struct session *session)
{
    session->newer = NULL;
    session->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = session;
    cache->newest = session;
}

struct session *session_cache_find(struct session_cache *cache, struct bytes name)
{
    uint64_t hash = XXH3_64bits(name.data, name.size);
    struct session *session = *bucket_of(cache, hash);
    while (session != NULL &&
           (session->hash != hash || !bytes_equal(session_name(session), name))) {
        session = session->chain;
    }
    return session;
}

void session_cache_use(struct session_cache *cache, struct session *session)
{
    if (session != cache->newest) {
        unlink_from_list(cache, session);
        link_as_newest(cache, session);
    }
}

static void make_room(struct session_cache *cache)
{
    struct session *session = cache->oldest;
    while (session != NULL && cache->count >= cache->limit) {
        struct session *newer = session->newer;
        if (!session->touched) {
            session_cache_remove(cache, &session);
        }
        session = newer;
    }
}

struct session *session_cache_add(struct session_cache *cache, struct bytes name)
{
    ASSERT(name.size >= 1 && name.size <= SESSION_NAME_SIZE_MAX);
    make_room(cache);
    struct session *session = calloc(1, sizeof *session);
    ASSERT(session != NULL);
    memcpy(session->name, name.data, name.size);
    session->name_size = (uint32_t)name.size;
    session->hash = XXH3_64bits(name.data, name.size);
    struct session **bucket = bucket_of(cache, session->hash);
    session->chain = *bucket;
    *bucket = session;
    link_as_newest(cache, session);
    cache->count++;
    return session;
}

void session_cache_remove(struct session_cache *cache, struct session **take_session)
{
    struct session *session = *take_session;
    *take_session = NULL;
    ASSERT(!session->touched);
    struct session **at = bucket_of(cache, session->hash);
    while (*at != session) {
        at = &(*at)->chain;
    }
    *at = session->chain;
    unlink_from_list(cache, session);
    session_record_release(&session->record);
    free(session);
    cache->count--;
}

bool session_cache_touch(struct session_cache *cache, struct session *session)
{
    if (session->touched) {
        return false;
    }
    if (cache->touched_count == cache->touched_capacity) {
        cache->touched_capacity = cache->touched_capacity == 0 ? 64 : 2 * cache->touched_capacity;
        cache->touched = realloc(cache->touched,
                                 cache->touched_capacity * sizeof(struct session *));
        ASSERT(cache->touched != NULL);
    }
    session->touched = true;
    cache->touched[cache->touched_count++] = session;
    return true;
}

struct session *const *session_cache_touched(const struct session_cache *cache, size_t *ret_count)
{
    *ret_count = cache->touched_count;
    return cache->touched;
}

void session_cache_settle(struct session_cache *cache)
{
    for (size_t i = 0; i < cache->touched_count; i++) {
        cache->touched[i]->touched = false;
    }
    cache->touched_count = 0;
}

void session_cache_clear(struct session_cache *cache)
{
    session_cache_settle(cache);
    while (cache->oldest != NULL) {
        struct session *session = cache->oldest;
        session_cache_remove(cache, &session);
    }
}
