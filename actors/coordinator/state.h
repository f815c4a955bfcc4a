/*
 * What a coordinator knows. Its files share it: coordinator.c (steps), watch.c (reports and
 * suspicion), publish.c (topologies), switchover.c (planned switchovers).
 */
#ifndef SKEIN_ACTORS_COORDINATOR_STATE_H
#define SKEIN_ACTORS_COORDINATOR_STATE_H

#include "actors/coordinator/coordinator.h"
#include "actors/coordinator/failover_log.h"
#include "actors/coordinator/known_primary.h"
#include "actors/coordinator/registry.h"
#include "cluster/election.h"

enum {
    TIMER_BEAT = 1,       // expiry, and our own record
    TIMER_SUSPECT = 2,    // is the primary silent for too long?
    TIMER_SWITCHOVER = 3, // does the switchover take too long?
    TIMER_PUBLISH = 4,    // changes wait to be published
};

enum { US_PER_MS = 1000 };

// The request of an operator to hand over, until a new primary is heard.
struct switchover {
    uint64_t client;                     // address of whoever asked; 0 when none is under way
    uint64_t client_request;             // id of the request
    uint64_t request;                    // id under which it was passed to the primary
    uint64_t epoch;                      // of the primary that hands over
    char old_primary[NAME_SIZE_MAX + 1]; // name of that primary
    char target[NAME_SIZE_MAX + 1];      // who shall lead; empty for any other voter
    uint64_t started_us;                 // when the request came, monotonic
    bool has_consent;                    // the primary drained and asked for the election
};

// Why the election under way began.
struct suspicion {
    char cause[CAUSE_SIZE_MAX + 1]; // for people
    uint64_t wall_us;               // when that was seen, since 1970
    uint64_t last_sign_us;          // last sign of life of the primary, monotonic
};

// What was published.
struct publisher {
    uint64_t beat;         // of our own record
    uint64_t sequence;     // of the latest topology
    uint64_t change;       // the registry's change number in the latest one for all
    uint64_t cluster_id;   // in the latest one for all
    uint64_t published_us; // when that was
    bool is_urgent;        // who leads changed: to be published without delay
};

struct coordinator {
    const struct process *process;   // borrowed
    const struct voter_seed *voters; // borrowed, as the file names them
    size_t voter_count;
    struct election election;
    struct registry registry;
    struct known_primary primary;
    struct suspicion suspicion;
    struct switchover switchover;
    struct failover_log failovers;
    struct publisher publisher;
    uint64_t overridden_us; // when an election against a living primary last began; 0: never
    uint64_t request;       // latest id of a request of ours
    uint64_t beat_us;       // when we last looked for silent members
    uint64_t awake_us;      // since when we have not slept for long ourselves
    uint64_t refused;       // messages refused
    bool is_stopping;       // our own record says goodbye
};

static inline uint64_t ms_to_us(uint32_t milliseconds)
{
    return (uint64_t)milliseconds * US_PER_MS;
}

// Counts a message that was refused, and tells the 1st, 2nd, 4th, 8th time: a flood fills no log.
void coordinator_count_refused(struct coordinator *self, const struct event *event, const char *why,
                               struct outbox *out);

#endif
