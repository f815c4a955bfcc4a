/*
 * Requests under way: slots with ids that are never used twice, kept in the order in which they
 * were taken, each with a time at which its owner wants to look at it again. Writer, reader and
 * client carry their requests in one.
 *
 * Each slot has room for what its owner keeps of the request. The room is zero at first and is not
 * cleared between two requests, so that buffers in it can be used again; it never moves.
 */
#ifndef SKEIN_CLUSTER_PENDING_H
#define SKEIN_CLUSTER_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PENDING_COUNT_MAX = 65536,     // slots of one table
    PENDING_NONE = UINT16_MAX + 1, // no slot
};

struct pending_link {
    uint64_t id;         // of the request in the slot; 0 while it is free
    uint64_t wake_us;    // when to look at it; UINT64_MAX for never
    uint32_t heap_place; // where the slot stands in the heap
    uint32_t previous;   // slot taken before it; PENDING_NONE for none
    uint32_t next;       // slot taken after it, or the next free one; PENDING_NONE for none
};

struct pending {
    struct pending_link *links; // owned, one for each slot
    uint32_t *heap;             // owned: slots taken, a binary heap by wake_us
    uint8_t **rooms;            // owned: blocks of rooms
    size_t room_size;           // bytes of one room
    uint32_t capacity;          // slots that exist
    uint32_t count;             // slots taken
    uint32_t count_max;         // slots that may be taken
    uint32_t first;             // slot taken first; PENDING_NONE for none
    uint32_t last;              // slot taken last; PENDING_NONE for none
    uint32_t free;              // a free slot that exists; PENDING_NONE for none
    uint64_t number;            // of the last request; its id is number * 65536 + slot
};

// `count_max` is at most PENDING_COUNT_MAX. Ids depend on `seed`, so that another start of the same
// process has other ids; the top bit of an id is 0.
void pending_init(struct pending *pending, uint32_t count_max, size_t room_size, uint64_t seed);

// Frees the memory; what rooms own is the caller's to release before, slot by slot, up to capacity.
void pending_release(struct pending *pending);

// Takes a slot, the last one in the order, with no wake time. False when all are taken.
bool pending_take(struct pending *pending, uint32_t *ret_slot);

// Gives a taken slot back.
void pending_free(struct pending *pending, uint32_t slot);

// Finds the slot of a request; false for an id that is not under way (any more).
bool pending_find(const struct pending *pending, uint64_t id, uint32_t *ret_slot);

// Looks at a taken slot when `wake_us` has come.
void pending_wake_at(struct pending *pending, uint32_t slot, uint64_t wake_us);

// The earliest wake time; UINT64_MAX for none.
uint64_t pending_next_wake(const struct pending *pending);

// Takes the slot whose wake time came first and has come; its wake time is never, then. False when
// there is none.
bool pending_due(struct pending *pending, uint64_t now_us, uint32_t *ret_slot);

// The room of any slot below capacity.
static inline void *pending_room(const struct pending *pending, uint32_t slot)
{
    return pending->rooms[slot >> 8] + (size_t)(slot & 255) * pending->room_size;
}

// The id of the request in a taken slot.
static inline uint64_t pending_id(const struct pending *pending, uint32_t slot)
{
    return pending->links[slot].id;
}

// The slot taken next after a taken one; PENDING_NONE at the end.
static inline uint32_t pending_after(const struct pending *pending, uint32_t slot)
{
    return pending->links[slot].next;
}

#endif
