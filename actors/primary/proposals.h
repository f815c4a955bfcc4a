/*
 * Proposals: transactions on their way into the log. Executes them into the open entry, closes it
 * at the right moment, and keeps every answer until its entry is committed (rule 24).
 */
#ifndef SKEIN_ACTORS_PRIMARY_PROPOSALS_H
#define SKEIN_ACTORS_PRIMARY_PROPOSALS_H

#include "cluster/core.h"
#include "storage/executor.h"

// A primary's own timers; the node adds its own from 20 on.
enum {
    LEADER_TIMER_HEARTBEAT = 10,
    LEADER_TIMER_GATHER = 11,
    LEADER_TIMER_MARK = 12,
    LEADER_TIMER_RETRY = 13,
    LEADER_TIMER_WORK = 14,
};

// Answers that wait for an entry: address, size, encoded message, one after another.
struct answers {
    uint64_t position;   // entry that they wait for
    struct buffer bytes; // owned
    size_t count;        // answers in it
};

// A request for a mark.
struct mark_request {
    uint64_t to;      // who asked
    uint64_t request; // id of the request
};

struct proposals {
    struct core *core;                           // borrowed
    struct executor *executor;                   // owned
    bool open;                                   // an entry is open in the executor
    struct answers opened;                       // answers that wait for the open entry
    struct answers closed[PIPELINE_ENTRIES_MAX]; // ring, those of the entries not committed
    size_t closed_first;
    size_t closed_count;
    size_t pending_count;     // answers waiting, in all
    uint64_t time_us;         // of the newest entry, never goes backwards
    uint64_t closable_us;     // since when the open entry could have been closed; 0: it can't
    size_t recent_count;      // requests in the entry closed last
    bool wants_mark;          // the open entry is to be marked
    uint64_t marked_us;       // when an entry was last marked
    uint64_t expired_us;      // when idle sessions were last looked for
    uint64_t worked_us;       // when it was last seen whether there is work of the primary's own
    bool worked;              // the open entry has effects of such work
    uint64_t worked_position; // of the last entry that has; 0 for none in this epoch
    struct mark_request marks[MARK_REQUESTS_MAX]; // those that wait for a mark
    size_t mark_count;
    bool disk_full;         // the newest entries didn't fit on this node's disk yet
    uint64_t full_sequence; // disk requests up to this one were queued before that
    struct buffer payload;  // scratch
    struct buffer frame;    // scratch
};

void proposals_init(struct proposals *proposals, struct core *core, struct state *state);
void proposals_release(struct proposals *proposals);

// Begins afresh after the first entry of an epoch, whose time was `time_us`.
void proposals_start(struct proposals *proposals, uint64_t time_us, uint64_t now_us);
void proposals_stop(struct proposals *proposals);

// Executes a transaction, or claims one that is asked about, into the open entry. The caller has
// seen to it that this node may execute.
void proposals_on_transact(struct proposals *proposals, const struct event *event,
                           struct outbox *out);
void proposals_on_transact_status(struct proposals *proposals, const struct event *event,
                                  struct outbox *out);
void proposals_on_mark(struct proposals *proposals, const struct event *event, struct outbox *out);

// Looks for idle sessions now and then.
void proposals_expire_sessions(struct proposals *proposals, const struct event *event);

// Does a part of what the primary does on its own, if there is any and the part before is
// committed: documents that expire, history to be trimmed, jobs.
void proposals_work(struct proposals *proposals, const struct event *event, struct outbox *out);

// Closes the open entry when it is time: the one before is durable here, the pipeline has room, and
// as many requests have come as lately, or none came for a while.
void proposals_close_if_due(struct proposals *proposals, const struct event *event,
                            struct outbox *out);

// Sends the answers of all entries up to `position`.
void proposals_on_commit(struct proposals *proposals, uint64_t position, struct outbox *out);

// Whether nothing is open and nothing waits.
bool proposals_are_drained(const struct proposals *proposals);

#endif
