/*
 * The reader answers reads of clients from storage nodes, at the consistency asked for.
 *
 *   linearizable, bounded any: GATHERED ── read point confirmed ──► READY ──► SENT ──► answered
 *   session, snapshot, any:                                         READY ──► SENT ──► answered
 *                                                                     ▲         │
 *                                                                     └─────────┘ no answer in
 *                                                          time, or the replica could not: another
 *
 * 1. A linearizable read waits for a read point all of whose messages were sent after the read
 *    arrived (rule 26). One read point is under way at a time, for all reads that had arrived when
 *    it began; those that arrive meanwhile share the next one. The first one after a pause begins
 *    when the messages that came together have all been taken: with the turn, or by a timer that
 *    is due at once.
 * 2. A read point that is not confirmed within a heartbeat is given up; so it is when the primary
 *    changes or says that it is none. Its reads wait for the next one.
 * 3. Whatever the level, the answer comes from a storage node, which sees to it that it has applied
 *    the version asked for. A reader is never a reason for an older answer.
 * 4. A read is certainly not done when its deadline passes: reading changes nothing.
 */
#include "actors/reader/reader.h"

#include "actors/reader/points.h"
#include "actors/reader/reads.h"
#include "actors/reader/replicas.h"
#include "base/assert.h"
#include "cluster/agent.h"
#include "wire/document/operation.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    READS_TIMER = 1,        // a read must be looked at
    POINT_TIMER = 2,        // a read point begins, or is given up
    STOP_TIMER = 3,         // what is pending at a stop is given up
    BACKOFF_US = 10 * 1000, // when no replica could answer they are asked again after this
    AVOID_US = 100 * 1000,  // a replica that let a read wait is avoided for this
    STOP_US = 2 * 1000 * 1000,
};

struct reader {
    struct agent agent;
    struct reads reads;
    struct replicas replicas;
    struct points points;
    uint64_t primary_epoch;  // of the primary, as the topology says
    uint64_t reads_timer_us; // what READS_TIMER is set to; 0 for not set
    uint64_t point_timer_us; // what POINT_TIMER is set to; 0 for not set
    uint64_t unexpected;     // messages that nobody should have sent here
    bool is_stopping;        // takes nothing any more
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
    return self;
}

void reader_destroy(struct reader **take_reader)
{
    struct reader *self = *take_reader;
    if (self != NULL) {
        agent_release(&self->agent);
        reads_release(&self->reads);
        points_release(&self->points);
        free(self);
    }
    *take_reader = NULL;
}

// A message that nobody should have sent here: counted, and told at every power of two.
static void on_unexpected(struct reader *self, const struct event *event, struct outbox *out)
{
    self->unexpected++;
    if ((self->unexpected & (self->unexpected - 1)) == 0) {
        outbox_log(out, LOG_WARNING, "event=unexpected_message kind=%s count=%" PRIu64,
                   message_kind_name(event->message->kind), self->unexpected);
    }
}

/*
 * Replicas: a read that knows which version it needs is sent to one after another.
 */

// The replica that has the read is rid of it.
static void leave_replica(struct reader *self, struct read_request *read)
{
    if (read->stage == READ_SENT) {
        struct replica_link *link = replicas_find(&self->replicas, read->replica);
        if (link != NULL && link->outstanding > 0) {
            link->outstanding--;
        }
        read->stage = READ_READY;
    }
}

// Sends a READY read to a replica it has not tried; if there is none, all may be tried again later.
static void send_read(struct reader *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    struct replica_link *link = replicas_choose(&self->replicas, read->tried, now_us);
    if (link == NULL) {
        read->tried = 0;
        reads_wake_at(&self->reads, slot, now_us + BACKOFF_US);
        return;
    }
    link->outstanding++;
    reads_send(&self->reads, slot, link->address, now_us, out);
}

// The replica could not answer. The last one to say `too_old` or `busy` has the last word.
static void try_another(struct reader *self, uint32_t slot, enum status status, uint64_t now_us,
                        struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    struct replica_link *link = replicas_find(&self->replicas, read->replica);
    leave_replica(self, read);
    if (link != NULL) {
        read->tried |= replicas_bit(&self->replicas, link);
    }
    bool is_last = replicas_choose(&self->replicas, read->tried, now_us) == NULL;
    if (is_last && status == STATUS_too_old) {
        reads_fail(&self->reads, slot, status,
                   "no replica keeps this version any more; read a newer one", out);
    } else if (is_last && status == STATUS_busy) {
        reads_fail(&self->reads, slot, status, "all replicas are busy; try again a little later",
                   out);
    } else {
        send_read(self, slot, now_us, out);
    }
}

// Whether another replica may do better than one that answered so.
static bool may_try_another(enum status status)
{
    switch (status) {
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_unavailable:
    case STATUS_stale:
    case STATUS_not_primary:
    case STATUS_too_old:
    case STATUS_damaged:
    case STATUS_internal: return true;
    default: return false;
    }
}

// A read that was sent has an answer.
static void finish_read(struct reader *self, uint32_t slot, const struct event *event,
                        struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    const struct message_read_reply *reply = &event->message->read_reply;
    if (reply->status == STATUS_ok && reply->version < read->after_version) {
        on_unexpected(self, event, out);
        try_another(self, slot, STATUS_stale, event->now_us, out);
        return;
    }
    leave_replica(self, read);
    if (read->lag_us_max != 0 && event->now_us - read->point_us > read->lag_us_max) {
        reads_fail(&self->reads, slot, STATUS_stale,
                   "the answer came, but later than the lag that was asked for allows", out);
        return;
    }
    reads_finish(&self->reads, slot, reply, out);
}

// A storage node answered or refused a read.
static void on_read_answer(struct reader *self, const struct event *event, enum status status,
                           struct outbox *out)
{
    uint32_t slot;
    if (!pending_find(&self->reads.pending, message_request(event->message), &slot)) {
        return; // answered before, or too late
    }
    struct read_request *read = reads_at(&self->reads, slot);
    if (read->stage == READ_GATHERED) {
        on_unexpected(self, event, out);
    } else if (status == STATUS_ok || !may_try_another(status)) {
        if (event->message->kind == MESSAGE_read_reply) {
            finish_read(self, slot, event, out);
        } else {
            leave_replica(self, read);
            reads_fail(&self->reads, slot, status, "a storage node refused the read", out);
        }
    } else if (read->stage == READ_SENT && read->replica == event->from) {
        try_another(self, slot, status, event->now_us, out);
    }
}

/*
 * Read points.
 */

// The read knows its version now.
static void reach_point(struct reader *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    uint64_t version = self->points.last_version;
    read->after_version = version > read->slack ? version - read->slack : 0;
    read->point_us = self->points.last_sent_us;
    read->stage = READ_READY;
    send_read(self, slot, now_us, out);
}

// The read point is confirmed: its reads go on, and the next one begins.
static void on_point_confirmed(struct reader *self, uint64_t now_us, struct outbox *out)
{
    self->agent.self.applied_version = self->points.last_version;
    for (size_t i = 0; i < self->points.confirming.count; i++) {
        uint32_t slot;
        if (pending_find(&self->reads.pending, self->points.confirming.ids[i], &slot)) {
            reach_point(self, slot, now_us, out);
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
        on_unexpected(self, event, out);
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

// A storage node refused a read point, its confirmation, or a read.
static void on_refusal(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message_refusal *refusal = &event->message->refusal;
    if (!points_is_own_id(refusal->request)) {
        on_read_answer(self, event, (enum status)refusal->status, out);
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
 * Reads of clients.
 */

// What is wrong with a read, but for its operations; NULL for nothing.
static const char *fault_of(const struct message_read *read)
{
    if (read->request == 0) {
        return "a request needs an id other than 0";
    }
    if (read->level < READ_linearizable || read->level > READ_any) {
        return "the level is none of linearizable, session, snapshot and any";
    }
    if (read->timeout_ms < DEADLINE_MS_MIN || read->timeout_ms > DEADLINE_MS_MAX) {
        return "the time left must be between 1 ms and 10 minutes";
    }
    return NULL;
}

static enum status check_operations(struct bytes blob, struct operation_fault *ret_fault)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, ret_fault));
    if (operations.count > READ_OPERATIONS_MAX) {
        *ret_fault = (struct operation_fault){.sentence = "a read takes at most 1000 gets"};
        return STATUS_too_large;
    }
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, ret_fault));
        if (operation.kind != OPERATION_get) {
            *ret_fault = (struct operation_fault){
                .operation = operations.taken,
                .sentence = "a read takes gets only; send other operations as a transaction"};
            return STATUS_bad_request;
        }
    }
    return STATUS_ok;
}

// The read waits for the next read point.
static void gather(struct reader *self, uint32_t slot)
{
    points_gather(&self->points, pending_id(&self->reads.pending, slot));
}

// `any` with a bound on its lag: the last read point serves if it is young enough, else the read
// waits for a new one, not longer than a primary would be waited for.
static void start_bounded(struct reader *self, uint32_t slot, const struct event *event,
                          struct outbox *out)
{
    const struct message_read *asked = &event->message->read;
    struct read_request *read = reads_at(&self->reads, slot);
    uint64_t suspect_us = self->agent.process->timings.suspect_after_ms * UINT64_C(1000);
    read->lag_us_max = asked->lag_ms_max * UINT64_C(1000);
    read->slack = read->lag_us_max != 0 ? 0 : asked->lag_versions_max;
    read->expiry = STATUS_stale;
    uint64_t age_us_max = read->lag_us_max != 0 ? read->lag_us_max : suspect_us;
    bool is_young = self->points.last_sent_us != 0 &&
                    event->now_us - self->points.last_sent_us <= age_us_max / 2;
    if (is_young) {
        reach_point(self, slot, event->now_us, out);
        return;
    }
    if (read->deadline_us > event->now_us + suspect_us) {
        read->deadline_us = event->now_us + suspect_us;
    }
    reads_wake_at(&self->reads, slot, UINT64_MAX);
    gather(self, slot);
}

static void start_read(struct reader *self, uint32_t slot, const struct event *event,
                       struct outbox *out)
{
    const struct message_read *asked = &event->message->read;
    bool is_bounded = asked->lag_ms_max != 0 || asked->lag_versions_max != 0;
    if (asked->level == READ_linearizable) {
        gather(self, slot);
    } else if (asked->level == READ_any && is_bounded) {
        start_bounded(self, slot, event, out);
    } else {
        reads_at(&self->reads, slot)->stage = READ_READY;
        send_read(self, slot, event->now_us, out);
    }
}

static void on_read(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message_read *read = &event->message->read;
    const char *fault = fault_of(read);
    if (fault != NULL) {
        reads_refuse(event, STATUS_bad_request, fault, out);
        return;
    }
    struct operation_fault operation_fault;
    enum status status = check_operations(read->operations, &operation_fault);
    if (status != STATUS_ok) {
        reads_refuse(event, status, operation_fault.sentence, out);
        return;
    }
    if (self->is_stopping) {
        reads_refuse(event, STATUS_unavailable, "this reader is stopping; ask another one", out);
        return;
    }
    uint32_t slot;
    if (!reads_add(&self->reads, event, &slot)) {
        reads_refuse(event, STATUS_busy,
                     "this reader carries as many reads as it can; try again a little later", out);
        return;
    }
    start_read(self, slot, event, out);
}

static const char *expiry_sentence(enum status status)
{
    return status == STATUS_stale
               ? "the state could not be shown to be as recent as was asked for"
               : "the time was over before a storage node could answer; nothing was read";
}

// Reads whose deadline has passed, whose replica let them wait, or that can be sent again.
static void on_reads_timer(struct reader *self, uint64_t now_us, struct outbox *out)
{
    self->reads_timer_us = 0;
    uint32_t slot;
    while (pending_due(&self->reads.pending, now_us, &slot)) {
        struct read_request *read = reads_at(&self->reads, slot);
        if (now_us >= read->deadline_us) {
            leave_replica(self, read);
            reads_fail(&self->reads, slot, read->expiry, expiry_sentence(read->expiry), out);
        } else if (read->stage == READ_SENT) {
            struct replica_link *link = replicas_find(&self->replicas, read->replica);
            if (link != NULL) {
                link->avoid_until_us = now_us + AVOID_US;
            }
            try_another(self, slot, STATUS_deadline, now_us, out);
        } else if (read->stage == READ_READY) {
            send_read(self, slot, now_us, out);
        }
    }
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
        points_begin(&self->points, &self->replicas, now_us, out);
    }
}

static void on_peer_up(struct reader *self, const struct event *event, struct outbox *out)
{
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link != NULL) {
        link->is_down = false;
        points_begin(&self->points, &self->replicas, event->now_us, out);
    }
}

// What a lost replica has is sent to others; a read point of a lost primary is given up.
static void on_peer_down(struct reader *self, const struct event *event, struct outbox *out)
{
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link == NULL) {
        return;
    }
    link->is_down = true;
    if (event->from == self->points.primary) {
        points_abandon(&self->points);
    }
    const struct pending *pending = &self->reads.pending;
    uint32_t next;
    for (uint32_t slot = pending->first; slot != PENDING_NONE; slot = next) {
        next = pending_after(pending, slot);
        const struct read_request *read = reads_at(&self->reads, slot);
        if (read->stage == READ_SENT && read->replica == event->from) {
            try_another(self, slot, STATUS_unavailable, event->now_us, out);
        }
    }
}

// Answers count only if a storage node gave them.
static void on_storage_message(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message *message = event->message;
    struct replica_link *link = replicas_find(&self->replicas, event->from);
    if (link == NULL) {
        on_unexpected(self, event, out);
        return;
    }
    link->is_silent = false;
    switch (message->kind) {
    case MESSAGE_read_reply:
        on_read_answer(self, event, (enum status)message->read_reply.status, out);
        break;
    case MESSAGE_read_point_reply: on_read_point_reply(self, event, out); break;
    case MESSAGE_confirm_reply: on_confirm_reply(self, event, out); break;
    case MESSAGE_refusal: on_refusal(self, event, out); break;
    default: on_unexpected(self, event, out); break;
    }
}

static void on_message(struct reader *self, const struct event *event, struct outbox *out)
{
    if (event->message->kind == MESSAGE_read) {
        on_read(self, event, out);
    } else {
        on_storage_message(self, event, out);
    }
}

static void on_timer(struct reader *self, const struct event *event, struct outbox *out)
{
    switch (event->timer) {
    case READS_TIMER: on_reads_timer(self, event->now_us, out); break;
    case POINT_TIMER: on_point_timer(self, event->now_us, out); break;
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

// A timer that is due already stays as it is.
static void set_timers(struct reader *self, uint64_t now_us, struct outbox *out)
{
    uint64_t wake_us = pending_next_wake(&self->reads.pending);
    uint64_t reads_us = wake_us == UINT64_MAX ? 0 : wake_us;
    if (reads_us != self->reads_timer_us) {
        self->reads_timer_us = reads_us;
        outbox_timer(out, READS_TIMER, reads_us);
    }
    uint64_t point_us = points_next_us(&self->points, &self->replicas, now_us);
    bool is_due = self->point_timer_us != 0 && self->point_timer_us <= now_us;
    if (point_us != self->point_timer_us && !(is_due && point_us == now_us)) {
        self->point_timer_us = point_us;
        outbox_timer(out, POINT_TIMER, point_us);
    }
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
