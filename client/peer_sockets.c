/*
 * One DEALER socket a peer, because only so is it known which peer a message goes to and that the
 * peer is gone; one monitor socket beside each. All their descriptors are in one epoll set, which
 * is itself a descriptor that the owner can sleep on.
 *
 *   CONNECTING ── handshake over: PEER_UP ──► UP
 *      │    ▲                                  │
 *      │    └──────────── connection lost ─────┘
 *      │ attempt refused: PEER_DOWN            handshake over: PEER_UP
 *      └──────────────────────► DOWN ──────────────────────► UP
 *
 * 1. The descriptor of a libzmq socket is readable when it has commands to look at, and looking at
 *    them (any send, receive or ZMQ_EVENTS) takes that back. So a peer in `ready` is received from
 *    until there is nothing left, and one that was sent to since is asked for ZMQ_EVENTS in
 *    peer_sockets_poll() before anybody sleeps.
 * 2. ZMQ_IMMEDIATE: libzmq queues nothing for a connection that doesn't stand. What waits for one
 *    waits here, in the frame that is being gathered, and is gone with it.
 * 3. A large frame is handed over to libzmq, a small one is copied, so that small ones cost no
 *    allocation.
 *
 * Not handled here: authentication, and what a frame means.
 */
#include "client/peer_sockets.h"

#include "base/assert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

enum {
    RECONNECT_MS = 10,      // a lost connection is tried again after this, with some jitter
    RECONNECT_MS_MAX = 200, // and, refused again and again, at most after this
    HANDSHAKE_MS = 2000,
    CONNECT_MS = 2000,
    UNANSWERED_MS = 1500, // of what was sent: the connection is given up; it is made anew sooner
                          // than TCP, which waits longer each time, would send again
    LINGER_MS = 200,
    QUEUE_FRAMES_MAX = 1000,   // frames that libzmq queues for a peer
    HAND_OVER_SIZE = 16 * KIB, // larger frames are not copied
    EPOLL_BATCH = 64,
    TABLE_SIZE = 2048, // peers by address, open addressing
    CONNECTION_COUNT_MAX = TABLE_SIZE / 2,
};

enum peer_state { PEER_STATE_CONNECTING, PEER_STATE_UP, PEER_STATE_DOWN };

struct peer {
    uint64_t address;
    void *socket;  // DEALER
    void *monitor; // PAIR that tells what happens to it
    int socket_fd; // their descriptors in the epoll set
    int monitor_fd;
    enum peer_state state;
    struct buffer frame; // gathered for the next flush; empty when nothing is
    uint32_t messages;   // in it
    bool is_queued;      // in `queued`
    bool is_ready;       // in `ready`
    bool is_sent_to;     // in `sent_to`
};

// Peers to do something about, in order; each is in it at most once.
struct peer_list {
    struct peer *peers[CONNECTION_COUNT_MAX]; // ring
    size_t first;
    size_t count;
};

struct peer_sockets {
    void *context;
    struct buffer name;
    uint64_t incarnation;
    uint64_t cluster_id;
    int epoll_fd;
    uint64_t monitors; // made so far, for the names of their endpoints
    struct peer *table[TABLE_SIZE];
    size_t peer_count;
    struct peer_list queued;  // have a frame to flush
    struct peer_list ready;   // may have something to take
    struct peer_list sent_to; // sent to since they were last looked at
    zmq_msg_t received;       // what the last event borrows from
    bool has_received;
    struct peer_sockets_counts counts;
};

static void list_push(struct peer_list *list, struct peer *peer, bool *is_in)
{
    if (!*is_in) {
        *is_in = true;
        ASSERT(list->count < CONNECTION_COUNT_MAX);
        list->peers[(list->first + list->count++) % CONNECTION_COUNT_MAX] = peer;
    }
}

static struct peer *list_pop(struct peer_list *list)
{
    struct peer *peer = list->peers[list->first];
    list->first = (list->first + 1) % CONNECTION_COUNT_MAX;
    list->count--;
    return peer;
}

static void list_remove(struct peer_list *list, const struct peer *peer)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct peer *other = list->peers[(list->first + i) % CONNECTION_COUNT_MAX];
        if (other != peer) {
            list->peers[(list->first + kept++) % CONNECTION_COUNT_MAX] = other;
        }
    }
    list->count = kept;
}

static size_t table_place(const struct peer_sockets *sockets, uint64_t address)
{
    size_t place = address % TABLE_SIZE;
    while (sockets->table[place] != NULL && sockets->table[place]->address != address) {
        place = (place + 1) % TABLE_SIZE;
    }
    return place;
}

static struct peer *find_peer(const struct peer_sockets *sockets, uint64_t address)
{
    return sockets->table[table_place(sockets, address)];
}

// Takes a peer out of the table and moves those behind it that would no longer be found.
static void table_remove(struct peer_sockets *sockets, uint64_t address)
{
    size_t place = table_place(sockets, address);
    sockets->table[place] = NULL;
    for (size_t next = (place + 1) % TABLE_SIZE; sockets->table[next] != NULL;
         next = (next + 1) % TABLE_SIZE) {
        struct peer *peer = sockets->table[next];
        sockets->table[next] = NULL;
        sockets->table[table_place(sockets, peer->address)] = peer;
    }
}

enum status peer_sockets_new(const struct peer_sockets_options *options,
                             struct peer_sockets **ret_sockets)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0) {
        return STATUS_unavailable;
    }
    struct peer_sockets *sockets = calloc(1, sizeof *sockets);
    ASSERT(sockets != NULL);
    sockets->context = options->context;
    sockets->incarnation = options->incarnation;
    sockets->cluster_id = options->cluster_id;
    sockets->epoll_fd = epoll_fd;
    buffer_append(&sockets->name, options->name);
    *ret_sockets = sockets;
    return STATUS_ok;
}

static void close_received(struct peer_sockets *sockets)
{
    if (sockets->has_received) {
        zmq_msg_close(&sockets->received);
        sockets->has_received = false;
    }
}

// Closes what there is of a peer that is in no list and not in the table. Telling must end while
// there is somebody to listen: libzmq's own thread waits for the monitor to take an event, for ever
// if that is closed, with a lock held that ending it needs.
static void destroy_peer(struct peer_sockets *sockets, struct peer *peer)
{
    if (peer->socket != NULL) {
        epoll_ctl(sockets->epoll_fd, EPOLL_CTL_DEL, peer->socket_fd, NULL);
        zmq_socket_monitor(peer->socket, NULL, 0);
    }
    if (peer->monitor != NULL) {
        epoll_ctl(sockets->epoll_fd, EPOLL_CTL_DEL, peer->monitor_fd, NULL);
        zmq_close(peer->monitor);
    }
    if (peer->socket != NULL) {
        zmq_close(peer->socket);
    }
    buffer_release(&peer->frame);
    free(peer);
}

void peer_sockets_destroy(struct peer_sockets **take_sockets)
{
    struct peer_sockets *sockets = *take_sockets;
    if (sockets == NULL) {
        return;
    }
    close_received(sockets);
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if (sockets->table[i] != NULL) {
            destroy_peer(sockets, sockets->table[i]);
        }
    }
    close(sockets->epoll_fd);
    buffer_release(&sockets->name);
    free(sockets);
    *take_sockets = NULL;
}

void peer_sockets_set_cluster(struct peer_sockets *sockets, uint64_t cluster_id)
{
    sockets->cluster_id = cluster_id;
}

static void set_option(void *socket, int option, int value)
{
    int result = zmq_setsockopt(socket, option, &value, sizeof value);
    ASSERT(result == 0);
}

static void set_options(void *socket)
{
    int64_t size_max = FRAME_SIZE_MAX;
    int result = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    ASSERT(result == 0);
    set_option(socket, ZMQ_IMMEDIATE, 1);
    set_option(socket, ZMQ_LINGER, LINGER_MS);
    set_option(socket, ZMQ_SNDHWM, QUEUE_FRAMES_MAX);
    set_option(socket, ZMQ_RCVHWM, QUEUE_FRAMES_MAX);
    set_option(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set_option(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MS_MAX);
    set_option(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_option(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS);
    set_option(socket, ZMQ_TCP_MAXRT, UNANSWERED_MS);
    set_option(socket, ZMQ_IPV6, 1);
}

// Puts the descriptor of a socket into the epoll set, marked with the peer and which of its two.
static enum status watch(struct peer_sockets *sockets, void *socket, uint64_t mark, int *ret_fd)
{
    size_t size = sizeof *ret_fd;
    int result = zmq_getsockopt(socket, ZMQ_FD, ret_fd, &size);
    ASSERT(result == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = mark};
    result = epoll_ctl(sockets->epoll_fd, EPOLL_CTL_ADD, *ret_fd, &event);
    return result == 0 ? STATUS_ok : STATUS_busy;
}

// Opens the monitor of a peer's socket.
static enum status open_monitor(struct peer_sockets *sockets, struct peer *peer)
{
    char name[64];
    snprintf(name, sizeof name, "inproc://skein-monitor-%p-%llu", (void *)sockets,
             (unsigned long long)sockets->monitors++);
    int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (zmq_socket_monitor(peer->socket, name, events) != 0) {
        return STATUS_busy;
    }
    peer->monitor = zmq_socket(sockets->context, ZMQ_PAIR);
    if (peer->monitor == NULL) {
        return STATUS_busy;
    }
    set_option(peer->monitor, ZMQ_LINGER, 0);
    int result = zmq_connect(peer->monitor, name);
    ASSERT(result == 0);
    return watch(sockets, peer->monitor, peer->address << 1 | 1, &peer->monitor_fd);
}

static enum status open_peer(struct peer_sockets *sockets, struct peer *peer, struct bytes endpoint)
{
    char text[ENDPOINT_SIZE_MAX + 1] = {0};
    memcpy(text, endpoint.data, endpoint.size);
    peer->socket = zmq_socket(sockets->context, ZMQ_DEALER);
    if (peer->socket == NULL) {
        return STATUS_busy;
    }
    set_options(peer->socket);
    TRY(watch(sockets, peer->socket, peer->address << 1, &peer->socket_fd));
    TRY(open_monitor(sockets, peer));
    return zmq_connect(peer->socket, text) == 0 ? STATUS_ok : STATUS_bad_request;
}

enum status peer_sockets_connect(struct peer_sockets *sockets, uint64_t address,
                                 struct bytes endpoint)
{
    if (find_peer(sockets, address) != NULL) {
        return STATUS_ok;
    }
    bool is_good = endpoint.size > 0 && endpoint.size <= ENDPOINT_SIZE_MAX &&
                   memchr(endpoint.data, '\0', endpoint.size) == NULL;
    if (!is_good) {
        return STATUS_bad_request;
    }
    if (sockets->peer_count == CONNECTION_COUNT_MAX) {
        return STATUS_busy;
    }
    struct peer *peer = calloc(1, sizeof *peer);
    ASSERT(peer != NULL);
    peer->address = address;
    enum status status = open_peer(sockets, peer, endpoint);
    if (status != STATUS_ok) {
        destroy_peer(sockets, peer);
        return status;
    }
    sockets->table[table_place(sockets, address)] = peer;
    sockets->peer_count++;
    return STATUS_ok;
}

void peer_sockets_disconnect(struct peer_sockets *sockets, uint64_t address)
{
    struct peer *peer = find_peer(sockets, address);
    if (peer == NULL) {
        return;
    }
    table_remove(sockets, address);
    sockets->peer_count--;
    list_remove(&sockets->queued, peer);
    list_remove(&sockets->ready, peer);
    list_remove(&sockets->sent_to, peer);
    destroy_peer(sockets, peer);
}

static void drop_frame(struct peer_sockets *sockets, struct peer *peer)
{
    sockets->counts.dropped += peer->messages;
    buffer_clear(&peer->frame);
    peer->messages = 0;
}

static void free_frame(void *data, void *hint)
{
    (void)hint;
    free(data);
}

// Makes the libzmq message of the gathered frame, which is empty afterwards.
static void take_frame(struct peer *peer, zmq_msg_t *ret_message)
{
    int result;
    if (peer->frame.size > HAND_OVER_SIZE) {
        result = zmq_msg_init_data(ret_message, peer->frame.data, peer->frame.size, free_frame,
                                   NULL);
        ASSERT(result == 0);
        peer->frame = (struct buffer){0};
    } else {
        result = zmq_msg_init_size(ret_message, peer->frame.size);
        ASSERT(result == 0);
        memcpy(zmq_msg_data(ret_message), peer->frame.data, peer->frame.size);
        buffer_clear(&peer->frame);
    }
}

static void flush_peer(struct peer_sockets *sockets, struct peer *peer)
{
    if (peer->state != PEER_STATE_UP || peer->messages == 0) {
        return;
    }
    uint32_t messages = peer->messages;
    size_t size = peer->frame.size;
    zmq_msg_t message;
    take_frame(peer, &message);
    peer->messages = 0;
    if (zmq_msg_send(&message, peer->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        sockets->counts.dropped += messages;
    } else {
        sockets->counts.frames_sent++;
        sockets->counts.bytes_sent += size;
    }
    list_push(&sockets->sent_to, peer, &peer->is_sent_to);
}

void peer_sockets_send(struct peer_sockets *sockets, uint64_t address, struct bytes encoded)
{
    struct peer *peer = find_peer(sockets, address);
    if (peer == NULL || peer->state == PEER_STATE_DOWN) {
        sockets->counts.dropped++;
        return;
    }
    bool is_full = peer->messages > 0 && (peer->messages == FRAME_MESSAGES_MAX ||
                                          peer->frame.size + encoded.size > FRAME_SIZE_MAX);
    if (is_full) {
        flush_peer(sockets, peer);
        if (peer->messages > 0) {
            sockets->counts.dropped++;
            return;
        }
    }
    if (peer->messages == 0) {
        frame_begin(&peer->frame, sockets->cluster_id, buffer_bytes(&sockets->name),
                    sockets->incarnation);
    }
    buffer_append(&peer->frame, encoded);
    peer->messages++;
    list_push(&sockets->queued, peer, &peer->is_queued);
}

void peer_sockets_flush(struct peer_sockets *sockets)
{
    while (sockets->queued.count > 0) {
        struct peer *peer = list_pop(&sockets->queued);
        peer->is_queued = false;
        flush_peer(sockets, peer);
    }
}

int peer_sockets_fd(const struct peer_sockets *sockets)
{
    return sockets->epoll_fd;
}

// Whether the socket has something to take; makes libzmq look at all its commands.
static bool socket_is_readable(void *socket)
{
    int events;
    size_t size = sizeof events;
    int result = zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    return result == 0 && (events & ZMQ_POLLIN) != 0;
}

bool peer_sockets_poll(struct peer_sockets *sockets)
{
    while (sockets->sent_to.count > 0) {
        struct peer *peer = list_pop(&sockets->sent_to);
        peer->is_sent_to = false;
        if (socket_is_readable(peer->socket)) {
            list_push(&sockets->ready, peer, &peer->is_ready);
        }
    }
    struct epoll_event events[EPOLL_BATCH];
    int count = epoll_wait(sockets->epoll_fd, events, EPOLL_BATCH, 0);
    for (int i = 0; i < count; i++) {
        struct peer *peer = find_peer(sockets, events[i].data.u64 >> 1);
        if (peer != NULL) {
            list_push(&sockets->ready, peer, &peer->is_ready);
        }
    }
    return sockets->ready.count > 0;
}

// Takes the next event of the monitor; false when there is none.
static bool take_monitor_event(struct peer *peer, uint16_t *ret_event)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    int size = zmq_msg_recv(&message, peer->monitor, ZMQ_DONTWAIT);
    bool is_event = size >= (int)sizeof *ret_event;
    if (is_event) {
        memcpy(ret_event, zmq_msg_data(&message), sizeof *ret_event);
    }
    bool has_more = size >= 0 && zmq_msg_more(&message);
    zmq_msg_close(&message);
    if (has_more) {
        zmq_msg_init(&message);
        zmq_msg_recv(&message, peer->monitor, ZMQ_DONTWAIT);
        zmq_msg_close(&message);
    }
    return is_event;
}

// Follows what the monitor tells until the peer is up or down anew. False: nothing new.
static bool next_change(struct peer_sockets *sockets, struct peer *peer,
                        enum peer_event_kind *ret_kind)
{
    uint16_t event;
    while (take_monitor_event(peer, &event)) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            peer->state = PEER_STATE_UP;
            socket_is_readable(peer->socket); // takes the new connection into use
            list_push(&sockets->queued, peer, &peer->is_queued);
            *ret_kind = PEER_UP;
            return true;
        }
        if (event == ZMQ_EVENT_DISCONNECTED) {
            peer->state = PEER_STATE_CONNECTING;
        } else if (peer->state == PEER_STATE_CONNECTING) {
            peer->state = PEER_STATE_DOWN;
            drop_frame(sockets, peer);
            *ret_kind = PEER_DOWN;
            return true;
        }
    }
    return false;
}

// Takes a frame; false when there is none. One that can't be understood is counted, and `*ret_good`
// is false.
static bool take_frame_of(struct peer_sockets *sockets, struct peer *peer,
                          struct peer_event *ret_event, bool *ret_good)
{
    zmq_msg_init(&sockets->received);
    if (zmq_msg_recv(&sockets->received, peer->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&sockets->received);
        return false;
    }
    sockets->has_received = true;
    struct bytes frame = bytes_of(zmq_msg_data(&sockets->received),
                                  zmq_msg_size(&sockets->received));
    sockets->counts.frames_received++;
    sockets->counts.bytes_received += frame.size;
    *ret_good = frame_open(frame, sockets->cluster_id, &ret_event->head, &ret_event->messages) ==
                STATUS_ok;
    sockets->counts.malformed += !*ret_good;
    return true;
}

// The next event of a ready peer; false when it has none any more.
static bool next_of(struct peer_sockets *sockets, struct peer *peer, struct peer_event *ret_event)
{
    struct peer_event event = {.address = peer->address};
    if (next_change(sockets, peer, &event.kind)) {
        *ret_event = event;
        return true;
    }
    event.kind = PEER_FRAME;
    bool is_good;
    while (take_frame_of(sockets, peer, &event, &is_good)) {
        if (is_good) {
            *ret_event = event;
            return true;
        }
        close_received(sockets);
    }
    return false;
}

bool peer_sockets_next(struct peer_sockets *sockets, struct peer_event *ret_event)
{
    close_received(sockets);
    while (sockets->ready.count > 0) {
        struct peer *peer = list_pop(&sockets->ready);
        peer->is_ready = false;
        if (next_of(sockets, peer, ret_event)) {
            list_push(&sockets->ready, peer, &peer->is_ready);
            return true;
        }
    }
    return false;
}

const struct peer_sockets_counts *peer_sockets_counts(const struct peer_sockets *sockets)
{
    return &sockets->counts;
}
