/*
 * Answers, and how requests end. What a completion borrows from an answer lives as long as the
 * event that brought it; texts of our own are gathered in one buffer and found by their places,
 * since the buffer may move until the step is over.
 *
 * A transaction ends by cluster/once.h: never with a failure while a copy of it may still run.
 */
#include "client/requests_internal.h"

#include "base/assert.h"
#include "wire/document/operation.h"
#include "wire/document/sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_KEEP_SIZE = 4 * KIB };

// Session and sequence of a transaction or of a question for its status.
static void name_session(struct client *self, const struct request *request, struct ended *ended)
{
    struct message kept;
    struct bytes rest = buffer_bytes(&request->encoded);
    enum status status = message_decode(&rest, &kept);
    ASSERT(status == STATUS_ok);
    bool is_status = kept.kind == MESSAGE_transact_status;
    struct bytes session = is_status ? kept.transact_status.session : kept.transact.session;
    ended->completion.sequence = is_status ? kept.transact_status.sequence : kept.transact.sequence;
    ended->completion.session = session;
    ended->session_at = self->texts.size;
    buffer_append(&self->texts, session);
}

static bool operation_writes(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_insert:
    case OPERATION_put:
    case OPERATION_update:
    case OPERATION_delete:
    case OPERATION_create_collection:
    case OPERATION_drop_collection:
    case OPERATION_create_index:
    case OPERATION_drop_index: return true;
    default: return false;
    }
}

// Whether a transaction that was done has left a record: only those that write do.
static bool leaves_record(const struct request *request)
{
    struct message kept;
    struct bytes rest = buffer_bytes(&request->encoded);
    struct operations operations;
    struct operation operation;
    struct operation_fault fault;
    if (message_decode(&rest, &kept) != STATUS_ok ||
        operations_open(kept.transact.operations, &operations, &fault) != STATUS_ok) {
        return false;
    }
    while (operations_have_next(&operations) &&
           operations_next(&operations, &operation, &fault) == STATUS_ok) {
        if (operation_writes(operation.kind)) {
            return true;
        }
    }
    return false;
}

static enum session_end session_end_of(const struct request *request, enum status status)
{
    if (status == STATUS_unknown_outcome) {
        return SESSION_END_unknown;
    }
    return status == STATUS_ok && leaves_record(request) ? SESSION_END_recorded
                                                         : SESSION_END_traceless;
}

// Forgets the request and gives back a completion to fill in, with all that comes from the request.
static struct ended *end_request(struct client *self, uint32_t slot, enum status status)
{
    struct request *request = client_request(self, slot);
    if (self->ended_count == self->ended_capacity) {
        self->ended_capacity = self->ended_capacity == 0 ? 64 : 2 * self->ended_capacity;
        self->ended = reallocarray(self->ended, self->ended_capacity, sizeof *self->ended);
        ASSERT(self->ended != NULL);
    }
    struct ended *ended = &self->ended[self->ended_count++];
    *ended = (struct ended){.completion = {.kind = request->kind,
                                           .request = pending_id(&self->pending, slot),
                                           .tag = request->tag,
                                           .status = status}};
    if (request->kind == CLIENT_TRANSACT || request->kind == CLIENT_STATUS) {
        name_session(self, request, ended);
    }
    if (request->has_place) {
        sessions_end(&self->sessions, &request->place, session_end_of(request, status));
    }
    request_leave_peer(self, request);
    if (request->encoded.capacity > BUFFER_KEEP_SIZE) {
        buffer_release(&request->encoded);
    }
    pending_free(&self->pending, slot);
    return ended;
}

void request_fail(struct client *self, uint32_t slot, enum status status, const char *sentence)
{
    uint32_t retry_after_ms = client_request(self, slot)->retry_after_ms;
    struct ended *ended = end_request(self, slot, status);
    ended->completion.retry_after_ms = status == STATUS_busy ? retry_after_ms : 0;
    ended->completion.message = bytes_from_text(sentence);
    ended->has_sentence = true;
    ended->message_at = self->texts.size;
    buffer_append(&self->texts, ended->completion.message);
}

static void end_with_outcome(struct client *self, uint32_t slot, const struct message *answer)
{
    const struct message_outcome *outcome = &answer->outcome;
    struct request *request = client_request(self, slot);
    if (outcome->status == STATUS_expired && request->has_place) {
        sessions_expire(&self->sessions, &request->place);
    }
    if (outcome->status == STATUS_ok) {
        client_see_version(self, outcome->version);
    }
    struct client_completion *completion =
        &end_request(self, slot, (enum status)outcome->status)->completion;
    completion->version = outcome->version;
    completion->time_us = outcome->time_us;
    completion->replayed = outcome->replayed;
    completion->results = outcome->results;
    completion->message = outcome->message;
    completion->operation = outcome->operation;
    completion->retry_after_ms = outcome->retry_after_ms;
}

static void end_with_refusal(struct client *self, uint32_t slot, const struct message *answer)
{
    const struct message_refusal *refusal = &answer->refusal;
    struct client_completion *completion =
        &end_request(self, slot, (enum status)refusal->status)->completion;
    completion->message = refusal->message;
    completion->retry_after_ms = refusal->retry_after_ms;
}

// The failure that waited until the sequence was claimed; its sentence lives in the slot no longer.
static void end_with_saved(struct client *self, uint32_t slot)
{
    struct request *request = client_request(self, slot);
    struct message failure;
    struct bytes rest = buffer_bytes(&request->once.failure);
    enum status status = message_decode(&rest, &failure);
    ASSERT(status == STATUS_ok);
    char sentence[ERROR_MESSAGE_SIZE_MAX + 1];
    snprintf(sentence, sizeof sentence, "%.*s", (int)failure.outcome.message.size,
             (const char *)failure.outcome.message.data);
    request_fail(self, slot, (enum status)failure.outcome.status, sentence);
    self->ended[self->ended_count - 1].completion.operation = failure.outcome.operation;
}

static struct bytes sentence_of(const struct message *answer)
{
    switch (answer->kind) {
    case MESSAGE_refusal: return answer->refusal.message;
    case MESSAGE_outcome: return answer->outcome.message;
    case MESSAGE_read_reply: return answer->read_reply.message;
    default: return bytes_of(NULL, 0);
    }
}

static void note_refusal(struct request *request, const struct message *answer)
{
    buffer_clear(&request->refusal);
    if (answer->kind == MESSAGE_refusal) {
        request->refused = (enum status)answer->refusal.status;
        request->retry_after_ms = answer->refusal.retry_after_ms;
    } else if (answer->kind == MESSAGE_outcome) {
        request->refused = (enum status)answer->outcome.status;
        request->retry_after_ms = answer->outcome.retry_after_ms;
    } else if (answer->kind == MESSAGE_read_reply) {
        request->refused = (enum status)answer->read_reply.status;
        request->retry_after_ms = answer->read_reply.retry_after_ms;
    } else if (answer->kind == MESSAGE_mark_reply) {
        request->refused = (enum status)answer->mark_reply.status;
        request->retry_after_ms = 0;
    } else {
        request->refused = (enum status)answer->transact_status_reply.status;
        request->retry_after_ms = 0;
    }
    if (request->refused == STATUS_busy) {
        buffer_append(&request->refusal, sentence_of(answer));
    }
}

// Whether somebody else, or the same process later, may do better.
static bool may_retry(enum status status)
{
    switch (status) {
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_unavailable:
    case STATUS_not_primary:
    case STATUS_unknown_outcome: return true;
    default: return false;
    }
}

static void end_with_answer(struct client *self, uint32_t slot, const struct message *answer)
{
    if (answer->kind == MESSAGE_outcome) {
        end_with_outcome(self, slot, answer);
    } else {
        end_with_refusal(self, slot, answer);
    }
}

static void on_transact_answer(struct client *self, uint32_t slot, const struct message *answer,
                               uint64_t now_us, struct outbox *out)
{
    struct request *request = client_request(self, slot);
    switch (once_judge(&request->once, answer)) {
    case ONCE_ANSWER: end_with_answer(self, slot, answer); break;
    case ONCE_SAVED: end_with_saved(self, slot); break;
    case ONCE_REFUSED:
        note_refusal(request, answer);
        if (may_retry(request->refused)) {
            request_retry(self, slot, now_us);
        } else {
            end_with_answer(self, slot, answer);
        }
        break;
    case ONCE_CLAIM:
    case ONCE_REPEAT:
        request_leave_peer(self, request);
        request_send(self, slot, now_us, out);
        break;
    case ONCE_RETRY: request_retry(self, slot, now_us); break;
    case ONCE_IGNORE: break;
    }
}

static void on_read_reply(struct client *self, uint32_t slot, const struct message *answer)
{
    const struct message_read_reply *reply = &answer->read_reply;
    if (reply->status == STATUS_ok) {
        client_see_version(self, reply->version);
    }
    struct client_completion *completion =
        &end_request(self, slot, (enum status)reply->status)->completion;
    completion->version = reply->version;
    completion->results = reply->results;
    completion->message = reply->message;
    completion->retry_after_ms = reply->retry_after_ms;
}

static void on_status_reply(struct client *self, uint32_t slot, const struct message *answer)
{
    const struct message_transact_status_reply *reply = &answer->transact_status_reply;
    if (reply->status == STATUS_ok) {
        client_see_version(self, reply->version);
    }
    struct client_completion *completion =
        &end_request(self, slot, (enum status)reply->status)->completion;
    completion->version = reply->version;
    completion->message = reply->message;
}

static void on_mark_reply(struct client *self, uint32_t slot, const struct message *answer)
{
    const struct message_mark_reply *reply = &answer->mark_reply;
    if (reply->status == STATUS_ok) {
        client_see_version(self, reply->version);
    }
    struct client_completion *completion =
        &end_request(self, slot, (enum status)reply->status)->completion;
    completion->version = reply->version;
    completion->position = reply->position;
}

// What answers a request that may be asked again.
static enum message_kind answer_kind(enum client_kind kind)
{
    switch (kind) {
    case CLIENT_READ: return MESSAGE_read_reply;
    case CLIENT_MARK: return MESSAGE_mark_reply;
    default: return MESSAGE_transact_status_reply;
    }
}

// A read, a mark or a question for a status: all may be asked again.
static void on_plain_answer(struct client *self, uint32_t slot, const struct message *answer,
                            uint64_t now_us)
{
    struct request *request = client_request(self, slot);
    if (answer->kind != answer_kind(request->kind) && answer->kind != MESSAGE_refusal) {
        return;
    }
    note_refusal(request, answer);
    if (may_retry(request->refused)) {
        request_retry(self, slot, now_us);
    } else if (answer->kind == MESSAGE_refusal) {
        end_with_refusal(self, slot, answer);
    } else if (request->kind == CLIENT_READ) {
        on_read_reply(self, slot, answer);
    } else if (request->kind == CLIENT_MARK) {
        on_mark_reply(self, slot, answer);
    } else {
        on_status_reply(self, slot, answer);
    }
}

void request_answer(struct client *self, uint32_t slot, const struct message *answer,
                    uint64_t now_us, struct outbox *out)
{
    switch (client_request(self, slot)->kind) {
    case CLIENT_TRANSACT:
        if (answer->kind == MESSAGE_outcome || answer->kind == MESSAGE_refusal ||
            answer->kind == MESSAGE_transact_status_reply) {
            on_transact_answer(self, slot, answer, now_us, out);
        }
        break;
    case CLIENT_READ:
    case CLIENT_MARK:
    case CLIENT_STATUS: on_plain_answer(self, slot, answer, now_us); break;
    case CLIENT_CALL:
        if (answer->kind == MESSAGE_refusal) {
            end_with_refusal(self, slot, answer);
        } else {
            end_request(self, slot, STATUS_ok)->completion.reply = answer;
        }
        break;
    }
}

static void expire_unknown(struct client *self, uint32_t slot)
{
    struct message kept;
    struct bytes rest = buffer_bytes(&client_request(self, slot)->encoded);
    enum status status = message_decode(&rest, &kept);
    ASSERT(status == STATUS_ok);
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    snprintf(sentence, sizeof sentence,
             "the time was over before the outcome was known; ask for the status of session %.*s, "
             "sequence %" PRIu64,
             (int)kept.transact.session.size, (const char *)kept.transact.session.data,
             kept.transact.sequence);
    request_fail(self, slot, STATUS_unknown_outcome, sentence);
}

// Busy to the end. Why may be the caller's own doing, such as a session that is full.
static void expire_busy(struct client *self, uint32_t slot)
{
    struct bytes refusal = buffer_bytes(&client_request(self, slot)->refusal);
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    enum status status = sentence_fail(
        sentence, STATUS_busy,
        "the cluster was busy until the time was over; nothing was done%s%.*s",
        refusal.size > 0 ? ". At the last try: " : "", (int)refusal.size,
        (const char *)refusal.data);
    request_fail(self, slot, status, sentence);
}

void request_expire(struct client *self, uint32_t slot)
{
    const struct request *request = client_request(self, slot);
    if (request->kind == CLIENT_TRANSACT && once_expiry(&request->once) != STATUS_deadline) {
        expire_unknown(self, slot);
    } else if (!request->was_sent) {
        request_fail(
            self, slot, STATUS_unavailable,
            "no process that could take the request was reached in time; nothing was done");
    } else if (request->refused == STATUS_busy) {
        expire_busy(self, slot);
    } else if (request->refused == STATUS_unavailable || request->refused == STATUS_not_primary) {
        request_fail(self, slot, STATUS_unavailable,
                     "there was no primary until the time was over; nothing was done");
    } else {
        request_fail(self, slot, STATUS_deadline,
                     "the time was over before there was an answer; nothing was done");
    }
}
