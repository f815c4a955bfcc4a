/*
 * Names of the simulated disk. A node lives as long as a name, a change or an open file refers to
 * it. There are few names, so they are looked up one by one.
 */
#include "tests/sim/disk_internal.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

struct disk_node *disk_node_new(bool is_folder)
{
    struct disk_node *node = calloc(1, sizeof *node);
    ASSERT(node != NULL);
    node->is_folder = is_folder;
    return node;
}

struct disk_node *node_hold(struct disk_node *node)
{
    if (node != NULL) {
        node->references++;
    }
    return node;
}

void node_drop(struct sim_disk *disk, struct disk_node *node)
{
    if (node == NULL || --node->references > 0) {
        return;
    }
    disk->used -= node->content.size;
    content_release(&node->content);
    free(node);
}

struct disk_node *names_find(const struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].text, text) == 0) {
            return names->items[i].node;
        }
    }
    return NULL;
}

void names_remove(struct sim_disk *disk, struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].text, text) == 0) {
            node_drop(disk, names->items[i].node);
            names->count--;
            memmove(&names->items[i], &names->items[i + 1],
                    (names->count - i) * sizeof *names->items);
            return;
        }
    }
}

void names_put(struct sim_disk *disk, struct names *names, const char *text, struct disk_node *node)
{
    node_hold(node);
    names_remove(disk, names, text);
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 16 : names->capacity * 2;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        ASSERT(names->items != NULL);
    }
    struct disk_name *name = &names->items[names->count++];
    snprintf(name->text, sizeof name->text, "%s", text);
    name->node = node;
}

void names_clear(struct sim_disk *disk, struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        node_drop(disk, names->items[i].node);
    }
    names->count = 0;
}

void change_apply(struct sim_disk *disk, struct names *names, const struct change *change)
{
    if (change->from[0] != '\0') {
        names_remove(disk, names, change->from);
    }
    if (change->to[0] != '\0') {
        names_put(disk, names, change->to, change->node);
    }
}

void change_make(struct sim_disk *disk, const char *from, const char *to, struct disk_node *node)
{
    if (disk->change_count == disk->change_capacity) {
        disk->change_capacity = disk->change_capacity == 0 ? 16 : disk->change_capacity * 2;
        disk->changes = realloc(disk->changes, disk->change_capacity * sizeof *disk->changes);
        ASSERT(disk->changes != NULL);
    }
    struct change *change = &disk->changes[disk->change_count++];
    snprintf(change->from, sizeof change->from, "%s", from);
    snprintf(change->to, sizeof change->to, "%s", to);
    change->node = node_hold(node);
    change_apply(disk, &disk->visible, change);
}

// The length of the folder part of a name; 0 for a name in the directory itself.
static size_t folder_size(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name);
}

bool name_is_in(const char *name, const char *folder)
{
    size_t size = strlen(folder);
    return folder_size(name) == size && memcmp(name, folder, size) == 0 &&
           strlen(name) > (size == 0 ? 0 : size + 1);
}

bool names_have_folder(const struct names *names, const char *name)
{
    char folder[DISK_NAME_SIZE_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)folder_size(name), name);
    if (folder[0] == '\0') {
        return true;
    }
    const struct disk_node *node = names_find(names, folder);
    return node != NULL && node->is_folder;
}

void changes_forget(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->change_count; i++) {
        node_drop(disk, disk->changes[i].node);
    }
    disk->change_count = 0;
}
