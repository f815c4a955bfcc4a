/*
 * The data directory of a storage node: preparing it, opening what it holds, and the states of new
 * generations in it.
 *
 *     DATA/NAME/lock           held while a process has it open
 *     DATA/NAME/vote/          the vote file
 *     DATA/NAME/journal/3/     journal of generation 3
 *     DATA/NAME/state/3/       RocksDB of generation 3
 */
#ifndef SKEIN_ACTORS_RUNTIME_STORAGE_DIRECTORY_H
#define SKEIN_ACTORS_RUNTIME_STORAGE_DIRECTORY_H

#include "actors/replica/transfer_in.h"
#include "actors/runtime/launch.h"
#include "actors/storage/disk_worker.h"
#include "storage/marks.h"

enum { STORAGE_PATH_SIZE_MAX = CONFIG_FOLDER_SIZE_MAX + NAME_SIZE_MAX + 48 };

struct storage_directory {
    struct state_factory factory; // first: makes the states of new generations
    struct launch *launch;        // borrowed
    char path[STORAGE_PATH_SIZE_MAX];
    struct disk *disk;          // owned
    struct disk_worker *worker; // owned; vote file and journal of the current generation
    struct state *state;        // owned; of the current generation
    struct marks *marks;        // owned; on that state
    struct state *created;      // what the factory made last; not owned
};

// Prepares the directory of the process (rule 31). Returns EXIT_CLEAN, or another exit code after
// having logged why.
int storage_directory_format(struct launch *launch);

// Opens the directory and all that it holds, after preparing it if it is empty and the
// configuration says auto_format. Returns EXIT_CLEAN, or another exit code after having logged why;
// it is to be released in either case.
int storage_directory_open(struct storage_directory *directory, struct launch *launch);
void storage_directory_release(struct storage_directory *directory);

#endif
