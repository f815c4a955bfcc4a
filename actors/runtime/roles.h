/*
 * The roles that keep nothing on disk, each with its machine, and the program's one way to run
 * them.
 */
#ifndef SKEIN_ACTORS_RUNTIME_ROLES_H
#define SKEIN_ACTORS_RUNTIME_ROLES_H

#include "actors/runtime/launch.h"

// Runs the process until it stops; returns its exit code.
int roles_run(struct launch *launch);

#endif
