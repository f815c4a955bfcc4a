/*
 * The reader answers reads of clients from storage nodes, at the consistency asked for. serving.c
 * has the life of a read; here are the events, and what reads wait for: read points and marks.
 *
 * 1. A linearizable read waits for a read point all of whose messages were sent after the read
 *    arrived (rule 26). One read point is under way at a time, for all reads that had arrived when
 *    it began; those that arrive meanwhile share the next one. The first one after a pause begins
 *    when the messages that came together have all been taken: with the turn, or by a timer that
 *    is due at once.
 * 2. A read point that is not confirmed within a heartbeat is given up; so it is when the primary
 *    changes or says that it is none. Its reads wait for the next one.
 * 3. A mark sees everything acknowledged before it was asked for. It is begun at once; those who
 *    want one while it is under way share the next one.
 */
#include "actors/reader/reader.h"

#include "actors/reader/reader_internal.h"
#include "base/assert.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    READS_TIMER = 1,   // a read must be looked at
    POINT_TIMER = 2,   // a read point begins, or is given up
    STOP_TIMER = 3,    // what is pending at a stop is given up
    MARKING_TIMER = 4, // a mark is asked for, or given up
    STOP_US = 2 * 1000 * 1000,
};

struct reader *reader_new(const struct process *process)
{
    struct reader *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    agent_init(&self->agent, process);
    self->agent.self.state = MEMBER_ready;
    reads_init(&self->reads, process->seed ^ process->incarnation);
    points_init(&self->points, process->seed ^ process->incarnation,
                process->timings.heartbeat_ms * UINT64_C(1000));
    marking_init(&self->marking, process->seed ^ process->incarnation,
                 process->timings.suspect_after_ms * UINT64_C(1000));
    return self;
}

void reader_destroy(struct reader **take_reader)
{
    struct reader *self = *take_reader;
    if (self != NULL) {
        agent_release(&self->agent);
        reads_release(&self->reads);
        points_release(&self->points);
        marking_release(&self->marking);
        buffer_release(&self->canonical);
        free(self);
    }
    *take_reader = NULL;
}

// Counted, and told at every power of two.
void reader_on_unexpected(struct reader *self, const struct event *event, struct outbox *out)
{
    self->unexpected++;
    if ((self->unexpected & (self->unexpected - 1)) == 0) {
        outbox_log(out, LOG_WARNING, "event=unexpected_message kind=%s count=%" PRIu64,
                   message_kind_name(event->message->kind), self->unexpected);
    }
}

/*
 * Read points.
 */

// The read point is confirmed: its reads go on, and the next one begins.
static void on_point_confirmed(struct reader *self, uint64_t now_us, struct outbox *out)
{
    self->agent.self.applied_version = self->points.last_version;
    for (size_t i = 0; i < self->points.confirming.count; i++) {
        uint32_t slot;
        if (pending_find(&self->reads.pending, self->points.confirming.ids[i], &slot)) {
            reader_reach_point(self, slot, now_us, out);
        }
    }
    points_finish(&self->points);
    points_begin(&self->points, &self->replicas, now_us, out);
}

static void on_read_point_reply(struct reader *self, const struct event *event, struct outbox *out)
{
    bool is_confirmed;
    if (points_take_primary(&self->points, &event->message->read_point_reply, &is_confirmed) !=
        STATUS_ok) {
        reader_on_unexpected(self, event, out);
    } else if (is_confirmed) {
        on_point_confirmed(self, event->now_us, out);
    }
}

static void on_confirm_reply(struct reader *self, const struct event *event, struct outbox *out)
{
    bool is_confirmed;
    points_take_voter(&self->points, &event->message->confirm_reply, &is_confirmed);
    if (is_confirmed) {
        on_point_confirmed(self, event->now_us, out);
    }
}

/*
 * Marks.
 */

// The version is marked: those who waited for it go on, and the next mark begins.
static void on_mark_reply(struct reader *self, const struct event *event, struct outbox *out)
{
    struct marking *marking = &self->marking;
    if (!marking_take(marking, &event->message->mark_reply)) {
        return; // given up before
    }
    for (size_t i = 0; i < marking->asked.count; i++) {
        uint32_t slot;
        if (pending_find(&self->reads.pending, marking->asked.ids[i], &slot)) {
            reader_reach_mark(self, slot, event, out);
        }
    }
    marking_finish(marking);
    marking_begin(marking, &self->replicas, event->now_us, out);
}

// No version can be marked while the disks are full; anything else may be better a little later.
static void on_mark_refusal(struct reader *self, const struct event *event, struct outbox *out)
{
    struct marking *marking = &self->marking;
    const struct message_refusal *refusal = &event->message->refusal;
    if (refusal->request != marking->id || marking->asked_us == 0) {
        return;
    }
    marking_hold(marking, event->now_us);
    if (refusal->status != STATUS_read_only) {
        return;
    }
    for (size_t i = 0; i < marking->asked.count; i++) {
        uint32_t slot;
        if (pending_find(&self->reads.pending, marking->asked.ids[i], &slot)) {
            reads_fail(&self->reads, slot, STATUS_read_only,
                       "no version can be marked, to read pages at it, while disks are full", out);
        }
    }
    marking->asked.count = 0;
}

static void on_marking_timer(struct reader *self, uint64_t now_us, struct outbox *out)
{
    self->marking_timer_us = 0;
    marking_expire(&self->marking, now_us);
    marking_begin(&self->marking, &self->replicas, now_us, out);
}

// A storage node refused a read point, its confirmation, a mark, or a read.
static void on_refusal(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message_refusal *refusal = &event->message->refusal;
    if (!points_is_own_id(refusal->request)) {
        reader_on_read_answer(self, event, (enum status)refusal->status, out);
    } else if (marking_is_own_id(refusal->request)) {
        on_mark_refusal(self, event, out);
    } else if (refusal->request == self->points.point.request &&
               event->from == self->points.primary) {
        points_hold(&self->points, event->now_us);
    }
}

static void on_point_timer(struct reader *self, uint64_t now_us, struct outbox *out)
{
    self->point_timer_us = 0;
    points_expire(&self->points, &self->replicas, now_us);
    points_begin(&self->points, &self->replicas, now_us, out);
}

/*
 * The cluster.
 */

static void on_topology(struct reader *self, uint64_t now_us, struct outbox *out)
{
    const struct topology *topology = self->agent.topology;
    replicas_update(&self->replicas, topology, out);
    const struct topology_member *primary = topology_primary(topology);
    uint64_t address = primary == NULL ? 0 : primary->address;
    uint64_t epoch = topology_epoch(topology);
    if (address != self->points.primary || epoch != self->primary_epoch) {
        self->primary_epoch = epoch;
        points_set_primary(&self->points, address);
        marking_set_primary(&self->marking, address);
        points_begin(&self->points, &self->replicas, now_us, out);
        marking_begin(&self->marking, &self->replicas, now_us, out);
    }
}

static void on_peer_up(struct reader *self, const struct event *event, struct outbox *out)
{
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link != NULL) {
        link->is_down = false;
        points_begin(&self->points, &self->replicas, event->now_us, out);
        marking_begin(&self->marking, &self->replicas, event->now_us, out);
    }
}

// What a lost replica has is sent to others; a read point or mark of a lost primary is given up.
static void on_peer_down(struct reader *self, const struct event *event, struct outbox *out)
{
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link == NULL) {
        return;
    }
    link->is_down = true;
    if (event->from == self->points.primary) {
        points_abandon(&self->points);
        marking_abandon(&self->marking);
    }
    reader_leave_node(self, event, out);
}

// Answers count only if a storage node gave them.
static void on_storage_message(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message *message = event->message;
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link == NULL) {
        reader_on_unexpected(self, event, out);
        return;
    }
    link->is_silent = false;
    switch (message->kind) {
    case MESSAGE_read_reply:
        reader_on_read_answer(self, event, (enum status)message->read_reply.status, out);
        break;
    case MESSAGE_read_point_reply: on_read_point_reply(self, event, out); break;
    case MESSAGE_confirm_reply: on_confirm_reply(self, event, out); break;
    case MESSAGE_mark_reply: on_mark_reply(self, event, out); break;
    case MESSAGE_refusal: on_refusal(self, event, out); break;
    default: reader_on_unexpected(self, event, out); break;
    }
}

static void on_message(struct reader *self, const struct event *event, struct outbox *out)
{
    switch (event->message->kind) {
    case MESSAGE_read: reader_on_read(self, event, out); break;
    case MESSAGE_mark: reader_on_mark(self, event, out); break;
    default: on_storage_message(self, event, out); break;
    }
}

static void on_timer(struct reader *self, const struct event *event, struct outbox *out)
{
    switch (event->timer) {
    case READS_TIMER:
        self->reads_timer_us = 0;
        reader_on_reads_due(self, event, out);
        break;
    case POINT_TIMER: on_point_timer(self, event->now_us, out); break;
    case MARKING_TIMER: on_marking_timer(self, event->now_us, out); break;
    case STOP_TIMER: outbox_stop(out, EXIT_CLEAN, "asked to, with reads pending"); break;
    default: break;
    }
}

static void on_stop(struct reader *self, const struct event *event, struct outbox *out)
{
    if (!self->is_stopping) {
        self->is_stopping = true;
        outbox_timer(out, STOP_TIMER, event->now_us + STOP_US);
    }
}

// Sets `timer`, which is set to `*kept_us`; one that is due already stays as it is.
static void set_timer(struct outbox *out, uint32_t timer, uint64_t *kept_us, uint64_t at_us,
                      uint64_t now_us)
{
    bool is_due = *kept_us != 0 && *kept_us <= now_us;
    if (at_us != *kept_us && !(is_due && at_us == now_us)) {
        *kept_us = at_us;
        outbox_timer(out, timer, at_us);
    }
}

static void set_timers(struct reader *self, uint64_t now_us, struct outbox *out)
{
    uint64_t wake_us = pending_next_wake(&self->reads.pending);
    set_timer(out, READS_TIMER, &self->reads_timer_us, wake_us == UINT64_MAX ? 0 : wake_us, now_us);
    set_timer(out, POINT_TIMER, &self->point_timer_us,
              points_next_us(&self->points, &self->replicas, now_us), now_us);
    set_timer(out, MARKING_TIMER, &self->marking_timer_us,
              marking_next_us(&self->marking, &self->replicas, now_us), now_us);
}

void reader_step(struct reader *self, const struct event *event, struct outbox *out)
{
    switch (agent_step(&self->agent, event, out)) {
    case AGENT_HANDLED: return;
    case AGENT_TOPOLOGY_CHANGED: on_topology(self, event->now_us, out); break;
    case AGENT_PASSED:
        switch (event->kind) {
        case EVENT_MESSAGE: on_message(self, event, out); break;
        case EVENT_TIMER: on_timer(self, event, out); break;
        case EVENT_PEER_UP: on_peer_up(self, event, out); break;
        case EVENT_PEER_DOWN: on_peer_down(self, event, out); break;
        case EVENT_TURN: points_begin(&self->points, &self->replicas, event->now_us, out); break;
        case EVENT_STOP: on_stop(self, event, out); break;
        default: break;
        }
        break;
    }
    if (self->is_stopping && self->reads.pending.count == 0) {
        outbox_stop(out, EXIT_CLEAN, "asked to");
    }
    set_timers(self, event->now_us, out);
}
