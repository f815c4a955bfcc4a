/*
 * The server side of a process: one bound ROUTER socket. Everybody who connects to it gets an
 * address with the top bit set, good for answers while the connection lives. Messages to one peer
 * are gathered into one frame until inbound_flush(). Its twin for the connections that a process
 * makes itself is client/peer_sockets.h; both are used in the same way by one thread.
 */
#ifndef SKEIN_ACTORS_RUNTIME_INBOUND_H
#define SKEIN_ACTORS_RUNTIME_INBOUND_H

#include "client/peer_sockets.h"

struct inbound;

// Addresses of inbound peers have it, those of endpoints don't.
#define INBOUND_ADDRESS_BIT (UINT64_C(1) << 63)

// `options` as for peer_sockets_new(). Binds to `endpoint`: "tcp://HOST:PORT", "tcp://HOST:*" for a
// free port, or "ipc://PATH". Fails with in_use when another process has it, and with unavailable
// when it can't be had at all; `ret_error` then gets a sentence.
MUST_CHECK enum status inbound_new(const struct peer_sockets_options *options, const char *endpoint,
                                   struct inbound **ret_inbound, struct buffer *ret_error);

// Closes the socket; what is flushed and not yet out gets up to 200 ms on its way.
void inbound_destroy(struct inbound **take_inbound);

// Where others reach it: the endpoint as given, with the port that was taken in place of '*'.
const char *inbound_endpoint(const struct inbound *inbound);

// From now on frames carry this cluster id, and frames of another cluster are refused.
void inbound_set_cluster(struct inbound *inbound, uint64_t cluster_id);

// Puts a copy of an encoded message into the frame that is gathered for `address`. What can't be
// sent (the peer is gone, or takes nothing) is dropped and counted.
void inbound_send(struct inbound *inbound, uint64_t address, struct bytes encoded);

// Sends the frames gathered since the last call.
void inbound_flush(struct inbound *inbound);

// A descriptor that is readable when there may be something to take; inbound_wake() is to be called
// then. Good only together with inbound_poll() right before sleeping on it.
int inbound_fd(const struct inbound *inbound);
void inbound_wake(struct inbound *inbound);

// True if inbound_next() may have something; false means that it is safe to sleep.
bool inbound_poll(struct inbound *inbound);

// Takes the next frame, peers in turn; false when there is none. Frames that are none are counted,
// those of another format or cluster are refused, too. What the event (always PEER_FRAME) borrows
// lives until the next call.
bool inbound_next(struct inbound *inbound, struct peer_event *ret_event);

const struct peer_sockets_counts *inbound_counts(const struct inbound *inbound);

#endif
