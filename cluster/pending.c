/*
 * A slab of slots, three ways to find one: by id (the slot is part of the id), by order (a doubly
 * linked list) and by time (a binary heap of slots that know their places, so that any slot can be
 * moved or removed).
 *
 * 1. An id is number * 65536 + slot with a number that only grows: it finds its slot at once and
 *    is never used again.
 * 2. Every taken slot is in the heap; one without a wake time is at the bottom with UINT64_MAX.
 * 3. Slots are made in blocks and never move, so rooms can be pointed to; a busy table that has
 *    reached its size allocates nothing.
 */
#include "cluster/pending.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_COUNT = 256, SLOT_BITS = 16 };

static const uint64_t NUMBER_START_MAX = (uint64_t)1 << 46;

void pending_init(struct pending *pending, uint32_t count_max, size_t room_size, uint64_t seed)
{
    ASSERT(count_max >= 1 && count_max <= PENDING_COUNT_MAX);
    *pending = (struct pending){
        .room_size = (room_size + 15) / 16 * 16,
        .count_max = count_max,
        .first = PENDING_NONE,
        .last = PENDING_NONE,
        .free = PENDING_NONE,
        .number = seed % NUMBER_START_MAX,
    };
}

void pending_release(struct pending *pending)
{
    for (uint32_t slot = 0; slot < pending->capacity; slot += BLOCK_COUNT) {
        free(pending->rooms[slot / BLOCK_COUNT]);
    }
    free(pending->rooms);
    free(pending->links);
    free(pending->heap);
    *pending = (struct pending){0};
}

static void *grow(void *memory, size_t count, size_t size)
{
    void *grown = reallocarray(memory, count, size);
    ASSERT(grown != NULL);
    return grown;
}

// Makes another block of slots, all free.
static void add_block(struct pending *pending)
{
    uint32_t capacity = pending->capacity + BLOCK_COUNT;
    size_t blocks = capacity / BLOCK_COUNT;
    pending->links = grow(pending->links, capacity, sizeof *pending->links);
    pending->heap = grow(pending->heap, capacity, sizeof *pending->heap);
    pending->rooms = grow(pending->rooms, blocks, sizeof *pending->rooms);
    pending->rooms[blocks - 1] = calloc(BLOCK_COUNT, pending->room_size);
    ASSERT(pending->rooms[blocks - 1] != NULL);
    for (uint32_t slot = capacity; slot-- > pending->capacity;) {
        pending->links[slot] = (struct pending_link){.next = pending->free};
        pending->free = slot;
    }
    pending->capacity = capacity;
}

static bool wakes_before(const struct pending *pending, uint32_t a, uint32_t b)
{
    return pending->links[a].wake_us < pending->links[b].wake_us;
}

static void heap_put(struct pending *pending, uint32_t place, uint32_t slot)
{
    pending->heap[place] = slot;
    pending->links[slot].heap_place = place;
}

static void heap_up(struct pending *pending, uint32_t place)
{
    uint32_t slot = pending->heap[place];
    while (place > 0 && wakes_before(pending, slot, pending->heap[(place - 1) / 2])) {
        heap_put(pending, place, pending->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_put(pending, place, slot);
}

static void heap_down(struct pending *pending, uint32_t place)
{
    uint32_t slot = pending->heap[place];
    for (uint32_t child = 2 * place + 1; child < pending->count; child = 2 * place + 1) {
        if (child + 1 < pending->count &&
            wakes_before(pending, pending->heap[child + 1], pending->heap[child])) {
            child++;
        }
        if (!wakes_before(pending, pending->heap[child], slot)) {
            break;
        }
        heap_put(pending, place, pending->heap[child]);
        place = child;
    }
    heap_put(pending, place, slot);
}

bool pending_take(struct pending *pending, uint32_t *ret_slot)
{
    if (pending->count == pending->count_max) {
        return false;
    }
    if (pending->free == PENDING_NONE) {
        add_block(pending);
    }
    uint32_t slot = pending->free;
    struct pending_link *link = &pending->links[slot];
    pending->free = link->next;
    pending->number++;
    *link = (struct pending_link){
        .id = pending->number << SLOT_BITS | slot,
        .wake_us = UINT64_MAX,
        .previous = pending->last,
        .next = PENDING_NONE,
    };
    if (pending->last == PENDING_NONE) {
        pending->first = slot;
    } else {
        pending->links[pending->last].next = slot;
    }
    pending->last = slot;
    heap_put(pending, pending->count, slot);
    pending->count++;
    *ret_slot = slot;
    return true;
}

// Takes the slot out of the order.
static void unlink_slot(struct pending *pending, const struct pending_link *link)
{
    if (link->previous == PENDING_NONE) {
        pending->first = link->next;
    } else {
        pending->links[link->previous].next = link->next;
    }
    if (link->next == PENDING_NONE) {
        pending->last = link->previous;
    } else {
        pending->links[link->next].previous = link->previous;
    }
}

void pending_free(struct pending *pending, uint32_t slot)
{
    struct pending_link *link = &pending->links[slot];
    ASSERT(link->id != 0);
    unlink_slot(pending, link);
    uint32_t place = link->heap_place;
    uint32_t moved = pending->heap[--pending->count];
    if (moved != slot) {
        heap_put(pending, place, moved);
        heap_up(pending, place);
        heap_down(pending, pending->links[moved].heap_place);
    }
    *link = (struct pending_link){.next = pending->free};
    pending->free = slot;
}

bool pending_find(const struct pending *pending, uint64_t id, uint32_t *ret_slot)
{
    uint32_t slot = (uint32_t)(id & UINT16_MAX);
    if (id == 0 || slot >= pending->capacity || pending->links[slot].id != id) {
        return false;
    }
    *ret_slot = slot;
    return true;
}

void pending_wake_at(struct pending *pending, uint32_t slot, uint64_t wake_us)
{
    struct pending_link *link = &pending->links[slot];
    ASSERT(link->id != 0);
    link->wake_us = wake_us;
    heap_up(pending, link->heap_place);
    heap_down(pending, link->heap_place);
}

uint64_t pending_next_wake(const struct pending *pending)
{
    return pending->count == 0 ? UINT64_MAX : pending->links[pending->heap[0]].wake_us;
}

bool pending_due(struct pending *pending, uint64_t now_us, uint32_t *ret_slot)
{
    if (pending_next_wake(pending) > now_us) {
        return false;
    }
    *ret_slot = pending->heap[0];
    pending_wake_at(pending, *ret_slot, UINT64_MAX);
    return true;
}
