/*
 * The leading side of a storage node: executes transactions, makes entries of their effects,
 * streams them to the other nodes, counts who has them, commits, answers. It exists while the node
 * leads an epoch; its parts are one file each.
 */
#ifndef SKEIN_ACTORS_PRIMARY_LEADER_H
#define SKEIN_ACTORS_PRIMARY_LEADER_H

#include "actors/primary/handover.h"
#include "actors/primary/proposals.h"
#include "actors/primary/rounds.h"
#include "actors/primary/streaming.h"
#include "cluster/core.h"
#include "cluster/topology.h"
#include "storage/apply.h"

struct leader {
    struct core *core;             // borrowed
    struct state *state;           // borrowed
    const struct applied *applied; // borrowed; where the state stands
    bool leads;                    // the no-op of `epoch` is durable here
    uint64_t epoch;                // epoch that it leads
    uint64_t noop_position;        // first entry of the epoch
    uint64_t progress_us;          // when the commit position last moved, or nothing waited
    uint64_t seen_progress;        // of streaming, at the last heartbeat
    uint64_t wanted_epoch;         // a voter refused with this higher promise (rule 35); 0: none
    struct proposals proposals;
    struct streaming streaming;
    struct rounds rounds;
    struct handover handover;
};

void leader_init(struct leader *leader, struct core *core, struct state *state,
                 const struct applied *applied);
void leader_release(struct leader *leader);

// The first entry of `epoch`, at `noop_position`, is durable here: leads from now on.
void leader_start(struct leader *leader, uint64_t epoch, uint64_t noop_position,
                  const struct event *event, struct outbox *out);

// Deposed: drops overlay, open entry and pending answers (rule 17). Their writers send them again
// to the next primary.
void leader_stop(struct leader *leader, struct outbox *out);

// Whether it may execute transactions: the no-op is committed and applied (rule 17).
bool leader_is_ready(const struct leader *leader);

// The version of the commit position.
uint64_t leader_committed_version(const struct leader *leader);

// Own entries became durable up to core->durable_position, or another node acknowledged: moves the
// commit position if a majority has more (rules 14, 16). True when it moved.
bool leader_advance(struct leader *leader, const struct event *event, struct outbox *out);

// An own append found the disk full: refuses writes and tries again until there is space.
void leader_on_disk_full(struct leader *leader, const struct core_write *write,
                         const struct event *event, struct outbox *out);

// Tries to write again what found the disk full.
void leader_on_retry(struct leader *leader, struct outbox *out);

// The state has applied everything committed that is durable here.
void leader_on_applied(struct leader *leader);

// The end of a turn: closes the open entry if it is time, sends entries, commit positions and
// consent to a handover. Stops the node if the executor met a state that can't be read.
void leader_on_turn(struct leader *leader, const struct event *event, struct outbox *out);

// Whether no majority can take entries for want of disk space: here or at the others.
bool leader_lacks_space(const struct leader *leader);

// A heartbeat is due. False: authority can't be confirmed or work makes no progress, step down
// (rule 34).
bool leader_on_heartbeat(struct leader *leader, const struct event *event, struct outbox *out);

#endif
