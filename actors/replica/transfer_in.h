/*
 * Receiving the state: for a node that is empty, or so far behind that the primary's journal does
 * not reach back to it (rule 37).
 */
#ifndef SKEIN_ACTORS_REPLICA_TRANSFER_IN_H
#define SKEIN_ACTORS_REPLICA_TRANSFER_IN_H

#include "cluster/core.h"
#include "storage/state.h"

// Makes the empty state of a new generation; the shell's.
struct state_factory {
    // Removes what is left of that generation and opens it empty. The caller owns the result, but
    // for one that core_install() was asked to make current: then it is the shell's.
    enum status (*create)(struct state_factory *factory, uint64_t generation,
                          struct state **ret_state);
};

struct transfer_in {
    struct core *core;             // borrowed
    struct state_factory *factory; // borrowed; set by the node
    struct state *state;           // owned; NULL while nothing is received
    struct state_batch batch;      // scratch
    uint64_t transfer;             // number of the transfer, by its sender
    uint64_t epoch;                // of the sender
    uint64_t sequence;             // of the last chunk taken
    uint64_t position;             // entry that the transferred state stands at
    bool installing;               // complete, being made current
};

void transfer_in_init(struct transfer_in *transfer, struct core *core);
void transfer_in_release(struct transfer_in *transfer);

// Gives up what was received so far, unless it is complete already.
void transfer_in_abandon(struct transfer_in *transfer);

// Gives it up if the node has got as far by entries, as it does when its primary has found that it
// does not need the state.
void transfer_in_end_if_passed(struct transfer_in *transfer);

// Takes a chunk from the primary that is followed and answers it. The last one leads to
// core_install().
void transfer_in_on_chunk(struct transfer_in *transfer, const struct event *event,
                          struct outbox *out);

#endif
