/*
 * What a run looks like: everything that is drawn from its seed before it begins. Every run is
 * different in many ways at once (swarm testing): some have no cuts, some nothing but cuts.
 */
#ifndef SKEIN_TESTS_SIM_OPTIONS_H
#define SKEIN_TESTS_SIM_OPTIONS_H

#include "cluster/process.h"
#include "tests/sim/network.h"

// Kinds of faults: FAULT(name, weight in an average run, "what happens").
#define FAULT_LIST(FAULT)                                                                          \
    FAULT(crash, 10, "a storage node dies and comes back")                                         \
    FAULT(crash_primary, 8, "the primary dies and comes back")                                     \
    FAULT(crash_other, 6, "a coordinator, writer or reader dies and comes back")                   \
    FAULT(crash_all, 1, "all storage nodes lose power")                                            \
    FAULT(stop, 5, "a storage node is stopped cleanly and started again")                          \
    FAULT(rolling, 1, "all storage nodes are stopped and started, one after another")              \
    FAULT(pause, 8, "a process is stopped by SIGSTOP for a while")                                 \
    FAULT(pause_primary, 4, "the primary is stopped by SIGSTOP for a while")                       \
    FAULT(isolate, 6, "one process is cut off from all others")                                    \
    FAULT(isolate_primary, 4, "the primary is cut off from all others")                            \
    FAULT(halves, 4, "the processes fall into two halves")                                         \
    FAULT(one_way, 6, "one process can send but not hear, or hear but not send")                   \
    FAULT(bridge, 3, "two halves that only one process can reach")                                 \
    FAULT(pair, 4, "two processes can't reach each other")                                         \
    FAULT(reset, 5, "connections between two processes break")                                     \
    FAULT(slow, 4, "a process is far away for a while")                                            \
    FAULT(disk_stall, 5, "a disk hangs for a while")                                               \
    FAULT(disk_slow, 4, "a disk is many times slower for a while")                                 \
    FAULT(disk_full, 3, "a disk is full for a while")                                              \
    FAULT(disk_error, 2, "a disk fails once, which stops its process")                             \
    FAULT(damage, 2, "a sector of the journal or the vote file goes bad while the node is down")   \
    FAULT(wipe, 1, "a disk is replaced by an empty, prepared one")                                 \
    FAULT(clock_jump, 3, "a wall clock jumps")                                                     \
    FAULT(clock_rate, 3, "a clock goes too fast or too slow")                                      \
    FAULT(switchover, 4, "an operator asks for another primary")

enum fault_kind {
#define FAULT_ENUM(name, weight, doc) FAULT_##name,
    FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_KIND_COUNT
};

// The name of a kind of fault, "crash_primary".
const char *fault_name(enum fault_kind kind);

enum { FAULT_NUMBERS_MAX = 1024 };

// Some of a run's faults, by their numbers below FAULT_NUMBERS_MAX.
struct fault_set {
    uint64_t bits[FAULT_NUMBERS_MAX / 64];
};

static inline bool fault_set_has(const struct fault_set *set, uint64_t number)
{
    return number < FAULT_NUMBERS_MAX && (set->bits[number / 64] >> number % 64 & 1) != 0;
}

static inline void fault_set_put(struct fault_set *set, uint64_t number, bool is_in)
{
    uint64_t bit = UINT64_C(1) << number % 64;
    set->bits[number / 64] = is_in ? set->bits[number / 64] | bit : set->bits[number / 64] & ~bit;
}

struct options {
    uint64_t seed;
    // Processes.
    unsigned voters;   // 1, 3 or 5, rarely 2 or 4
    unsigned replicas; // without a vote
    unsigned coordinators;
    unsigned writers;
    unsigned readers;
    unsigned clients;
    // Network.
    struct network_manner network;
    uint32_t turn_delay_us; // a process gathers events for so long at most
    // Disks.
    uint32_t sync_us;        // a sync takes about so long
    uint32_t stall_ppm;      // of a million disk requests so many hang for up to 2 s
    uint32_t flush_writes;   // a state flushes by itself after about so many writes; 0 for never
    struct node_sizes sizes; // of journals, flushes, transfers
    // Faults.
    uint64_t safety_us;                 // length of the first phase
    unsigned commits_min;               // entries that have to get through in it, if it can be done
                                        // in a multiple of its length
    uint64_t fault_interval_us;         // mean time from one fault to the next
    uint64_t fault_length_us;           // mean length of a fault that lasts
    uint32_t weights[FAULT_KIND_COUNT]; // how often each kind is chosen, 0 for never
    bool freezes;                       // some processes may never be healed
    bool chooses_faults;                // only those in `chosen` happen
    struct fault_set chosen;            // chooses_faults
    // Work.
    unsigned keys;         // documents that clients work on
    unsigned outstanding;  // requests of a client under way, at most
    uint32_t think_us;     // mean pause of a client between requests
    uint32_t timeout_ms;   // mean deadline of a request
    uint32_t read_percent; // of all requests
};

// Draws everything from the seed.
void options_draw(struct options *options, uint64_t seed);

// A cluster of three voters on a well-behaved network without any faults, for scenarios.
void options_calm(struct options *options, uint64_t seed);

// Appends what was drawn as one line of text.
void options_print(const struct options *options, struct buffer *out);

#endif
