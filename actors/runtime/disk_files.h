/*
 * The disk port on a real directory. The directory is locked while it is open (file "lock" in it),
 * so that two processes never share one.
 */
#ifndef SKEIN_ACTORS_RUNTIME_DISK_FILES_H
#define SKEIN_ACTORS_RUNTIME_DISK_FILES_H

#include "storage/disk.h"

// Opens the directory `path`, which exists. absent: there is none; in_use: another process has it;
// forbidden: no right to it; read_only: no space for the lock file; internal: any other failure.
MUST_CHECK enum status disk_files_open(const char *path, struct disk **ret_disk);

// Gives the directory up. Every file of it has been closed.
void disk_files_destroy(struct disk **take_disk);

// The errno of the last operation that failed with internal, for the log; 0 for none yet.
int disk_files_error(const struct disk *disk);

#endif
