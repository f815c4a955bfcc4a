/*
 * The changes of a batch in the order of their keys. It is made when somebody asks and kept up with
 * the batch, which grows at its end and may be cut there.
 */
#ifndef SKEIN_STORAGE_BATCH_ORDER_H
#define SKEIN_STORAGE_BATCH_ORDER_H

#include "storage/state.h"

// All zero: of an empty batch.
struct batch_order {
    uint32_t *offsets;   // owned; of the changes in the batch's cells, by key, then by offset
    size_t count;        // in use
    size_t capacity;     // allocated
    size_t covered_size; // bytes of the cells whose changes are in `offsets`
    struct buffer fresh; // owned; scratch: the new offsets before they are merged
};

// One change of a batch.
struct batch_change {
    struct bytes key;   // borrowed from the batch
    struct bytes value; // the same; empty when removed
    bool is_removed;
};

void batch_order_release(struct batch_order *order);

// The batch is empty now; the memory is kept.
void batch_order_clear(struct batch_order *order);

// Takes up what the batch has got since.
void batch_order_update(struct batch_order *order, const struct state_batch *batch);

// The batch was cut to its first `size` bytes.
void batch_order_cut(struct batch_order *order, size_t size);

// The number of the first change whose key is not below `key`; order->count for none. The order is
// up to date.
size_t batch_order_find(const struct batch_order *order, const struct state_batch *batch,
                        struct bytes key);

// The change with this number. Of changes of the same key the last one is the newest.
struct batch_change batch_order_change(const struct batch_order *order,
                                       const struct state_batch *batch, size_t number);

#endif
