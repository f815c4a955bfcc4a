/*
 * The request machine: calls of its owner and events of its shell.
 *
 *   call ──► request_start ──► with a process ──► answered: a completion
 *                 ▲                 │
 *                 └── lost, silent, │ refused for now
 *
 * 1. Every request ends with exactly one completion: by an answer, or by its deadline at the
 *    latest.
 * 2. A request whose process is lost goes to another at once: transactions are done once however
 *    often they are sent (rule 29), reads change nothing.
 * 3. The topology comes from whoever we are connected to; it is asked for until it names somebody
 *    to send to, every few seconds, when a process is lost or lets requests wait, and of each
 *    endpoint that we were given when it is there: no coordinator knows what another one does.
 *    Whoever does not answer soon may be cut off; then the next one is asked.
 */
#include "client/requests.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "client/requests_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REQUESTS_TIMER = 1, // a request must be looked at
    RENEW_TIMER = 2,    // the topology is asked for
    RENEW_US = 2000 * 1000,
    RENEW_UNKNOWN_US = 100 * 1000, // while nobody is known to send to
    RENEW_ANSWER_US = 200 * 1000,  // after which another one is asked
    RENEW_PAUSE_US = 50 * 1000,    // at least this long between two questions
    EXPIRY_US = 10 * 1000 * 1000,  // news of a silent coordinator count no longer
};

// Copies the options' texts and points to the copies.
static void keep_options(struct client *self, const struct client_options *options)
{
    ASSERT(options->endpoint_count >= 1 && options->endpoint_count <= CLIENT_ENDPOINTS_MAX);
    for (size_t i = 0; i < options->endpoint_count; i++) {
        buffer_append(&self->option_texts, options->endpoints[i]);
    }
    const uint8_t *text = self->option_texts.data;
    for (size_t i = 0; i < options->endpoint_count; i++) {
        self->endpoints[i] = bytes_of(text, options->endpoints[i].size);
        text += options->endpoints[i].size;
    }
    self->options = *options;
    self->options.endpoints = self->endpoints;
    self->options.session = bytes_of(NULL, 0);
}

struct client *client_new(const struct client_options *options)
{
    struct client *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    keep_options(self, options);
    struct random random;
    random_init(&random, options->seed);
    self->topology = topology_new();
    peers_init(&self->peers, random_next(&random));
    pending_init(&self->pending, CLIENT_OUTSTANDING_MAX, sizeof(struct request),
                 random_next(&random));
    char made[24];
    snprintf(made, sizeof made, "c%016" PRIx64, random_next(&random));
    sessions_init(&self->sessions,
                  options->session.size > 0 ? options->session : bytes_from_text(made));
    return self;
}

void client_destroy(struct client **take_client)
{
    struct client *self = *take_client;
    if (self == NULL) {
        return;
    }
    for (uint32_t slot = 0; slot < self->pending.capacity; slot++) {
        buffer_release(&client_request(self, slot)->encoded);
        buffer_release(&client_request(self, slot)->refusal);
        once_release(&client_request(self, slot)->once);
    }
    pending_release(&self->pending);
    sessions_release(&self->sessions);
    peers_release(&self->peers);
    topology_destroy(&self->topology);
    buffer_release(&self->option_texts);
    buffer_release(&self->texts);
    free(self->ended);
    free(self);
    *take_client = NULL;
}

// Takes out a slot for a request. The timer is set by set_timer().
static enum status take_slot(struct client *self, struct request request, uint32_t timeout_ms,
                             uint64_t now_us, uint32_t *ret_slot)
{
    if (timeout_ms < DEADLINE_MS_MIN || timeout_ms > DEADLINE_MS_MAX) {
        return STATUS_bad_request;
    }
    if (self->is_stopping) {
        return STATUS_unavailable;
    }
    if (!pending_take(&self->pending, ret_slot)) {
        return STATUS_busy;
    }
    struct request *room = client_request(self, *ret_slot);
    request.encoded = room->encoded;
    request.refusal = room->refusal;
    request.once = room->once;
    request.deadline_us = now_us + timeout_ms * UINT64_C(1000);
    *room = request;
    buffer_clear(&room->encoded);
    buffer_clear(&room->refusal);
    once_reset(&room->once);
    return STATUS_ok;
}

static void set_timer(struct client *self, struct outbox *out)
{
    uint64_t wake_us = pending_next_wake(&self->pending);
    uint64_t at_us = wake_us == UINT64_MAX ? 0 : wake_us;
    if (at_us != self->timer_at_us) {
        self->timer_at_us = at_us;
        outbox_timer(out, REQUESTS_TIMER, at_us);
    }
}

// Sends the request in the slot for the first time.
static void start(struct client *self, uint32_t slot, struct message *message, uint64_t now_us,
                  struct outbox *out)
{
    request_start(self, slot, message, now_us, out);
    set_timer(self, out);
}

// Whether a message can carry the name, and the primary takes it.
static bool is_session_name(struct bytes name)
{
    return name.size >= 1 && name.size <= SESSION_NAME_SIZE_MAX && utf8_is_valid(name) &&
           memchr(name.data, 0, name.size) == NULL;
}

enum status client_transact(struct client *self, const struct client_transaction *ask,
                            uint64_t now_us, struct outbox *out, uint64_t *ret_request)
{
    bool is_named = ask->session.size > 0;
    if (is_named && (!is_session_name(ask->session) || ask->sequence == 0)) {
        return STATUS_bad_request;
    }
    if (ask->operations.size > TRANSACTION_SIZE_MAX) {
        return STATUS_too_large;
    }
    struct request request = {.kind = CLIENT_TRANSACT, .tag = ask->tag, .has_place = !is_named};
    uint32_t slot;
    TRY(take_slot(self, request, ask->timeout_ms, now_us, &slot));
    struct message message = {.kind = MESSAGE_transact,
                              .transact = {.session = ask->session,
                                           .sequence = ask->sequence,
                                           .done_below = ask->done_below,
                                           .operations = ask->operations}};
    char name[SESSION_NAME_SIZE_MAX + 1];
    if (!is_named) {
        struct session_place *place = &client_request(self, slot)->place;
        sessions_take(&self->sessions, place);
        size_t size = sessions_name(&self->sessions, place->number, name);
        message.transact.session = bytes_of(name, size);
        message.transact.sequence = place->sequence;
        message.transact.done_below = place->done_below;
    }
    start(self, slot, &message, now_us, out);
    *ret_request = pending_id(&self->pending, slot);
    return STATUS_ok;
}

enum status client_read(struct client *self, const struct client_read *ask, uint64_t now_us,
                        struct outbox *out, uint64_t *ret_request)
{
    if (ask->level < READ_linearizable || ask->level > READ_any) {
        return STATUS_bad_request;
    }
    if (ask->operations.size > 1 * MIB) {
        return STATUS_too_large;
    }
    struct request request = {.kind = CLIENT_READ, .tag = ask->tag};
    uint32_t slot;
    TRY(take_slot(self, request, ask->timeout_ms, now_us, &slot));
    bool is_session = ask->level == READ_session;
    uint64_t token = self->version > ask->after_version ? self->version : ask->after_version;
    struct message message = {.kind = MESSAGE_read,
                              .read = {.level = (uint8_t)ask->level,
                                       .after_version = is_session ? token : 0,
                                       .at_version = ask->at_version,
                                       .at_position = ask->at_position,
                                       .at_time_us = ask->at_time_us,
                                       .operations = ask->operations,
                                       .lag_versions_max = ask->lag_versions_max,
                                       .lag_ms_max = ask->lag_ms_max}};
    start(self, slot, &message, now_us, out);
    *ret_request = pending_id(&self->pending, slot);
    return STATUS_ok;
}

enum status client_status(struct client *self, const struct client_status *ask, uint64_t now_us,
                          struct outbox *out, uint64_t *ret_request)
{
    if (!is_session_name(ask->session) || ask->sequence == 0) {
        return STATUS_bad_request;
    }
    struct request request = {.kind = CLIENT_STATUS, .tag = ask->tag};
    uint32_t slot;
    TRY(take_slot(self, request, ask->timeout_ms, now_us, &slot));
    struct message message = {
        .kind = MESSAGE_transact_status,
        .transact_status = {.session = ask->session, .sequence = ask->sequence}};
    start(self, slot, &message, now_us, out);
    *ret_request = pending_id(&self->pending, slot);
    return STATUS_ok;
}

enum status client_mark(struct client *self, const struct client_mark *ask, uint64_t now_us,
                        struct outbox *out, uint64_t *ret_request)
{
    struct request request = {.kind = CLIENT_MARK, .tag = ask->tag};
    uint32_t slot;
    TRY(take_slot(self, request, ask->timeout_ms, now_us, &slot));
    struct message message = {.kind = MESSAGE_mark};
    start(self, slot, &message, now_us, out);
    *ret_request = pending_id(&self->pending, slot);
    return STATUS_ok;
}

enum status client_call(struct client *self, const struct client_call *ask, uint64_t now_us,
                        struct outbox *out, uint64_t *ret_request)
{
    struct message message = ask->message;
    if (message_request_field(&message) == NULL) {
        return STATUS_bad_request;
    }
    const struct topology_member *member = topology_find(self->topology, ask->to);
    if (member == NULL || member->endpoint[0] == '\0') {
        return STATUS_unavailable;
    }
    struct request request = {.kind = CLIENT_CALL, .tag = ask->tag};
    uint32_t slot;
    TRY(take_slot(self, request, ask->timeout_ms, now_us, &slot));
    *message_request_field(&message) = pending_id(&self->pending, slot);
    if (message_timeout(&message) != NULL) {
        *message_timeout(&message) = ask->timeout_ms;
    }
    message_encode(&message, &client_request(self, slot)->encoded);
    peers_begin_call(&self->peers, member, out);
    request_send_call(self, slot, member->address, out);
    set_timer(self, out);
    *ret_request = pending_id(&self->pending, slot);
    return STATUS_ok;
}

static void ask_topology(uint64_t to, struct outbox *out)
{
    struct message ask = {.kind = MESSAGE_topology_get, .topology_get = {.request = 1}};
    outbox_send(out, to, &ask);
}

// Whether there is somebody to send to: a coordinator that was cut off itself may know of nobody.
static bool is_topology_complete(const struct client *self)
{
    return peers_have(&self->peers, PEER_WRITES) && peers_have(&self->peers, PEER_READS);
}

void client_renew_topology(struct client *self, uint64_t now_us, struct outbox *out)
{
    self->renewed_us = now_us;
    uint64_t to = peers_ask(&self->peers);
    if (to != 0) {
        ask_topology(to, out);
    }
    uint64_t pause_us = is_topology_complete(self) ? RENEW_ANSWER_US : RENEW_UNKNOWN_US;
    outbox_timer(out, RENEW_TIMER, now_us + pause_us);
}

// Somebody answered: there is time until the next question, if there is somebody to send to.
static void end_renewal(const struct client *self, uint64_t now_us, struct outbox *out)
{
    uint64_t pause_us = is_topology_complete(self) ? RENEW_US : RENEW_UNKNOWN_US;
    outbox_timer(out, RENEW_TIMER, now_us + pause_us);
}

static void on_start(struct client *self, const struct event *event, struct outbox *out)
{
    for (size_t i = 0; i < self->options.endpoint_count; i++) {
        peers_give(&self->peers, self->endpoints[i], out);
    }
    outbox_timer(out, RENEW_TIMER, event->now_us + RENEW_UNKNOWN_US);
}

static void on_topology(struct client *self, const struct event *event, struct outbox *out)
{
    bool is_changed;
    uint64_t cluster_id = topology_cluster_id(self->topology);
    enum status status = topology_update(self->topology, &event->message->topology, event->now_us,
                                         &is_changed);
    if (status == STATUS_ok && is_changed) {
        if (topology_cluster_id(self->topology) != cluster_id) {
            outbox_cluster(out, topology_cluster_id(self->topology));
        }
        peers_update(&self->peers, self->topology, out);
        requests_send_waiting(self, event->now_us, out);
    }
    end_renewal(self, event->now_us, out);
}

static void on_message(struct client *self, const struct event *event, struct outbox *out)
{
    struct client_peer *peer = peers_find(&self->peers, event->from);
    if (peer == NULL) {
        return;
    }
    peers_heard(&self->peers, peer);
    uint32_t slot;
    if (event->message->kind == MESSAGE_topology) {
        on_topology(self, event, out);
    } else if (pending_find(&self->pending, message_request(event->message), &slot)) {
        request_answer(self, slot, event->message, event->now_us, out);
    }
}

static void on_peer_up(struct client *self, const struct event *event, struct outbox *out)
{
    struct client_peer *peer = peers_find(&self->peers, event->from);
    if (peer == NULL) {
        return;
    }
    enum peer_link before = peers_up(&self->peers, peer);
    if (peer->is_given) {
        ask_topology(peer->address, out);
    }
    if (before == PEER_LINK_UP) {
        requests_leave(self, event->from, event->now_us, out);
    } else if (before == PEER_LINK_DOWN) {
        requests_send_waiting(self, event->now_us, out);
    }
}

static void on_peer_down(struct client *self, const struct event *event, struct outbox *out)
{
    struct client_peer *peer = peers_find(&self->peers, event->from);
    if (peer == NULL) {
        return;
    }
    peers_down(&self->peers, peer);
    requests_leave(self, event->from, event->now_us, out);
    if (event->now_us >= self->renewed_us + RENEW_PAUSE_US) {
        client_renew_topology(self, event->now_us, out);
    }
}

static void on_renew_timer(struct client *self, uint64_t now_us, struct outbox *out)
{
    if (now_us > EXPIRY_US && topology_expire(self->topology, now_us - EXPIRY_US)) {
        peers_update(&self->peers, self->topology, out);
    }
    client_renew_topology(self, now_us, out);
}

// Everything ends: sent transactions with their outcome unknown, the rest as not done.
static void on_stop(struct client *self, struct outbox *out)
{
    self->is_stopping = true;
    while (self->pending.first != PENDING_NONE) {
        request_expire(self, self->pending.first);
    }
    outbox_stop(out, EXIT_CLEAN, "asked to");
}

void client_step(struct client *self, const struct event *event, struct outbox *out)
{
    self->ended_count = 0;
    self->ended_taken = 0;
    buffer_clear(&self->texts);
    switch (event->kind) {
    case EVENT_START: on_start(self, event, out); break;
    case EVENT_MESSAGE: on_message(self, event, out); break;
    case EVENT_PEER_UP: on_peer_up(self, event, out); break;
    case EVENT_PEER_DOWN: on_peer_down(self, event, out); break;
    case EVENT_TIMER:
        if (event->timer == REQUESTS_TIMER) {
            self->timer_at_us = 0;
            requests_wake(self, event->now_us, out);
        } else if (event->timer == RENEW_TIMER) {
            on_renew_timer(self, event->now_us, out);
        }
        break;
    case EVENT_STOP: on_stop(self, out); break;
    case EVENT_DISK:
    case EVENT_TURN: break;
    }
    set_timer(self, out);
}

bool client_next(struct client *self, struct client_completion *ret_completion)
{
    if (self->ended_taken == self->ended_count) {
        return false;
    }
    const struct ended *ended = &self->ended[self->ended_taken++];
    *ret_completion = ended->completion;
    if (ended->completion.session.size > 0) {
        ret_completion->session.data = self->texts.data + ended->session_at;
    }
    if (ended->has_sentence) {
        ret_completion->message.data = self->texts.data + ended->message_at;
    }
    return true;
}

size_t client_outstanding(const struct client *self)
{
    return self->pending.count;
}

uint64_t client_version(const struct client *self)
{
    return self->version;
}

void client_see_version(struct client *self, uint64_t version)
{
    if (version > self->version) {
        self->version = version;
    }
}

const struct topology *client_topology(const struct client *self)
{
    return self->topology;
}
