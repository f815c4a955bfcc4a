/*
 * The shell of the monitor: while somebody watches the monitor's own tap, it watches the taps of
 * all processes in the topology and passes on what they publish.
 */
#ifndef SKEIN_ACTORS_RUNTIME_MONITOR_SHELL_H
#define SKEIN_ACTORS_RUNTIME_MONITOR_SHELL_H

#include "actors/runtime/launch.h"

// Runs the monitor's machine in the loop until it stops; returns its exit code.
int monitor_shell_run(struct launch *launch, struct loop *loop, const struct machine *machine);

#endif
