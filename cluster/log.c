/*
 * The log in memory.
 *
 *   journal   |base| 1st ..................................... last|
 *   runs      | epoch 3            | epoch 4        | epoch 7       |
 *   window                                 |first ......... end|      (end = last but while
 * loading)
 *
 * 1. Positions are contiguous from base.position + 1 to last.position.
 * 2. Epochs never decrease along the log; a run begins where the epoch changes.
 * 3. The window is contiguous and is a part of the log; an item's slot is its position modulo the
 *    capacity of the ring.
 * 4. The window always holds everything that is not committed, so that entries can be removed
 *    without reading the disk. The node sees to it by forgetting applied entries only.
 *
 * It knows nothing of disks: what is durable is kept by its owner.
 */
#include "cluster/log.h"

#include "base/assert.h"

#include <stdlib.h>

enum { LOG_ITEMS_MIN = 64, LOG_RUNS_MIN = 8 };

void log_init(struct log *log, const struct entry_place *base, const struct entry_place *last,
              const struct entry_place *floor)
{
    ASSERT(base->position <= last->position && floor->position <= last->position);
    *log = (struct log){.base = *base,
                        .last = *last,
                        .floor = *floor,
                        .window_first = floor->position + 1,
                        .window_end = floor->position + 1};
}

void log_release(struct log *log)
{
    log_forget(log, log->last.position);
    free(log->items);
    free(log->runs);
    *log = (struct log){0};
}

void log_add_run(struct log *log, uint64_t epoch, uint64_t position)
{
    if (log->run_count > 0 && log->runs[log->run_count - 1].epoch == epoch) {
        return;
    }
    ASSERT(log->run_count == 0 || (log->runs[log->run_count - 1].epoch < epoch &&
                                   log->runs[log->run_count - 1].position < position));
    if (log->run_count == log->run_capacity) {
        log->run_capacity = log->run_capacity == 0 ? LOG_RUNS_MIN : 2 * log->run_capacity;
        log->runs = realloc(log->runs, log->run_capacity * sizeof(*log->runs));
        ASSERT(log->runs != NULL);
    }
    log->runs[log->run_count++] = (struct log_run){.epoch = epoch, .position = position};
}

static struct log_item *log_slot(const struct log *log, uint64_t position)
{
    return &log->items[position & (log->item_capacity - 1)];
}

static void log_grow_items(struct log *log)
{
    size_t capacity = log->item_capacity == 0 ? LOG_ITEMS_MIN : 2 * log->item_capacity;
    struct log_item *items = calloc(capacity, sizeof(*items));
    ASSERT(items != NULL);
    for (uint64_t position = log->window_first; position < log->window_end; position++) {
        items[position & (capacity - 1)] = *log_slot(log, position);
    }
    free(log->items);
    log->items = items;
    log->item_capacity = capacity;
}

static void log_keep(struct log *log, struct bytes frame, const struct entry *entry)
{
    ASSERT(entry->position == log->window_end);
    if (log->window_end - log->window_first == log->item_capacity) {
        log_grow_items(log);
    }
    struct log_item *item = log_slot(log, entry->position);
    item->frame = malloc(frame.size);
    ASSERT(item->frame != NULL);
    memcpy(item->frame, frame.data, frame.size);
    item->size = frame.size;
    item->entry = *entry;
    item->entry.payload.data = item->frame + ENTRY_HEADER_SIZE;
    log->window_end++;
    log->window_size += frame.size;
}

void log_append(struct log *log, struct bytes frame, const struct entry *entry)
{
    ASSERT(log_is_loaded(log) && entry->position == log->last.position + 1);
    ASSERT(entry->previous_crc == log->last.crc);
    log_add_run(log, entry->epoch, entry->position);
    log_keep(log, frame, entry);
    log->last = entry_place_of(entry);
}

void log_load(struct log *log, struct bytes frame, const struct entry *entry)
{
    ASSERT(log->window_end <= log->last.position);
    log_keep(log, frame, entry);
}

static void log_drop_item(struct log *log, uint64_t position)
{
    struct log_item *item = log_slot(log, position);
    log->window_size -= item->size;
    free(item->frame);
    *item = (struct log_item){0};
}

void log_truncate(struct log *log, const struct entry_place *place)
{
    ASSERT(place->position >= log->base.position && place->position + 1 >= log->window_first);
    while (log->window_end > place->position + 1) {
        log_drop_item(log, --log->window_end);
    }
    while (log->run_count > 0 && log->runs[log->run_count - 1].position > place->position) {
        log->run_count--;
    }
    log->last = *place;
}

void log_forget(struct log *log, uint64_t position)
{
    while (log->window_first < log->window_end && log->window_first <= position) {
        log->floor = entry_place_of(&log_slot(log, log->window_first)->entry);
        log_drop_item(log, log->window_first++);
    }
}

void log_set_base(struct log *log, const struct entry_place *place)
{
    ASSERT(place->position >= log->base.position && place->position <= log->last.position);
    size_t gone = 0;
    while (gone + 1 < log->run_count && log->runs[gone + 1].position <= place->position + 1) {
        gone++;
    }
    memmove(log->runs, log->runs + gone, (log->run_count - gone) * sizeof(*log->runs));
    log->run_count -= gone;
    log->base = *place;
    log_forget(log, place->position);
}

const struct log_item *log_find(const struct log *log, uint64_t position)
{
    bool held = position >= log->window_first && position < log->window_end;
    return held ? log_slot(log, position) : NULL;
}

// The run that holds `position`, which is in the log.
static const struct log_run *log_run_of(const struct log *log, uint64_t position)
{
    size_t low = 0;
    size_t high = log->run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->runs[middle].position <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &log->runs[low];
}

bool log_epoch_at(const struct log *log, uint64_t position, uint64_t *ret_epoch)
{
    if (position == log->base.position) {
        *ret_epoch = log->base.epoch;
        return true;
    }
    if (position < log->base.position || position > log->last.position) {
        return false;
    }
    *ret_epoch = log_run_of(log, position)->epoch;
    return true;
}

uint64_t log_run_start(const struct log *log, uint64_t position)
{
    ASSERT(position > log->base.position && position <= log->last.position);
    uint64_t start = log_run_of(log, position)->position;
    return start > log->base.position ? start : log->base.position + 1;
}

bool log_place_at(const struct log *log, uint64_t position, struct entry_place *ret_place)
{
    if (position == log->last.position) {
        *ret_place = log->last;
        return true;
    }
    if (position == log->base.position) {
        *ret_place = log->base;
        return true;
    }
    if (position == log->floor.position) {
        *ret_place = log->floor;
        return true;
    }
    const struct log_item *item = log_find(log, position);
    if (item == NULL) {
        return false;
    }
    *ret_place = entry_place_of(&item->entry);
    return true;
}

bool log_gather(const struct log *log, uint64_t position, size_t size, struct buffer *out,
                uint64_t *ret_last)
{
    const struct log_item *item = log_find(log, position);
    if (item == NULL) {
        return false;
    }
    size_t begin = out->size;
    while (item != NULL && (out->size == begin || out->size - begin + item->size <= size)) {
        buffer_append(out, bytes_of(item->frame, item->size));
        *ret_last = position;
        item = log_find(log, ++position);
    }
    return true;
}
