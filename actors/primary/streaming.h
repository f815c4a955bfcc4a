/*
 * Streaming: how a primary brings its log to the other storage nodes, voters or not. What each of
 * them has, what was sent, from memory, from the journal, or as a whole state.
 */
#ifndef SKEIN_ACTORS_PRIMARY_STREAMING_H
#define SKEIN_ACTORS_PRIMARY_STREAMING_H

#include "actors/primary/transfer_out.h"
#include "cluster/core.h"
#include "cluster/topology.h"

// Another storage node, as its primary sees it.
struct peer {
    uint64_t directory_id; // identity; answers are matched by it
    uint64_t address;      // where appends go
    char name[NAME_SIZE_MAX + 1];
    bool voter;               // counted in majorities
    bool down;                // its connection is gone and was refused
    bool replaced;            // another directory answers under its name
    bool probing;             // went back after a mismatch: one append, then wait for its answer
    bool damaged;             // answers, but must not be counted (rule 20)
    bool hurt;                // damaged in this very epoch: not counted again before the next one
    bool disk_full;           // can't append for want of space
    uint64_t next_position;   // first entry to send
    uint64_t match_position;  // durable there and matching, by answers of this epoch
    uint64_t start_position;  // where streaming to it began; counts as its match for pacing
    uint64_t told_position;   // commit position last sent
    uint64_t probe_position;  // where the last probe began
    uint64_t sent_us;         // when something was last sent
    uint64_t heard_us;        // when it last answered an append of this epoch; 0: never
    uint64_t rest_until_us;   // nothing is read back or transferred for it before
    unsigned given_up;        // transfers to it since it last had the state
    uint64_t refused_us;      // since when it refuses what it acknowledged; 0: it doesn't
    uint64_t round;           // highest round answered
    uint64_t read_sequence;   // disk request that reads entries back for it; 0: none
    uint64_t applied_version; // version applied there
};

struct streaming {
    struct core *core; // borrowed
    uint64_t epoch;    // epoch led
    struct peer peers[PEER_COUNT_MAX];
    size_t peer_count;
    struct buffer frames; // scratch
    uint64_t progress;    // grows when another voter gets on: acknowledges more, or takes a chunk
    struct transfer_out transfer;
};

void streaming_init(struct streaming *streaming, struct core *core, struct state *state,
                    const struct applied *applied);
void streaming_release(struct streaming *streaming);

// Begins with the voters of the configuration; `topology` adds the others and newer endpoints.
void streaming_start(struct streaming *streaming, uint64_t epoch, struct outbox *out);
void streaming_stop(struct streaming *streaming);

struct peer *streaming_find(struct streaming *streaming, uint64_t directory_id);

// Begins to stream to storage nodes that came, and to new endpoints of known ones.
void streaming_on_topology(struct streaming *streaming, const struct topology *topology,
                           struct outbox *out);

// Sends what there is to send: entries, or the commit position if a node hasn't been told.
void streaming_send_all(struct streaming *streaming, uint64_t now_us, struct outbox *out);

// Sends every node an append with this round, empty if need be.
void streaming_send_round(struct streaming *streaming, uint64_t round, uint64_t now_us,
                          struct outbox *out);

// Takes an answer. NULL: it is of another epoch, an unknown node, or says nothing new.
struct peer *streaming_on_reply(struct streaming *streaming, const struct event *event,
                                struct outbox *out);

// Entries were read back for a node.
void streaming_on_read(struct streaming *streaming, const struct event *event, struct outbox *out);
void streaming_on_transfer_reply(struct streaming *streaming, const struct event *event,
                                 struct outbox *out);
void streaming_on_connection(struct streaming *streaming, uint64_t address, bool up);

// The highest position that a majority of the voters has: this node its durable end (rule 16),
// the others what they acknowledged.
uint64_t streaming_majority_position(const struct streaming *streaming);

// The lowest position that a node which answers still needs; the end of the log if none does.
uint64_t streaming_needed_position(const struct streaming *streaming, uint64_t now_us);

#endif
