/*
 * The simulator's shell around one machine: the second shell of the same machines that
 * actors/runtime drives. It hands in events with the process's own time, and turns effects into
 * messages on the simulated network, timers, disk requests and queries. What differs between roles
 * is in its shell_role.
 */
#ifndef SKEIN_TESTS_SIM_SHELL_H
#define SKEIN_TESTS_SIM_SHELL_H

#include "cluster/machine.h"
#include "cluster/process.h"
#include "tests/sim/clock.h"
#include "tests/sim/world.h"

struct network;
struct shell;

enum {
    SHELL_COUNT_MAX = 32,  // processes of a run
    SHELL_TIMERS_MAX = 32, // timers of one machine
    SHELL_NAME_MAX = 16,   // bytes of a name, with NUL
};

// What a kind of process does in its own way. Functions may be NULL.
struct shell_role {
    // Makes shell->machine; an exit code other than EXIT_CLEAN when the process can't start.
    uint32_t (*start)(struct shell *shell);
    // Destroys the machine; `is_crash` loses what a crash loses.
    void (*stop)(struct shell *shell, bool is_crash);
    // A disk request, and a message for the query thread; bytes are borrowed for the call.
    void (*disk)(struct shell *shell, const struct disk_request *request);
    void (*query)(struct shell *shell, uint64_t from, struct bytes encoded);
    // After every step, when its effects are on their way.
    void (*stepped)(struct shell *shell);
};

// Who is told about every process of a run; functions get `context`.
struct shell_watch {
    void *context;
    // After every step, before its effects are carried out.
    void (*stepped)(void *context, struct shell *shell, const struct event *event);
    // The process ended by itself with this exit code.
    void (*ended)(void *context, struct shell *shell, uint32_t exit_code);
};

// A timer that a machine asked for.
struct shell_timer {
    uint32_t timer;     // the machine's number for it
    uint64_t at_us;     // local time at which it is due; 0 for never
    uint64_t queued_us; // world time of the occurrence that will look at it; 0 for none
};

struct shell {
    struct world *world;             // borrowed
    struct network *network;         // borrowed
    const struct shell_role *role;   // borrowed
    const struct shell_watch *watch; // borrowed
    void *owner;                     // the role's own
    unsigned number;                 // in the network
    char name[SHELL_NAME_MAX];
    uint32_t home; // number in its endpoint, another at each start; 0 if it stays the same
    char endpoint[SHELL_NAME_MAX + 24];
    uint64_t address;       // address_of_endpoint(endpoint)
    struct process process; // what the machine is told; borrows name and endpoint
    struct machine machine; // self is NULL while the process is down
    struct outbox outbox;
    struct clock clock;
    struct random random;   // incarnations, seeds, turns
    uint64_t cluster_id;    // it belongs to; 0 for none known
    bool is_up;             // the process runs (or is paused)
    bool is_paused;         // nothing happens in it until it goes on
    bool is_turn_due;       // EVENT_TURN is queued
    uint32_t life;          // changes with every start and every end
    uint32_t exit_code;     // of the last end
    uint32_t turn_delay_us; // a turn ends so long after its first event, at most
    struct shell_timer timers[SHELL_TIMERS_MAX];
    size_t timer_count;
    struct occurrence *deferred; // owned; what happened while it was paused
    size_t deferred_count;
    size_t deferred_capacity;
};

// A process that is down. `role` is also the word it is started with; coordinators are filled in by
// the caller, in shell->process.
void shell_init(struct shell *shell, struct network *network, const char *name, enum role role);
void shell_release(struct shell *shell);

// The address of the process when it had, or has, this home.
uint64_t shell_address(const struct shell *shell, uint32_t home);

// Starts the process; it is down. Ends at once with an exit code if its role can't start.
void shell_start(struct shell *shell);

// Kills the process, up or paused.
void shell_crash(struct shell *shell);

// The process ends by itself with this exit code, not by an effect.
void shell_exit(struct shell *shell, uint32_t exit_code);

// Asks for a clean stop.
void shell_ask_to_stop(struct shell *shell);

// SIGSTOP and SIGCONT.
void shell_pause(struct shell *shell);
void shell_resume(struct shell *shell);

// From now on its monotonic clock goes at this rate, and its timers by it; in ppm of the right one.
void shell_set_rate(struct shell *shell, uint32_t rate_ppm);

// Hands an event to the machine and carries out the effects. The shell fills in the times.
void shell_step(struct shell *shell, struct event *event);

// A call to the machine that is no event, such as a client's request: it gets the cleared outbox
// and the local time; shell_close() carries out the effects. The process is up and not paused.
struct outbox *shell_open(struct shell *shell, uint64_t *ret_now_us);
void shell_close(struct shell *shell);

// True if this is to be done later because the process is paused: run functions of occurrences that
// happen inside a process ask first.
bool shell_defers(struct shell *shell, void (*run)(void *, uint64_t), void *context,
                  uint64_t argument);

#endif
