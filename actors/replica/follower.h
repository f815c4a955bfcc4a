/*
 * The following side of a storage node: takes appends of the primary, keeps its journal equal to
 * the primary's log, acknowledges what is durable, learns what is committed, and takes in the whole
 * state when the log alone can't bring it up to date.
 */
#ifndef SKEIN_ACTORS_REPLICA_FOLLOWER_H
#define SKEIN_ACTORS_REPLICA_FOLLOWER_H

#include "actors/replica/transfer_in.h"
#include "cluster/core.h"

struct follower {
    struct core *core;          // borrowed
    uint64_t leader_epoch;      // epoch followed; 0 until the first append after a start
    uint64_t leader;            // directory id of the node that leads it (rule 6)
    uint64_t leader_address;    // where its appends come from
    uint64_t heard_us;          // when one last came; 0: never, or its connection was refused
    uint64_t verified_position; // the log matches the leader's up to here (rule 15)
    uint64_t told_position;     // commit position told by the leader
    uint64_t applied_version;   // told in answers; kept true by the node
    bool disk_full;             // the last append found no space
    uint64_t full_sequence;     // disk requests up to this one were queued before that
    struct transfer_in transfer;
};

void follower_init(struct follower *follower, struct core *core);
void follower_release(struct follower *follower);

// The node follows nobody any more (it sealed, or leads itself).
void follower_forget_leader(struct follower *follower);

// Whether the append must be refused for its epoch or its sender (rules 6, 9, 12).
bool follower_refuses(const struct follower *follower, uint64_t epoch, uint64_t leader);

// Whether a primary was heard within `suspect_after_ms`.
bool follower_hears_primary(const struct follower *follower, uint64_t now_us,
                            uint32_t suspect_after_ms);

// The connection to this node is gone and refused: if it leads, it isn't heard.
void follower_on_node_down(struct follower *follower, uint64_t directory_id);

// What is committed as far as this node may know: told, verified and durable (rule 15).
uint64_t follower_commit_position(const struct follower *follower);

// From now on `leader` leads `epoch` here; a higher epoch is promised, a blank node joins the
// cluster of the sender. Not to be called when follower_refuses().
void follower_follow(struct follower *follower, const struct event *event, uint64_t epoch,
                     uint64_t leader, struct outbox *out);

// An append of a primary: entries, or a heartbeat. The node has stepped down before if it led an
// older epoch. `event` holds an append.
void follower_on_append(struct follower *follower, const struct event *event, struct outbox *out);

// A write of its own finished: acknowledges, or deals with a full disk.
void follower_on_written(struct follower *follower, const struct core_write *write,
                         enum status status, struct outbox *out);

#endif
