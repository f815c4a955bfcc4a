/*
 * Starting, finding and stopping the processes of a local cluster. They are told apart from others
 * by their command line, so that a process id that the system gave to somebody else is never
 * mistaken for one.
 */
#ifndef SKEIN_CLIENT_CLI_DEV_PROCESS_H
#define SKEIN_CLIENT_CLI_DEV_PROCESS_H

#include "client/cli/dev_cluster.h"

// Sets the pid of every process that runs, 0 for the others.
void dev_processes_find(struct dev_cluster *cluster);

// Starts every process that has no pid: skeind from the folder of this program, in a session of its
// own, its output appended to DIR/log/NAME. Fails with unavailable when one can't be started; those
// before it run then.
MUST_CHECK enum status dev_processes_start(struct dev_cluster *cluster, struct failure *failure);

// Fails with unavailable, with the last lines of its log, when a process that this call of the tool
// started has ended meanwhile. One that was found running and has ended, because it was about to,
// loses its pid: it is to be started.
MUST_CHECK enum status dev_processes_check(struct dev_cluster *cluster, struct failure *failure);

// Stops all that run: who serves clients first, then the storage nodes together, coordinators last.
// Each gets SIGTERM and `patience_ms` to hand over and end, then SIGKILL. `ret_killed`: how many
// needed that. Their pids are left as they were.
void dev_processes_stop(struct dev_cluster *cluster, int patience_ms, size_t *ret_killed);

#endif
