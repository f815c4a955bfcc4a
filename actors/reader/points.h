/*
 * The read points of a reader: one under way at a time, for all linearizable reads that had arrived
 * when it began (rule 26), and the last one that was confirmed.
 */
#ifndef SKEIN_ACTORS_READER_POINTS_H
#define SKEIN_ACTORS_READER_POINTS_H

#include "actors/reader/id_list.h"
#include "actors/reader/replicas.h"
#include "cluster/read_point.h"

struct points {
    struct read_point point;            // the one under way
    struct id_list gathered;            // reads that wait for a read point to begin
    struct id_list confirming;          // reads of the one under way, or of the one given up
    struct configuration configuration; // the last one that a primary named; no voters: none yet
    uint64_t id;                        // of the last read point; the top bit is set
    uint64_t primary;                   // address of the primary; 0 while none is known
    uint64_t patience_us;               // a read point that takes longer is given up
    uint64_t patience_us_min;           // what that is after one that was confirmed
    uint64_t hold_until_us;             // none begins before; 0: not held
    uint64_t hold_us;                   // how long the next hold lasts
    uint64_t last_version;              // of the last confirmed one
    uint64_t last_sent_us;              // when its messages were sent; 0: there was none
};

// Ids depend on `seed`, so that another start of the process has others.
void points_init(struct points *points, uint64_t seed, uint64_t patience_us);
void points_release(struct points *points);

// True for the id of a read point or of a mark, false for that of a read.
bool points_is_own_id(uint64_t request);

// A read waits for the next read point, begun after now.
void points_gather(struct points *points, uint64_t id);

// Another primary, or another epoch of it; 0 for none. Gives up what is under way.
void points_set_primary(struct points *points, uint64_t primary);

// Begins a read point, if reads wait and there is somebody to ask.
void points_begin(struct points *points, struct replicas *replicas, uint64_t now_us,
                  struct outbox *out);

// Gives up what is under way, if there is anything; its reads wait for the next one.
void points_abandon(struct points *points);

// The primary refused: gives up what is under way; the next one begins a little later.
void points_hold(struct points *points, uint64_t now_us);

// Takes in an answer. `*ret_confirmed`: the read point counts, last_version is its version, and
// the reads of `confirming` have it. points_finish() comes next.
MUST_CHECK enum status points_take_primary(struct points *points,
                                           const struct message_read_point_reply *reply,
                                           bool *ret_confirmed);
void points_take_voter(struct points *points, const struct message_confirm_reply *reply,
                       bool *ret_confirmed);

// The reads of a confirmed read point have gone on.
void points_finish(struct points *points);

// When points_expire() must be called; 0 for not at all.
uint64_t points_next_us(const struct points *points, const struct replicas *replicas,
                        uint64_t now_us);

// Gives up a read point that took too long; whoever has not answered it counts as silent.
void points_expire(struct points *points, struct replicas *replicas, uint64_t now_us);

#endif
