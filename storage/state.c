/*
 * The state port: the calls, handed on to whoever implements it, with the cache in front of gets of
 * the newest state (storage/cell_cache.h follows every write); and the batch, which all
 * implementations share and which is also the form in which effects travel in log entries
 * (storage/effects.h). Sizes are little endian:
 *
 *   0          4            8          8+k            8+k+v
 *   +----------+------------+----------+--------------+----------+----
 *   | key size | value size | key      | value        | key size | ...
 *   +----------+------------+----------+--------------+----------+----
 *
 * A value size of UINT32_MAX marks a removed cell; it has no value. Bytes from a peer come in
 * through state_batch_append(), which checks them: afterwards a batch that doesn't add up is a bug.
 */
#include "storage/state.h"

#include "base/assert.h"
#include "storage/cell_cache.h"

#include <endian.h>

enum { SIZES_SIZE = 8 };

static const uint32_t SIZE_REMOVED = UINT32_MAX;

void state_use_cache(struct state *state, size_t cells)
{
    ASSERT(state->cache == NULL);
    state->cache = cell_cache_new(cells);
}

void state_batch_init(struct state_batch *batch)
{
    *batch = (struct state_batch){0};
}

void state_batch_release(struct state_batch *batch)
{
    buffer_release(&batch->cells);
    batch->count = 0;
}

void state_batch_clear(struct state_batch *batch)
{
    buffer_clear(&batch->cells);
    batch->count = 0;
}

// Makes room for a change, writes its sizes and key, and returns where the value goes.
static uint8_t *append_change(struct state_batch *batch, struct bytes key, uint32_t value_size,
                              size_t room)
{
    ASSERT(key.size > 0 && key.size < SIZE_REMOVED);
    uint32_t sizes[2] = {htole32((uint32_t)key.size), htole32(value_size)};
    uint8_t *at = buffer_extend(&batch->cells, SIZES_SIZE + key.size + room);
    memcpy(at, sizes, SIZES_SIZE);
    memcpy(at + SIZES_SIZE, key.data, key.size);
    batch->count++;
    return at + SIZES_SIZE + key.size;
}

void state_batch_put(struct state_batch *batch, struct bytes key, struct bytes value)
{
    ASSERT(value.size < SIZE_REMOVED);
    uint8_t *at = append_change(batch, key, (uint32_t)value.size, value.size);
    if (value.size > 0) {
        memcpy(at, value.data, value.size);
    }
}

void state_batch_remove(struct state_batch *batch, struct bytes key)
{
    append_change(batch, key, SIZE_REMOVED, 0);
}

// One change at the front of some bytes.
struct change {
    struct bytes key;
    struct bytes value; // empty when removed
    bool removed;
    size_t size; // of the whole change
};

static enum status read_change(struct bytes bytes, struct change *ret_change)
{
    uint32_t sizes[2];
    if (bytes.size < SIZES_SIZE) {
        return STATUS_bad_request;
    }
    memcpy(sizes, bytes.data, SIZES_SIZE);
    bool removed = le32toh(sizes[1]) == SIZE_REMOVED;
    size_t key_size = le32toh(sizes[0]);
    size_t value_size = removed ? 0 : le32toh(sizes[1]);
    size_t left = bytes.size - SIZES_SIZE;
    if (key_size == 0 || left < key_size || left - key_size < value_size) {
        return STATUS_bad_request;
    }
    *ret_change = (struct change){
        .key = bytes_of(bytes.data + SIZES_SIZE, key_size),
        .value = bytes_of(bytes.data + SIZES_SIZE + key_size, value_size),
        .removed = removed,
        .size = SIZES_SIZE + key_size + value_size,
    };
    return STATUS_ok;
}

enum status state_batch_append(struct state_batch *batch, struct bytes cells)
{
    uint32_t count = 0;
    struct change change;
    for (size_t offset = 0; offset < cells.size; offset += change.size) {
        TRY(read_change(bytes_of(cells.data + offset, cells.size - offset), &change));
        count++;
    }
    buffer_append(&batch->cells, cells);
    batch->count += count;
    return STATUS_ok;
}

bool state_batch_next(const struct state_batch *batch, size_t *offset, struct bytes *ret_key,
                      struct bytes *ret_value, bool *ret_removed)
{
    if (*offset == batch->cells.size) {
        return false;
    }
    struct change change;
    struct bytes rest = bytes_of(batch->cells.data + *offset, batch->cells.size - *offset);
    ASSERT(read_change(rest, &change) == STATUS_ok);
    *ret_key = change.key;
    *ret_value = change.value;
    *ret_removed = change.removed;
    *offset += change.size;
    return true;
}

enum status state_get(struct state *state, const struct state_snapshot *snapshot, struct bytes key,
                      struct buffer *out)
{
    uint64_t turn;
    if (snapshot != NULL || state->cache == NULL) {
        return state->operations->get(state, snapshot, key, out);
    }
    if (cell_cache_get(state->cache, key, out, &turn)) {
        return STATUS_ok;
    }
    size_t size_before = out->size;
    TRY(state->operations->get(state, NULL, key, out));
    cell_cache_keep(state->cache, turn, key,
                    bytes_of(out->data + size_before, out->size - size_before));
    return STATUS_ok;
}

enum status state_write(struct state *state, const struct state_batch *batch)
{
    TRY(state->operations->write(state, batch));
    if (state->cache != NULL) {
        cell_cache_write(state->cache, batch);
    }
    return STATUS_ok;
}

enum status state_flush(struct state *state)
{
    return state->operations->flush(state);
}

enum status state_snapshot_new(struct state *state, struct state_snapshot **ret_snapshot)
{
    return state->operations->snapshot(state, ret_snapshot);
}

void state_snapshot_destroy(struct state *state, struct state_snapshot **take_snapshot)
{
    if (*take_snapshot != NULL) {
        state->operations->snapshot_destroy(state, take_snapshot);
    }
}

enum status state_cursor_new(struct state *state, const struct state_snapshot *snapshot,
                             struct bytes from, struct bytes to, struct state_cursor **ret_cursor)
{
    struct state_range range = {.from = from, .to = to, .spares_cache = true};
    return state_cursor_new_range(state, snapshot, &range, ret_cursor);
}

enum status state_cursor_new_range(struct state *state, const struct state_snapshot *snapshot,
                                   const struct state_range *range,
                                   struct state_cursor **ret_cursor)
{
    return state->operations->cursor(state, snapshot, range, ret_cursor);
}

bool state_cursor_next(struct state_cursor *cursor, struct state *state, struct bytes *ret_key,
                       struct bytes *ret_value)
{
    return state->operations->cursor_next(cursor, ret_key, ret_value);
}

enum status state_cursor_destroy(struct state *state, struct state_cursor **take_cursor)
{
    return *take_cursor == NULL ? STATUS_ok : state->operations->cursor_destroy(state, take_cursor);
}

void state_destroy(struct state **take_state)
{
    if (*take_state != NULL) {
        cell_cache_destroy(&(*take_state)->cache);
        (*take_state)->operations->destroy(take_state);
    }
}
