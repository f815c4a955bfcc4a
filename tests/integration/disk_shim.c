/*
 * A bad disk for a process that doesn't know of it: loaded before libc (LD_PRELOAD), it stands in
 * front of the calls that write, for the files of one folder.
 *
 *   SKEIN_DISK_FOLDER   the folder, an absolute path
 *   SKEIN_DISK_CONTROL  a file that holds struct control; whoever changes it changes the disk.
 *                       Beside it, CONTROL.undo is what isn't durable between two processes, and
 *                       CONTROL.aside keeps files that were removed
 *
 *   slow     each sync, or write, takes so much longer
 *   full     files can't be made or grow, and there is no space; writing over is still possible
 *   lying    a sync is not done, to show that it is noticed
 *   failing  a sync fails with EIO, and what it should have made durable may be gone at once
 *   order    ORDER_die: the process ends as by kill -9, and the kernel has all that was written.
 *            ORDER_lose: the power is cut. What wasn't synced may be lost (disk_shim_undo.c)
 *
 * A process that is started with ORDER_lose loses what the last one left, and ends. Nothing is
 * really synced, since only processes die. A process that is killed without an order, or aborts,
 * counts as if all was durable.
 */
#include "base/assert.h"
#include "tests/integration/disk_shim_calls.h"
#include "tests/integration/disk_shim_undo.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 4096, POLL_US = 5000, MODE_MASK = 07777 };

enum order { ORDER_none, ORDER_die, ORDER_lose };

// What tests and this process share.
struct control {
    atomic_uint order;         // enum order
    atomic_uint seed;          // of what is lost
    atomic_uint sync_slow_us;  // longer for each sync
    atomic_uint write_slow_us; // longer for each write
    atomic_uint failing_syncs; // so many of the next ones fail
    atomic_uint is_full;       // 1: no space is left
    atomic_uint is_lying;      // 1: syncs say that they are done, and are not
    atomic_uint syncs;         // done so far
    atomic_uint failed;        // syncs so far
    atomic_uint refused;       // writes so far, for want of space
    atomic_uint lost;          // writes and names so far
};

struct shim {
    struct disk_shim_calls calls;
    int (*fsync)(int descriptor); // to know a folder's failure; files are not synced
    char folder[PATH_MAX];        // empty: nothing is watched
    char saved[PATH_MAX];         // where undo is kept between processes
    struct control *control;
    pthread_mutex_t lock; // guards what follows, and is held while a file changes
    struct undo undo;
    struct undo_file *files[DESCRIPTORS_MAX]; // by descriptor
};

static struct shim shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void find_call(void *ret_call, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    ASSERT(found != NULL);
    memcpy(ret_call, &found, sizeof found);
}

static void find_calls(void)
{
    struct disk_shim_calls *calls = &shim.calls;
    find_call(&calls->open, "open");
    find_call(&calls->openat, "openat");
    find_call(&calls->close, "close");
    find_call(&calls->write, "write");
    find_call(&calls->pwrite, "pwrite");
    find_call(&calls->ftruncate, "ftruncate");
    find_call(&calls->fallocate, "fallocate");
    find_call(&calls->posix_fallocate, "posix_fallocate");
    find_call(&calls->rename, "rename");
    find_call(&calls->renameat, "renameat");
    find_call(&calls->unlink, "unlink");
    find_call(&calls->unlinkat, "unlinkat");
    find_call(&calls->remove, "remove");
    find_call(&calls->statvfs, "statvfs");
    find_call(&calls->fstatvfs, "fstatvfs");
    find_call(&shim.fsync, "fsync");
}

// The constructor may not be the first to be called.
const struct disk_shim_calls *disk_shim_calls(void)
{
    if (shim.fsync == NULL) {
        find_calls();
    }
    return &shim.calls;
}

static void lock(void)
{
    ASSERT(pthread_mutex_lock(&shim.lock) == 0);
}

static void unlock(void)
{
    ASSERT(pthread_mutex_unlock(&shim.lock) == 0);
}

static void wait_us(unsigned us)
{
    if (us > 0) {
        struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
        nanosleep(&time, NULL);
    }
}

static bool is_inside(const char *path)
{
    size_t size = strlen(shim.folder);
    return size > 0 && strncmp(path, shim.folder, size) == 0 &&
           (path[size] == '/' || path[size] == '\0');
}

static bool is_full(void)
{
    return atomic_load(&shim.control->is_full) != 0;
}

// Refuses for want of space.
static int refuse(void)
{
    atomic_fetch_add(&shim.control->refused, 1);
    errno = ENOSPC;
    return -1;
}

// Where an open descriptor leads; false if that is not inside.
static bool path_of(int descriptor, char path[static PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = shim.folder[0] == '\0' ? -1 : readlink(link, path, PATH_MAX - 1);
    path[size < 0 ? 0 : size] = '\0';
    return size > 0 && is_inside(path);
}

// The path of a name in a folder; false if it is not inside.
static bool path_in(int folder, const char *name, char path[static PATH_MAX])
{
    char above[PATH_MAX];
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return is_inside(path);
    }
    bool is_known = folder == AT_FDCWD ? getcwd(above, sizeof above) != NULL && is_inside(above)
                                       : path_of(folder, above);
    if (!is_known || strlen(above) + strlen(name) + 2 > PATH_MAX) {
        return false;
    }
    size_t size = strlen(above);
    memcpy(path, above, size);
    path[size] = '/';
    memcpy(path + size + 1, name, strlen(name) + 1);
    return true;
}

static struct undo_file *file_of(int descriptor)
{
    return descriptor >= 0 && descriptor < DESCRIPTORS_MAX ? shim.files[descriptor] : NULL;
}

static uint64_t size_of(int descriptor)
{
    struct stat stat;
    ASSERT(fstat(descriptor, &stat) == 0);
    return (uint64_t)stat.st_size;
}

static void watch(int descriptor, const char *path, bool is_new)
{
    ASSERT(descriptor < DESCRIPTORS_MAX);
    lock();
    shim.files[descriptor] = undo_file_of(&shim.undo, descriptor, path);
    if (is_new) {
        undo_note_create(&shim.undo, path);
    }
    unlock();
}

int openat(int folder, const char *name, int flags, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    bool watched = path_in(folder, name, path);
    bool is_new = watched && (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    if (is_new && is_full()) {
        return refuse();
    }
    int descriptor = disk_shim_calls()->openat(folder, name, flags & ~O_TRUNC, mode & MODE_MASK);
    if (descriptor >= 0 && watched) {
        watch(descriptor, path, is_new);
    }
    if (descriptor >= 0 && (flags & O_TRUNC) != 0 && ftruncate(descriptor, 0) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return openat(AT_FDCWD, path, flags, mode);
}

int close(int descriptor)
{
    if (file_of(descriptor) != NULL) {
        lock();
        shim.files[descriptor] = NULL;
        unlock();
    }
    return disk_shim_calls()->close(descriptor);
}

// Whether a write may go on; it has been noted then.
static bool may_write(struct undo_file *file, int descriptor, uint64_t offset, size_t size)
{
    if (is_full() && offset + size > size_of(descriptor)) {
        refuse();
        return false;
    }
    undo_note_write(file, descriptor, offset, size);
    return true;
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
    struct undo_file *file = file_of(descriptor);
    if (file == NULL) {
        return disk_shim_calls()->pwrite(descriptor, data, size, offset);
    }
    wait_us(atomic_load(&shim.control->write_slow_us));
    lock();
    ssize_t done = -1;
    if (may_write(file, descriptor, (uint64_t)offset, size)) {
        done = shim.calls.pwrite(descriptor, data, size, offset);
    }
    unlock();
    return done;
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    struct undo_file *file = file_of(descriptor);
    if (file == NULL) {
        return disk_shim_calls()->write(descriptor, data, size);
    }
    wait_us(atomic_load(&shim.control->write_slow_us));
    lock();
    bool appends = (fcntl(descriptor, F_GETFL) & O_APPEND) != 0;
    uint64_t offset = appends ? size_of(descriptor) : (uint64_t)lseek(descriptor, 0, SEEK_CUR);
    ssize_t done = -1;
    if (may_write(file, descriptor, offset, size)) {
        done = shim.calls.write(descriptor, data, size);
    }
    unlock();
    return done;
}

int ftruncate(int descriptor, off_t size)
{
    struct undo_file *file = file_of(descriptor);
    if (file == NULL) {
        return disk_shim_calls()->ftruncate(descriptor, size);
    }
    lock();
    undo_note_shortening(file, descriptor, (uint64_t)size);
    int result = shim.calls.ftruncate(descriptor, size);
    unlock();
    return result;
}

int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
    if (file_of(descriptor) != NULL && is_full()) {
        return refuse();
    }
    return disk_shim_calls()->fallocate(descriptor, mode, offset, size);
}

int posix_fallocate(int descriptor, off_t offset, off_t size)
{
    if (file_of(descriptor) != NULL && is_full()) {
        refuse();
        return ENOSPC;
    }
    return disk_shim_calls()->posix_fallocate(descriptor, offset, size);
}

// Whether this sync is one of those that fail.
static bool takes_failure(void)
{
    unsigned left = atomic_load(&shim.control->failing_syncs);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&shim.control->failing_syncs, &left, left - 1)) {
            atomic_fetch_add(&shim.control->failed, 1);
            return true;
        }
    }
    return false;
}

static int sync_file(struct undo_file *file)
{
    lock();
    uint64_t index = file->index;
    unlock();
    wait_us(atomic_load(&shim.control->sync_slow_us));
    bool fails = takes_failure();
    lock();
    if (fails) {
        undo_lose_file(&shim.undo, file, atomic_load(&shim.control->seed));
    } else if (atomic_load(&shim.control->is_lying) == 0) {
        undo_note_sync(file, index);
    }
    unlock();
    atomic_fetch_add(&shim.control->syncs, 1);
    errno = fails ? EIO : errno;
    return fails ? -1 : 0;
}

int fsync(int descriptor)
{
    char path[PATH_MAX];
    struct undo_file *file = file_of(descriptor);
    if (file != NULL) {
        return sync_file(file);
    }
    (void)disk_shim_calls();
    if (!path_of(descriptor, path)) {
        return shim.fsync(descriptor);
    }
    wait_us(atomic_load(&shim.control->sync_slow_us));
    lock();
    undo_note_folder_sync(&shim.undo, path);
    unlock();
    return 0;
}

int fdatasync(int descriptor)
{
    return fsync(descriptor);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    char from_path[PATH_MAX];
    char to_path[PATH_MAX];
    if (!path_in(from_folder, from, from_path) || !path_in(to_folder, to, to_path)) {
        return disk_shim_calls()->renameat(from_folder, from, to_folder, to);
    }
    struct stat stat_of_from;
    if (stat(from_path, &stat_of_from) != 0 || !S_ISREG(stat_of_from.st_mode)) {
        return disk_shim_calls()->renameat(from_folder, from, to_folder, to);
    }
    lock();
    int result = undo_rename(&shim.undo, from_path, to_path);
    unlock();
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    struct stat stat_of_name;
    bool watched = path_in(folder, name, path) && stat(path, &stat_of_name) == 0 &&
                   S_ISREG(stat_of_name.st_mode) && (flags & AT_REMOVEDIR) == 0;
    if (!watched) {
        return disk_shim_calls()->unlinkat(folder, name, flags);
    }
    lock();
    int result = undo_remove(&shim.undo, path);
    unlock();
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int remove(const char *path)
{
    struct stat stat_of_path;
    bool is_file = lstat(path, &stat_of_path) == 0 && S_ISREG(stat_of_path.st_mode);
    return is_file ? unlink(path) : disk_shim_calls()->remove(path);
}

static void hide_space(struct statvfs *stat)
{
    if (shim.control != NULL && is_full()) {
        stat->f_bfree = 0;
        stat->f_bavail = 0;
    }
}

int statvfs(const char *path, struct statvfs *ret_stat)
{
    int result = disk_shim_calls()->statvfs(path, ret_stat);
    hide_space(ret_stat);
    return result;
}

int fstatvfs(int descriptor, struct statvfs *ret_stat)
{
    int result = disk_shim_calls()->fstatvfs(descriptor, ret_stat);
    hide_space(ret_stat);
    return result;
}

// The names that programs with large files call; the types are the same here.
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset)
    __attribute__((alias("pwrite")));
int ftruncate64(int descriptor, off64_t size) __attribute__((alias("ftruncate")));
int fallocate64(int descriptor, int mode, off64_t offset, off64_t size)
    __attribute__((alias("fallocate")));
int posix_fallocate64(int descriptor, off64_t offset, off64_t size)
    __attribute__((alias("posix_fallocate")));

static void obey(enum order order)
{
    lock();
    if (order == ORDER_lose) {
        undo_lose_all(&shim.undo, atomic_load(&shim.control->seed));
        atomic_fetch_add(&shim.control->lost, (unsigned)shim.undo.lost);
    }
    undo_save(&shim.undo, shim.saved);
    kill(getpid(), SIGKILL);
}

static void *wait_for_order(void *context)
{
    for (;;) {
        enum order order = (enum order)atomic_load(&shim.control->order);
        if (order != ORDER_none) {
            obey(order);
        }
        wait_us(POLL_US);
    }
    return context;
}

static void start_thread(void)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    ASSERT(pthread_create(&thread, NULL, wait_for_order, NULL) == 0);
    ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

static void map_control(const char *path)
{
    int descriptor = disk_shim_calls()->open(path, O_RDWR | O_CLOEXEC);
    ASSERT(descriptor >= 0);
    shim.control = mmap(NULL, sizeof *shim.control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor,
                        0);
    ASSERT(shim.control != MAP_FAILED);
    disk_shim_calls()->close(descriptor);
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("SKEIN_DISK_FOLDER");
    const char *control = getenv("SKEIN_DISK_CONTROL");
    if (folder == NULL || control == NULL) {
        return;
    }
    map_control(control);
    snprintf(shim.saved, sizeof shim.saved, "%s.undo", control);
    undo_load(&shim.undo, shim.saved);
    snprintf(shim.undo.aside, sizeof shim.undo.aside, "%s.aside", control);
    if (atomic_load(&shim.control->order) == ORDER_lose) {
        obey(ORDER_lose);
    }
    snprintf(shim.folder, sizeof shim.folder, "%s", folder);
    start_thread();
}

__attribute__((destructor)) static void end(void)
{
    if (shim.folder[0] != '\0') {
        lock();
        undo_save(&shim.undo, shim.saved);
        shim.folder[0] = '\0';
        memset(shim.files, 0, sizeof shim.files);
        unlock();
    }
}
