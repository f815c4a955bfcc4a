/*
 * One run: a cluster made of the options, phases, and what came of it.
 */
#ifndef SKEIN_TESTS_SIM_SIMULATION_H
#define SKEIN_TESTS_SIM_SIMULATION_H

#include "tests/sim/checks.h"
#include "tests/sim/client_shell.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"
#include "tests/sim/model.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/roles.h"
#include "tests/sim/storage_shell.h"

enum { SERVERS_MAX = 3, CLIENTS_MAX = 4 };

struct simulation {
    struct options options;
    struct world world;
    struct network network;
    struct ledger ledger;
    struct model model;
    struct history history;
    struct checks checks;
    struct faults faults;
    struct shell_watch watch;
    struct voter_list voters; // named in the configuration file
    struct bytes coordinator_endpoints[SERVERS_MAX];
    struct shell coordinators[SERVERS_MAX];
    struct storage_shell storages[STORAGE_COUNT_MAX]; // voters first
    unsigned storage_count;
    struct shell writers[SERVERS_MAX];
    struct shell readers[SERVERS_MAX];
    struct client_shell clients[CLIENTS_MAX];
    bool restarts;   // processes that ended come back
    uint32_t frozen; // processes that weren't healed, as bits
};

// What a run gives.
struct simulation_result {
    bool is_violated;
    char violation[VIOLATION_SIZE_MAX];
    uint64_t virtual_us;
    uint64_t commits; // entries committed
    uint64_t faults;  // begun
    uint64_t number;  // of the last one
    uint64_t digest;
    struct coverage coverage;
};

// Builds the cluster, all processes down. The options are copied.
void simulation_init(struct simulation *simulation, const struct options *options, bool is_tracing);
void simulation_release(struct simulation *simulation);

// Starts all processes.
void simulation_start(struct simulation *simulation);

// Goes on until `until_us` of virtual time or a violation.
void simulation_run(struct simulation *simulation, uint64_t until_us);

// Takes in what was committed, then returns the storage node that leads the highest epoch; NULL.
struct storage_shell *simulation_primary(struct simulation *simulation);

// Ends all faults for good, or some of them never, and checks that the cluster serves and
// converges.
void simulation_finish(struct simulation *simulation);

// The whole of a random run: faults, then healing.
void simulation_run_seed(struct simulation *simulation);

void simulation_result(const struct simulation *simulation, struct simulation_result *ret_result);

// Any process by its name; NULL.
struct shell *simulation_find(struct simulation *simulation, const char *name);

#endif
