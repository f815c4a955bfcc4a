/*
 * The inside of a storage node, shared by the files of this folder.
 */
#ifndef SKEIN_ACTORS_STORAGE_NODE_INTERNAL_H
#define SKEIN_ACTORS_STORAGE_NODE_INTERNAL_H

#include "actors/primary/leader.h"
#include "actors/replica/follower.h"
#include "actors/storage/node.h"
#include "actors/storage/parked_reads.h"
#include "cluster/agent.h"
#include "cluster/core.h"
#include "storage/apply.h"

// A node's own timers, beside those of the agent and the leader.
enum {
    NODE_TIMER_UPKEEP = 20,     // flushing, dropping, expiring
    NODE_TIMER_HIGH_WATER = 21, // the high-water mark follows a pause in writing
    NODE_TIMER_PARKED = 22,     // deadlines of parked reads
    NODE_TIMER_STOP = 23,       // a clean stop takes long
};

enum node_state {
    NODE_LOADING,    // reads back what its journal has beyond its state
    NODE_FOLLOWING,  // follows a primary, or waits for one
    NODE_APPOINTED,  // writes the first entry of its epoch
    NODE_LEADING,    // leads
    NODE_INSTALLING, // makes a received state current; reboots next
    NODE_STOPPED,    // the process ends
};

// The appointment that is being taken.
struct appointment {
    uint64_t to;          // the coordinator
    uint64_t incarnation; // of the attempt
    uint64_t position;    // first entry of the epoch
    uint64_t taken_us;    // when it came
};

// Where the journal stood when the state was flushed.
struct checkpoint {
    uint64_t position; // flushed up to this entry
    uint64_t written;  // bytes of entries applied until then, since the start
};

enum { CHECKPOINT_COUNT = 16 };

struct upkeep {
    uint64_t applied_size;                           // bytes of entries applied since the start
    uint64_t flushed_size;                           // the same when the last flush was asked for
    uint64_t flush_asked_us;                         // when it was asked for
    uint64_t flush_sequence;                         // disk request under way; 0: none
    uint64_t drop_sequence;                          // disk request under way; 0: none
    struct checkpoint checkpoints[CHECKPOINT_COUNT]; // oldest first
    size_t checkpoint_count;
    bool high_water_timer; // its timer is set
    uint64_t wrote_us;     // when an entry last became durable here
};

struct node {
    struct core core;
    struct agent agent;
    struct applied applied;   // where the state stands
    struct state *state_port; // borrowed; the state
    struct marks *marks;      // borrowed
    struct follower follower;
    struct leader leader;
    enum node_state state;
    struct appointment appointment;
    struct parked_reads parked;
    struct upkeep upkeep;
    struct entry_place journal_end; // where the journal ended at the start
    bool was_damaged;               // the journal was found damaged at this start
    uint64_t load_sequence;         // disk request that reads it back; 0: none
    bool announced;                 // this epoch was reported as led
    bool stopping;                  // the operator wants a clean stop
    uint64_t stop_at_us;            // at the latest
    uint64_t stop_again_us;         // when another coordinator is asked
    size_t stop_coordinator;        // the one asked next
    uint64_t refused;               // messages of no use here
};

// The one place where the state changes; asserts that the move is allowed.
void node_become(struct node *node, enum node_state state, uint64_t now_us, struct outbox *out);

// Reports to the coordinators at once.
void node_report(struct node *node, uint64_t now_us, struct outbox *out);

// Leads or is about to no longer: a higher epoch was promised, or authority was lost.
void node_step_down(struct node *node, uint64_t now_us, struct outbox *out);

// A node with nothing of a cluster on it belongs to none: the birth that its vote names came no
// further, and another one may come.
void node_forget_birth(struct node *node);

// loading.c: brings back what the journal has beyond the state.
void node_load_start(struct node *node, const struct event *event, struct outbox *out);
void node_load_on_read(struct node *node, const struct event *event, struct outbox *out);

// Ends the damage of a node that was refilled (rule 20).
void node_repair_if_refilled(struct node *node, const struct event *event, struct outbox *out);

// stopping.c: a clean stop; a primary hands over first.
void node_on_stop(struct node *node, const struct event *event, struct outbox *out);
void node_on_stop_due(struct node *node, uint64_t now_us, struct outbox *out);

// voting.c: what coordinators ask.
void node_on_poll(struct node *node, const struct event *event, struct outbox *out);
void node_on_seal(struct node *node, const struct event *event, struct outbox *out);
void node_on_appoint(struct node *node, const struct event *event, struct outbox *out);
void node_on_sealed(struct node *node, const struct core_write *write, struct outbox *out);
void node_on_appointed(struct node *node, const struct core_write *write, const struct event *event,
                       struct outbox *out);

// applying.c: the state follows the commit position.
void node_apply(struct node *node, const struct event *event, struct outbox *out);

// serving.c: what readers, tools and writers ask.
void node_on_read_point(struct node *node, const struct event *event, struct outbox *out);
void node_on_confirm(struct node *node, const struct event *event, struct outbox *out);
void node_on_transaction(struct node *node, const struct event *event, struct outbox *out);
void node_on_mark(struct node *node, const struct event *event, struct outbox *out);
void node_on_query(struct node *node, const struct event *event, struct outbox *out);
void node_on_parked_due(struct node *node, uint64_t now_us, struct outbox *out);
void node_on_switchover(struct node *node, const struct event *event, struct outbox *out);

// upkeep.c: flushing the state, dropping the journal, expiring marks, the high-water mark.
void node_upkeep_start(struct node *node, uint64_t now_us, struct outbox *out);
void node_on_upkeep(struct node *node, uint64_t now_us, struct outbox *out);
void node_on_high_water(struct node *node, uint64_t now_us, struct outbox *out);
void node_on_flushed(struct node *node, const struct event *event, struct outbox *out);
void node_on_dropped(struct node *node, const struct disk_done *done);

// Entries became durable: the mark has to follow.
void node_on_wrote(struct node *node, uint64_t now_us, struct outbox *out);

#endif
