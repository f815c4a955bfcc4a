/*
 * Frames and every kind of message in them: what decodes is encoded again, to the same message, and
 * prints as one line. Where a message carries other ones, those are taken apart, too.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "wire/frame.h"

static void check_printed(const struct message *message)
{
    AUTO(buffer_release) struct buffer text = {0};
    message_print(message, &text);
    ASSERT(text.size > 0 && utf8_is_valid(buffer_bytes(&text)));
    for (size_t i = 0; i < text.size; i++) {
        ASSERT(text.data[i] >= ' ' && text.data[i] != 0x7f);
    }
}

static void check_message(const struct message *message)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct message decoded;
    message_encode(message, &encoded);
    struct bytes rest = buffer_bytes(&encoded);
    ASSERT(message_decode(&rest, &decoded) == STATUS_ok && rest.size == 0);
    ASSERT(decoded.kind == message->kind);
    ASSERT(message_request(&decoded) == message_request(message));
    ASSERT(message_epoch(&decoded) == message_epoch(message));
    ASSERT(message_position(&decoded) == message_position(message));
    message_encode(&decoded, &again);
    ASSERT(bytes_equal(buffer_bytes(&encoded), buffer_bytes(&again)));
    check_printed(message);
}

// Takes messages until there are no more or one is none.
static void check_messages(struct bytes rest)
{
    struct message message;
    while (rest.size > 0) {
        struct bytes before = rest;
        if (message_decode(&rest, &message) != STATUS_ok) {
            ASSERT(rest.data == before.data && rest.size == before.size);
            return;
        }
        ASSERT(rest.size < before.size);
        check_message(&message);
    }
}

// What is said of a frame depends on nothing but its cluster and ours.
static void check_head(struct bytes frame, const struct message_frame *head, struct bytes messages)
{
    AUTO(buffer_release) struct buffer made = {0};
    struct message_frame other;
    struct bytes rest;
    enum status stranger = head->cluster_id == 0 ? STATUS_ok : STATUS_wrong_cluster;
    ASSERT(frame_open(frame, head->cluster_id ^ 1, &other, &rest) == stranger ||
           head->cluster_id == 1);
    ASSERT(frame_open(frame, head->cluster_id, &other, &rest) == STATUS_ok);
    frame_begin(&made, head->cluster_id, head->from, head->incarnation);
    buffer_append(&made, messages);
    ASSERT(frame_open(buffer_bytes(&made), 0, &other, &rest) == STATUS_ok);
    ASSERT(other.cluster_id == head->cluster_id && other.incarnation == head->incarnation);
    ASSERT(bytes_equal(other.from, head->from) && bytes_equal(rest, messages));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes frame = bytes_of(data, size);
    struct message_frame head;
    struct bytes messages;
    if (frame_open(frame, 0, &head, &messages) == STATUS_ok) {
        check_head(frame, &head, messages);
        check_messages(messages);
    } else {
        check_messages(frame);
    }
    return 0;
}
