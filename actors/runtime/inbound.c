/*
 * 1. The address of a peer is the routing id that ZeroMQ gave its connection (a zero byte and 32
 *    bits), with the top bit set: no table, nothing to forget when it goes. A peer that chose a
 *    routing id of its own, which none of ours does, is not answered: its frames are dropped.
 * 2. Sending never blocks. ROUTER_MANDATORY tells a peer that is gone (EHOSTUNREACH) from one whose
 *    queue is full (EAGAIN); both lose the frame, which is counted.
 * 3. Frames are gathered in `outgoing`, found by address through a small hash table; when that is
 *    full everything gathered goes out. A large frame gives its memory to ZeroMQ, which frees it in
 *    its own thread; a small one is copied and its memory kept.
 * 4. A frame is one message part. More parts, and parts above FRAME_SIZE_MAX (which ZeroMQ itself
 *    refuses by closing the connection), are not ours.
 * 5. Looking at the socket costs system calls even when nothing is there, so it is looked at only
 *    after its descriptor was readable or something was sent (`is_drained`).
 * 6. ZeroMQ lets a second process steal an ipc endpoint in silence, so its owner holds a lock on
 *    PATH.lock.
 */
#include "actors/runtime/inbound.h"

#include "actors/runtime/bind.h"
#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ROUTING_ID_SIZE = 5,           // of a connection that did not choose its own
    OUTGOING_COUNT_MAX = 256,      // peers written to between two flushes
    SLOT_COUNT = 1024,             // of the hash table; a power of two
    FRAME_GIVEN_SIZE = 32 * KIB,   // frames from this size on give their memory away
    QUEUE_FRAMES_MAX = 1000,       // frames waiting for one peer
    INBOX_FRAMES_MAX = 256,        // frames of one peer waiting for us
    HANDSHAKE_MS = 5000,           // a connection that says nothing is closed
    HEARTBEAT_MS_OF_SOCKET = 5000, // a connection without a peer is found
    UNANSWERED_MS = 1500,          // of what was sent: the connection is given up
    BACKLOG_MAX = 512,
    LINGER_MS = 200,
    REFUSED_AT_ONCE_MAX = 64, // frames refused in one call
};

static_assert((SLOT_COUNT & (SLOT_COUNT - 1)) == 0, "a mask chooses the slot");
static_assert(OUTGOING_COUNT_MAX * 2 <= SLOT_COUNT, "probing ends soon");

// The frame gathered for one peer.
struct outgoing {
    uint64_t address;   // of the peer
    struct buffer data; // frame; empty capacity after it was given away
    uint32_t messages;  // messages in it
    uint16_t *slot;     // that leads here
};

struct inbound {
    void *socket;                      // ROUTER
    int fd;                            // its descriptor
    int lock_fd;                       // lock of an ipc endpoint; -1 for none
    char endpoint[BIND_ENDPOINT_SIZE]; // where others reach us
    char name[NAME_SIZE_MAX + 1];      // for the head of frames
    uint64_t incarnation;              // for the head of frames
    uint64_t cluster_id;               // for the head of frames; 0 for none
    zmq_msg_t taken;                   // frame handed out last
    bool is_drained; // nothing was there when last looked, and nothing was sent since
    struct outgoing outgoing[OUTGOING_COUNT_MAX]; // frames gathered
    size_t outgoing_count;
    uint16_t slots[SLOT_COUNT]; // 1 + number in `outgoing`, by hash of the address; 0 for free
    struct peer_sockets_counts counts;
};

static void set_option(void *socket, int option, int value)
{
    ASSERT(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static void set_options(void *socket)
{
    int64_t size_max = FRAME_SIZE_MAX;
    ASSERT(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0);
    set_option(socket, ZMQ_ROUTER_MANDATORY, 1);
    set_option(socket, ZMQ_LINGER, LINGER_MS);
    set_option(socket, ZMQ_SNDHWM, QUEUE_FRAMES_MAX);
    set_option(socket, ZMQ_RCVHWM, INBOX_FRAMES_MAX);
    set_option(socket, ZMQ_BACKLOG, BACKLOG_MAX);
    set_option(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_option(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS_OF_SOCKET);
    set_option(socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * HEARTBEAT_MS_OF_SOCKET);
    set_option(socket, ZMQ_TCP_KEEPALIVE, 1);
    set_option(socket, ZMQ_TCP_MAXRT, UNANSWERED_MS);
}

// Takes the lock of an ipc endpoint. It stays when the process ends; only the kernel's lock on it
// counts.
static enum status lock_ipc(struct inbound *inbound, const char *path, struct buffer *ret_error)
{
    char name[ENDPOINT_SIZE_MAX + 8];
    snprintf(name, sizeof name, "%s.lock", path);
    inbound->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (inbound->lock_fd < 0) {
        text_append(ret_error, "%s can't be opened: %s", name, strerror(errno));
        return STATUS_unavailable;
    }
    if (flock(inbound->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        text_append(ret_error, "another process listens on ipc://%s", path);
        return STATUS_in_use;
    }
    return STATUS_ok;
}

static enum status bind_inbound(struct inbound *inbound, const char *endpoint,
                                struct buffer *ret_error)
{
    static const char ipc[] = "ipc://";
    if (strncmp(endpoint, ipc, strlen(ipc)) == 0) {
        TRY(lock_ipc(inbound, endpoint + strlen(ipc), ret_error));
    }
    return bind_socket(inbound->socket, endpoint, inbound->endpoint, ret_error);
}

enum status inbound_new(const struct peer_sockets_options *options, const char *endpoint,
                        struct inbound **ret_inbound, struct buffer *ret_error)
{
    struct inbound *inbound AUTO(inbound_destroy) = calloc(1, sizeof *inbound);
    ASSERT(inbound != NULL);
    ASSERT(options->name.size <= NAME_SIZE_MAX);
    memcpy(inbound->name, options->name.data, options->name.size);
    inbound->incarnation = options->incarnation;
    inbound->cluster_id = options->cluster_id;
    inbound->lock_fd = -1;
    zmq_msg_init(&inbound->taken);
    inbound->socket = zmq_socket(options->context, ZMQ_ROUTER);
    if (inbound->socket == NULL) {
        text_append(ret_error, "no socket: %s", zmq_strerror(errno));
        return STATUS_unavailable;
    }
    set_options(inbound->socket);
    size_t size = sizeof inbound->fd;
    ASSERT(zmq_getsockopt(inbound->socket, ZMQ_FD, &inbound->fd, &size) == 0);
    TRY(bind_inbound(inbound, endpoint, ret_error));
    *ret_inbound = inbound;
    inbound = NULL;
    return STATUS_ok;
}

void inbound_destroy(struct inbound **take_inbound)
{
    struct inbound *inbound = *take_inbound;
    *take_inbound = NULL;
    if (inbound == NULL) {
        return;
    }
    zmq_msg_close(&inbound->taken);
    if (inbound->socket != NULL) {
        zmq_close(inbound->socket);
    }
    if (inbound->lock_fd >= 0) {
        close(inbound->lock_fd);
    }
    for (size_t i = 0; i < OUTGOING_COUNT_MAX; i++) {
        buffer_release(&inbound->outgoing[i].data);
    }
    free(inbound);
}

const char *inbound_endpoint(const struct inbound *inbound)
{
    return inbound->endpoint;
}

void inbound_set_cluster(struct inbound *inbound, uint64_t cluster_id)
{
    inbound_flush(inbound);
    inbound->cluster_id = cluster_id;
}

static void begin_frame(struct inbound *inbound, struct outgoing *outgoing)
{
    frame_begin(&outgoing->data, inbound->cluster_id, bytes_from_text(inbound->name),
                inbound->incarnation);
    outgoing->messages = 0;
}

// Says to which peer the next part goes. False when it is gone or takes nothing.
static bool send_address(struct inbound *inbound, uint64_t address)
{
    uint8_t id[ROUTING_ID_SIZE] = {0, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
                                   (uint8_t)(address >> 8), (uint8_t)address};
    return zmq_send(inbound->socket, id, sizeof id, ZMQ_SNDMORE | ZMQ_DONTWAIT) == sizeof id;
}

static void free_given(void *data, void *hint)
{
    (void)hint;
    free(data);
}

// Moves or copies the frame into a message of ZeroMQ.
static void pack_frame(struct buffer *data, zmq_msg_t *message)
{
    if (data->size >= FRAME_GIVEN_SIZE) {
        ASSERT(zmq_msg_init_data(message, data->data, data->size, free_given, NULL) == 0);
        buffer_init(data);
        return;
    }
    ASSERT(zmq_msg_init_size(message, data->size) == 0);
    memcpy(zmq_msg_data(message), data->data, data->size);
}

static void send_frame(struct inbound *inbound, struct outgoing *outgoing)
{
    inbound->is_drained = false;
    if (!send_address(inbound, outgoing->address)) {
        inbound->counts.dropped += outgoing->messages;
        return;
    }
    zmq_msg_t message;
    size_t size = outgoing->data.size;
    pack_frame(&outgoing->data, &message);
    if (zmq_msg_send(&message, inbound->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        inbound->counts.dropped += outgoing->messages;
        return;
    }
    inbound->counts.frames_sent++;
    inbound->counts.bytes_sent += size;
}

// Where the address is in the hash table, or where it goes.
static uint16_t *slot_of(struct inbound *inbound, uint64_t address)
{
    uint64_t hash = (address * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
    for (;; hash++) {
        uint16_t *slot = &inbound->slots[hash & (SLOT_COUNT - 1)];
        if (*slot == 0 || inbound->outgoing[*slot - 1].address == address) {
            return slot;
        }
    }
}

// The frame that is gathered for the address, begun if there is none.
static struct outgoing *outgoing_of(struct inbound *inbound, uint64_t address)
{
    uint16_t *slot = slot_of(inbound, address);
    if (*slot != 0) {
        return &inbound->outgoing[*slot - 1];
    }
    if (inbound->outgoing_count == OUTGOING_COUNT_MAX) {
        inbound_flush(inbound);
        slot = slot_of(inbound, address);
    }
    struct outgoing *outgoing = &inbound->outgoing[inbound->outgoing_count++];
    *slot = (uint16_t)inbound->outgoing_count;
    outgoing->address = address;
    outgoing->slot = slot;
    begin_frame(inbound, outgoing);
    return outgoing;
}

void inbound_send(struct inbound *inbound, uint64_t address, struct bytes encoded)
{
    struct outgoing *outgoing = outgoing_of(inbound, address);
    bool is_full = outgoing->data.size + encoded.size > FRAME_SIZE_MAX ||
                   outgoing->messages == FRAME_MESSAGES_MAX;
    if (is_full && outgoing->messages > 0) {
        send_frame(inbound, outgoing);
        begin_frame(inbound, outgoing);
    }
    buffer_append(&outgoing->data, encoded);
    outgoing->messages++;
}

void inbound_flush(struct inbound *inbound)
{
    for (size_t i = 0; i < inbound->outgoing_count; i++) {
        *inbound->outgoing[i].slot = 0;
        send_frame(inbound, &inbound->outgoing[i]);
    }
    inbound->outgoing_count = 0;
}

int inbound_fd(const struct inbound *inbound)
{
    return inbound->fd;
}

void inbound_wake(struct inbound *inbound)
{
    inbound->is_drained = false;
}

bool inbound_poll(struct inbound *inbound)
{
    int events = 0;
    size_t size = sizeof events;
    if (!inbound->is_drained) {
        ASSERT(zmq_getsockopt(inbound->socket, ZMQ_EVENTS, &events, &size) == 0);
        inbound->is_drained = (events & ZMQ_POLLIN) == 0;
    }
    return !inbound->is_drained;
}

// The address in a routing id; false when the peer chose the id itself.
static bool address_of_id(zmq_msg_t *id, uint64_t *ret_address)
{
    const uint8_t *bytes = zmq_msg_data(id);
    if (zmq_msg_size(id) != ROUTING_ID_SIZE || bytes[0] != 0) {
        return false;
    }
    *ret_address = INBOUND_ADDRESS_BIT | (uint64_t)bytes[1] << 24 | (uint64_t)bytes[2] << 16 |
                   (uint64_t)bytes[3] << 8 | bytes[4];
    return true;
}

// Takes the routing id and the parts after it; keeps the last part in `taken`. False when nothing
// is there. `ret_is_frame` is false for what can't be one of ours.
static bool receive(struct inbound *inbound, uint64_t *ret_address, bool *ret_is_frame)
{
    zmq_msg_t id;
    zmq_msg_init(&id);
    if (inbound->is_drained || zmq_msg_recv(&id, inbound->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&id);
        inbound->is_drained = true;
        return false;
    }
    bool is_known = address_of_id(&id, ret_address);
    bool has_more = zmq_msg_more(&id) != 0;
    zmq_msg_close(&id);
    unsigned parts = 0;
    for (; has_more; parts++) {
        if (zmq_msg_recv(&inbound->taken, inbound->socket, ZMQ_DONTWAIT) < 0) {
            break;
        }
        has_more = zmq_msg_more(&inbound->taken) != 0;
    }
    *ret_is_frame = is_known && parts == 1;
    return true;
}

// Tells the sender of a frame why it is not taken.
static void refuse_frame(struct inbound *inbound, uint64_t address, enum status status)
{
    const char *sentence = status == STATUS_wrong_cluster
                               ? "This process belongs to another cluster; check the endpoint."
                               : "This process speaks another wire format; use the same release.";
    struct message refusal = {.kind = MESSAGE_refusal,
                              .refusal = {.status = status, .message = bytes_from_text(sentence)}};
    struct buffer encoded AUTO(buffer_release) = {0};
    message_encode(&refusal, &encoded);
    inbound_send(inbound, address, buffer_bytes(&encoded));
}

// Reads the head of the frame in `taken`. False when it is not taken.
static bool open_taken(struct inbound *inbound, struct peer_event *event)
{
    struct bytes frame = bytes_of(zmq_msg_data(&inbound->taken), zmq_msg_size(&inbound->taken));
    enum status status = frame_open(frame, inbound->cluster_id, &event->head, &event->messages);
    if (status == STATUS_ok) {
        inbound->counts.frames_received++;
        inbound->counts.bytes_received += frame.size;
        return true;
    }
    inbound->counts.malformed++;
    if (status == STATUS_wrong_cluster || status == STATUS_version_mismatch) {
        refuse_frame(inbound, event->address, status);
    }
    return false;
}

bool inbound_next(struct inbound *inbound, struct peer_event *ret_event)
{
    struct peer_event event = {.kind = PEER_FRAME};
    bool is_frame = false;
    for (int i = 0; i < REFUSED_AT_ONCE_MAX && receive(inbound, &event.address, &is_frame); i++) {
        if (!is_frame) {
            inbound->counts.malformed++;
        } else if (open_taken(inbound, &event)) {
            *ret_event = event;
            return true;
        }
    }
    return false;
}

const struct peer_sockets_counts *inbound_counts(const struct inbound *inbound)
{
    return &inbound->counts;
}
