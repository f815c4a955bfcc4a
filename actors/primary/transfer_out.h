/*
 * Sending the state to a node that the journal does not reach back to (rule 37). One at a time.
 */
#ifndef SKEIN_ACTORS_PRIMARY_TRANSFER_OUT_H
#define SKEIN_ACTORS_PRIMARY_TRANSFER_OUT_H

#include "cluster/core.h"
#include "storage/apply.h"
#include "storage/state.h"

struct transfer_out {
    struct core *core;               // borrowed
    struct state *state;             // borrowed
    const struct applied *applied;   // borrowed
    uint64_t epoch;                  // epoch led
    uint64_t directory_id;           // of the receiver; 0 while nobody receives
    uint64_t awaited_us;             // when another node that it keeps waiting asked; 0: never
    uint64_t address;                // of the receiver
    uint64_t number;                 // of the transfer; grows
    uint64_t sequence;               // of the chunk under way
    uint64_t position;               // entry that the transferred state stands at
    bool last;                       // the chunk under way is the last one
    uint64_t made_us;                // when it was first sent
    uint64_t sent_us;                // when it was last sent
    struct state_snapshot *snapshot; // owned while sending
    struct state_cursor *cursor;     // owned while sending
    struct buffer record;            // the applied record, encoded
    struct buffer cells;             // of the chunk under way
};

void transfer_out_init(struct transfer_out *transfer, struct core *core, struct state *state,
                       const struct applied *applied);
void transfer_out_release(struct transfer_out *transfer);

// Ends what is being sent.
void transfer_out_stop(struct transfer_out *transfer);

// Begins sending to a node, unless another one is being sent to.
void transfer_out_start(struct transfer_out *transfer, uint64_t directory_id, uint64_t address,
                        uint64_t now_us, struct outbox *out);

// Whether the reply is the receiver's answer to the chunk under way.
bool transfer_out_awaits(const struct transfer_out *transfer,
                         const struct message_transfer_reply *reply);

// The receiver answered the chunk under way: sends the next one. True when it has everything.
bool transfer_out_on_reply(struct transfer_out *transfer, const struct event *event,
                           struct outbox *out);

// Sends a chunk again that was not answered. `heard_us` is when the receiver last answered at all;
// while another node waits it may be silent for `silence_us`. True: it is given up.
bool transfer_out_expire(struct transfer_out *transfer, uint64_t heard_us, uint64_t silence_us,
                         uint64_t now_us, struct outbox *out);

#endif
