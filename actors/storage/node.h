/*
 * The storage actor, which both words `primary` and `replica` start: a voter or a non-voting
 * replica, following or leading. It owns the log and the state of one node.
 */
#ifndef SKEIN_ACTORS_STORAGE_NODE_H
#define SKEIN_ACTORS_STORAGE_NODE_H

#include "actors/replica/transfer_in.h"
#include "cluster/machine.h"
#include "cluster/process.h"
#include "storage/journal.h"
#include "storage/marks.h"
#include "storage/state.h"

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
void node_step(struct node *node, const struct event *event, struct outbox *out);

// What a node knows of itself, for checks from outside.
struct node_view {
    uint64_t directory_id;
    uint64_t cluster_id;
    uint64_t promised;          // or in the course of being promised
    bool leads;                 // leads `epoch`: its first entry is durable
    bool ready;                 // and serves: that entry is committed and applied
    uint64_t epoch;             // led or followed; 0 for none
    bool damaged;               // not counted until refilled
    bool loading;               // still reads back its journal
    bool receives;              // is being sent the state
    struct entry_place last;    // end of the log, durable or not
    uint64_t durable_position;  // the log is durable here up to this entry
    uint64_t commit_position;   // known to be committed
    struct entry_place applied; // where the state stands
    uint64_t chain;             // chained digest of what was applied
};

void node_inspect(const struct node *node, struct node_view *ret_view);

#endif
