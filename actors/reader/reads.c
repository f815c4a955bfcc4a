/*
 * A read keeps a copy of its operations, so that it can be sent to another replica. The buffer of
 * that copy stays with the slot unless it grew large: a busy reader allocates nothing.
 *
 * Marks that clients ask for are carried in the same table, without operations: they have deadlines
 * and wait for the primary like reads do.
 */
#include "actors/reader/reads.h"

enum {
    ATTEMPT_US = 100 * 1000, // a replica gets this long for a read at first, then twice as long
    ATTEMPT_SCAN_US = 2000 * 1000, // the same for one that may look at many rows
    BUFFER_KEEP_SIZE = 4 * KIB,
    BUSY_RETRY_MS = 10, // what a client is told when the reader is full
};

void reads_init(struct reads *reads, uint64_t seed)
{
    reads->size = 0;
    pending_init(&reads->pending, READER_PENDING_MAX, sizeof(struct read_request), seed);
}

void reads_release(struct reads *reads)
{
    for (uint32_t slot = 0; slot < reads->pending.capacity; slot++) {
        buffer_release(&reads_at(reads, slot)->operations);
    }
    pending_release(&reads->pending);
}

// Takes out a slot and keeps the request in it with these operations.
static bool add(struct reads *reads, struct read_request request, struct bytes operations,
                uint32_t *ret_slot)
{
    if (reads->size + operations.size > READER_PENDING_SIZE_MAX ||
        !pending_take(&reads->pending, ret_slot)) {
        return false;
    }
    struct read_request *room = reads_at(reads, *ret_slot);
    request.operations = room->operations;
    *room = request;
    buffer_clear(&room->operations);
    buffer_append(&room->operations, operations);
    reads->size += operations.size;
    reads_wake_at(reads, *ret_slot, UINT64_MAX);
    return true;
}

bool reads_add(struct reads *reads, const struct event *event, struct bytes operations,
               const struct asked *asked, uint32_t *ret_slot)
{
    const struct message_read *read = &event->message->read;
    struct read_request request = {
        .client = event->from,
        .client_request = read->request,
        .level = read->level,
        .deadline_us = event->now_us + (uint64_t)read->timeout_ms * 1000,
        .expiry = STATUS_deadline,
        .after_version = read->level == READ_session ? read->after_version : 0,
        .at_version = read->at_version,
        .at_position = read->at_position,
        .at_time_us = read->at_time_us,
        .has_find = asked->has_find,
        .has_scan = asked->has_scan,
        .attempt_us = asked->has_scan ? ATTEMPT_SCAN_US : ATTEMPT_US,
    };
    if (asked->has_cursor) {
        request.level = READ_snapshot;
        request.at_version = asked->cursor_version;
        request.at_position = 0;
        request.at_time_us = 0;
        request.after_version = 0;
    }
    return add(reads, request, operations, ret_slot);
}

bool reads_add_mark(struct reads *reads, const struct event *event, uint32_t *ret_slot)
{
    const struct message_mark *mark = &event->message->mark;
    struct read_request request = {
        .client = event->from,
        .client_request = mark->request,
        .stage = READ_MARKING,
        .is_mark = true,
        .deadline_us = event->now_us + (uint64_t)mark->timeout_ms * 1000,
        .expiry = STATUS_deadline,
    };
    return add(reads, request, bytes_of(NULL, 0), ret_slot);
}

void reads_wake_at(struct reads *reads, uint32_t slot, uint64_t at_us)
{
    uint64_t deadline_us = reads_at(reads, slot)->deadline_us;
    pending_wake_at(&reads->pending, slot, at_us < deadline_us ? at_us : deadline_us);
}

// What a replica is asked: exactly the snapshot, or anything from after_version on.
static enum read_level level_to_send(const struct read_request *request)
{
    if (request->level == READ_snapshot) {
        return READ_snapshot;
    }
    return request->after_version == 0 && request->level == READ_any ? READ_any : READ_session;
}

void reads_send(struct reads *reads, uint32_t slot, uint64_t replica, uint64_t now_us,
                struct outbox *out)
{
    struct read_request *request = reads_at(reads, slot);
    uint64_t left_us = request->deadline_us > now_us ? request->deadline_us - now_us : 0;
    bool is_quick = !request->has_scan && request->attempt_us < left_us;
    uint64_t given_us = is_quick ? request->attempt_us : left_us;
    struct message message = {
        .kind = MESSAGE_read,
        .read = {.request = pending_id(&reads->pending, slot),
                 .level = (uint8_t)level_to_send(request),
                 .after_version = request->after_version,
                 .at_version = request->at_version,
                 .at_position = request->at_position,
                 .at_time_us = request->at_time_us,
                 .timeout_ms = (uint32_t)((given_us + 999) / 1000),
                 .operations = buffer_bytes(&request->operations)},
    };
    outbox_send(out, replica, &message);
    request->stage = READ_SENT;
    request->replica = replica;
    reads_wake_at(reads, slot, now_us + request->attempt_us + request->attempt_us / 4);
    request->attempt_us *= 2;
}

static void forget(struct reads *reads, uint32_t slot)
{
    struct read_request *request = reads_at(reads, slot);
    reads->size -= request->operations.size;
    if (request->operations.capacity > BUFFER_KEEP_SIZE) {
        buffer_release(&request->operations);
    }
    pending_free(&reads->pending, slot);
}

void reads_finish(struct reads *reads, uint32_t slot, const struct message_read_reply *reply,
                  struct outbox *out)
{
    const struct read_request *request = reads_at(reads, slot);
    struct message passed = {.kind = MESSAGE_read_reply, .read_reply = *reply};
    passed.read_reply.request = request->client_request;
    outbox_send(out, request->client, &passed);
    forget(reads, slot);
}

void reads_finish_mark(struct reads *reads, uint32_t slot, const struct message_mark_reply *reply,
                       struct outbox *out)
{
    const struct read_request *request = reads_at(reads, slot);
    struct message passed = {.kind = MESSAGE_mark_reply, .mark_reply = *reply};
    passed.mark_reply.request = request->client_request;
    outbox_send(out, request->client, &passed);
    forget(reads, slot);
}

// The answer to a read or, a refusal, to a mark that failed.
static struct message failure_of(bool is_mark, uint64_t request, enum status status,
                                 const char *sentence)
{
    uint32_t retry_after_ms = status == STATUS_busy ? BUSY_RETRY_MS : 0;
    if (is_mark) {
        return (struct message){.kind = MESSAGE_refusal,
                                .refusal = {.request = request,
                                            .status = status,
                                            .message = bytes_from_text(sentence),
                                            .retry_after_ms = retry_after_ms}};
    }
    return (struct message){.kind = MESSAGE_read_reply,
                            .read_reply = {.request = request,
                                           .status = status,
                                           .message = bytes_from_text(sentence),
                                           .retry_after_ms = retry_after_ms}};
}

void reads_fail(struct reads *reads, uint32_t slot, enum status status, const char *sentence,
                struct outbox *out)
{
    const struct read_request *request = reads_at(reads, slot);
    struct message failure = failure_of(request->is_mark, request->client_request, status,
                                        sentence);
    outbox_send(out, request->client, &failure);
    forget(reads, slot);
}

void reads_refuse(const struct event *event, enum status status, const char *sentence,
                  struct outbox *out)
{
    struct message failure = failure_of(event->message->kind == MESSAGE_mark,
                                        message_request(event->message), status, sentence);
    outbox_send(out, event->from, &failure);
}
