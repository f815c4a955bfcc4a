/*
 * The disk port: what the journal and the vote file need of a file system. The daemons' disk is
 * actors/runtime/disk_files.c, the simulator's is tests/sim/disk.c.
 *
 * Names are relative to the node's directory; '/' separates folders ("journal/3/0000000000000001").
 * A disk is used by one thread at a time.
 *
 * Statuses: ok; absent (no such file); read_only (the disk is full; nothing was written); internal
 * (input/output error: the caller must stop, rule 21).
 */
#ifndef SKEIN_STORAGE_DISK_H
#define SKEIN_STORAGE_DISK_H

#include "base/bytes.h"
#include "base/status.h"

enum { DISK_NAME_SIZE_MAX = 96 };

struct disk_file; // an open file; each disk has its own

struct disk;

struct disk_operations {
    // Opens a file for reading and writing; makes an empty one if `create` and there is none.
    enum status (*open)(struct disk *disk, const char *name, bool create,
                        struct disk_file **ret_file);
    // Closes and forgets it; nothing is synced.
    void (*close)(struct disk *disk, struct disk_file **take_file);
    enum status (*size)(struct disk *disk, struct disk_file *file, uint64_t *ret_size);
    // Reads up to `size` bytes; ret_read is smaller only at the end of the file.
    enum status (*read)(struct disk *disk, struct disk_file *file, uint64_t offset,
                        struct bytes_out into, size_t *ret_read);
    // Writes all of `bytes`; durable only after sync.
    enum status (*write)(struct disk *disk, struct disk_file *file, uint64_t offset,
                         struct bytes bytes);
    // Makes every write to the file so far durable.
    enum status (*sync)(struct disk *disk, struct disk_file *file);
    // Gives the file `size` bytes, zeroes where nothing was written, so that later writes below it
    // need no new space; durable after sync.
    enum status (*allocate)(struct disk *disk, struct disk_file *file, uint64_t size);
    // Cuts the file to `size` bytes.
    enum status (*truncate)(struct disk *disk, struct disk_file *file, uint64_t size);
    // Takes the place of a file that has the name already, in one step. Durable only after
    // sync_folder of its folder, like the making and removing of a file or folder. Both names are
    // in the same folder.
    enum status (*rename)(struct disk *disk, const char *from, const char *to);
    // Removes a file or an empty folder.
    enum status (*remove)(struct disk *disk, const char *name);
    // Makes a folder; ok if there is one.
    enum status (*make_folder)(struct disk *disk, const char *name);
    // Makes names in the folder durable; "" is the node's directory.
    enum status (*sync_folder)(struct disk *disk, const char *name);
    // Calls `each` for every name in the folder, without the folder's, in no particular order;
    // absent if there is no such folder.
    enum status (*list)(struct disk *disk, const char *folder,
                        void (*each)(void *context, const char *name), void *context);
    // Bytes that can still be written.
    enum status (*free_space)(struct disk *disk, uint64_t *ret_size);
};

struct disk {
    const struct disk_operations *operations;
};

// The operations by name; see struct disk_operations.
MUST_CHECK static inline enum status disk_open(struct disk *disk, const char *name, bool create,
                                               struct disk_file **ret_file)
{
    return disk->operations->open(disk, name, create, ret_file);
}

// Closes `*take_file`, unless it is NULL.
static inline void disk_close(struct disk *disk, struct disk_file **take_file)
{
    if (*take_file != NULL) {
        disk->operations->close(disk, take_file);
    }
}

MUST_CHECK static inline enum status disk_size(struct disk *disk, struct disk_file *file,
                                               uint64_t *ret_size)
{
    return disk->operations->size(disk, file, ret_size);
}

MUST_CHECK static inline enum status disk_read(struct disk *disk, struct disk_file *file,
                                               uint64_t offset, struct bytes_out into,
                                               size_t *ret_read)
{
    return disk->operations->read(disk, file, offset, into, ret_read);
}

MUST_CHECK static inline enum status disk_write(struct disk *disk, struct disk_file *file,
                                                uint64_t offset, struct bytes bytes)
{
    return disk->operations->write(disk, file, offset, bytes);
}

MUST_CHECK static inline enum status disk_sync(struct disk *disk, struct disk_file *file)
{
    return disk->operations->sync(disk, file);
}

MUST_CHECK static inline enum status disk_allocate(struct disk *disk, struct disk_file *file,
                                                   uint64_t size)
{
    return disk->operations->allocate(disk, file, size);
}

MUST_CHECK static inline enum status disk_truncate(struct disk *disk, struct disk_file *file,
                                                   uint64_t size)
{
    return disk->operations->truncate(disk, file, size);
}

MUST_CHECK static inline enum status disk_rename(struct disk *disk, const char *from,
                                                 const char *to)
{
    return disk->operations->rename(disk, from, to);
}

MUST_CHECK static inline enum status disk_remove(struct disk *disk, const char *name)
{
    return disk->operations->remove(disk, name);
}

MUST_CHECK static inline enum status disk_make_folder(struct disk *disk, const char *name)
{
    return disk->operations->make_folder(disk, name);
}

MUST_CHECK static inline enum status disk_sync_folder(struct disk *disk, const char *name)
{
    return disk->operations->sync_folder(disk, name);
}

MUST_CHECK static inline enum status disk_list(struct disk *disk, const char *folder,
                                               void (*each)(void *context, const char *name),
                                               void *context)
{
    return disk->operations->list(disk, folder, each, context);
}

MUST_CHECK static inline enum status disk_free_space(struct disk *disk, uint64_t *ret_size)
{
    return disk->operations->free_space(disk, ret_size);
}

#endif
