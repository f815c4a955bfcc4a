/*
 * Files of a directory, by names relative to it (openat), so that the directory may be moved while
 * it is open.
 *
 * 1. Allocating writes zeros, in pieces of 1 MiB, and does not reserve: fallocate() leaves extents
 *    that the first write to them has to convert, which a later fdatasync would commit as metadata.
 *    When the disk fills up meanwhile the file is cut back to what it was.
 * 2. A full disk (ENOSPC, EDQUOT) is read_only if nothing was written; a write of which a part went
 *    through before is a failure like any other.
 * 3. fdatasync for the content: sizes change only in allocate, and fdatasync commits a size that
 *    reading the data needs. fsync for folders.
 * 4. The lock goes with the process, however that ends. Nothing else is kept open.
 */
#include "actors/runtime/disk_files.h"

#include "base/assert.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    ZERO_SIZE = 1 * MIB, // one piece of an allocation
    FILE_MODE = 0640,
    FOLDER_MODE = 0750,
};

struct disk_file {
    int descriptor;
};

struct disk_files {
    struct disk port; // first, so that the port is the disk
    int directory;    // descriptor
    int lock;         // descriptor, with the lock; -1 while not open
    int error;        // errno of the last failure
    uint8_t *zeros;   // owned; ZERO_SIZE bytes, made when first needed
};

static struct disk_files *files_of(struct disk *disk)
{
    return (struct disk_files *)disk;
}

// The status of a call that set errno.
static enum status failure(struct disk_files *files)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return STATUS_absent;
    case ENOSPC:
    case EDQUOT: return STATUS_read_only;
    default: files->error = errno; return STATUS_internal;
    }
}

static enum status status_of(struct disk_files *files, int result)
{
    return result == 0 ? STATUS_ok : failure(files);
}

static enum status on_open(struct disk *disk, const char *name, bool create,
                           struct disk_file **ret_file)
{
    struct disk_files *files = files_of(disk);
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
    int descriptor = openat(files->directory, name, flags, FILE_MODE);
    if (descriptor < 0) {
        return failure(files);
    }
    struct disk_file *file = malloc(sizeof *file);
    ASSERT(file != NULL);
    file->descriptor = descriptor;
    *ret_file = file;
    return STATUS_ok;
}

static void on_close(struct disk *disk, struct disk_file **take_file)
{
    (void)disk;
    close((*take_file)->descriptor);
    free(*take_file);
    *take_file = NULL;
}

static enum status on_size(struct disk *disk, struct disk_file *file, uint64_t *ret_size)
{
    struct stat stat;
    if (fstat(file->descriptor, &stat) != 0) {
        return failure(files_of(disk));
    }
    *ret_size = (uint64_t)stat.st_size;
    return STATUS_ok;
}

static enum status on_read(struct disk *disk, struct disk_file *file, uint64_t offset,
                           struct bytes_out into, size_t *ret_read)
{
    size_t done = 0;
    while (done < into.size) {
        ssize_t got = pread(file->descriptor, into.data + done, into.size - done,
                            (off_t)(offset + done));
        if (got < 0 && errno != EINTR) {
            return failure(files_of(disk));
        }
        if (got == 0) {
            break;
        }
        done += got < 0 ? 0 : (size_t)got;
    }
    *ret_read = done;
    return STATUS_ok;
}

// Writes all; *ret_written is what went through when it fails.
static enum status write_all(struct disk_files *files, struct disk_file *file, uint64_t offset,
                             struct bytes bytes, size_t *ret_written)
{
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t put = pwrite(file->descriptor, bytes.data + done, bytes.size - done,
                             (off_t)(offset + done));
        if (put < 0 && errno != EINTR) {
            *ret_written = done;
            return failure(files);
        }
        done += put < 0 ? 0 : (size_t)put;
    }
    *ret_written = done;
    return STATUS_ok;
}

static enum status on_write(struct disk *disk, struct disk_file *file, uint64_t offset,
                            struct bytes bytes)
{
    size_t written;
    enum status status = write_all(files_of(disk), file, offset, bytes, &written);
    return status == STATUS_read_only && written > 0 ? STATUS_internal : status;
}

static enum status on_sync(struct disk *disk, struct disk_file *file)
{
    if (fdatasync(file->descriptor) == 0) {
        return STATUS_ok;
    }
    files_of(disk)->error = errno;
    return STATUS_internal;
}

// Writes zeros from `offset` to `size`.
static enum status write_zeros(struct disk_files *files, struct disk_file *file, uint64_t offset,
                               uint64_t size)
{
    if (files->zeros == NULL) {
        files->zeros = calloc(1, ZERO_SIZE);
        ASSERT(files->zeros != NULL);
    }
    while (offset < size) {
        uint64_t left = size - offset;
        size_t step = left < ZERO_SIZE ? (size_t)left : ZERO_SIZE;
        size_t written;
        TRY(write_all(files, file, offset, bytes_of(files->zeros, step), &written));
        offset += step;
    }
    return STATUS_ok;
}

static enum status on_allocate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    struct disk_files *files = files_of(disk);
    uint64_t before;
    TRY(on_size(disk, file, &before));
    enum status status = write_zeros(files, file, before, size);
    if (status == STATUS_read_only && ftruncate(file->descriptor, (off_t)before) != 0) {
        files->error = errno;
        return STATUS_internal;
    }
    return status;
}

static enum status on_truncate(struct disk *disk, struct disk_file *file, uint64_t size)
{
    return status_of(files_of(disk), ftruncate(file->descriptor, (off_t)size));
}

static enum status on_rename(struct disk *disk, const char *from, const char *to)
{
    struct disk_files *files = files_of(disk);
    return status_of(files, renameat(files->directory, from, files->directory, to));
}

static enum status on_remove(struct disk *disk, const char *name)
{
    struct disk_files *files = files_of(disk);
    if (unlinkat(files->directory, name, 0) == 0) {
        return STATUS_ok;
    }
    return errno == EISDIR ? status_of(files, unlinkat(files->directory, name, AT_REMOVEDIR))
                           : failure(files);
}

static enum status on_make_folder(struct disk *disk, const char *name)
{
    struct disk_files *files = files_of(disk);
    bool is_there = name[0] == '\0' || mkdirat(files->directory, name, FOLDER_MODE) == 0 ||
                    errno == EEXIST;
    return is_there ? STATUS_ok : failure(files);
}

// Opens a folder by name; "" is the directory itself.
static int open_folder(struct disk_files *files, const char *name)
{
    return openat(files->directory, name[0] == '\0' ? "." : name,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static enum status on_sync_folder(struct disk *disk, const char *name)
{
    struct disk_files *files = files_of(disk);
    int descriptor = open_folder(files, name);
    if (descriptor < 0) {
        return failure(files);
    }
    bool is_synced = fsync(descriptor) == 0;
    files->error = is_synced ? files->error : errno;
    close(descriptor);
    return is_synced ? STATUS_ok : STATUS_internal;
}

static enum status on_list(struct disk *disk, const char *folder,
                           void (*each)(void *context, const char *name), void *context)
{
    struct disk_files *files = files_of(disk);
    int descriptor = open_folder(files, folder);
    if (descriptor < 0) {
        return failure(files);
    }
    DIR *listing = fdopendir(descriptor);
    ASSERT(listing != NULL);
    errno = 0;
    struct dirent *entry = readdir(listing);
    while (entry != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(context, entry->d_name);
        }
        errno = 0;
        entry = readdir(listing);
    }
    enum status status = errno == 0 ? STATUS_ok : failure(files);
    closedir(listing);
    return status;
}

static enum status on_free_space(struct disk *disk, uint64_t *ret_size)
{
    struct disk_files *files = files_of(disk);
    struct statvfs stat;
    if (fstatvfs(files->directory, &stat) != 0) {
        return failure(files);
    }
    *ret_size = (uint64_t)stat.f_bavail * stat.f_frsize;
    return STATUS_ok;
}

static const struct disk_operations FILE_OPERATIONS = {
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

static enum status open_failure(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return STATUS_absent;
    case EACCES:
    case EPERM:
    case EROFS: return STATUS_forbidden;
    case EWOULDBLOCK: return STATUS_in_use;
    case ENOSPC:
    case EDQUOT: return STATUS_read_only;
    default: return STATUS_internal;
    }
}

static void close_files(struct disk_files *files)
{
    if (files->lock >= 0) {
        close(files->lock);
    }
    if (files->directory >= 0) {
        close(files->directory);
    }
    free(files->zeros);
    free(files);
}

enum status disk_files_open(const char *path, struct disk **ret_disk)
{
    struct disk_files *files = calloc(1, sizeof *files);
    ASSERT(files != NULL);
    files->port.operations = &FILE_OPERATIONS;
    files->lock = -1;
    files->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->directory >= 0) {
        files->lock = openat(files->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    }
    if (files->lock < 0 || flock(files->lock, LOCK_EX | LOCK_NB) != 0) {
        enum status status = open_failure();
        close_files(files);
        return status;
    }
    *ret_disk = &files->port;
    return STATUS_ok;
}

void disk_files_destroy(struct disk **take_disk)
{
    if (*take_disk != NULL) {
        close_files(files_of(*take_disk));
        *take_disk = NULL;
    }
}

int disk_files_error(const struct disk *disk)
{
    return ((const struct disk_files *)disk)->error;
}
