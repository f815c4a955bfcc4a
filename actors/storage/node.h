/*
 * The storage actor, which both words `primary` and `replica` start: a voter or a non-voting
 * replica, following or leading. It owns the log and the state of one node.
 */
#ifndef SKEIN_ACTORS_STORAGE_NODE_H
#define SKEIN_ACTORS_STORAGE_NODE_H

#include "cluster/machine.h"
#include "cluster/process.h"
#include "storage/journal.h"
#include "storage/marks.h"
#include "storage/state.h"

// Makes the empty state of a new generation while a state transfer is received; the shell's.
struct state_factory {
    // Removes what is left of that generation and opens it empty.
    enum status (*create)(struct state_factory *factory, uint64_t generation,
                          struct state **ret_state);
};

// What was found on the node's disk. Borrowed for the call of node_new(), but for state, marks and
// factory, which outlive the node.
struct node_boot {
    struct bytes vote_record;       // encoded
    struct journal_view journal;    // where the journal stands
    const struct journal_run *runs; // epochs of its entries
    size_t run_count;
    struct state *state; // of the current generation
    struct marks *marks; // on that state
    struct state_factory *factory;
};

struct node;

// Fails with bad_request when the vote record can't be read or names another node or cluster than
// `process`, with wrong_cluster when state and vote record belong to different clusters, with
// damaged when the state can't be read.
MUST_CHECK enum status node_new(const struct process *process, const struct node_boot *boot,
                                struct node **ret_node);
void node_destroy(struct node **take_node);
void node_step(struct node *self, const struct event *event, struct outbox *out);

#endif
