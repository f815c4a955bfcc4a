/*
 * All sockets of a process as one: connections of others to it (inbound.h), connections of its own
 * (client/peer_sockets.h), and the tap that shows both (tap.h). One thread uses it:
 *
 *     traffic_begin(traffic, now_us, wall_us);
 *     while (traffic_next(traffic, &event)) { ... traffic_send ... }
 *     traffic_flush(traffic);
 *     if (!traffic_has_news(traffic)) { sleep until a descriptor of traffic_watch() is readable }
 */
#ifndef SKEIN_ACTORS_RUNTIME_TRAFFIC_H
#define SKEIN_ACTORS_RUNTIME_TRAFFIC_H

#include "actors/runtime/tap.h"
#include "cluster/machine.h"

struct traffic;

// Opens the sockets; `options` as for peer_sockets_new(), `listen` as for inbound_new(). Fails with
// in_use when another process has the endpoint, with unavailable when it can't be had; `ret_error`
// then gets a sentence.
MUST_CHECK enum status traffic_new(const struct peer_sockets_options *options, const char *listen,
                                   struct traffic **ret_traffic, struct buffer *ret_error);

// Closes the sockets; what was flushed gets up to 200 ms on its way once the context is terminated.
void traffic_destroy(struct traffic **take_traffic);

// Hands over every descriptor to sleep on, and what to call when it is readable.
void traffic_watch(struct traffic *traffic,
                   void (*watch)(void *context, int fd, void (*ready)(void *of_fd), void *of_fd),
                   void *context);

// Where others reach the process; its tap.
const char *traffic_endpoint(const struct traffic *traffic);
struct tap *traffic_tap(struct traffic *traffic);

// From now on frames carry this cluster id, and frames of another cluster are refused.
void traffic_set_cluster(struct traffic *traffic, uint64_t cluster_id);

// As peer_sockets_connect() and peer_sockets_disconnect(). Not while a frame is being read.
MUST_CHECK enum status traffic_connect(struct traffic *traffic, uint64_t address,
                                       struct bytes endpoint);
void traffic_disconnect(struct traffic *traffic, uint64_t address);

// Sends an encoded message with the next flush; what can't be sent is dropped and counted.
void traffic_send(struct traffic *traffic, uint64_t to, struct bytes encoded);

// Shows a message that was taken (event->message) to those who watch.
void traffic_note(struct traffic *traffic, const struct event *event);

// While it is paused nothing is taken from the connections of others: their frames wait with them.
void traffic_pause(struct traffic *traffic, bool is_paused);

// Begins a turn: the times are those of what is shown, and the budget of frames is new.
void traffic_begin(struct traffic *traffic, uint64_t now_us, uint64_t wall_us);

// Takes the next event within the budget; false when there is none. What it borrows lives until the
// next call of this or of traffic_connect() and its like.
bool traffic_next(struct traffic *traffic, struct peer_event *ret_event);

// Sends what was gathered.
void traffic_flush(struct traffic *traffic);

// True if traffic_next() may have something in another turn; false means that it is safe to sleep.
bool traffic_has_news(struct traffic *traffic);

// Frames that were not understood so far, and messages that could not be sent.
uint64_t traffic_refused(const struct traffic *traffic);
uint64_t traffic_unsent(const struct traffic *traffic);

#endif
