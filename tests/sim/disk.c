/*
 * The simulated disk behind the disk port. Two name spaces, the one that processes see and the
 * durable one, share the nodes; every change of a name waits in a list until its folder is synced.
 *
 *   open, rename, remove, make_folder ──► visible names          (disk_names.c)
 *            └──► changes ──sync_folder──► durable names
 *   write ──► pages, and what they held ──sync──► pages          (disk_file.c)
 *
 * A power cut (disk_faults.c) applies a random part of the changes to the durable names, tears the
 * files, and makes the durable names the visible ones. That loses more than most file systems
 * would: names in any combination.
 */
#include "tests/sim/disk.h"

#include "base/assert.h"
#include "tests/sim/disk_internal.h"

#include <stdlib.h>

static struct sim_disk *disk_of(struct disk *port)
{
    return (struct sim_disk *)port;
}

// Counts an operation; fails when it is the one that was asked to.
static enum status begin(struct sim_disk *disk)
{
    uint64_t number = disk->usage.operations++;
    if (disk->failing_status == STATUS_ok || number != disk->failing_operation) {
        return STATUS_ok;
    }
    enum status status = disk->failing_status;
    disk->failing_status = STATUS_ok;
    disk->has_failed = true;
    return status;
}

static enum status on_open(struct disk *port, const char *name, bool create,
                           struct disk_file **ret_file)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    ASSERT(strlen(name) < DISK_NAME_SIZE_MAX);
    struct disk_node *node = names_find(&disk->visible, name);
    if (node == NULL && (!create || !names_have_folder(&disk->visible, name))) {
        return STATUS_absent;
    }
    if (node == NULL) {
        node = disk_node_new(false);
        change_make(disk, "", name, node);
    }
    ASSERT(!node->is_folder);
    struct disk_file *file = calloc(1, sizeof *file);
    ASSERT(file != NULL);
    file->node = node_hold(node);
    disk->open_count++;
    *ret_file = file;
    return STATUS_ok;
}

static void on_close(struct disk *port, struct disk_file **take_file)
{
    struct sim_disk *disk = disk_of(port);
    disk->open_count--;
    node_drop(disk, (*take_file)->node);
    free(*take_file);
    *take_file = NULL;
}

static enum status on_size(struct disk *port, struct disk_file *file, uint64_t *ret_size)
{
    TRY(begin(disk_of(port)));
    *ret_size = file->node->content.size;
    return STATUS_ok;
}

static enum status on_read(struct disk *port, struct disk_file *file, uint64_t offset,
                           struct bytes_out into, size_t *ret_read)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    const struct content *content = &file->node->content;
    uint64_t left = offset < content->size ? content->size - offset : 0;
    size_t size = into.size < left ? into.size : (size_t)left;
    content_read(content, offset, (struct bytes_out){.data = into.data, .size = size});
    disk->usage.bytes_read += size;
    *ret_read = size;
    return STATUS_ok;
}

// Makes room for a file to become `size` bytes long.
static enum status take_space(struct sim_disk *disk, const struct disk_node *node, uint64_t size)
{
    uint64_t grown = size > node->content.size ? size - node->content.size : 0;
    if (grown > 0 && (disk->used > disk->capacity || grown > disk->capacity - disk->used)) {
        return STATUS_read_only;
    }
    disk->used += grown;
    return STATUS_ok;
}

static enum status on_write(struct disk *port, struct disk_file *file, uint64_t offset,
                            struct bytes bytes)
{
    struct sim_disk *disk = disk_of(port);
    enum status status = begin(disk);
    if (status == STATUS_internal) {
        bytes.size /= 2;
    } else {
        TRY(status);
    }
    TRY(take_space(disk, file->node, offset + bytes.size));
    content_write(&file->node->content, offset, bytes);
    disk->usage.bytes_written += bytes.size;
    return status;
}

static enum status on_sync(struct disk *port, struct disk_file *file)
{
    struct sim_disk *disk = disk_of(port);
    enum status status = begin(disk);
    if (status != STATUS_ok) {
        content_stick(&file->node->content);
        return status;
    }
    disk->usage.syncs++;
    disk->usage.bytes_synced += content_sync(&file->node->content);
    return STATUS_ok;
}

static enum status on_allocate(struct disk *port, struct disk_file *file, uint64_t size)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    TRY(take_space(disk, file->node, size));
    if (size > file->node->content.size) {
        content_resize(&file->node->content, size);
    }
    return STATUS_ok;
}

static enum status on_truncate(struct disk *port, struct disk_file *file, uint64_t size)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    struct content *content = &file->node->content;
    if (size < content->size) {
        disk->used -= content->size - size;
        content_resize(content, size);
    }
    return STATUS_ok;
}

static enum status on_rename(struct disk *port, const char *from, const char *to)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    struct disk_node *node = names_find(&disk->visible, from);
    if (node == NULL || !names_have_folder(&disk->visible, to)) {
        return STATUS_absent;
    }
    node_hold(node);
    change_make(disk, from, to, node);
    node_drop(disk, node);
    return STATUS_ok;
}

static bool folder_is_empty(const struct names *names, const char *folder)
{
    for (size_t i = 0; i < names->count; i++) {
        if (name_is_in(names->items[i].text, folder)) {
            return false;
        }
    }
    return true;
}

static enum status on_remove(struct disk *port, const char *name)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    const struct disk_node *node = names_find(&disk->visible, name);
    if (node == NULL) {
        return STATUS_absent;
    }
    if (node->is_folder && !folder_is_empty(&disk->visible, name)) {
        return STATUS_internal;
    }
    change_make(disk, name, "", NULL);
    return STATUS_ok;
}

static enum status on_make_folder(struct disk *port, const char *name)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    if (name[0] == '\0' || names_find(&disk->visible, name) != NULL) {
        return STATUS_ok;
    }
    if (!names_have_folder(&disk->visible, name)) {
        return STATUS_absent;
    }
    change_make(disk, "", name, disk_node_new(true));
    return STATUS_ok;
}

static enum status on_sync_folder(struct disk *port, const char *name)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    disk->usage.folder_syncs++;
    size_t kept = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        struct change change = disk->changes[i];
        if (name_is_in(change.to[0] != '\0' ? change.to : change.from, name)) {
            change_apply(disk, &disk->durable, &change);
            node_drop(disk, change.node);
        } else {
            disk->changes[kept++] = change;
        }
    }
    disk->change_count = kept;
    return STATUS_ok;
}

static enum status on_list(struct disk *port, const char *folder,
                           void (*each)(void *context, const char *name), void *context)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    if (folder[0] != '\0' && names_find(&disk->visible, folder) == NULL) {
        return STATUS_absent;
    }
    size_t skip = folder[0] == '\0' ? 0 : strlen(folder) + 1;
    for (size_t i = 0; i < disk->visible.count; i++) {
        if (name_is_in(disk->visible.items[i].text, folder)) {
            each(context, disk->visible.items[i].text + skip);
        }
    }
    return STATUS_ok;
}

static enum status on_free_space(struct disk *port, uint64_t *ret_size)
{
    struct sim_disk *disk = disk_of(port);
    TRY(begin(disk));
    *ret_size = disk->capacity > disk->used ? disk->capacity - disk->used : 0;
    return STATUS_ok;
}

static const struct disk_operations SIM_OPERATIONS = {
    .open = on_open,
    .close = on_close,
    .size = on_size,
    .read = on_read,
    .write = on_write,
    .sync = on_sync,
    .allocate = on_allocate,
    .truncate = on_truncate,
    .rename = on_rename,
    .remove = on_remove,
    .make_folder = on_make_folder,
    .sync_folder = on_sync_folder,
    .list = on_list,
    .free_space = on_free_space,
};

struct sim_disk *sim_disk_new(void)
{
    struct sim_disk *disk = calloc(1, sizeof *disk);
    ASSERT(disk != NULL);
    disk->port.operations = &SIM_OPERATIONS;
    disk->capacity = UINT64_MAX;
    return disk;
}

void sim_disk_destroy(struct sim_disk **take_disk)
{
    struct sim_disk *disk = *take_disk;
    if (disk == NULL) {
        return;
    }
    sim_disk_wipe(disk);
    free(disk->visible.items);
    free(disk->durable.items);
    free(disk->changes);
    free(disk);
    *take_disk = NULL;
}

struct disk *sim_disk_port(struct sim_disk *disk)
{
    return &disk->port;
}

const struct sim_disk_usage *sim_disk_usage(const struct sim_disk *disk)
{
    return &disk->usage;
}
