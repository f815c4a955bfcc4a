/*
 * Pages of 4 KiB, made when something other than zeros is written to them. The first write to a
 * sector after a sync saves what the sector held: a sync forgets the saved sectors, a crash puts
 * some back. So a write costs by the sectors it touches and a sync by those touched since the last,
 * whatever the size of the file.
 */
#include "tests/sim/disk_file.h"

#include "base/assert.h"

#include <stdlib.h>

void content_release(struct content *content)
{
    for (size_t i = 0; i < content->page_count; i++) {
        free(content->pages[i]);
    }
    free(content->pages);
    free(content->undos);
    *content = (struct content){0};
}

void content_read(const struct content *content, uint64_t offset, struct bytes_out into)
{
    size_t done = 0;
    while (done < into.size) {
        size_t page = (size_t)((offset + done) / SIM_PAGE_SIZE);
        size_t begin = (size_t)((offset + done) % SIM_PAGE_SIZE);
        size_t left = into.size - done;
        size_t size = left < SIM_PAGE_SIZE - begin ? left : SIM_PAGE_SIZE - begin;
        if (page < content->page_count && content->pages[page] != NULL) {
            memcpy(into.data + done, content->pages[page]->data + begin, size);
        } else {
            memset(into.data + done, 0, size);
        }
        done += size;
    }
}

static bool is_zero(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static struct page *page_make(struct content *content, size_t number)
{
    if (number >= content->page_count) {
        size_t count = number + 1 > content->page_count * 2 ? number + 1 : content->page_count * 2;
        content->pages = realloc(content->pages, count * sizeof(struct page *));
        ASSERT(content->pages != NULL);
        memset(content->pages + content->page_count, 0,
               (count - content->page_count) * sizeof(struct page *));
        content->page_count = count;
    }
    if (content->pages[number] == NULL) {
        content->pages[number] = calloc(1, sizeof(struct page));
        ASSERT(content->pages[number] != NULL);
    }
    return content->pages[number];
}

// A stuck sector that is written again will be synced again.
static void unstick(struct content *content, size_t number, unsigned sector)
{
    for (size_t i = 0; i < content->undo_count; i++) {
        if (content->undos[i].page == number && content->undos[i].sector == sector) {
            content->undos[i].is_stuck = false;
        }
    }
}

// Keeps what the sector holds, unless it is kept already.
static void save_sector(struct content *content, size_t number, unsigned sector)
{
    struct page *page = content->pages[number];
    if ((page->unsynced & (1U << sector)) != 0) {
        if (content->has_stuck) {
            unstick(content, number, sector);
        }
        return;
    }
    if (content->undo_count == content->undo_capacity) {
        content->undo_capacity = content->undo_capacity == 0 ? 8 : content->undo_capacity * 2;
        content->undos = realloc(content->undos, content->undo_capacity * sizeof(struct undo));
        ASSERT(content->undos != NULL);
    }
    struct undo *undo = &content->undos[content->undo_count++];
    undo->page = number;
    undo->sector = sector;
    undo->is_stuck = false;
    memcpy(undo->data, page->data + sector * SIM_SECTOR_SIZE, SIM_SECTOR_SIZE);
    page->unsynced |= (uint8_t)(1U << sector);
}

// Writes within one page.
static void page_write(struct content *content, uint64_t offset, struct bytes bytes)
{
    size_t number = (size_t)(offset / SIM_PAGE_SIZE);
    size_t begin = (size_t)(offset % SIM_PAGE_SIZE);
    bool is_absent = number >= content->page_count || content->pages[number] == NULL;
    if (is_absent && is_zero(bytes.data, bytes.size)) {
        return;
    }
    struct page *page = page_make(content, number);
    size_t last = (begin + bytes.size - 1) / SIM_SECTOR_SIZE;
    for (size_t sector = begin / SIM_SECTOR_SIZE; sector <= last; sector++) {
        save_sector(content, number, (unsigned)sector);
    }
    memcpy(page->data + begin, bytes.data, bytes.size);
}

void content_write(struct content *content, uint64_t offset, struct bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        size_t left = bytes.size - done;
        size_t room = SIM_PAGE_SIZE - (size_t)((offset + done) % SIM_PAGE_SIZE);
        size_t size = left < room ? left : room;
        page_write(content, offset + done, bytes_of(bytes.data + done, size));
        done += size;
    }
    if (offset + bytes.size > content->size) {
        content->size = offset + bytes.size;
    }
}

// Writes zeros over everything from `from` on.
static void clear_from(struct content *content, uint64_t from)
{
    static const uint8_t zeros[SIM_PAGE_SIZE];
    uint64_t end = (uint64_t)content->page_count * SIM_PAGE_SIZE;
    while (from < end) {
        size_t size = SIM_PAGE_SIZE - (size_t)(from % SIM_PAGE_SIZE);
        page_write(content, from, bytes_of(zeros, size));
        from += size;
    }
}

void content_resize(struct content *content, uint64_t size)
{
    if (size < content->size) {
        clear_from(content, size);
    }
    content->size = size;
}

uint64_t content_sync(struct content *content)
{
    size_t kept = 0;
    uint64_t synced = 0;
    for (size_t i = 0; i < content->undo_count; i++) {
        struct undo *undo = &content->undos[i];
        if (undo->is_stuck) {
            content->undos[kept++] = *undo;
            continue;
        }
        content->pages[undo->page]->unsynced &= (uint8_t) ~(1U << undo->sector);
        synced += SIM_SECTOR_SIZE;
    }
    content->undo_count = kept;
    content->durable_size = content->size;
    return synced;
}

void content_stick(struct content *content)
{
    content->has_stuck = true;
    for (size_t i = 0; i < content->undo_count; i++) {
        content->undos[i].is_stuck = true;
    }
}

void content_crash(struct content *content, uint32_t lost_ppm, struct random *random)
{
    for (size_t i = 0; i < content->undo_count; i++) {
        const struct undo *undo = &content->undos[i];
        struct page *page = content->pages[undo->page];
        page->unsynced = 0;
        if (undo->is_stuck || random_chance(random, lost_ppm)) {
            memcpy(page->data + undo->sector * SIM_SECTOR_SIZE, undo->data, SIM_SECTOR_SIZE);
        }
    }
    content->undo_count = 0;
    if (content->size != content->durable_size && random_chance(random, lost_ppm)) {
        bool is_shorter = content->durable_size < content->size;
        content->size = content->durable_size;
        if (is_shorter) {
            clear_from(content, content->size);
        }
    }
    content_sync(content);
}
