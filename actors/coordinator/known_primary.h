/*
 * Who leads the cluster, as far as the storage nodes' own reports say, and since when
 * it is silent.
 */
#ifndef SKEIN_ACTORS_COORDINATOR_KNOWN_PRIMARY_H
#define SKEIN_ACTORS_COORDINATOR_KNOWN_PRIMARY_H

#include "cluster/topology.h"

// A plain value; all zero knows nobody.
struct known_primary {
    uint64_t epoch;               // highest that anybody was heard to lead or follow
    char name[NAME_SIZE_MAX + 1]; // of its primary; empty while that is not known
    char last[NAME_SIZE_MAX + 1]; // of the latest primary known, of this epoch or an earlier one
    uint64_t address;             // of the primary's endpoint
    uint64_t directory_id;        // of the primary
    uint64_t incarnation;         // of the primary's process
    uint64_t heard_us;            // its last report, or when we began to wait for one
};

enum primary_news {
    PRIMARY_NOTHING,   // the report is not about who leads
    PRIMARY_HEARD,     // the primary known lives
    PRIMARY_CHANGED,   // there is another primary, or a newer epoch
    PRIMARY_STOPPED,   // the primary says goodbye
    PRIMARY_RESTARTED, // the primary's process is another one, which leads nothing
    PRIMARY_RESIGNED,  // the primary leads no more
    PRIMARY_DOUBLE,    // two claim the same epoch: a bug, or a liar
};

// Takes the report of a storage node into account.
enum primary_news known_primary_hear(struct known_primary *primary,
                                     const struct topology_member *record, uint64_t now_us);

// Nobody is known to lead any more; the epoch stays.
void known_primary_forget(struct known_primary *primary);

#endif
