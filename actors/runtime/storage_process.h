/*
 * The process of a storage node: its directory, its threads, and the machine in the middle.
 */
#ifndef SKEIN_ACTORS_RUNTIME_STORAGE_PROCESS_H
#define SKEIN_ACTORS_RUNTIME_STORAGE_PROCESS_H

#include "actors/runtime/launch.h"

// Prepares an empty data directory for the node (rule 31); returns an exit code.
int storage_process_format(struct launch *launch);

// Opens the directory and runs the node until it stops; returns its exit code. After a state
// transfer the node is opened anew, in the same process.
int storage_process_run(struct launch *launch);

#endif
