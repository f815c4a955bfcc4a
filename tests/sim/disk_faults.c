/*
 * What happens to the simulated disk: power cuts, wipes, lack of space, failures, damage.
 */
#include "tests/sim/disk_internal.h"

#include "base/assert.h"

// Brings a random part of the changes to the durable names.
static void crash_names(struct sim_disk *disk, uint32_t lost_ppm, struct random *random)
{
    for (size_t i = 0; i < disk->change_count; i++) {
        if (!random_chance(random, lost_ppm)) {
            change_apply(disk, &disk->durable, &disk->changes[i]);
        }
    }
    changes_forget(disk);
    names_clear(disk, &disk->visible);
    for (size_t i = 0; i < disk->durable.count; i++) {
        const struct disk_name *name = &disk->durable.items[i];
        if (names_have_folder(&disk->durable, name->text)) {
            names_put(disk, &disk->visible, name->text, name->node);
        }
    }
    names_clear(disk, &disk->durable);
    for (size_t i = 0; i < disk->visible.count; i++) {
        const struct disk_name *name = &disk->visible.items[i];
        names_put(disk, &disk->durable, name->text, name->node);
    }
}

void sim_disk_crash(struct sim_disk *disk, struct random *random)
{
    ASSERT(disk->open_count == 0);
    const uint32_t all_ppm = 1000000;
    uint64_t draw = random_below(random, 4);
    uint32_t lost_ppm = draw == 0   ? 0
                        : draw == 1 ? all_ppm
                                    : (uint32_t)random_below(random, all_ppm);
    crash_names(disk, lost_ppm, random);
    for (size_t i = 0; i < disk->visible.count; i++) {
        struct content *content = &disk->visible.items[i].node->content;
        uint64_t size = content->size;
        content_crash(content, lost_ppm, random);
        disk->used += content->size - size;
    }
}

void sim_disk_wipe(struct sim_disk *disk)
{
    ASSERT(disk->open_count == 0);
    changes_forget(disk);
    names_clear(disk, &disk->visible);
    names_clear(disk, &disk->durable);
    ASSERT(disk->used == 0);
}

void sim_disk_set_free(struct sim_disk *disk, uint64_t size)
{
    disk->capacity = size > UINT64_MAX - disk->used ? UINT64_MAX : disk->used + size;
}

void sim_disk_fail_after(struct sim_disk *disk, uint64_t count, enum status status)
{
    disk->failing_operation = disk->usage.operations + count;
    disk->failing_status = status;
    disk->has_failed = false;
}

bool sim_disk_has_failed(const struct sim_disk *disk)
{
    return disk->has_failed;
}

// A page of the file that holds something durable, chosen at random; NULL when there is none.
static struct page *draw_page(const struct content *content, struct random *random)
{
    size_t count = 0;
    struct page *drawn = NULL;
    for (size_t i = 0; i < content->page_count; i++) {
        struct page *page = content->pages[i];
        if (page != NULL && page->unsynced == 0 && random_below(random, ++count) == 0) {
            drawn = page;
        }
    }
    return drawn;
}

static void damage_sector(uint8_t *sector, struct random *random)
{
    switch (random_below(random, 4)) {
    case 0: memset(sector, 0, SIM_SECTOR_SIZE); break;
    case 1:
        for (size_t i = 0; i < SIM_SECTOR_SIZE; i++) {
            sector[i] = (uint8_t)random_next(random);
        }
        break;
    default:
        sector[random_below(random, SIM_SECTOR_SIZE)] ^= (uint8_t)(1U << random_below(random, 8));
        break;
    }
}

bool sim_disk_corrupt(struct sim_disk *disk, const char *prefix, struct random *random,
                      char name[DISK_NAME_SIZE_MAX])
{
    size_t count = 0;
    const struct disk_name *drawn = NULL;
    for (size_t i = 0; i < disk->durable.count; i++) {
        const struct disk_name *item = &disk->durable.items[i];
        if (!item->node->is_folder && strncmp(item->text, prefix, strlen(prefix)) == 0 &&
            random_below(random, ++count) == 0) {
            drawn = item;
        }
    }
    struct page *page = drawn == NULL ? NULL : draw_page(&drawn->node->content, random);
    if (page == NULL) {
        return false;
    }
    uint64_t sector = random_below(random, SIM_PAGE_SECTORS);
    damage_sector(page->data + sector * SIM_SECTOR_SIZE, random);
    if (name != NULL) {
        memcpy(name, drawn->text, DISK_NAME_SIZE_MAX);
    }
    return true;
}

bool sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t offset, unsigned bit)
{
    struct disk_node *node = names_find(&disk->visible, name);
    if (node == NULL || offset >= node->content.size) {
        return false;
    }
    uint8_t byte;
    content_read(&node->content, offset, (struct bytes_out){.data = &byte, .size = 1});
    byte ^= (uint8_t)(1U << bit);
    content_write(&node->content, offset, bytes_of(&byte, 1));
    content_sync(&node->content);
    return true;
}

bool sim_disk_shorten(struct sim_disk *disk, const char *name, uint64_t size)
{
    struct disk_node *node = names_find(&disk->visible, name);
    if (node == NULL) {
        return false;
    }
    if (size == UINT64_MAX) {
        names_remove(disk, &disk->durable, name);
        names_remove(disk, &disk->visible, name);
    } else if (size < node->content.size) {
        disk->used -= node->content.size - size;
        content_resize(&node->content, size);
        content_sync(&node->content);
    }
    return true;
}

bool sim_disk_peek(struct sim_disk *disk, const char *name, struct buffer *out)
{
    struct disk_node *node = names_find(&disk->visible, name);
    if (node == NULL) {
        return false;
    }
    size_t size = (size_t)node->content.size;
    if (size > 0) {
        uint8_t *to = buffer_extend(out, size);
        content_read(&node->content, 0, (struct bytes_out){.data = to, .size = size});
    }
    return true;
}
