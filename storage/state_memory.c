/*
 * The memory twin. Versions of a persistent tree (storage/cell_tree.h) make everything but single
 * cells O(1):
 *
 *      newest ──► tree   ◄── write moves it on
 *      flushed ─► tree   ◄── flush: flushed = newest;   crash: newest = flushed
 *      snapshot ► tree   ◄── snapshot: a reference to newest
 *
 * 1. A batch is written under the lock, so every version that anybody sees is a batch boundary.
 * 2. A cursor holds its version and walks it without the lock: what a version reaches never
 *    changes.
 * 3. Faults are decided by the test alone; see state_memory_fail_*.
 */
#include "storage/state_memory.h"

#include "base/assert.h"
#include "storage/cell_cache.h"
#include "storage/cell_tree.h"

#include <pthread.h>
#include <stdlib.h>

struct state_memory {
    struct state state;        // first: the port
    pthread_mutex_t lock;      // guards all below and every reference count
    struct cell_tree *newest;  // what readers see
    struct cell_tree *flushed; // what a crash leaves
    uint64_t flush_countdown;  // writes until it flushes by itself; 0: never
    enum status reads_status;  // ok, or what reads fail with
    enum status writes_status; // ok, or what writes and flushes fail with
    size_t open_count;         // snapshots and cursors
};

struct state_snapshot {
    struct cell_tree *tree; // one reference
};

struct state_cursor {
    struct state_memory *memory;
    struct cell_tree *tree; // one reference
    struct cell_walk walk;  // over `tree`
    struct buffer end;      // owned; key that the walk ends at, empty for none: the first
                            // one behind the range, or backwards the first one in it
    enum status status;     // what ended it early
};

static struct state_memory *memory_of(struct state *state)
{
    return (struct state_memory *)state;
}

static void lock(struct state_memory *memory)
{
    ASSERT(pthread_mutex_lock(&memory->lock) == 0);
}

static void unlock(struct state_memory *memory)
{
    ASSERT(pthread_mutex_unlock(&memory->lock) == 0);
}

static enum status memory_get(struct state *state, const struct state_snapshot *snapshot,
                              struct bytes key, struct buffer *out)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    enum status status = memory->reads_status;
    if (status == STATUS_ok) {
        struct bytes value;
        bool found = cell_tree_get(snapshot != NULL ? snapshot->tree : memory->newest, key, &value);
        status = found ? STATUS_ok : STATUS_absent;
        if (found) {
            buffer_append(out, value);
        }
    }
    unlock(memory);
    return status;
}

static void flush_locked(struct state_memory *memory)
{
    cell_tree_destroy(&memory->flushed);
    memory->flushed = cell_tree_share(memory->newest);
}

static void write_locked(struct state_memory *memory, const struct state_batch *batch)
{
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(batch, &offset, &key, &value, &removed)) {
        if (removed) {
            cell_tree_remove(&memory->newest, key);
        } else {
            cell_tree_put(&memory->newest, key, value);
        }
    }
    if (memory->flush_countdown > 0 && --memory->flush_countdown == 0) {
        flush_locked(memory);
    }
}

static enum status memory_write(struct state *state, const struct state_batch *batch)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    enum status status = memory->writes_status;
    if (status == STATUS_ok) {
        write_locked(memory, batch);
    }
    unlock(memory);
    return status;
}

static enum status memory_flush(struct state *state)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    enum status status = memory->writes_status;
    if (status == STATUS_ok) {
        flush_locked(memory);
    }
    unlock(memory);
    return status;
}

static enum status memory_snapshot(struct state *state, struct state_snapshot **ret_snapshot)
{
    struct state_memory *memory = memory_of(state);
    struct state_snapshot *snapshot = NULL;
    lock(memory);
    enum status status = memory->reads_status;
    if (status == STATUS_ok) {
        snapshot = malloc(sizeof *snapshot);
        ASSERT(snapshot != NULL);
        snapshot->tree = cell_tree_share(memory->newest);
        memory->open_count++;
        *ret_snapshot = snapshot;
    }
    unlock(memory);
    return status;
}

static void memory_snapshot_destroy(struct state *state, struct state_snapshot **take_snapshot)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    cell_tree_destroy(&(*take_snapshot)->tree);
    memory->open_count--;
    unlock(memory);
    free(*take_snapshot);
    *take_snapshot = NULL;
}

// Starts the walk at one end of the range and keeps the other.
static void start_walk(struct state_cursor *cursor, const struct state_range *range)
{
    if (range->is_backwards) {
        buffer_append(&cursor->end, range->from);
        cell_walk_init_backwards(&cursor->walk, cursor->tree, range->to);
    } else {
        buffer_append(&cursor->end, range->to);
        cell_walk_init(&cursor->walk, cursor->tree, range->from);
    }
}

static enum status memory_cursor(struct state *state, const struct state_snapshot *snapshot,
                                 const struct state_range *range, struct state_cursor **ret_cursor)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    enum status status = memory->reads_status;
    if (status == STATUS_ok) {
        struct state_cursor *cursor = calloc(1, sizeof *cursor);
        ASSERT(cursor != NULL);
        cursor->memory = memory;
        cursor->tree = cell_tree_share(snapshot != NULL ? snapshot->tree : memory->newest);
        start_walk(cursor, range);
        memory->open_count++;
        *ret_cursor = cursor;
    }
    unlock(memory);
    return status;
}

static bool is_behind_end(const struct state_cursor *cursor, struct bytes key)
{
    int order = bytes_compare(key, buffer_bytes(&cursor->end));
    return cursor->end.size > 0 && (cursor->walk.is_backwards ? order < 0 : order >= 0);
}

static bool memory_cursor_next(struct state_cursor *cursor, struct bytes *ret_key,
                               struct bytes *ret_value)
{
    lock(cursor->memory);
    if (cursor->status == STATUS_ok) {
        cursor->status = cursor->memory->reads_status;
    }
    unlock(cursor->memory);
    struct bytes key;
    struct bytes value;
    if (cursor->status != STATUS_ok || !cell_walk_next(&cursor->walk, &key, &value)) {
        return false;
    }
    if (is_behind_end(cursor, key)) {
        cursor->walk.depth = 0;
        return false;
    }
    *ret_key = key;
    *ret_value = value;
    return true;
}

static enum status memory_cursor_destroy(struct state *state, struct state_cursor **take_cursor)
{
    struct state_memory *memory = memory_of(state);
    struct state_cursor *cursor = *take_cursor;
    *take_cursor = NULL;
    lock(memory);
    cell_tree_destroy(&cursor->tree);
    memory->open_count--;
    unlock(memory);
    enum status status = cursor->status;
    buffer_release(&cursor->end);
    free(cursor);
    return status;
}

static void memory_destroy(struct state **take_state)
{
    struct state_memory *memory = memory_of(*take_state);
    *take_state = NULL;
    ASSERT(memory->open_count == 0);
    cell_tree_destroy(&memory->newest);
    cell_tree_destroy(&memory->flushed);
    ASSERT(pthread_mutex_destroy(&memory->lock) == 0);
    free(memory);
}

static const struct state_operations OPERATIONS = {
    .get = memory_get,
    .write = memory_write,
    .flush = memory_flush,
    .snapshot = memory_snapshot,
    .snapshot_destroy = memory_snapshot_destroy,
    .cursor = memory_cursor,
    .cursor_next = memory_cursor_next,
    .cursor_destroy = memory_cursor_destroy,
    .destroy = memory_destroy,
};

struct state *state_memory_new(void)
{
    struct state_memory *memory = calloc(1, sizeof *memory);
    ASSERT(memory != NULL);
    memory->state.operations = &OPERATIONS;
    ASSERT(pthread_mutex_init(&memory->lock, NULL) == 0);
    return &memory->state;
}

void state_memory_crash(struct state *state)
{
    struct state_memory *memory = memory_of(state);
    lock(memory);
    ASSERT(memory->open_count == 0);
    cell_tree_destroy(&memory->newest);
    memory->newest = cell_tree_share(memory->flushed);
    unlock(memory);
    if (state->cache != NULL) {
        cell_cache_clear(state->cache);
    }
}

struct state *state_memory_reopen(struct state **take_state)
{
    struct state *opened = state_memory_new();
    struct cell_tree *flushed = memory_of(*take_state)->flushed;
    memory_of(*take_state)->flushed = NULL;
    memory_of(opened)->flushed = flushed;
    memory_of(opened)->newest = cell_tree_share(flushed);
    state_destroy(take_state);
    return opened;
}

void state_memory_flush_after(struct state *state, uint64_t writes)
{
    lock(memory_of(state));
    memory_of(state)->flush_countdown = writes;
    unlock(memory_of(state));
}

void state_memory_fail_reads(struct state *state, enum status status)
{
    lock(memory_of(state));
    memory_of(state)->reads_status = status;
    unlock(memory_of(state));
}

void state_memory_fail_writes(struct state *state, enum status status)
{
    lock(memory_of(state));
    memory_of(state)->writes_status = status;
    unlock(memory_of(state));
}

size_t state_memory_open_count(struct state *state)
{
    lock(memory_of(state));
    size_t count = memory_of(state)->open_count;
    unlock(memory_of(state));
    return count;
}
