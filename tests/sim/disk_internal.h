/*
 * The insides of the simulated disk, shared by its files.
 */
#ifndef SKEIN_TESTS_SIM_DISK_INTERNAL_H
#define SKEIN_TESTS_SIM_DISK_INTERNAL_H

#include "tests/sim/disk.h"
#include "tests/sim/disk_file.h"

// A file or folder.
struct disk_node {
    struct content content; // of a file
    bool is_folder;
    unsigned references; // names, changes and open files
};

struct disk_file {
    struct disk_node *node; // holds a reference
};

struct disk_name {
    char text[DISK_NAME_SIZE_MAX];
    struct disk_node *node; // holds a reference
};

struct names {
    struct disk_name *items; // owned, in the order they were made
    size_t count;
    size_t capacity;
};

// A change of names that is not durable.
struct change {
    char from[DISK_NAME_SIZE_MAX]; // the name that goes; empty for none
    char to[DISK_NAME_SIZE_MAX];   // the name that comes; empty for none
    struct disk_node *node;        // what `to` then names, holds a reference; or NULL
};

struct sim_disk {
    struct disk port; // first, so that the port is the disk
    struct names visible;
    struct names durable;
    struct change *changes; // owned, oldest first
    size_t change_count;
    size_t change_capacity;
    uint64_t used;     // sizes of all files
    uint64_t capacity; // `used` may not exceed it
    size_t open_count; // open files
    struct sim_disk_usage usage;
    uint64_t failing_operation; // number of the operation that fails
    enum status failing_status; // how; ok when none is to fail
    bool has_failed;            // it did
};

// A node that nothing refers to yet.
struct disk_node *disk_node_new(bool is_folder);

// One reference more; and one less, which frees the node when it was the last. NULL is left alone.
struct disk_node *node_hold(struct disk_node *node);
void node_drop(struct sim_disk *disk, struct disk_node *node);

// The node of a name, borrowed; NULL when there is none.
struct disk_node *names_find(const struct names *names, const char *text);

void names_remove(struct sim_disk *disk, struct names *names, const char *text);

// Gives the node this name, in place of any other that had it.
void names_put(struct sim_disk *disk, struct names *names, const char *text,
               struct disk_node *node);

void names_clear(struct sim_disk *disk, struct names *names);

// Whether a name is right in the folder; whether the folder that it is in exists.
bool name_is_in(const char *name, const char *folder);
bool names_have_folder(const struct names *names, const char *name);

void change_apply(struct sim_disk *disk, struct names *names, const struct change *change);

// Changes the visible names and remembers to change the durable ones.
void change_make(struct sim_disk *disk, const char *from, const char *to, struct disk_node *node);

// The changes will never become durable.
void changes_forget(struct sim_disk *disk);

#endif
