/*
 * Entries in a queue, and one table of open addressing over all their changes:
 *
 *   entries   [ 7: cells ][ 8: cells ][ 9: cells, open ]        numbered as they were opened
 *                  ▲            ▲          ▲      ▲
 *   slots     [ (7, offset)  (8, offset)  (9, offset) ... ]     newest change of each key
 *
 * 1. A slot names an entry by its number and a change by its offset in that entry's cells, so
 *    neither growing buffers nor the queue move anything.
 * 2. A slot of an entry that is gone is dead. It is never followed, keeps its place so that probes
 *    go on behind it, is used again for the same hash, and falls out when the table is rebuilt.
 * 3. A key's slot shows its newest change. When an older entry had one, too, that is shadowed for
 *    good: entries are applied in order, so the newest one is the last to go.
 * 4. Undo goes back through the changes of the transaction and gives each slot its former content.
 * 5. Memory is bounded by what the entries hold: a slot for each change at most, half of them free.
 *    The memory of entries that are gone serves the next ones.
 */
#include "storage/overlay.h"

#include "base/assert.h"
#include "storage/overlay_internal.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOT_COUNT_MIN = 1024, SPARE_COUNT_MAX = 8 };

// What a slot may hold instead of the number of an entry.
static const uint64_t ENTRY_NONE = 0; // never used
static const uint64_t ENTRY_DEAD = 1; // used, and taken back
static const uint64_t ENTRY_FIRST = 2;

static uint64_t hash_of(struct bytes key)
{
    return XXH3_64bits(key.data, key.size);
}

static const struct overlay_entry *entry_at(const struct overlay *overlay, uint64_t number)
{
    const struct overlay_entry *entry = overlay->newest;
    if (entry->number != number) {
        entry = overlay->oldest;
        while (entry->number != number) {
            entry = entry->next;
        }
    }
    return entry;
}

static bool is_alive(const struct overlay *overlay, const struct slot *slot)
{
    return slot->entry >= overlay->oldest_number;
}

// Reads the change that a slot which is alive shows.
static struct bytes slot_change(const struct overlay *overlay, const struct slot *slot,
                                struct bytes *ret_value, bool *ret_removed)
{
    size_t offset = slot->offset;
    struct bytes key;
    bool found = state_batch_next(&entry_at(overlay, slot->entry)->batch, &offset, &key, ret_value,
                                  ret_removed);
    ASSERT(found);
    return key;
}

static bool shows(const struct overlay *overlay, const struct slot *slot, struct bytes key)
{
    struct bytes value;
    bool removed;
    return is_alive(overlay, slot) &&
           bytes_equal(slot_change(overlay, slot, &value, &removed), key);
}

// The slot that shows `key`, or else the one to use for it, which is dead or free. The table isn't
// full.
static struct slot *find_slot(const struct overlay *overlay, struct bytes key, uint64_t hash)
{
    size_t mask = overlay->slot_count - 1;
    struct slot *dead = NULL;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &overlay->slots[i];
        if (slot->entry == ENTRY_NONE) {
            return dead != NULL ? dead : slot;
        }
        if (slot->hash != hash) {
            continue;
        }
        if (shows(overlay, slot, key)) {
            return slot;
        }
        if (!is_alive(overlay, slot)) {
            dead = slot;
        }
    }
}

static size_t count_alive(const struct overlay *overlay)
{
    size_t count = 0;
    for (size_t i = 0; i < overlay->slot_count; i++) {
        count += is_alive(overlay, &overlay->slots[i]);
    }
    return count;
}

static void move_slots(struct overlay *overlay, const struct slot *from, size_t count)
{
    size_t mask = overlay->slot_count - 1;
    for (size_t i = 0; i < count; i++) {
        if (!is_alive(overlay, &from[i])) {
            continue;
        }
        size_t at = from[i].hash & mask;
        while (overlay->slots[at].entry != ENTRY_NONE) {
            at = (at + 1) & mask;
        }
        overlay->slots[at] = from[i];
        overlay->slots_used++;
    }
}

// Makes sure that a slot is free for one more key: drops dead slots, grows if that isn't enough.
static void make_room(struct overlay *overlay)
{
    if (2 * (overlay->slots_used + 1) <= overlay->slot_count) {
        return;
    }
    size_t wanted = SLOT_COUNT_MIN;
    while (wanted < 4 * (count_alive(overlay) + 1)) {
        wanted *= 2;
    }
    struct slot *old = overlay->slots;
    size_t old_count = overlay->slot_count;
    overlay->slots = calloc(wanted, sizeof *overlay->slots);
    ASSERT(overlay->slots != NULL);
    overlay->slot_count = wanted;
    overlay->slots_used = 0;
    move_slots(overlay, old, old_count);
    free(old);
}

struct overlay *overlay_new(void)
{
    struct overlay *overlay = calloc(1, sizeof *overlay);
    ASSERT(overlay != NULL);
    overlay->next_number = ENTRY_FIRST;
    overlay->oldest_number = ENTRY_FIRST;
    return overlay;
}

static void free_entries(struct overlay_entry *entry)
{
    while (entry != NULL) {
        struct overlay_entry *next = entry->next;
        state_batch_release(&entry->batch);
        batch_order_release(&entry->order);
        free(entry);
        entry = next;
    }
}

void overlay_destroy(struct overlay **take_overlay)
{
    struct overlay *overlay = *take_overlay;
    *take_overlay = NULL;
    if (overlay == NULL) {
        return;
    }
    free_entries(overlay->oldest);
    free_entries(overlay->spares);
    free(overlay->slots);
    free(overlay->undos);
    free(overlay);
}

static struct overlay_entry *take_spare(struct overlay *overlay)
{
    struct overlay_entry *entry = overlay->spares;
    if (entry == NULL) {
        entry = calloc(1, sizeof *entry);
        ASSERT(entry != NULL);
        return entry;
    }
    overlay->spares = entry->next;
    overlay->spare_count--;
    return entry;
}

void overlay_open(struct overlay *overlay)
{
    ASSERT(overlay->open == NULL);
    struct overlay_entry *entry = take_spare(overlay);
    entry->next = NULL;
    entry->number = overlay->next_number++;
    entry->position = 0;
    if (overlay->oldest == NULL) {
        overlay->oldest = entry;
    } else {
        overlay->newest->next = entry;
    }
    overlay->newest = entry;
    overlay->open = entry;
    overlay_begin(overlay);
}

static void remember(struct overlay *overlay, const struct undo *undo)
{
    if (overlay->undo_count == overlay->undo_capacity) {
        size_t capacity = overlay->undo_capacity == 0 ? 16 : 2 * overlay->undo_capacity;
        overlay->undos = realloc(overlay->undos, capacity * sizeof *overlay->undos);
        ASSERT(overlay->undos != NULL);
        overlay->undo_capacity = capacity;
    }
    overlay->undos[overlay->undo_count++] = *undo;
}

// Lets the slot of `key` show the change at `offset` of the open entry.
static void show(struct overlay *overlay, struct bytes key, uint32_t offset)
{
    make_room(overlay);
    uint64_t hash = hash_of(key);
    struct slot *slot = find_slot(overlay, key, hash);
    struct undo undo = {.hash = hash, .offset = offset};
    if (slot->entry == ENTRY_NONE) {
        overlay->slots_used++;
    } else if (is_alive(overlay, slot)) {
        undo.slot = *slot;
    }
    remember(overlay, &undo);
    *slot = (struct slot){.hash = hash, .entry = overlay->open->number, .offset = offset};
}

void overlay_put(struct overlay *overlay, struct bytes key, struct bytes value)
{
    struct state_batch *batch = &overlay->open->batch;
    ASSERT(batch->cells.size < UINT32_MAX);
    uint32_t offset = (uint32_t)batch->cells.size;
    state_batch_put(batch, key, value);
    show(overlay, key, offset);
}

void overlay_remove(struct overlay *overlay, struct bytes key)
{
    struct state_batch *batch = &overlay->open->batch;
    ASSERT(batch->cells.size < UINT32_MAX);
    uint32_t offset = (uint32_t)batch->cells.size;
    state_batch_remove(batch, key);
    show(overlay, key, offset);
}

bool overlay_get(const struct overlay *overlay, struct bytes key, struct bytes *ret_value,
                 bool *ret_removed)
{
    if (overlay->slots_used == 0) {
        return false;
    }
    const struct slot *slot = find_slot(overlay, key, hash_of(key));
    if (!is_alive(overlay, slot)) {
        return false;
    }
    slot_change(overlay, slot, ret_value, ret_removed);
    return true;
}

void overlay_begin(struct overlay *overlay)
{
    overlay->undo_count = 0;
    overlay->begun_size = overlay->open->batch.cells.size;
    overlay->begun_count = overlay->open->batch.count;
}

// The slot that shows the change at `offset` of the open entry.
static struct slot *slot_of_change(struct overlay *overlay, uint64_t hash, uint32_t offset)
{
    size_t mask = overlay->slot_count - 1;
    size_t i = hash & mask;
    while (overlay->slots[i].entry != overlay->open->number || overlay->slots[i].offset != offset) {
        ASSERT(overlay->slots[i].entry != ENTRY_NONE);
        i = (i + 1) & mask;
    }
    return &overlay->slots[i];
}

void overlay_undo(struct overlay *overlay)
{
    while (overlay->undo_count > 0) {
        const struct undo *undo = &overlay->undos[--overlay->undo_count];
        struct slot *slot = slot_of_change(overlay, undo->hash, undo->offset);
        if (undo->slot.entry == ENTRY_NONE) {
            slot->entry = ENTRY_DEAD;
        } else {
            *slot = undo->slot;
        }
    }
    buffer_truncate(&overlay->open->batch.cells, overlay->begun_size);
    batch_order_cut(&overlay->open->order, overlay->begun_size);
    overlay->open->batch.count = overlay->begun_count;
}

uint32_t overlay_begun_count(const struct overlay *overlay)
{
    return overlay->open->batch.count - overlay->begun_count;
}

size_t overlay_begun_size(const struct overlay *overlay)
{
    return overlay->open->batch.cells.size - overlay->begun_size;
}

const struct state_batch *overlay_open_batch(const struct overlay *overlay)
{
    return &overlay->open->batch;
}

void overlay_close(struct overlay *overlay, uint64_t position)
{
    ASSERT(overlay->open != NULL && position > 0);
    overlay->open->position = position;
    overlay->open = NULL;
    overlay->undo_count = 0;
    overlay->entry_count++;
}

// Keeps the memory of an entry for the next one, unless there is plenty.
static void retire(struct overlay *overlay, struct overlay_entry *entry)
{
    entry->next = NULL;
    if (overlay->spare_count == SPARE_COUNT_MAX) {
        free_entries(entry);
        return;
    }
    state_batch_clear(&entry->batch);
    batch_order_clear(&entry->order);
    entry->next = overlay->spares;
    overlay->spares = entry;
    overlay->spare_count++;
}

static void drop_oldest(struct overlay *overlay)
{
    struct overlay_entry *entry = overlay->oldest;
    overlay->oldest = entry->next;
    if (overlay->oldest == NULL) {
        overlay->newest = NULL;
    }
    overlay->oldest_number = entry->number + 1;
    retire(overlay, entry);
}

void overlay_applied(struct overlay *overlay, uint64_t position)
{
    while (overlay->oldest != overlay->open && overlay->oldest->position <= position) {
        drop_oldest(overlay);
        overlay->entry_count--;
    }
}

void overlay_clear(struct overlay *overlay)
{
    while (overlay->oldest != NULL) {
        drop_oldest(overlay);
    }
    overlay->open = NULL;
    overlay->entry_count = 0;
    overlay->undo_count = 0;
}

size_t overlay_entry_count(const struct overlay *overlay)
{
    return overlay->entry_count;
}
