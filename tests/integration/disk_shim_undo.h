/*
 * What a disk may lose: all that was written to files of a folder and not synced since, with what
 * was there before, so that a power cut can be played (disk_shim.c).
 */
#ifndef SKEIN_TESTS_INTEGRATION_DISK_SHIM_UNDO_H
#define SKEIN_TESTS_INTEGRATION_DISK_SHIM_UNDO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A write, or a file made shorter, that is not durable.
struct undo_write {
    struct undo_write *older; // owned; the one before, of the same file
    uint64_t index;           // among all of the file, from 1
    uint64_t offset;
    uint64_t size;        // of what was written, or cut off
    uint64_t size_before; // of the file
    uint64_t old_size;    // of what was there before; beyond it was nothing
    uint8_t *old;         // owned; NULL: zeros
    bool is_shortening;
};

struct undo_file {
    struct undo_file *next; // owned
    uint64_t number;        // from 1, in the order of their first writes
    uint64_t device;
    uint64_t inode;
    uint64_t index;            // of the newest write so far
    struct undo_write *newest; // owned
    char path[PATH_MAX];       // where it is now
};

enum undo_name_kind { UNDO_CREATE, UNDO_RENAME, UNDO_REMOVE };

// A change of names that is not durable.
struct undo_name {
    struct undo_name *older; // owned
    enum undo_name_kind kind;
    char folder[PATH_MAX]; // a sync of which makes it durable
    char path[PATH_MAX];   // that was made, renamed or removed
    char to[PATH_MAX];     // rename: the new name
    char aside[PATH_MAX];  // where that is which was replaced or removed; empty for nothing
};

struct undo {
    struct undo_file *files;  // owned
    struct undo_name *newest; // owned
    char aside[PATH_MAX];     // folder of what was removed
    uint64_t aside_count;     // files ever put there
    uint64_t lost;            // writes and names that were undone so far
};

// The file behind a descriptor, known from now on; NULL for none. `path` is where it is.
struct undo_file *undo_file_of(struct undo *undo, int descriptor, const char *path);

// To be told before a write, and before a file is made shorter.
void undo_note_write(struct undo_file *file, int descriptor, uint64_t offset, uint64_t size);
void undo_note_shortening(struct undo_file *file, int descriptor, uint64_t size);

// What was written up to that index is durable.
void undo_note_sync(struct undo_file *file, uint64_t index);

// A file was made. To be told after it.
void undo_note_create(struct undo *undo, const char *path);

// Does a rename, or a removal of a file, so that it can be undone. Returns what the call would.
int undo_rename(struct undo *undo, const char *from, const char *to);
int undo_remove(struct undo *undo, const char *path);

// The names in a folder are durable.
void undo_note_folder_sync(struct undo *undo, const char *folder);

// Loses of a file, or of all files and names, what `seed` says of what is not durable.
void undo_lose_file(struct undo *undo, struct undo_file *file, uint64_t seed);
void undo_lose_all(struct undo *undo, uint64_t seed);

// Keeps it all in a file for the next process, and takes it from there again (and removes it).
void undo_save(const struct undo *undo, const char *path);
void undo_load(struct undo *undo, const char *path);

#endif
