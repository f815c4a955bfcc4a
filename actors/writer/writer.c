/*
 * The writer carries transactions from clients to the primary. It keeps nothing on disk: the
 * session table of the storage nodes makes every transaction run once however often it is sent
 * (rule 29), so all the writer has to do is not to give up too early and never to say more than it
 * knows.
 *
 *              on_transact            on_outcome, a final one
 *   client ───────────────► pending ─────────────────────────► answered
 *                            │   ▲
 *               send_pending │   │ not_primary, unknown_outcome, nothing heard for a while:
 *                            ▼   │ sent again, to the primary of the newest topology
 *                           primary
 *
 * 1. A transaction is sent with an id of the writer's own and kept until a final answer came or its
 *    deadline passed.
 * 2. "Not done" and failures are passed on only if no other copy of the transaction can be on its
 *    way: cluster/once.h says when, and what is done otherwise.
 * 3. A deadline passes as `deadline` if no copy was taken by anybody, else as `unknown_outcome`,
 *    naming session and sequence (rule 30).
 * 4. Everything pending is sent in the order in which it came, when the primary changes and when
 *    the connection to it comes back.
 * 5. Nothing goes out while there is no primary, or it said that it is none. It is asked again a
 *    little later, and then less and less often: a switchover that was given up leaves it in its
 *    place. What waits is sent by send_all() as soon as something may be sent.
 *
 * Kept connections: to every node that has led, as long as it is in the topology. A deposed primary
 * may still bring outcomes that were committed in its time.
 */
#include "actors/writer/writer.h"

#include "actors/writer/transaction.h"
#include "base/assert.h"
#include "cluster/agent.h"
#include "wire/document/operation.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    PENDING_TIMER = 1,        // a transaction must be looked at
    HOLD_TIMER = 2,           // the primary is asked again
    STOP_TIMER = 3,           // what is pending at a stop is given up
    HOLD_US = 20 * 1000,      // a primary that said it is none is asked again after this
    HOLD_US_MAX = 320 * 1000, // and, having said so again, at most after this
    STOP_US = 2 * 1000 * 1000,
    LINK_COUNT_MAX = 16, // nodes that have led and are connected
    BUSY_RETRY_MS = 20,  // what a client is told when the writer is full
};

enum link_state {
    LINK_NEW,  // asked for; what is sent waits for the connection
    LINK_UP,   // stands
    LINK_DOWN, // refused
};

// A connection to a storage node that leads or has led.
struct link {
    uint64_t address;
    enum link_state state;
};

struct writer {
    struct agent agent;
    struct transactions transactions; // pending ones
    struct link links[LINK_COUNT_MAX];
    size_t link_count;
    uint64_t primary;         // address of the primary; 0 while none is known
    uint64_t primary_epoch;   // its epoch, as the topology says
    uint64_t hold_until_us;   // nothing is sent before, unless the primary changes; 0: not held
    uint32_t hold_us;         // how long the next hold lasts
    uint64_t timer_at_us;     // what PENDING_TIMER is set to; 0 for not set
    bool is_stopping;         // takes nothing any more
    uint64_t unexpected;      // messages that nobody should have sent here
    struct buffer operations; // canonical operations of the transaction at hand
};

struct writer *writer_new(const struct process *process)
{
    struct writer *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    agent_init(&self->agent, process);
    self->agent.self.state = MEMBER_ready;
    self->hold_us = HOLD_US;
    transactions_init(&self->transactions, process->seed ^ process->incarnation);
    return self;
}

void writer_destroy(struct writer **take_writer)
{
    struct writer *self = *take_writer;
    if (self != NULL) {
        agent_release(&self->agent);
        transactions_release(&self->transactions);
        buffer_release(&self->operations);
        free(self);
    }
    *take_writer = NULL;
}

static struct link *find_link(struct writer *self, uint64_t address)
{
    for (size_t i = 0; i < self->link_count; i++) {
        if (self->links[i].address == address) {
            return &self->links[i];
        }
    }
    return NULL;
}

// Whether a transaction may be sent now.
static bool may_send(struct writer *self)
{
    if (self->primary == 0 || self->hold_until_us != 0) {
        return false;
    }
    return find_link(self, self->primary)->state != LINK_DOWN;
}

static void send_all(struct writer *self, uint64_t now_us, struct outbox *out)
{
    if (may_send(self)) {
        transactions_send_all(&self->transactions, self->primary, now_us, out);
    }
}

// A transaction is to be sent now. When that is not possible, send_all() does it later.
static void send_or_park(struct writer *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    if (may_send(self)) {
        transactions_send(&self->transactions, slot, self->primary, now_us, out);
    } else {
        transactions_park(&self->transactions, slot);
    }
}

// Sends nothing for a while: the primary said that it is none.
static void hold(struct writer *self, uint64_t now_us, struct outbox *out)
{
    if (self->hold_until_us == 0) {
        self->hold_until_us = now_us + self->hold_us;
        self->hold_us = self->hold_us < HOLD_US_MAX ? 2 * self->hold_us : HOLD_US_MAX;
        outbox_timer(out, HOLD_TIMER, self->hold_until_us);
    }
}

static void release_hold(struct writer *self, struct outbox *out)
{
    self->hold_us = HOLD_US;
    if (self->hold_until_us != 0) {
        self->hold_until_us = 0;
        outbox_timer(out, HOLD_TIMER, 0);
    }
}

static bool is_member(const struct topology *topology, uint64_t address)
{
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    for (size_t i = 0; i < count; i++) {
        if (members[i].address == address) {
            return true;
        }
    }
    return false;
}

// Gives up connections to nodes that left the topology.
static void drop_links(struct writer *self, struct outbox *out)
{
    for (size_t i = self->link_count; i-- > 0;) {
        struct link *link = &self->links[i];
        if (link->address != self->primary && !is_member(self->agent.topology, link->address)) {
            outbox_disconnect(out, link->address);
            *link = self->links[--self->link_count];
        }
    }
}

// Connects to a node that leads now. The link that was made first gives way when there are too
// many.
static void add_link(struct writer *self, const struct topology_member *primary, struct outbox *out)
{
    if (find_link(self, primary->address) != NULL) {
        return;
    }
    if (self->link_count == LINK_COUNT_MAX) {
        outbox_disconnect(out, self->links[0].address);
        self->link_count--;
        memmove(&self->links[0], &self->links[1], self->link_count * sizeof self->links[0]);
    }
    outbox_connect(out, bytes_from_text(primary->endpoint));
    self->links[self->link_count++] = (struct link){.address = primary->address};
}

static void on_topology(struct writer *self, uint64_t now_us, struct outbox *out)
{
    const struct topology *topology = self->agent.topology;
    const struct topology_member *primary = topology_primary(topology);
    uint64_t address = primary == NULL ? 0 : primary->address;
    uint64_t epoch = topology_epoch(topology);
    bool is_same = address == self->primary && epoch == self->primary_epoch;
    if (!is_same) {
        self->primary = address;
        self->primary_epoch = epoch;
        release_hold(self, out);
    }
    drop_links(self, out);
    if (primary != NULL && !is_same) {
        add_link(self, primary, out);
        send_all(self, now_us, out);
    }
}

static void on_peer_up(struct writer *self, const struct event *event, struct outbox *out)
{
    struct link *link = find_link(self, event->from);
    if (link == NULL) {
        return;
    }
    bool is_first = link->state == LINK_NEW;
    link->state = LINK_UP;
    if (!is_first && link->address == self->primary) {
        send_all(self, event->now_us, out);
    }
}

static void on_peer_down(struct writer *self, const struct event *event)
{
    struct link *link = find_link(self, event->from);
    if (link != NULL) {
        link->state = LINK_DOWN;
    }
}

// A message that nobody should have sent here: counted, and told at every power of two.
static void on_unexpected(struct writer *self, const struct event *event, struct outbox *out)
{
    self->unexpected++;
    if ((self->unexpected & (self->unexpected - 1)) == 0) {
        outbox_log(out, LOG_WARNING, "event=unexpected_message kind=%s count=%" PRIu64,
                   message_kind_name(event->message->kind), self->unexpected);
    }
}

// What is wrong with a transaction apart from its operations; NULL for nothing.
static const char *fault_of(uint64_t request, struct bytes session, uint64_t sequence,
                            uint32_t timeout_ms)
{
    if (request == 0) {
        return "a request needs an id other than 0";
    }
    if (session.size == 0) {
        return "a transaction needs the name of a session";
    }
    if (sequence == 0) {
        return "sequences of a session begin at 1";
    }
    if (timeout_ms < DEADLINE_MS_MIN || timeout_ms > DEADLINE_MS_MAX) {
        return "the time left must be between 1 ms and 10 minutes";
    }
    return NULL;
}

static void answer(uint64_t client, uint64_t request, enum status status, const char *sentence,
                   struct outbox *out)
{
    struct message reply = {
        .kind = MESSAGE_outcome,
        .outcome = {.request = request,
                    .status = status,
                    .message = bytes_from_text(sentence),
                    .retry_after_ms = status == STATUS_busy ? BUSY_RETRY_MS : 0},
    };
    outbox_send(out, client, &reply);
}

// Keeps the transaction and sends it if there is a primary.
static void carry(struct writer *self, const struct event *event, struct message *message,
                  struct outbox *out)
{
    uint32_t slot;
    if (!transactions_add(&self->transactions, event, message, &slot)) {
        answer(event->from, message_request(event->message), STATUS_busy,
               "this writer carries as many transactions as it can; try again a little later", out);
        return;
    }
    send_or_park(self, slot, event->now_us, out);
}

// Checks the operations and leaves their canonical form in self->operations, which may be larger
// than what came.
static enum status canonicalize(struct writer *self, struct bytes operations,
                                struct operation_fault *ret_fault)
{
    buffer_clear(&self->operations);
    TRY(operations_canonicalize(operations, &self->operations, ret_fault));
    if (self->operations.size > TRANSACTION_SIZE_MAX) {
        *ret_fault = (struct operation_fault){
            .sentence = "the transaction is larger than 4 MiB in canonical form; split it"};
        return STATUS_too_large;
    }
    return STATUS_ok;
}

static void on_transact(struct writer *self, const struct event *event, struct outbox *out)
{
    const struct message_transact *transact = &event->message->transact;
    const char *fault = fault_of(transact->request, transact->session, transact->sequence,
                                 transact->timeout_ms);
    if (fault != NULL) {
        answer(event->from, transact->request, STATUS_bad_request, fault, out);
        return;
    }
    if (self->is_stopping) {
        answer(event->from, transact->request, STATUS_unavailable,
               "this writer is stopping; another one takes the transaction", out);
        return;
    }
    struct operation_fault operation_fault;
    enum status status = canonicalize(self, transact->operations, &operation_fault);
    if (status != STATUS_ok) {
        struct message reply = {
            .kind = MESSAGE_outcome,
            .outcome = {.request = transact->request,
                        .status = status,
                        .message = bytes_from_text(operation_fault.sentence),
                        .operation = operation_fault.operation},
        };
        outbox_send(out, event->from, &reply);
        return;
    }
    struct message message = *event->message;
    message.transact.operations = buffer_bytes(&self->operations);
    carry(self, event, &message, out);
}

static void on_transact_status(struct writer *self, const struct event *event, struct outbox *out)
{
    const struct message_transact_status *ask = &event->message->transact_status;
    const char *fault = fault_of(ask->request, ask->session, ask->sequence, ask->timeout_ms);
    if (fault != NULL || self->is_stopping) {
        struct message reply = {
            .kind = MESSAGE_transact_status_reply,
            .transact_status_reply = {
                .request = ask->request,
                .status = fault != NULL ? STATUS_bad_request : STATUS_unavailable,
                .message = bytes_from_text(fault != NULL ? fault : "this writer is stopping"),
            }};
        outbox_send(out, event->from, &reply);
        return;
    }
    struct message message = *event->message;
    carry(self, event, &message, out);
}

// An answer of a storage node to one of our requests: final, or the transaction is sent again.
static void on_answer(struct writer *self, const struct event *event, enum status status,
                      struct outbox *out)
{
    uint32_t slot;
    if (find_link(self, event->from) == NULL) {
        on_unexpected(self, event, out);
        return;
    }
    if (!transactions_find(&self->transactions, message_request(event->message), &slot)) {
        return; // answered before, or too late
    }
    switch (transactions_judge(&self->transactions, slot, event->message)) {
    case ONCE_ANSWER:
    case ONCE_REFUSED:
        self->hold_us = HOLD_US;
        transactions_finish(&self->transactions, slot, event->message, out);
        break;
    case ONCE_SAVED: transactions_finish_saved(&self->transactions, slot, out); break;
    case ONCE_CLAIM:
    case ONCE_REPEAT: send_or_park(self, slot, event->now_us, out); break;
    case ONCE_RETRY:
        if (status != STATUS_not_primary) {
            transactions_retry(&self->transactions, slot, event->now_us);
        } else if (event->from == self->primary) {
            hold(self, event->now_us, out);
        }
        break;
    case ONCE_IGNORE: break;
    }
}

static void on_message(struct writer *self, const struct event *event, struct outbox *out)
{
    const struct message *message = event->message;
    switch (message->kind) {
    case MESSAGE_transact: on_transact(self, event, out); break;
    case MESSAGE_transact_status: on_transact_status(self, event, out); break;
    case MESSAGE_outcome: on_answer(self, event, message->outcome.status, out); break;
    case MESSAGE_transact_status_reply:
        on_answer(self, event, message->transact_status_reply.status, out);
        break;
    case MESSAGE_refusal: on_answer(self, event, message->refusal.status, out); break;
    default: on_unexpected(self, event, out); break;
    }
}

// Transactions whose deadline has passed, or that were sent a while ago without an answer.
static void on_pending_timer(struct writer *self, uint64_t now_us, struct outbox *out)
{
    self->timer_at_us = 0;
    uint32_t slot;
    while (transactions_due(&self->transactions, now_us, &slot)) {
        if (transactions_expire(&self->transactions, slot, now_us, out)) {
            continue;
        }
        send_or_park(self, slot, now_us, out);
    }
}

static void on_timer(struct writer *self, const struct event *event, struct outbox *out)
{
    switch (event->timer) {
    case PENDING_TIMER: on_pending_timer(self, event->now_us, out); break;
    case HOLD_TIMER:
        self->hold_until_us = 0;
        send_all(self, event->now_us, out);
        break;
    case STOP_TIMER: outbox_stop(out, EXIT_CLEAN, "asked to, with transactions pending"); break;
    default: break;
    }
}

static void on_stop(struct writer *self, const struct event *event, struct outbox *out)
{
    if (!self->is_stopping) {
        self->is_stopping = true;
        outbox_timer(out, STOP_TIMER, event->now_us + STOP_US);
    }
}

// Sets PENDING_TIMER to the first transaction that must be looked at.
static void set_timer(struct writer *self, struct outbox *out)
{
    uint64_t at_us = transactions_next_due(&self->transactions);
    if (at_us != self->timer_at_us) {
        self->timer_at_us = at_us;
        outbox_timer(out, PENDING_TIMER, at_us);
    }
}

void writer_step(struct writer *self, const struct event *event, struct outbox *out)
{
    switch (agent_step(&self->agent, event, out)) {
    case AGENT_HANDLED: return;
    case AGENT_TOPOLOGY_CHANGED: on_topology(self, event->now_us, out); break;
    case AGENT_PASSED:
        switch (event->kind) {
        case EVENT_MESSAGE: on_message(self, event, out); break;
        case EVENT_TIMER: on_timer(self, event, out); break;
        case EVENT_PEER_UP: on_peer_up(self, event, out); break;
        case EVENT_PEER_DOWN: on_peer_down(self, event); break;
        case EVENT_STOP: on_stop(self, event, out); break;
        default: break;
        }
        break;
    }
    if (self->is_stopping && transactions_count(&self->transactions) == 0) {
        outbox_stop(out, EXIT_CLEAN, "asked to");
    }
    set_timer(self, out);
}
