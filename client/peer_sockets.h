/*
 * Connections to other processes, by address: one DEALER socket each, with its monitor, so that the
 * owner learns at once that a process is gone. Messages to one peer are gathered into one frame
 * until peer_sockets_flush(). The client's loop and the daemons' runtime both stand on it.
 *
 * A peer is CONNECTING after peer_sockets_connect(), UP once its handshake is over (PEER_UP), and
 * DOWN when an attempt to connect was refused (PEER_DOWN, once). libzmq goes on trying in all
 * states. When a connection is lost the peer is CONNECTING again: only the refusal of the next
 * attempt, 10 to 20 ms later, makes it DOWN.
 *
 * What is sent to a CONNECTING peer waits for the handshake, at most one frame of it. What is sent
 * to a DOWN or unknown peer, or to one whose queue is full, is dropped and counted: no delivery was
 * ever promised, requests have ids and are sent again by those who wait for an answer.
 *
 * Everything is done by one thread. Its loop:
 *
 *     if (!peer_sockets_poll(sockets)) {
 *         sleep until peer_sockets_fd() is readable, with poll(2), zmq_poll or epoll, or a timer
 *     }
 *     while (peer_sockets_next(sockets, &event)) { ... step the machine, peer_sockets_send ... }
 *     peer_sockets_flush(sockets);
 */
#ifndef SKEIN_CLIENT_PEER_SOCKETS_H
#define SKEIN_CLIENT_PEER_SOCKETS_H

#include "wire/frame.h"

struct peer_sockets;

struct peer_sockets_options {
    void *context;        // libzmq context; outlives the sockets
    struct bytes name;    // of this process, for the head of frames; copied
    uint64_t incarnation; // of this start, for the head of frames
    uint64_t cluster_id;  // for the head of frames; 0 while none is known
};

enum peer_event_kind {
    PEER_UP,    // the connection to `address` stands
    PEER_DOWN,  // it is gone and was refused again, or never stood
    PEER_FRAME, // a frame came from `address`
};

struct peer_event {
    enum peer_event_kind kind;
    uint64_t address;
    struct message_frame head; // PEER_FRAME: its head
    struct bytes messages;     // PEER_FRAME: its messages, for message_decode()
};

// What happened so far.
struct peer_sockets_counts {
    uint64_t frames_sent;
    uint64_t frames_received;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t dropped;   // messages that could not be sent
    uint64_t malformed; // frames that were none, of another format or of another cluster
};

// Fails with unavailable when the system refuses a descriptor.
MUST_CHECK enum status peer_sockets_new(const struct peer_sockets_options *options,
                                        struct peer_sockets **ret_sockets);

// Closes every socket; what is flushed and not yet out gets up to 200 ms on its way.
void peer_sockets_destroy(struct peer_sockets **take_sockets);

// From now on frames carry this cluster id, and frames of another cluster are refused.
void peer_sockets_set_cluster(struct peer_sockets *sockets, uint64_t cluster_id);

// Keeps a connection to `endpoint` under `address` (address_of_endpoint of it, so the top bit is
// clear and it is not 0). Nothing changes when there is one. Fails with bad_request for an endpoint
// that libzmq refuses, with busy when descriptors or sockets have run out.
MUST_CHECK enum status peer_sockets_connect(struct peer_sockets *sockets, uint64_t address,
                                            struct bytes endpoint);

// Gives the connection up. No event for `address` comes any more, not even of what had arrived.
void peer_sockets_disconnect(struct peer_sockets *sockets, uint64_t address);

// Puts a copy of an encoded message into the frame that is gathered for `address`.
void peer_sockets_send(struct peer_sockets *sockets, uint64_t address, struct bytes encoded);

// Sends the frames gathered since the last call.
void peer_sockets_flush(struct peer_sockets *sockets);

// A descriptor that is readable when there may be something to take, good only together with
// peer_sockets_poll() right before sleeping on it.
int peer_sockets_fd(const struct peer_sockets *sockets);

// True if peer_sockets_next() may have something; false means that it is safe to sleep.
bool peer_sockets_poll(struct peer_sockets *sockets);

// Takes the next event, peers in turn. What the event borrows lives until the next call on
// `sockets` other than send. False when there is none.
bool peer_sockets_next(struct peer_sockets *sockets, struct peer_event *ret_event);

const struct peer_sockets_counts *peer_sockets_counts(const struct peer_sockets *sockets);

#endif
