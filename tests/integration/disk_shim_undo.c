/*
 * Which states a power cut may leave. Each sector (or page) of a file holds what was there after
 * some number of the writes to the file that are not durable, none to all, and so does its size;
 * sectors need not agree. A file is, by the seed,
 *
 *   as it was when it was synced | as it is | as after one of the writes | different by sector
 *
 * Of the changes of names a random number of the last ones is undone, in order. What was removed or
 * replaced is kept aside until that is durable.
 *
 * All calls are made under the lock of disk_shim.c. Not handled: folders made or removed, mapped
 * writes, renames between folders.
 */
#include "tests/integration/disk_shim_undo.h"

#include "base/assert.h"
#include "tests/integration/disk_shim_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR_SIZE = 512, PAGE_SIZE = 4096, SHORT_OF_PATH = 64, FOLDER_MODE = 0750 };

enum loss { LOSS_all, LOSS_none, LOSS_newest, LOSS_by_sector, LOSS_count };

// What is lost of a file.
struct chance {
    uint64_t seed;
    enum loss loss;
    uint64_t unit;  // that is lost or kept as a whole
    uint64_t count; // of the writes
};

static uint64_t mix(uint64_t seed, uint64_t number)
{
    uint64_t value = seed + (number + 1) * 0x9e3779b97f4a7c15ULL;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

static uint64_t file_size(int descriptor)
{
    struct stat stat;
    return fstat(descriptor, &stat) == 0 ? (uint64_t)stat.st_size : 0;
}

struct undo_file *undo_file_of(struct undo *undo, int descriptor, const char *path)
{
    struct stat stat;
    if (fstat(descriptor, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return NULL;
    }
    struct undo_file *file = undo->files;
    while (file != NULL && (file->inode != stat.st_ino || file->device != stat.st_dev)) {
        file = file->next;
    }
    if (file == NULL) {
        file = calloc(1, sizeof *file);
        ASSERT(file != NULL);
        *file = (struct undo_file){.next = undo->files,
                                   .number = undo->files == NULL ? 1 : undo->files->number + 1,
                                   .device = stat.st_dev,
                                   .inode = stat.st_ino};
        snprintf(file->path, sizeof file->path, "%s", path);
        undo->files = file;
    }
    return file;
}

static bool is_zero(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

// Reads what is there; by a descriptor of its own, since the file's may not be for reading.
static uint8_t *read_old(const struct undo_file *file, uint64_t offset, uint64_t size)
{
    if (size == 0) {
        return NULL;
    }
    int descriptor = disk_shim_calls()->open(file->path, O_RDONLY | O_CLOEXEC);
    uint8_t *old = malloc(size);
    ASSERT(old != NULL && descriptor >= 0);
    ASSERT(pread(descriptor, old, size, (off_t)offset) == (ssize_t)size);
    disk_shim_calls()->close(descriptor);
    if (is_zero(old, size)) {
        free(old);
        return NULL;
    }
    return old;
}

static struct undo_write *add_write(struct undo_file *file)
{
    struct undo_write *write = calloc(1, sizeof *write);
    ASSERT(write != NULL);
    write->older = file->newest;
    write->index = ++file->index;
    file->newest = write;
    return write;
}

void undo_note_write(struct undo_file *file, int descriptor, uint64_t offset, uint64_t size)
{
    uint64_t before = file_size(descriptor);
    uint64_t old_size = offset >= before ? 0 : before - offset < size ? before - offset : size;
    uint8_t *old = read_old(file, offset, old_size);
    struct undo_write *write = add_write(file);
    write->offset = offset;
    write->size = size;
    write->size_before = before;
    write->old_size = old_size;
    write->old = old;
}

void undo_note_shortening(struct undo_file *file, int descriptor, uint64_t size)
{
    uint64_t before = file_size(descriptor);
    if (size >= before) {
        undo_note_write(file, descriptor, before, size - before);
        return;
    }
    undo_note_write(file, descriptor, size, before - size);
    file->newest->is_shortening = true;
}

void undo_note_sync(struct undo_file *file, uint64_t index)
{
    struct undo_write **link = &file->newest;
    while (*link != NULL && (*link)->index > index) {
        link = &(*link)->older;
    }
    struct undo_write *durable = *link;
    *link = NULL;
    while (durable != NULL) {
        struct undo_write *older = durable->older;
        free(durable->old);
        free(durable);
        durable = older;
    }
}

// A change of names; the folder is that of the path.
static struct undo_name *add_name(struct undo *undo, enum undo_name_kind kind, const char *path)
{
    struct undo_name *name = calloc(1, sizeof *name);
    ASSERT(name != NULL);
    name->older = undo->newest;
    name->kind = kind;
    snprintf(name->path, sizeof name->path, "%s", path);
    snprintf(name->folder, sizeof name->folder, "%s", path);
    char *slash = strrchr(name->folder, '/');
    ASSERT(slash != NULL);
    *slash = '\0';
    undo->newest = name;
    return name;
}

void undo_note_create(struct undo *undo, const char *path)
{
    add_name(undo, UNDO_CREATE, path);
}

static void move_file(struct undo *undo, const char *from, const char *to)
{
    for (struct undo_file *file = undo->files; file != NULL; file = file->next) {
        if (strcmp(file->path, from) == 0) {
            snprintf(file->path, sizeof file->path, "%s", to);
        }
    }
}

static void make_aside(struct undo *undo, char aside[static PATH_MAX])
{
    mkdir(undo->aside, FOLDER_MODE);
    snprintf(aside, PATH_MAX, "%.*s/%d-%llu", PATH_MAX - SHORT_OF_PATH, undo->aside, (int)getpid(),
             (unsigned long long)++undo->aside_count);
}

int undo_rename(struct undo *undo, const char *from, const char *to)
{
    char aside[PATH_MAX];
    make_aside(undo, aside);
    bool replaces = link(to, aside) == 0;
    int result = disk_shim_calls()->rename(from, to);
    if (result != 0) {
        return result;
    }
    struct undo_name *name = add_name(undo, UNDO_RENAME, from);
    snprintf(name->to, sizeof name->to, "%s", to);
    if (replaces) {
        snprintf(name->aside, sizeof name->aside, "%s", aside);
        move_file(undo, to, aside);
    }
    move_file(undo, from, to);
    return result;
}

int undo_remove(struct undo *undo, const char *path)
{
    char aside[PATH_MAX];
    make_aside(undo, aside);
    int result = disk_shim_calls()->rename(path, aside);
    if (result == 0) {
        struct undo_name *name = add_name(undo, UNDO_REMOVE, path);
        snprintf(name->aside, sizeof name->aside, "%s", aside);
        move_file(undo, path, aside);
    }
    return result;
}

static void forget_file(struct undo *undo, const char *path)
{
    struct undo_file **link = &undo->files;
    while (*link != NULL) {
        struct undo_file *file = *link;
        // A descriptor may still be open, so the file is only forgotten by its place.
        if (strcmp(file->path, path) == 0) {
            undo_note_sync(file, file->index);
            file->inode = 0;
        }
        link = &file->next;
    }
}

static void drop_name(struct undo *undo, struct undo_name **link)
{
    struct undo_name *name = *link;
    *link = name->older;
    if (name->aside[0] != '\0') {
        forget_file(undo, name->aside);
        disk_shim_calls()->unlink(name->aside);
    }
    free(name);
}

void undo_note_folder_sync(struct undo *undo, const char *folder)
{
    struct undo_name **link = &undo->newest;
    while (*link != NULL) {
        if (strcmp((*link)->folder, folder) == 0) {
            drop_name(undo, link);
        } else {
            link = &(*link)->older;
        }
    }
}

// After how many of the writes the unit at an offset is as it will be.
static uint64_t kept(const struct chance *chance, uint64_t unit)
{
    switch (chance->loss) {
    case LOSS_all: return 0;
    case LOSS_none: return chance->count;
    case LOSS_newest: return mix(chance->seed, 1) % (chance->count + 1);
    case LOSS_by_sector: return mix(chance->seed, 2 + unit) % (chance->count + 1);
    case LOSS_count: break;
    }
    ASSERT(false);
    return 0;
}

static void put_old(int descriptor, const struct undo_write *write, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to;) {
        uint8_t bytes[PAGE_SIZE] = {0};
        uint64_t size = to - at < sizeof bytes ? to - at : sizeof bytes;
        uint64_t inside = at - write->offset;
        if (write->old != NULL && inside < write->old_size) {
            uint64_t left = write->old_size - inside;
            memcpy(bytes, write->old + inside, left < size ? left : size);
        }
        ASSERT(disk_shim_calls()->pwrite(descriptor, bytes, size, (off_t)at) == (ssize_t)size);
        at += size;
    }
}

// Undoes a write where it is lost; it is the `number`th of those that are not durable.
static void lose_write(int descriptor, const struct undo_write *write, uint64_t number,
                       const struct chance *chance)
{
    uint64_t end = write->offset + write->size;
    for (uint64_t at = write->offset; at < end;) {
        uint64_t unit = at / chance->unit;
        uint64_t next = (unit + 1) * chance->unit < end ? (unit + 1) * chance->unit : end;
        if (kept(chance, unit) < number) {
            put_old(descriptor, write, at, next);
        }
        at = next;
    }
}

static void lose_writes(int descriptor, const struct undo_file *file, const struct chance *chance)
{
    uint64_t size = file_size(descriptor);
    uint64_t size_kept = kept(chance, UINT64_MAX / 2);
    uint64_t number = chance->count;
    for (struct undo_write *write = file->newest; write != NULL; write = write->older) {
        bool is_lost = size_kept < number;
        if (write->is_shortening && is_lost) {
            put_old(descriptor, write, write->offset, write->offset + write->size);
        } else if (!write->is_shortening) {
            lose_write(descriptor, write, number, chance);
        }
        size = is_lost ? write->size_before : size;
        number--;
    }
    ASSERT(disk_shim_calls()->ftruncate(descriptor, (off_t)size) == 0);
}

void undo_lose_file(struct undo *undo, struct undo_file *file, uint64_t seed)
{
    if (file->newest == NULL) {
        return;
    }
    // Not by inode: the same process with the same seed loses the same. 0 and 1 are for names.
    uint64_t drawn = mix(seed, 1 + file->number);
    struct chance chance = {.seed = drawn,
                            .loss = (enum loss)(drawn % LOSS_count),
                            .unit = (drawn / LOSS_count) % 2 ? SECTOR_SIZE : PAGE_SIZE};
    for (struct undo_write *write = file->newest; write != NULL; write = write->older) {
        chance.count++;
    }
    int descriptor = disk_shim_calls()->open(file->path, O_RDWR | O_CLOEXEC);
    if (descriptor >= 0) { // its folder may have been removed as a whole
        lose_writes(descriptor, file, &chance);
        disk_shim_calls()->close(descriptor);
        undo->lost += chance.count;
    }
    undo_note_sync(file, file->index);
}

static void lose_name(const struct undo_name *name)
{
    const struct disk_shim_calls *calls = disk_shim_calls();
    switch (name->kind) {
    case UNDO_CREATE: calls->unlink(name->path); break;
    case UNDO_RENAME: calls->rename(name->to, name->path); break;
    case UNDO_REMOVE: break;
    }
    if (name->aside[0] != '\0') {
        calls->rename(name->aside, name->kind == UNDO_RENAME ? name->to : name->path);
    }
}

void undo_lose_all(struct undo *undo, uint64_t seed)
{
    uint64_t count = 0;
    for (struct undo_file *file = undo->files; file != NULL; file = file->next) {
        undo_lose_file(undo, file, seed);
    }
    for (struct undo_name *name = undo->newest; name != NULL; name = name->older) {
        count++;
    }
    uint64_t lost = mix(seed, 0) % 2 ? mix(seed, 1) % (count + 1) : 0;
    undo->lost += lost;
    while (undo->newest != NULL) {
        if (lost > 0) {
            lost--;
            lose_name(undo->newest);
            undo->newest->aside[0] = '\0';
        }
        drop_name(undo, &undo->newest);
    }
}

static void save_file(FILE *out, const struct undo_file *file)
{
    ASSERT(fwrite(file, sizeof *file, 1, out) == 1);
    for (struct undo_write *write = file->newest; write != NULL; write = write->older) {
        ASSERT(fwrite(write, sizeof *write, 1, out) == 1);
        if (write->old != NULL) {
            ASSERT(fwrite(write->old, write->old_size, 1, out) == 1);
        }
    }
}

void undo_save(const struct undo *undo, const char *path)
{
    FILE *out = fopen(path, "we");
    ASSERT(out != NULL);
    ASSERT(fwrite(undo, sizeof *undo, 1, out) == 1);
    for (struct undo_file *file = undo->files; file != NULL; file = file->next) {
        save_file(out, file);
    }
    for (struct undo_name *name = undo->newest; name != NULL; name = name->older) {
        ASSERT(fwrite(name, sizeof *name, 1, out) == 1);
    }
    ASSERT(fclose(out) == 0);
}

// An item as it was saved. Its pointers say whether something follows.
static void *load_item(FILE *in, size_t size)
{
    void *item = malloc(size);
    ASSERT(item != NULL && fread(item, size, 1, in) == 1);
    return item;
}

static void load_files(FILE *in, struct undo *undo)
{
    for (struct undo_file **link = &undo->files; *link != NULL; link = &(*link)->next) {
        *link = load_item(in, sizeof **link);
        struct undo_write **write = &(*link)->newest;
        for (; *write != NULL; write = &(*write)->older) {
            *write = load_item(in, sizeof **write);
            if ((*write)->old != NULL) {
                (*write)->old = load_item(in, (*write)->old_size);
            }
        }
    }
}

void undo_load(struct undo *undo, const char *path)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return;
    }
    ASSERT(fread(undo, sizeof *undo, 1, in) == 1);
    load_files(in, undo);
    for (struct undo_name **link = &undo->newest; *link != NULL; link = &(*link)->older) {
        *link = load_item(in, sizeof **link);
    }
    ASSERT(fclose(in) == 0);
    disk_shim_calls()->unlink(path);
}
