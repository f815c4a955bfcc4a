/*
 * The content of one file of the simulated disk: what is read now, and what each unsynced sector
 * held before.
 */
#ifndef SKEIN_TESTS_SIM_DISK_FILE_H
#define SKEIN_TESTS_SIM_DISK_FILE_H

#include "base/bytes.h"
#include "base/random.h"

enum {
    SIM_SECTOR_SIZE = 512,
    SIM_PAGE_SIZE = 4096,
    SIM_PAGE_SECTORS = SIM_PAGE_SIZE / SIM_SECTOR_SIZE,
};

struct page {
    uint8_t unsynced; // bit i: sector i differs from the durable one, see its undo
    uint8_t data[SIM_PAGE_SIZE];
};

// The durable content of a sector that was written since.
struct undo {
    size_t page;     // number of the page
    unsigned sector; // in the page
    bool is_stuck;   // a sync of it failed: later ones don't help, only writing it again
    uint8_t data[SIM_SECTOR_SIZE];
};

struct content {
    uint64_t size;         // as read now
    uint64_t durable_size; // after a crash
    struct page **pages;   // owned; NULL for a page of zeros
    size_t page_count;     // beyond them there are only zeros
    struct undo *undos;    // owned; one for each unsynced sector
    size_t undo_count;
    size_t undo_capacity;
    bool has_stuck; // a sync has failed once
};

void content_release(struct content *content);

// Copies what is at `offset`, which is inside the file as a whole.
void content_read(const struct content *content, uint64_t offset, struct bytes_out into);

// Writes at `offset`; the file grows if it must.
void content_write(struct content *content, uint64_t offset, struct bytes bytes);

// Makes the file `size` bytes long; what is added reads as zeros.
void content_resize(struct content *content, uint64_t size);

// Makes everything durable but what is stuck; returns the number of bytes that took.
uint64_t content_sync(struct content *content);

// A sync that fails: everything that is not durable is stuck.
void content_stick(struct content *content);

// Loses each unsynced sector with a chance of `lost_ppm` in a million.
void content_crash(struct content *content, uint32_t lost_ppm, struct random *random);

#endif
