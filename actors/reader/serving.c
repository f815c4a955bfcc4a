/*
 * The life of a read, from the message that a client sent to the answer.
 *
 *   linearizable, bounded any, a time:  GATHERED ── read point confirmed ──► READY
 *   session, any, a version:             ─────────────────────────────────► READY
 *
 *            ┌── no answer in time, or the replica can't: another one ──┐
 *            ▼                                                          │
 *          READY ─────────────────────────────────────────────────────► SENT ──► answered
 *            ▲                                                          │
 *            └──── version marked ──── MARKING ◄── more rows than the page has room for
 *
 *   a client's mark:  MARKING ── version marked ──► answered
 *
 * 1. Whatever the level, the answer comes from a storage node, which sees to it that it has applied
 *    the version asked for. A reader is never a reason for an older answer.
 * 2. A cursor names a version that stays readable. A find whose page was not the last one and was
 *    read at a version of no mark is read again at a marked one; what it answered is dropped. A
 *    find with a cursor is read at the version of the cursor, whatever the level says.
 * 3. What was there at some time is known to a node that has applied everything acknowledged by
 *    now: such a read waits for a read point.
 * 4. An answer that comes late, from a replica that was given up, counts as well, unless the read
 *    has gone on to a marked version.
 * 5. A read is certainly not done when its deadline passes: reading changes nothing.
 */
#include "actors/reader/reader_internal.h"
#include "base/bug.h"

enum {
    BACKOFF_US = 10 * 1000, // when no replica could answer they are asked again after this
    AVOID_US = 100 * 1000,  // a replica that let a read wait is avoided for this
};

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

// No replica keeps the version: the last one to say so knows best what could be read instead.
static void fail_too_old(struct reader *self, uint32_t slot, const struct event *event,
                         struct outbox *out)
{
    if (event->message->kind == MESSAGE_read_reply) {
        reads_finish(&self->reads, slot, &event->message->read_reply, out);
    } else {
        reads_fail(&self->reads, slot, STATUS_too_old,
                   "no replica keeps this version any more; read a newer one", out);
    }
}

// The replica could not answer. The last one to say `too_old` or `busy` has the last word.
static void try_another(struct reader *self, uint32_t slot, enum status status,
                        const struct event *event, struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    struct replica_link *link = replicas_find(&self->replicas, read->replica);
    leave_replica(self, read);
    if (link != NULL) {
        read->tried |= replicas_bit(&self->replicas, link);
    }
    bool is_last = replicas_choose(&self->replicas, read->tried, event->now_us) == NULL;
    if (is_last && status == STATUS_too_old) {
        fail_too_old(self, slot, event, out);
    } else if (is_last && status == STATUS_busy) {
        reads_fail(&self->reads, slot, status, "all replicas are busy; try again a little later",
                   out);
    } else {
        send_read(self, slot, event->now_us, out);
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

void reader_leave_node(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct pending *pending = &self->reads.pending;
    uint32_t next;
    for (uint32_t slot = pending->first; slot != PENDING_NONE; slot = next) {
        next = pending_after(pending, slot);
        const struct read_request *read = reads_at(&self->reads, slot);
        if (read->stage == READ_SENT && read->replica == event->from) {
            try_another(self, slot, STATUS_unavailable, event, out);
        }
    }
}

/*
 * Answers.
 */

// The request waits for the next mark.
static void want_mark(struct reader *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    reads_at(&self->reads, slot)->stage = READ_MARKING;
    reads_wake_at(&self->reads, slot, UINT64_MAX);
    id_list_sweep(&self->marking.wanted, &self->reads.pending);
    marking_add(&self->marking, pending_id(&self->reads.pending, slot));
    marking_begin(&self->marking, &self->replicas, now_us, out);
}

void reader_reach_mark(struct reader *self, uint32_t slot, const struct event *event,
                       struct outbox *out)
{
    const struct message_mark_reply *mark = &event->message->mark_reply;
    struct read_request *read = reads_at(&self->reads, slot);
    if (read->is_mark) {
        reads_finish_mark(&self->reads, slot, mark, out);
        return;
    }
    if (mark->version < read->after_version) {
        reader_on_unexpected(self, event, out);
        want_mark(self, slot, event->now_us, out);
        return;
    }
    read->level = READ_snapshot;
    read->at_version = mark->version;
    read->at_position = mark->position;
    read->is_marked = true;
    read->point_us = self->marking.asked_us;
    read->tried = 0;
    read->stage = READ_READY;
    send_read(self, slot, event->now_us, out);
}

// Whether the answer is at a version that the read allows. A read at a time is answered at the
// version that was current then.
static bool is_at_allowed_version(const struct read_request *read,
                                  const struct message_read_reply *reply)
{
    if (read->is_marked) {
        return reply->version == read->at_version;
    }
    return read->at_time_us != 0 || reply->version >= read->after_version;
}

// A read has an answer that is none of an earlier stage.
static void finish_read(struct reader *self, uint32_t slot, const struct event *event,
                        struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    const struct message_read_reply *reply = &event->message->read_reply;
    bool has_more = reply->status == STATUS_ok && read->has_find && asked_for_more(reply->results);
    bool is_allowed = reply->status != STATUS_ok || is_at_allowed_version(read, reply);
    if (!is_allowed || (has_more && read->level == READ_snapshot)) {
        reader_on_unexpected(self, event, out);
        try_another(self, slot, STATUS_stale, event, out);
        return;
    }
    leave_replica(self, read);
    if (has_more) {
        want_mark(self, slot, event->now_us, out);
        return;
    }
    if (read->lag_us_max != 0 && event->now_us - read->point_us > read->lag_us_max) {
        reads_fail(&self->reads, slot, STATUS_stale,
                   "the answer came, but later than the lag that was asked for allows", out);
        return;
    }
    reads_finish(&self->reads, slot, reply, out);
}

// Whether an answer from anybody is the page at the marked version.
static bool is_of_mark(const struct read_request *read, const struct message *answer)
{
    return answer->kind == MESSAGE_read_reply && answer->read_reply.status == STATUS_ok &&
           answer->read_reply.version == read->at_version &&
           !asked_for_more(answer->read_reply.results);
}

// An answer that ends the read, or nearly.
static void take_answer(struct reader *self, uint32_t slot, const struct event *event,
                        enum status status, struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    bool is_its_own = read->stage == READ_SENT && read->replica == event->from;
    if (read->is_marked && !is_its_own && !is_of_mark(read, event->message)) {
        return; // of the time before the mark
    }
    if (event->message->kind == MESSAGE_read_reply) {
        finish_read(self, slot, event, out);
        return;
    }
    leave_replica(self, read);
    reads_fail(&self->reads, slot, status, "a storage node refused the read", out);
}

void reader_on_read_answer(struct reader *self, const struct event *event, enum status status,
                           struct outbox *out)
{
    uint32_t slot;
    if (!pending_find(&self->reads.pending, message_request(event->message), &slot)) {
        return; // answered before, or too late
    }
    const struct read_request *read = reads_at(&self->reads, slot);
    if (read->stage == READ_GATHERED || read->is_mark) {
        reader_on_unexpected(self, event, out);
    } else if (read->stage == READ_MARKING) {
        return; // the second answer to what waits for a mark now
    } else if (status == STATUS_ok || !may_try_another(status)) {
        take_answer(self, slot, event, status, out);
    } else if (read->stage == READ_SENT && read->replica == event->from) {
        try_another(self, slot, status, event, out);
    }
}

/*
 * Reads of clients.
 */

// What is wrong with the time that was given; NULL for nothing.
static const char *fault_of_request(uint64_t request, uint32_t timeout_ms)
{
    if (request == 0) {
        return "a request needs an id other than 0";
    }
    if (timeout_ms < DEADLINE_MS_MIN || timeout_ms > DEADLINE_MS_MAX) {
        return "the time left must be between 1 ms and 10 minutes";
    }
    return NULL;
}

// What is wrong with a read, but for its operations; NULL for nothing.
static const char *fault_of_read(const struct message_read *read)
{
    if (read->level < READ_linearizable || read->level > READ_any) {
        return "the level is none of linearizable, session, snapshot and any";
    }
    if (read->at_time_us != 0 && read->level != READ_snapshot) {
        return "only a snapshot is read at a time";
    }
    if (read->at_time_us != 0 && read->at_version != 0) {
        return "a snapshot is read at a version or at a time, not at both";
    }
    return fault_of_request(read->request, read->timeout_ms);
}

// The read waits for the next read point.
static void gather(struct reader *self, uint32_t slot)
{
    id_list_sweep(&self->points.gathered, &self->reads.pending);
    points_gather(&self->points, pending_id(&self->reads.pending, slot));
}

void reader_reach_point(struct reader *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    struct read_request *read = reads_at(&self->reads, slot);
    uint64_t version = self->points.last_version;
    read->after_version = version > read->slack ? version - read->slack : 0;
    read->point_us = self->points.last_sent_us;
    read->stage = READ_READY;
    send_read(self, slot, now_us, out);
}

// `any` with a bound on its lag: the last read point serves if it is young enough, else the read
// waits for a new one, not longer than a primary would be waited for.
static void start_bounded(struct reader *self, uint32_t slot, const struct event *event,
                          struct outbox *out)
{
    const struct message_read *asked = &event->message->read;
    struct read_request *read = reads_at(&self->reads, slot);
    uint64_t suspect_us = self->agent.process->timings.suspect_after_ms * UINT64_C(1000);
    read->lag_us_max = BUG(35) ? UINT64_MAX : asked->lag_ms_max * UINT64_C(1000);
    read->slack = read->lag_us_max != 0 ? 0 : asked->lag_versions_max;
    read->expiry = STATUS_stale;
    uint64_t age_us_max = read->lag_us_max != 0 ? read->lag_us_max : suspect_us;
    bool is_young = self->points.last_sent_us != 0 &&
                    event->now_us - self->points.last_sent_us <= age_us_max / 2;
    if (is_young) {
        reader_reach_point(self, slot, event->now_us, out);
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
    struct read_request *read = reads_at(&self->reads, slot);
    bool is_bounded = asked->lag_ms_max != 0 || asked->lag_versions_max != 0;
    if (read->level == READ_linearizable || read->at_time_us != 0) {
        gather(self, slot);
    } else if (read->level == READ_any && is_bounded) {
        start_bounded(self, slot, event, out);
    } else {
        read->stage = READ_READY;
        send_read(self, slot, event->now_us, out);
    }
}

// Refuses what a reader that stops, or one that is full, does not take.
static void refuse_untaken(const struct reader *self, const struct event *event, struct outbox *out)
{
    if (self->is_stopping) {
        reads_refuse(event, STATUS_unavailable, "this reader is stopping; ask another one", out);
    } else {
        reads_refuse(event, STATUS_busy,
                     "this reader carries as many reads as it can; try again a little later", out);
    }
}

void reader_on_read(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message_read *read = &event->message->read;
    const char *fault = fault_of_read(read);
    if (fault != NULL) {
        reads_refuse(event, STATUS_bad_request, fault, out);
        return;
    }
    struct asked asked;
    struct operation_fault operation_fault;
    buffer_clear(&self->canonical);
    enum status status = asked_check(read->operations, &self->canonical, &asked, &operation_fault);
    if (status != STATUS_ok) {
        reads_refuse(event, status, operation_fault.sentence, out);
        return;
    }
    struct bytes canonical = buffer_bytes(&self->canonical);
    uint32_t slot;
    if (self->is_stopping ||
        !reads_add(&self->reads, event, asked.has_scan ? canonical : read->operations, &asked,
                   &slot)) {
        refuse_untaken(self, event, out);
        return;
    }
    start_read(self, slot, event, out);
}

void reader_on_mark(struct reader *self, const struct event *event, struct outbox *out)
{
    const struct message_mark *mark = &event->message->mark;
    const char *fault = fault_of_request(mark->request, mark->timeout_ms);
    uint32_t slot;
    if (fault != NULL) {
        reads_refuse(event, STATUS_bad_request, fault, out);
    } else if (self->is_stopping || !reads_add_mark(&self->reads, event, &slot)) {
        refuse_untaken(self, event, out);
    } else {
        want_mark(self, slot, event->now_us, out);
    }
}

static const char *expiry_sentence(const struct read_request *read)
{
    if (read->expiry == STATUS_stale) {
        return "the state could not be shown to be as recent as was asked for";
    }
    if (read->stage == READ_MARKING) {
        return "the time was over before a primary could mark a version; nothing was read";
    }
    return "the time was over before a storage node could answer; nothing was read";
}

void reader_on_reads_due(struct reader *self, const struct event *event, struct outbox *out)
{
    uint32_t slot;
    uint64_t now_us = event->now_us;
    while (pending_due(&self->reads.pending, now_us, &slot)) {
        struct read_request *read = reads_at(&self->reads, slot);
        if (now_us >= read->deadline_us) {
            const char *sentence = expiry_sentence(read);
            leave_replica(self, read);
            reads_fail(&self->reads, slot, read->expiry, sentence, out);
        } else if (read->stage == READ_SENT) {
            struct replica_link *link = replicas_find(&self->replicas, read->replica);
            if (link != NULL) {
                link->avoid_until_us = now_us + AVOID_US;
            }
            try_another(self, slot, STATUS_deadline, event, out);
        } else if (read->stage == READ_READY) {
            send_read(self, slot, now_us, out);
        }
    }
}
