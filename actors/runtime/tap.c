/*
 * 1. Who watches is known from the subscriptions that an XPUB socket receives: a byte 1 or 0 and a
 *    topic. It tells the first and the last one of each topic only, so a flag for each is enough.
 *    An empty subscription is one to both topics.
 * 2. Messages of one turn of the loop share a frame, closed early at PUBLICATION_SIZE.
 * 3. The time an answer took is known from the moment its request went by, kept in a table that
 *    forgets by being written over. Names of peers are learned in the same way, from the heads of
 *    their frames. Both are filled only while somebody watches.
 */
#include "actors/runtime/tap.h"

#include "actors/runtime/bind.h"
#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum {
    PUBLICATION_SIZE = 128 * KIB, // a frame of this size is published at once
    PAYLOAD_SIZE_MAX = 64 * KIB,  // of one message; a limit of the schema
    QUEUE_FRAMES_MAX = 200,       // frames waiting for one watcher, then they are lost to it
    REQUEST_COUNT = 4096,         // requests remembered
    PEER_COUNT = 256,             // names remembered
    SUBSCRIPTION_SIZE_MAX = 256,  // of those that are looked at
};

// A request that went by.
struct tap_request {
    uint64_t address; // of the other side; 0 for none
    uint64_t request;
    uint64_t now_us;
};

struct tap_peer {
    uint64_t address; // 0 for none
    char name[NAME_SIZE_MAX + 1];
};

// The publication that is being made for one topic.
struct publication {
    bool has_watchers; // of this topic
    struct buffer frame;
    uint32_t messages; // in the frame
};

struct tap {
    void *socket;                      // XPUB
    int fd;                            // its descriptor
    char endpoint[BIND_ENDPOINT_SIZE]; // where watchers connect to
    char name[NAME_SIZE_MAX + 1];      // of this process
    uint64_t incarnation;              // for the head of frames
    uint64_t cluster_id;               // for the head of frames
    bool has_watchers_of_all;          // somebody subscribed to ""
    struct publication publications[TAP_TOPIC_COUNT];
    struct tap_request requests[REQUEST_COUNT]; // by hash of address and request
    struct tap_peer peers[PEER_COUNT];          // by hash of the address
};

static const char *const TOPIC_NAMES[TAP_TOPIC_COUNT] = {"h", "p"};

static void set_option(void *socket, int option, int value)
{
    ASSERT(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

// Binds beside the endpoint on which the process takes messages.
static enum status bind_tap(struct tap *tap, const char *listen, struct buffer *ret_error)
{
    char endpoint[BIND_ENDPOINT_SIZE];
    if (strncmp(listen, "ipc://", 6) == 0) {
        snprintf(endpoint, sizeof endpoint, "%s.trace", listen);
    } else {
        const char *colon = strrchr(listen, ':');
        snprintf(endpoint, sizeof endpoint, "%.*s:*", (int)(colon - listen), listen);
    }
    return bind_socket(tap->socket, endpoint, tap->endpoint, ret_error);
}

enum status tap_new(const struct peer_sockets_options *options, const char *listen,
                    struct tap **ret_tap, struct buffer *ret_error)
{
    struct tap *tap AUTO(tap_destroy) = calloc(1, sizeof *tap);
    ASSERT(tap != NULL);
    ASSERT(options->name.size <= NAME_SIZE_MAX);
    memcpy(tap->name, options->name.data, options->name.size);
    tap->incarnation = options->incarnation;
    tap->cluster_id = options->cluster_id;
    tap->socket = zmq_socket(options->context, ZMQ_XPUB);
    if (tap->socket == NULL) {
        text_append(ret_error, "no socket: %s", zmq_strerror(errno));
        tap_destroy(&tap);
        return STATUS_unavailable;
    }
    set_option(tap->socket, ZMQ_SNDHWM, QUEUE_FRAMES_MAX);
    set_option(tap->socket, ZMQ_LINGER, 0);
    int64_t size_max = SUBSCRIPTION_SIZE_MAX;
    ASSERT(zmq_setsockopt(tap->socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0);
    size_t size = sizeof tap->fd;
    ASSERT(zmq_getsockopt(tap->socket, ZMQ_FD, &tap->fd, &size) == 0);
    TRY(bind_tap(tap, listen, ret_error));
    *ret_tap = tap;
    tap = NULL;
    return STATUS_ok;
}

void tap_destroy(struct tap **take_tap)
{
    struct tap *tap = *take_tap;
    *take_tap = NULL;
    if (tap == NULL) {
        return;
    }
    if (tap->socket != NULL) {
        zmq_close(tap->socket);
    }
    for (int topic = 0; topic < TAP_TOPIC_COUNT; topic++) {
        buffer_release(&tap->publications[topic].frame);
    }
    free(tap);
}

const char *tap_endpoint(const struct tap *tap)
{
    return tap->endpoint;
}

void tap_set_cluster(struct tap *tap, uint64_t cluster_id)
{
    tap_flush(tap);
    tap->cluster_id = cluster_id;
}

static void take_subscription(struct tap *tap, const uint8_t *data, size_t size)
{
    if (size < 1 || data[0] > 1) {
        return;
    }
    bool is_on = data[0] == 1;
    struct bytes topic = bytes_of(data + 1, size - 1);
    if (topic.size == 0) {
        tap->has_watchers_of_all = is_on;
    }
    for (int i = 0; i < TAP_TOPIC_COUNT; i++) {
        if (bytes_equal(topic, bytes_from_text(TOPIC_NAMES[i]))) {
            tap->publications[i].has_watchers = is_on;
        }
    }
}

void tap_poll(struct tap *tap)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, tap->socket, ZMQ_DONTWAIT) >= 0) {
        take_subscription(tap, zmq_msg_data(&message), zmq_msg_size(&message));
    }
    zmq_msg_close(&message);
}

int tap_fd(const struct tap *tap)
{
    return tap->fd;
}

bool tap_is_watched_for(const struct tap *tap, enum tap_topic topic)
{
    return tap->has_watchers_of_all || tap->publications[topic].has_watchers;
}

bool tap_is_watched(const struct tap *tap)
{
    return tap_is_watched_for(tap, TAP_HEADERS) || tap_is_watched_for(tap, TAP_PAYLOADS);
}

static size_t hash_of(uint64_t a, uint64_t b)
{
    return (size_t)(((a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd)) >> 40);
}

static struct tap_request *request_of(struct tap *tap, uint64_t address, uint64_t request)
{
    return &tap->requests[hash_of(address, request) % REQUEST_COUNT];
}

// True for an answer that says how it went.
static bool outcome_of(const struct message *message, uint32_t *ret_outcome)
{
    switch (message->kind) {
    case MESSAGE_refusal: *ret_outcome = message->refusal.status; return true;
    case MESSAGE_outcome: *ret_outcome = message->outcome.status; return true;
    case MESSAGE_read_reply: *ret_outcome = message->read_reply.status; return true;
    case MESSAGE_mark_reply: *ret_outcome = message->mark_reply.status; return true;
    case MESSAGE_digest_reply: *ret_outcome = message->digest_reply.status; return true;
    case MESSAGE_transfer_reply: *ret_outcome = message->transfer_reply.status; return true;
    case MESSAGE_switchover_reply: *ret_outcome = message->switchover_reply.status; return true;
    case MESSAGE_transact_status_reply:
        *ret_outcome = message->transact_status_reply.status;
        return true;
    default: return false;
    }
}

// An answer repeats the id of its request; what went by before with the same id is that request.
static uint64_t take_duration(struct tap *tap, const struct tap_record *record, uint64_t request)
{
    struct tap_request *known = request_of(tap, record->address, request);
    if (request == 0) {
        return 0;
    }
    if (known->address == record->address && known->request == request) {
        known->address = 0;
        return record->now_us - known->now_us;
    }
    *known = (struct tap_request){
        .address = record->address, .request = request, .now_us = record->now_us};
    return 0;
}

static void learn_name(struct tap *tap, const struct tap_record *record)
{
    if (record->peer.size == 0 || record->peer.size > NAME_SIZE_MAX) {
        return;
    }
    struct tap_peer *peer = &tap->peers[hash_of(record->address, 0) % PEER_COUNT];
    peer->address = record->address;
    memcpy(peer->name, record->peer.data, record->peer.size);
    peer->name[record->peer.size] = '\0';
}

// The name of the other side, or its address while the name is not known.
static struct bytes name_of(struct tap *tap, const struct tap_record *record, char text[static 32])
{
    learn_name(tap, record);
    struct tap_peer *peer = &tap->peers[hash_of(record->address, 0) % PEER_COUNT];
    if (peer->address == record->address) {
        return bytes_from_text(peer->name);
    }
    snprintf(text, 32, "%016" PRIx64, record->address);
    return bytes_from_text(text);
}

static void begin_publication(struct tap *tap, struct publication *publication)
{
    if (publication->messages == 0) {
        frame_begin(&publication->frame, tap->cluster_id, bytes_from_text(tap->name),
                    tap->incarnation);
    }
    publication->messages++;
}

void tap_forward(struct tap *tap, enum tap_topic topic, struct bytes frame)
{
    if (zmq_send(tap->socket, TOPIC_NAMES[topic], 1, ZMQ_SNDMORE | ZMQ_DONTWAIT) == 1) {
        // An XPUB socket never says that a watcher is full: what it can't queue it drops.
        zmq_send(tap->socket, frame.data, frame.size, ZMQ_DONTWAIT);
    }
}

static void publish(struct tap *tap, enum tap_topic topic)
{
    struct publication *publication = &tap->publications[topic];
    if (publication->messages > 0) {
        tap_forward(tap, topic, buffer_bytes(&publication->frame));
        publication->messages = 0;
    }
}

static void add_trace(struct tap *tap, enum tap_topic topic, const struct message *trace)
{
    struct publication *publication = &tap->publications[topic];
    if (!tap_is_watched_for(tap, topic)) {
        return;
    }
    begin_publication(tap, publication);
    message_encode(trace, &publication->frame);
    if (publication->frame.size >= PUBLICATION_SIZE ||
        publication->messages == FRAME_MESSAGES_MAX) {
        publish(tap, topic);
    }
}

void tap_note(struct tap *tap, const struct tap_record *record)
{
    char text[32];
    struct bytes peer = name_of(tap, record, text);
    struct bytes self = bytes_from_text(tap->name);
    uint64_t request = message_request(record->message);
    struct message trace = {
        .kind = MESSAGE_trace,
        .trace = {.time_us = record->wall_us,
                  .from = record->is_sent ? self : peer,
                  .to = record->is_sent ? peer : self,
                  .kind = record->message->kind,
                  .request = request,
                  .epoch = message_epoch(record->message),
                  .position = message_position(record->message),
                  .size = (uint32_t)record->encoded.size,
                  .duration_us = take_duration(tap, record, request)},
    };
    uint32_t outcome;
    if (outcome_of(record->message, &outcome)) {
        trace.trace.outcome = outcome;
    }
    add_trace(tap, TAP_HEADERS, &trace);
    if (record->encoded.size <= PAYLOAD_SIZE_MAX) {
        trace.trace.payload = record->encoded;
    }
    add_trace(tap, TAP_PAYLOADS, &trace);
}

void tap_flush(struct tap *tap)
{
    for (int topic = 0; topic < TAP_TOPIC_COUNT; topic++) {
        publish(tap, (enum tap_topic)topic);
    }
}

const char *tap_topic_name(enum tap_topic topic)
{
    return TOPIC_NAMES[topic];
}
