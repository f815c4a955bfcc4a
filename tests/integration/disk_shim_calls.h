/*
 * The calls of libc that disk_shim.c stands in front of.
 */
#ifndef SKEIN_TESTS_INTEGRATION_DISK_SHIM_CALLS_H
#define SKEIN_TESTS_INTEGRATION_DISK_SHIM_CALLS_H

#include <stddef.h>
#include <sys/statvfs.h>
#include <sys/types.h>

struct disk_shim_calls {
    int (*open)(const char *path, int flags, ...);
    int (*openat)(int folder, const char *path, int flags, ...);
    int (*close)(int descriptor);
    ssize_t (*write)(int descriptor, const void *data, size_t size);
    ssize_t (*pwrite)(int descriptor, const void *data, size_t size, off_t offset);
    int (*ftruncate)(int descriptor, off_t size);
    int (*fallocate)(int descriptor, int mode, off_t offset, off_t size);
    int (*posix_fallocate)(int descriptor, off_t offset, off_t size);
    int (*rename)(const char *from, const char *to);
    int (*renameat)(int from_folder, const char *from, int to_folder, const char *to);
    int (*unlink)(const char *path);
    int (*unlinkat)(int folder, const char *path, int flags);
    int (*remove)(const char *path);
    int (*statvfs)(const char *path, struct statvfs *ret_stat);
    int (*fstatvfs)(int descriptor, struct statvfs *ret_stat);
};

// The real ones.
const struct disk_shim_calls *disk_shim_calls(void);

#endif
