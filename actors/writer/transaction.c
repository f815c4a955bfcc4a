/*
 * A pending transaction keeps the encoded request with the writer's own id. The first sending is a
 * copy of those bytes; later ones are encoded anew, with the time that is left by then. Buffers
 * stay with their slot unless they grew large, so that a busy writer allocates nothing.
 *
 * A transaction is due again RESEND_US after it was sent, and twice as long each further time: the
 * message or its answer was lost on the way. Sending again is harmless (rule 29).
 */
#include "actors/writer/transaction.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    RESEND_US = 500 * 1000,      // silence after which a transaction is sent again, at first
    RESEND_US_MAX = 4000 * 1000, // and at most
    RETRY_US = 20 * 1000,        // a refused transaction is tried again after this
    BUFFER_KEEP_SIZE = 4 * KIB,  // a larger buffer does not stay with its slot
};

struct transaction {
    uint64_t client;         // address of the client
    uint64_t client_request; // id that the client gave
    uint64_t deadline_us;    // when the client stops waiting
    bool was_sent;           // at least once
    uint32_t resend_us;      // silence after which it is sent again
    bool is_status;          // transact_status, not transact
    struct once once;        // what is known of the copies that were sent; not for is_status
    struct buffer encoded;   // the request with our id, as it was sent first
};

void transactions_init(struct transactions *transactions, uint64_t seed)
{
    transactions->size = 0;
    pending_init(&transactions->pending, WRITER_PENDING_MAX, sizeof(struct transaction), seed);
}

static struct transaction *at(const struct transactions *transactions, uint32_t slot)
{
    return pending_room(&transactions->pending, slot);
}

void transactions_release(struct transactions *transactions)
{
    for (uint32_t slot = 0; slot < transactions->pending.capacity; slot++) {
        buffer_release(&at(transactions, slot)->encoded);
        once_release(&at(transactions, slot)->once);
    }
    pending_release(&transactions->pending);
}

// The fields that transact and transact_status share.
static uint64_t *request_field(struct message *message)
{
    return message->kind == MESSAGE_transact ? &message->transact.request
                                             : &message->transact_status.request;
}

static uint32_t *timeout_field(struct message *message)
{
    return message->kind == MESSAGE_transact ? &message->transact.timeout_ms
                                             : &message->transact_status.timeout_ms;
}

bool transactions_add(struct transactions *transactions, const struct event *event,
                      struct message *message, uint32_t *ret_slot)
{
    size_t size = event->encoded.size;
    if (transactions->size + size > WRITER_PENDING_SIZE_MAX ||
        !pending_take(&transactions->pending, ret_slot)) {
        return false;
    }
    struct transaction *transaction = at(transactions, *ret_slot);
    struct buffer encoded = transaction->encoded;
    struct once once = transaction->once;
    *transaction = (struct transaction){
        .client = event->from,
        .client_request = *request_field(message),
        .deadline_us = event->now_us + (uint64_t)*timeout_field(message) * 1000,
        .resend_us = RESEND_US,
        .is_status = message->kind == MESSAGE_transact_status,
        .once = once,
        .encoded = encoded,
    };
    buffer_clear(&transaction->encoded);
    once_reset(&transaction->once);
    *request_field(message) = pending_id(&transactions->pending, *ret_slot);
    message_encode(message, &transaction->encoded);
    transactions->size += transaction->encoded.size;
    pending_wake_at(&transactions->pending, *ret_slot, transaction->deadline_us);
    return true;
}

// The request as it was kept.
static struct message kept_message(const struct transaction *transaction)
{
    struct message message;
    struct bytes rest = buffer_bytes(&transaction->encoded);
    enum status status = message_decode(&rest, &message);
    ASSERT(status == STATUS_ok);
    return message;
}

// The transaction is due at `at_us` or at its deadline.
static void wake_at(struct transactions *transactions, uint32_t slot, uint64_t at_us)
{
    uint64_t deadline_us = at(transactions, slot)->deadline_us;
    pending_wake_at(&transactions->pending, slot, at_us < deadline_us ? at_us : deadline_us);
}

// What is sent another time: the request with the time that is left, or the claim of its sequence.
static void send_again(struct transaction *transaction, uint64_t primary, uint64_t now_us,
                       struct outbox *out)
{
    struct message message = kept_message(transaction);
    uint32_t left_ms = (uint32_t)((transaction->deadline_us - now_us + 999) / 1000);
    *timeout_field(&message) = left_ms;
    if (transaction->once.is_claiming) {
        message = (struct message){.kind = MESSAGE_transact_status,
                                   .transact_status = {.request = message.transact.request,
                                                       .session = message.transact.session,
                                                       .sequence = message.transact.sequence,
                                                       .timeout_ms = left_ms}};
    }
    outbox_send(out, primary, &message);
}

void transactions_send(struct transactions *transactions, uint32_t slot, uint64_t primary,
                       uint64_t now_us, struct outbox *out)
{
    struct transaction *transaction = at(transactions, slot);
    if (now_us >= transaction->deadline_us) {
        return; // its timer is on the way
    }
    if (transaction->was_sent) {
        send_again(transaction, primary, now_us, out);
    } else {
        outbox_send_encoded(out, primary, buffer_bytes(&transaction->encoded));
    }
    transaction->was_sent = true;
    once_sent(&transaction->once);
    wake_at(transactions, slot, now_us + transaction->resend_us);
    if (transaction->resend_us < RESEND_US_MAX) {
        transaction->resend_us *= 2;
    }
}

void transactions_send_all(struct transactions *transactions, uint64_t primary, uint64_t now_us,
                           struct outbox *out)
{
    const struct pending *pending = &transactions->pending;
    for (uint32_t slot = pending->first; slot != PENDING_NONE;
         slot = pending_after(pending, slot)) {
        at(transactions, slot)->resend_us = RESEND_US;
        transactions_send(transactions, slot, primary, now_us, out);
    }
}

bool transactions_find(const struct transactions *transactions, uint64_t request,
                       uint32_t *ret_slot)
{
    return pending_find(&transactions->pending, request, ret_slot);
}

// A question for a status may be asked any number of times.
static enum once_verdict judge_status_answer(const struct message *answer)
{
    switch (answer->kind) {
    case MESSAGE_transact_status_reply: {
        enum status status = (enum status)answer->transact_status_reply.status;
        bool is_open = status == STATUS_not_primary || status == STATUS_unknown_outcome;
        return is_open ? ONCE_RETRY : ONCE_ANSWER;
    }
    case MESSAGE_refusal:
        return answer->refusal.status == STATUS_not_primary ? ONCE_RETRY : ONCE_ANSWER;
    default: return ONCE_IGNORE;
    }
}

// Whether the answer says only that another node has to be asked.
static bool is_not_primary(const struct message *answer)
{
    return (answer->kind == MESSAGE_refusal && answer->refusal.status == STATUS_not_primary) ||
           (answer->kind == MESSAGE_outcome && answer->outcome.status == STATUS_not_primary);
}

enum once_verdict transactions_judge(struct transactions *transactions, uint32_t slot,
                                     const struct message *answer)
{
    struct transaction *transaction = at(transactions, slot);
    if (transaction->is_status) {
        return judge_status_answer(answer);
    }
    enum once_verdict verdict = once_judge(&transaction->once, answer);
    return verdict == ONCE_REFUSED && is_not_primary(answer) ? ONCE_RETRY : verdict;
}

static void forget(struct transactions *transactions, uint32_t slot)
{
    struct transaction *transaction = at(transactions, slot);
    transactions->size -= transaction->encoded.size;
    if (transaction->encoded.capacity > BUFFER_KEEP_SIZE) {
        buffer_release(&transaction->encoded);
    }
    pending_free(&transactions->pending, slot);
}

// A failure in the words of the answer that the client waits for.
static void answer_failure(const struct transaction *transaction, enum status status,
                           struct bytes sentence, uint32_t retry_after_ms, struct outbox *out)
{
    struct message reply;
    if (transaction->is_status) {
        reply = (struct message){.kind = MESSAGE_transact_status_reply,
                                 .transact_status_reply = {.request = transaction->client_request,
                                                           .status = status,
                                                           .message = sentence}};
    } else {
        reply = (struct message){.kind = MESSAGE_outcome,
                                 .outcome = {.request = transaction->client_request,
                                             .status = status,
                                             .message = sentence,
                                             .retry_after_ms = retry_after_ms}};
    }
    outbox_send(out, transaction->client, &reply);
}

void transactions_finish(struct transactions *transactions, uint32_t slot,
                         const struct message *answer, struct outbox *out)
{
    const struct transaction *transaction = at(transactions, slot);
    struct message passed = *answer;
    if (answer->kind == MESSAGE_refusal) {
        answer_failure(transaction, (enum status)answer->refusal.status, answer->refusal.message,
                       answer->refusal.retry_after_ms, out);
    } else if (answer->kind == MESSAGE_outcome) {
        passed.outcome.request = transaction->client_request;
        outbox_send(out, transaction->client, &passed);
    } else {
        passed.transact_status_reply.request = transaction->client_request;
        outbox_send(out, transaction->client, &passed);
    }
    forget(transactions, slot);
}

void transactions_finish_saved(struct transactions *transactions, uint32_t slot, struct outbox *out)
{
    struct message failure;
    struct bytes rest = buffer_bytes(&at(transactions, slot)->once.failure);
    enum status status = message_decode(&rest, &failure);
    ASSERT(status == STATUS_ok);
    transactions_finish(transactions, slot, &failure, out);
}

void transactions_retry(struct transactions *transactions, uint32_t slot, uint64_t now_us)
{
    wake_at(transactions, slot, now_us + RETRY_US);
}

void transactions_park(struct transactions *transactions, uint32_t slot)
{
    wake_at(transactions, slot, UINT64_MAX);
}

bool transactions_due(struct transactions *transactions, uint64_t now_us, uint32_t *ret_slot)
{
    return pending_due(&transactions->pending, now_us, ret_slot);
}

uint64_t transactions_next_due(const struct transactions *transactions)
{
    uint64_t at_us = pending_next_wake(&transactions->pending);
    return at_us == UINT64_MAX ? 0 : at_us;
}

bool transactions_expire(struct transactions *transactions, uint32_t slot, uint64_t now_us,
                         struct outbox *out)
{
    const struct transaction *transaction = at(transactions, slot);
    if (now_us < transaction->deadline_us) {
        return false;
    }
    bool is_unknown = transaction->is_status
                          ? transaction->was_sent
                          : once_expiry(&transaction->once) == STATUS_unknown_outcome;
    if (!is_unknown) {
        answer_failure(transaction, STATUS_deadline,
                       bytes_from_text("the time was over before a primary took the transaction; "
                                       "nothing was done"),
                       0, out);
    } else {
        struct message kept = kept_message(transaction);
        struct bytes session = transaction->is_status ? kept.transact_status.session
                                                      : kept.transact.session;
        uint64_t sequence = transaction->is_status ? kept.transact_status.sequence
                                                   : kept.transact.sequence;
        char sentence[ERROR_MESSAGE_SIZE_MAX];
        snprintf(sentence, sizeof sentence,
                 "the time was over before the primary answered; ask for the status of session "
                 "%.*s, sequence %" PRIu64,
                 (int)session.size, (const char *)session.data, sequence);
        answer_failure(transaction, STATUS_unknown_outcome, bytes_from_text(sentence), 0, out);
    }
    forget(transactions, slot);
    return true;
}

size_t transactions_count(const struct transactions *transactions)
{
    return transactions->pending.count;
}
