/*
 * The sessions that the executor works with, decoded, by name. Bounded: the one not used for the
 * longest time gives way, but never one that the open entry has touched, since its record isn't
 * written yet.
 */
#ifndef SKEIN_STORAGE_SESSION_CACHE_H
#define SKEIN_STORAGE_SESSION_CACHE_H

#include "base/limits.h"
#include "storage/session_record.h"

struct session {
    struct session_record record;
    bool touched;       // by the open entry; see session_cache_touch
    uint32_t name_size; // bytes of the name
    uint8_t name[SESSION_NAME_SIZE_MAX];
    uint64_t hash;         // of the name
    struct session *chain; // next one in its bucket
    struct session *newer; // used more recently; NULL for the last used
    struct session *older; // used less recently; NULL for the first to go
};

struct session_cache;

// Keeps at most `limit` sessions beside those that are touched; limit is at least 1.
struct session_cache *session_cache_new(size_t limit);
void session_cache_destroy(struct session_cache **take_cache);

// The session called `name`; NULL if it isn't here. Borrowed until the next session_cache_add or
// session_cache_clear.
struct session *session_cache_find(struct session_cache *cache, struct bytes name);

// Notes that a session here was used: it is the last one to give way.
void session_cache_use(struct session_cache *cache, struct session *session);

// Adds a session that isn't here, of 1 to SESSION_NAME_SIZE_MAX bytes, with an unknown record.
struct session *session_cache_add(struct session_cache *cache, struct bytes name);

// Removes a session that isn't touched.
void session_cache_remove(struct session_cache *cache, struct session **take_session);

// Notes that the open entry changes its record; the first time returns true.
bool session_cache_touch(struct session_cache *cache, struct session *session);

// The sessions touched, in the order in which they were.
struct session *const *session_cache_touched(const struct session_cache *cache, size_t *ret_count);

// Their records are written: none is touched any more.
void session_cache_settle(struct session_cache *cache);

// Forgets all, touched ones too.
void session_cache_clear(struct session_cache *cache);

static inline struct bytes session_name(const struct session *session)
{
    return bytes_of(session->name, session->name_size);
}

#endif
