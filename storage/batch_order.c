/*
 * A sorted array of offsets. What is new is sorted by itself and merged from behind: each new
 * change finds its place by halving, and what is above it moves up once. So keeping up with a batch
 * that grows between two questions costs comparisons for the new changes only.
 *
 *   offsets   [ 16 | 0 | 48 | 32 ]    keys  a b c d
 *   new       [ 64 | 80 ]             keys  b e       ──►  [ 16 | 0 | 64 | 48 | 32 | 80 ]
 */
#include "storage/batch_order.h"

#include "base/assert.h"

#include <stdlib.h>

void batch_order_release(struct batch_order *order)
{
    free(order->offsets);
    buffer_release(&order->fresh);
    *order = (struct batch_order){0};
}

void batch_order_clear(struct batch_order *order)
{
    order->count = 0;
    order->covered_size = 0;
}

static struct batch_change change_at(const struct state_batch *batch, uint32_t offset)
{
    struct batch_change change;
    size_t at = offset;
    bool found = state_batch_next(batch, &at, &change.key, &change.value, &change.is_removed);
    ASSERT(found);
    return change;
}

static int compare(const struct state_batch *batch, uint32_t a, uint32_t b)
{
    int order = bytes_compare(change_at(batch, a).key, change_at(batch, b).key);
    return order != 0 ? order : a < b ? -1 : a > b;
}

static int compare_items(const void *a, const void *b, void *batch)
{
    return compare(batch, *(const uint32_t *)a, *(const uint32_t *)b);
}

// Gathers the offsets of the changes that are not in the order yet, sorted.
static size_t gather_new(struct batch_order *order, const struct state_batch *batch)
{
    buffer_clear(&order->fresh);
    size_t count = 0;
    size_t offset = order->covered_size;
    while (offset < batch->cells.size) {
        struct batch_change change;
        uint32_t begin = (uint32_t)offset;
        bool found = state_batch_next(batch, &offset, &change.key, &change.value,
                                      &change.is_removed);
        ASSERT(found);
        buffer_append(&order->fresh, bytes_of(&begin, sizeof begin));
        count++;
    }
    order->covered_size = offset;
    if (count > 1) {
        qsort_r(order->fresh.data, count, sizeof(uint32_t), compare_items, (void *)batch);
    }
    return count;
}

static void make_room(struct batch_order *order, size_t count)
{
    if (order->count + count <= order->capacity) {
        return;
    }
    size_t capacity = order->capacity == 0 ? 64 : order->capacity;
    while (capacity < order->count + count) {
        capacity *= 2;
    }
    order->offsets = realloc(order->offsets, capacity * sizeof *order->offsets);
    ASSERT(order->offsets != NULL);
    order->capacity = capacity;
}

// How many of the first `count` offsets are of changes before the one at `offset`.
static size_t count_below(const struct batch_order *order, const struct state_batch *batch,
                          size_t count, uint32_t offset)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(batch, order->offsets[middle], offset) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void batch_order_update(struct batch_order *order, const struct state_batch *batch)
{
    if (order->covered_size == batch->cells.size) {
        return;
    }
    size_t left = gather_new(order, batch);
    make_room(order, left);
    size_t end = order->count; // offsets below it have not moved
    order->count += left;
    while (left > 0) {
        uint32_t offset;
        memcpy(&offset, order->fresh.data + (left - 1) * sizeof offset, sizeof offset);
        size_t place = count_below(order, batch, end, offset);
        memmove(order->offsets + place + left, order->offsets + place,
                (end - place) * sizeof *order->offsets);
        left--;
        order->offsets[place + left] = offset;
        end = place;
    }
}

void batch_order_cut(struct batch_order *order, size_t size)
{
    if (order->covered_size <= size) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < order->count; i++) {
        if (order->offsets[i] < size) {
            order->offsets[kept++] = order->offsets[i];
        }
    }
    order->count = kept;
    order->covered_size = size;
}

size_t batch_order_find(const struct batch_order *order, const struct state_batch *batch,
                        struct bytes key)
{
    size_t low = 0;
    size_t high = order->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_compare(change_at(batch, order->offsets[middle]).key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct batch_change batch_order_change(const struct batch_order *order,
                                       const struct state_batch *batch, size_t number)
{
    ASSERT(number < order->count);
    return change_at(batch, order->offsets[number]);
}
