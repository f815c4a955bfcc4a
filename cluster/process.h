/*
 * What every machine is told about the process it lives in: who it is, the timings of the cluster,
 * and how much a storage node keeps where.
 */
#ifndef SKEIN_CLUSTER_PROCESS_H
#define SKEIN_CLUSTER_PROCESS_H

#include "base/bytes.h"
#include "base/limits.h"
#include "wire/message.h"

// Times of the cluster, all in milliseconds but where the name says otherwise. The same in every
// process of a cluster; defaults in base/limits.h.
struct timings {
    uint32_t suspect_after_ms; // a primary not heard for so long is suspected
    uint32_t heartbeat_ms;     // a primary's appends are at most so far apart
    uint32_t beat_ms;          // a process reports to the coordinators
    uint32_t member_expiry_ms; // a process not heard for so long is unreachable
    uint32_t election_step_ms; // a coordinator waits so long for answers
    uint32_t horizon_ms;       // a marked version stays readable
    uint32_t stall_ms;         // work and no progress for so long: the primary steps down
    uint32_t gather_us;        // an idle primary gathers transactions for at most so long
};

// The defaults.
struct timings timings_default(void);

// How much a storage node keeps where, in bytes.
struct node_sizes {
    uint64_t flush;          // applied and not flushed: the state is flushed
    uint64_t segment;        // a journal segment; an entry larger than it gets its own
    uint64_t journal_keep;   // kept in the journal behind a flushed state
    uint64_t journal_max;    // kept for a follower that answers
    uint64_t log_window;     // committed entries kept in memory for followers behind
    uint64_t transfer_chunk; // cells in one chunk of a state transfer
    uint64_t work_cells;     // looked at in one part of a primary's own work while there are
                             // requests; four times as many without
};

// The defaults.
struct node_sizes node_sizes_default(void);

// A process of the cluster. Everything is borrowed from whoever made it (the configuration, the
// simulator) and outlives the machine.
struct process {
    struct bytes name;                // unique in the cluster
    enum role role;                   // what it was started as
    struct bytes endpoint;            // where others reach it
    struct bytes trace_endpoint;      // where it publishes traces; empty for nowhere
    struct bytes cluster_name;        // name in the configuration file
    uint64_t incarnation;             // random number of this start; never 0
    uint64_t seed;                    // for the machine's own generator
    uint32_t pid;                     // process id
    const struct bytes *coordinators; // endpoints of the coordinators
    size_t coordinator_count;         // at most COORDINATOR_COUNT_MAX
    struct timings timings;
    struct node_sizes sizes; // of no use but in a storage node
};

// A storage node named in the configuration file as a voter.
struct voter_seed {
    struct bytes name;     // of the node
    struct bytes endpoint; // where others reach it
    bool preferred;        // started as `primary`: a new cluster prefers it for its first epoch
};

#endif
