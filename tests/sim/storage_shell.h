/*
 * A simulated storage process: the node machine, its disk thread over the simulated disk, its state
 * in memory and its query thread.
 */
#ifndef SKEIN_TESTS_SIM_STORAGE_SHELL_H
#define SKEIN_TESTS_SIM_STORAGE_SHELL_H

#include "actors/storage/disk_worker.h"
#include "actors/storage/node.h"
#include "tests/sim/checks.h"
#include "tests/sim/disk.h"
#include "tests/sim/options.h"
#include "tests/sim/shell.h"

struct storage_shell;
struct disk_job; // a request in the disk thread's queue, with a copy of its bytes

enum { STATE_GENERATIONS_MAX = 2 };

// The state of one generation; lives on when the process dies.
struct state_slot {
    struct state *state; // owned; NULL when there is none
    uint64_t generation;
};

struct storage_shell {
    struct shell shell;
    struct checks *checks;         // borrowed
    const struct options *options; // borrowed
    unsigned node;                 // its number in checks
    struct random random;          // latencies, crashes
    struct sim_disk *disk;         // owned; lives on when the process dies
    uint64_t directory_id;         // made when it was formatted last
    uint64_t generation;           // current one
    uint64_t answered_us;          // when the last answer of a write comes
    struct state_slot slots[STATE_GENERATIONS_MAX];
    struct state_factory factory; // makes the next generation's state
    struct marks *marks;          // owned while the process is up
    struct disk_worker *worker;   // owned while the process is up
    struct disk_job *jobs;        // waiting, oldest first; those under way lead
    struct disk_job *last_job;
    size_t busy_count;          // requests that the disk is at work on
    uint64_t due_us;            // when they are done, unless the disk hangs
    struct disk_job *free_jobs; // to be used again
    struct disk_job *all_jobs;  // owned
    struct buffer scratch;      // answers of disk and queries
    struct state *received;     // the next generation's, until it is installed; the node's
    uint64_t received_generation;
    uint64_t stalled_until_us; // the disk does nothing before
    uint32_t slowness;         // its disk takes so many times as long; 0: once
    bool is_steady;            // no request hangs by itself any more
    struct node_view view;     // after the last step; zero while down
    bool has_disk_failed;      // in this life, which ended by it
    bool is_wiped;             // its disk was replaced: no voter any more
    bool is_marked_damaged;    // its vote file says that it is
    bool is_damaged;           // a sector went bad and the node wasn't seen sound since
};

// A process that is down, on an empty disk. shell->process must be completed before it starts.
void storage_shell_init(struct storage_shell *storage, struct network *network, const char *name,
                        enum role role);
void storage_shell_release(struct storage_shell *storage);

// Prepares the directory (skeind format): a vote file with a new directory id. Down.
void storage_shell_format(struct storage_shell *storage);

// The shell's owner.
static inline struct storage_shell *storage_of(struct shell *shell)
{
    return shell->owner;
}

// The disk hangs until then.
void storage_shell_stall(struct storage_shell *storage, uint64_t until_us);

// Its live cells, borrowed.
struct state *storage_shell_state(struct storage_shell *storage);

// Hash of the live cells but for the record of where the state stands.
uint64_t storage_shell_digest(struct storage_shell *storage);

#endif
