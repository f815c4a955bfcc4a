/*
 * Sending. A request is with one process (`peer`) or waits (`peer` 0) until there is one to send it
 * to or its pause is over. Transactions, status questions, reads and marks may be sent any number
 * of times; a call is sent once.
 *
 * The process gets a sixteenth less time than there is, so that its word comes before ours: it
 * knows more about how far the request got.
 */
#include "client/requests_internal.h"

#include "base/assert.h"

enum {
    RESEND_US = 500 * 1000,      // silence after which a request is sent elsewhere, at first
    RESEND_US_MAX = 4000 * 1000, // and at most
    PAUSE_MS = 10,               // before a refused request is sent again, unless told otherwise
    PAUSE_MS_MAX = 1000,
    RENEW_SILENT_US = 500 * 1000, // between two questions for the topology for want of answers
};

uint32_t *message_timeout(struct message *message)
{
    switch (message->kind) {
    case MESSAGE_transact: return &message->transact.timeout_ms;
    case MESSAGE_transact_status: return &message->transact_status.timeout_ms;
    case MESSAGE_read: return &message->read.timeout_ms;
    case MESSAGE_mark: return &message->mark.timeout_ms;
    case MESSAGE_digest: return &message->digest.timeout_ms;
    default: return NULL;
    }
}

uint64_t *message_request_field(struct message *message)
{
    switch (message->kind) {
    case MESSAGE_transact: return &message->transact.request;
    case MESSAGE_transact_status: return &message->transact_status.request;
    case MESSAGE_read: return &message->read.request;
    case MESSAGE_mark: return &message->mark.request;
    case MESSAGE_digest: return &message->digest.request;
    case MESSAGE_why: return &message->why.request;
    case MESSAGE_switchover: return &message->switchover.request;
    case MESSAGE_echo: return &message->echo.request;
    case MESSAGE_read_point: return &message->read_point.request;
    case MESSAGE_confirm: return &message->confirm.request;
    default: return NULL;
    }
}

// Looks at the request again at `at_us`, or at its deadline if that comes first.
static void wake_at(struct client *self, uint32_t slot, uint64_t at_us)
{
    uint64_t deadline_us = client_request(self, slot)->deadline_us;
    pending_wake_at(&self->pending, slot, at_us < deadline_us ? at_us : deadline_us);
}

static uint32_t time_to_give(const struct request *request, uint64_t now_us)
{
    uint64_t left_us = request->deadline_us > now_us ? request->deadline_us - now_us : 0;
    uint64_t left_ms = (left_us - left_us / 16) / 1000;
    return left_ms < DEADLINE_MS_MIN ? DEADLINE_MS_MIN : (uint32_t)left_ms;
}

void request_start(struct client *self, uint32_t slot, struct message *message, uint64_t now_us,
                   struct outbox *out)
{
    struct request *request = client_request(self, slot);
    request->resend_us = RESEND_US;
    *message_request_field(message) = pending_id(&self->pending, slot);
    *message_timeout(message) = time_to_give(request, now_us);
    message_encode(message, &request->encoded);
    request_send(self, slot, now_us, out);
}

// The request as it was kept.
static struct message kept_message(const struct request *request)
{
    struct message message;
    struct bytes rest = buffer_bytes(&request->encoded);
    enum status status = message_decode(&rest, &message);
    ASSERT(status == STATUS_ok);
    return message;
}

// Sends another time, with the time that is left by now, or the claim of its sequence.
static void send_again(struct request *request, uint64_t to, uint64_t now_us, struct outbox *out)
{
    struct message message = kept_message(request);
    if (request->once.is_claiming) {
        message = (struct message){.kind = MESSAGE_transact_status,
                                   .transact_status = {.request = message.transact.request,
                                                       .session = message.transact.session,
                                                       .sequence = message.transact.sequence}};
    }
    *message_timeout(&message) = time_to_give(request, now_us);
    outbox_send(out, to, &message);
}

void request_send(struct client *self, uint32_t slot, uint64_t now_us, struct outbox *out)
{
    struct request *request = client_request(self, slot);
    enum peer_use use = request_use(request);
    uint64_t to = peers_pick(&self->peers, use, now_us);
    request->peer = to;
    if (to == 0) {
        wake_at(self, slot, UINT64_MAX);
        return;
    }
    if (request->was_sent) {
        send_again(request, to, now_us, out);
    } else {
        outbox_send_encoded(out, to, buffer_bytes(&request->encoded));
    }
    request->was_sent = true;
    once_sent(&request->once);
    peers_sent(&self->peers, use, to);
    wake_at(self, slot, now_us + request->resend_us);
    request->resend_us = request->resend_us < RESEND_US_MAX ? 2 * request->resend_us
                                                            : RESEND_US_MAX;
}

void request_send_call(struct client *self, uint32_t slot, uint64_t to, struct outbox *out)
{
    struct request *request = client_request(self, slot);
    outbox_send_encoded(out, to, buffer_bytes(&request->encoded));
    request->peer = to;
    request->was_sent = true;
    wake_at(self, slot, UINT64_MAX);
}

void request_leave_peer(struct client *self, struct request *request)
{
    if (request->peer == 0) {
        return;
    }
    if (request->kind == CLIENT_CALL) {
        peers_end_call(&self->peers, request->peer);
    } else {
        peers_done(&self->peers, request_use(request), request->peer);
    }
    request->peer = 0;
}

void request_retry(struct client *self, uint32_t slot, uint64_t now_us)
{
    struct request *request = client_request(self, slot);
    request_leave_peer(self, request);
    request->resend_us = RESEND_US;
    uint32_t pause_ms = request->retry_after_ms == 0 ? PAUSE_MS : request->retry_after_ms;
    pause_ms = pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX;
    wake_at(self, slot, now_us + pause_ms * UINT64_C(1000));
}

void requests_send_waiting(struct client *self, uint64_t now_us, struct outbox *out)
{
    const struct pending *pending = &self->pending;
    for (uint32_t slot = pending->first; slot != PENDING_NONE;
         slot = pending_after(pending, slot)) {
        if (client_request(self, slot)->peer == 0) {
            request_send(self, slot, now_us, out);
        }
    }
}

void requests_leave(struct client *self, uint64_t address, uint64_t now_us, struct outbox *out)
{
    const struct pending *pending = &self->pending;
    uint32_t next;
    for (uint32_t slot = pending->first; slot != PENDING_NONE; slot = next) {
        next = pending_after(pending, slot);
        struct request *request = client_request(self, slot);
        if (request->peer != address) {
            continue;
        }
        if (request->kind == CLIENT_CALL) {
            request_fail(self, slot, STATUS_unavailable,
                         "the connection to the process was lost before it answered");
            continue;
        }
        request_leave_peer(self, request);
        request->resend_us = RESEND_US;
        request_send(self, slot, now_us, out);
    }
}

void requests_wake(struct client *self, uint64_t now_us, struct outbox *out)
{
    uint32_t slot;
    bool is_waiting = false;
    while (pending_due(&self->pending, now_us, &slot)) {
        struct request *request = client_request(self, slot);
        if (now_us >= request->deadline_us) {
            request_expire(self, slot);
            continue;
        }
        if (request->peer != 0) {
            peers_silent(&self->peers, request->peer, now_us);
            request_leave_peer(self, request);
            is_waiting = true;
        }
        request_send(self, slot, now_us, out);
    }
    if (is_waiting && now_us >= self->renewed_us + RENEW_SILENT_US) {
        client_renew_topology(self, now_us, out);
    }
}
