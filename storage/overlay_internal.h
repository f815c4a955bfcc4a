/*
 * What the files of the overlay share.
 */
#ifndef SKEIN_STORAGE_OVERLAY_INTERNAL_H
#define SKEIN_STORAGE_OVERLAY_INTERNAL_H

#include "storage/batch_order.h"
#include "storage/overlay.h"

struct slot {
    uint64_t hash;   // of the key
    uint64_t entry;  // number of the entry with its newest change; ENTRY_NONE: never used
    uint32_t offset; // of that change in the entry's cells
};

// A change of the transaction that may be undone.
struct undo {
    uint64_t hash;    // of the key
    uint32_t offset;  // of the change in the open entry's cells
    struct slot slot; // what the key's slot held before; entry ENTRY_NONE: nothing alive
};

struct overlay_entry {
    struct overlay_entry *next; // newer one, or the next spare one; NULL at the end
    uint64_t number;            // one more with every entry
    uint64_t position;          // in the journal; 0 while it is open
    struct state_batch batch;   // its changes
    struct batch_order order;   // of them, made when it is first scanned
};

struct overlay {
    struct overlay_entry *oldest; // closed entries and the open one, oldest first
    struct overlay_entry *newest;
    struct overlay_entry *open;   // = newest while one is open, else NULL
    struct overlay_entry *spares; // emptied entries with their memory
    size_t entry_count;           // closed ones
    size_t spare_count;
    uint64_t next_number;   // of the next entry
    uint64_t oldest_number; // entries below it are gone
    struct slot *slots;     // owned; NULL while slot_count is 0
    size_t slot_count;      // a power of two, or 0
    size_t slots_used;      // slots that are not ENTRY_NONE, dead ones too
    struct undo *undos;     // owned; changes since overlay_begin, in order
    size_t undo_count;      // in use
    size_t undo_capacity;   // allocated
    size_t begun_size;      // bytes of the open entry's cells at overlay_begin
    uint32_t begun_count;   // changes in it then
};

#endif
