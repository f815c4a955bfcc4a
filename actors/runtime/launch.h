/*
 * Who a process is: its role, name and endpoint, worked out of the command line and the
 * configuration, and what its machine is told of all that.
 */
#ifndef SKEIN_ACTORS_RUNTIME_LAUNCH_H
#define SKEIN_ACTORS_RUNTIME_LAUNCH_H

#include "actors/runtime/config.h"
#include "actors/runtime/loop.h"

struct launch_options {
    const struct config_source *source; // where the configuration was read; outlives the launch
    const struct config *config;        // what it says; outlives the launch
    enum role role;
    const char *name; // NULL when it was not given
};

struct launch {
    const struct config_source *source; // borrowed; where the configuration is
    const struct config *config;        // borrowed
    enum role role;
    char name[NAME_SIZE_MAX + 1];                     // of this process
    char listen[ENDPOINT_SIZE_MAX + 1];               // endpoint to bind to
    struct bytes coordinators[COORDINATOR_COUNT_MAX]; // their endpoints
    struct voter_seed voters[VOTER_COUNT_MAX];        // of the configuration
    struct process process;                           // complete after launch_open()
    struct logger log;                                // of this process
    void *context;                                    // of libzmq
};

// Works out name and endpoint. `name` may be NULL: then the role's only entry is meant, or a name
// is made up for a process without an entry. Fails with bad_request when the configuration can't
// have such a process; the reason is in `mistakes`. Opens nothing; no release is needed after a
// failure.
MUST_CHECK enum status launch_init(struct launch *launch, const struct launch_options *options,
                                   struct mistakes *mistakes);

// Terminates the context: what was sent gets up to 200 ms on its way.
void launch_release(struct launch *launch);

// Opens the loop under a new incarnation and completes launch->process. The endpoint that was taken
// in place of a free port is kept for the next call. Logs why it fails.
MUST_CHECK enum status launch_open(struct launch *launch, struct loop **ret_loop);

// SIGHUP: reads the configuration again. What can change while a process runs (log_debug) does; a
// configuration with mistakes changes nothing and they are logged.
void launch_reload(struct launch *launch);

// A random number, never 0.
uint64_t launch_random(void);

#endif
