/*
 * 1. Addresses tell the two sides apart: those of inbound peers have the top bit set.
 * 2. A ZeroMQ socket's descriptor tells only that something changed, and looking at the socket
 *    takes that back; so before anybody sleeps each side is asked again, unless it was neither
 *    readable nor written to since it was last found empty: asking costs system calls.
 * 3. In one turn each side gives at most a budget of frames, so that neither starves the other and
 *    what was gathered goes out in time.
 * 4. Work comes from others, answers to what we asked come over our own connections: so only the
 *    first can be paused.
 */
#include "actors/runtime/traffic.h"

#include "actors/runtime/inbound.h"
#include "base/assert.h"
#include "base/text.h"

#include <stdlib.h>

enum {
    FRAMES_A_TURN_MAX = 256,    // taken from each side
    BYTES_A_TURN_MAX = 8 * MIB, // taken from each side; the last frame may go beyond
};

// What a side may still give in this turn.
struct budget {
    size_t frames;
    size_t bytes; // 0 when it is used up
};

struct traffic {
    struct inbound *inbound;    // connections of others to us
    struct peer_sockets *peers; // connections of ours
    struct tap *tap;            // shows both
    bool has_peer_news;         // our connections were readable or written to since found empty
    bool is_paused;             // nothing is taken from inbound
    struct budget inbound_left; // in this turn
    struct budget peers_left;   // in this turn
    uint64_t now_us;            // of this turn
    uint64_t wall_us;           // of this turn
};

enum status traffic_new(const struct peer_sockets_options *options, const char *listen,
                        struct traffic **ret_traffic, struct buffer *ret_error)
{
    struct traffic *traffic AUTO(traffic_destroy) = calloc(1, sizeof *traffic);
    ASSERT(traffic != NULL);
    TRY(inbound_new(options, listen, &traffic->inbound, ret_error));
    TRY(tap_new(options, listen, &traffic->tap, ret_error));
    enum status status = peer_sockets_new(options, &traffic->peers);
    if (status != STATUS_ok) {
        text_append(ret_error, "no descriptors are left");
        return status;
    }
    *ret_traffic = traffic;
    traffic = NULL;
    return STATUS_ok;
}

void traffic_destroy(struct traffic **take_traffic)
{
    struct traffic *traffic = *take_traffic;
    *take_traffic = NULL;
    if (traffic != NULL) {
        inbound_destroy(&traffic->inbound);
        peer_sockets_destroy(&traffic->peers);
        tap_destroy(&traffic->tap);
        free(traffic);
    }
}

static void on_inbound(void *context)
{
    struct traffic *traffic = context;
    inbound_wake(traffic->inbound);
}

static void on_peers(void *context)
{
    struct traffic *traffic = context;
    traffic->has_peer_news = true;
}

static void on_tap(void *context)
{
    struct traffic *traffic = context;
    tap_poll(traffic->tap);
}

void traffic_watch(struct traffic *traffic,
                   void (*watch)(void *context, int fd, void (*ready)(void *of_fd), void *of_fd),
                   void *context)
{
    watch(context, inbound_fd(traffic->inbound), on_inbound, traffic);
    watch(context, peer_sockets_fd(traffic->peers), on_peers, traffic);
    watch(context, tap_fd(traffic->tap), on_tap, traffic);
}

const char *traffic_endpoint(const struct traffic *traffic)
{
    return inbound_endpoint(traffic->inbound);
}

struct tap *traffic_tap(struct traffic *traffic)
{
    return traffic->tap;
}

void traffic_set_cluster(struct traffic *traffic, uint64_t cluster_id)
{
    inbound_set_cluster(traffic->inbound, cluster_id);
    peer_sockets_set_cluster(traffic->peers, cluster_id);
    tap_set_cluster(traffic->tap, cluster_id);
}

enum status traffic_connect(struct traffic *traffic, uint64_t address, struct bytes endpoint)
{
    traffic->has_peer_news = true;
    return peer_sockets_connect(traffic->peers, address, endpoint);
}

void traffic_disconnect(struct traffic *traffic, uint64_t address)
{
    peer_sockets_disconnect(traffic->peers, address);
}

static void note_sent(struct traffic *traffic, uint64_t to, struct bytes encoded)
{
    struct bytes rest = encoded;
    struct message message;
    ASSERT(message_decode(&rest, &message) == STATUS_ok); // our own machine encoded it
    struct tap_record record = {.now_us = traffic->now_us,
                                .wall_us = traffic->wall_us,
                                .is_sent = true,
                                .address = to,
                                .message = &message,
                                .encoded = encoded};
    tap_note(traffic->tap, &record);
}

void traffic_send(struct traffic *traffic, uint64_t to, struct bytes encoded)
{
    if (tap_is_watched(traffic->tap)) {
        note_sent(traffic, to, encoded);
    }
    if ((to & INBOUND_ADDRESS_BIT) != 0) {
        inbound_send(traffic->inbound, to, encoded);
    } else {
        peer_sockets_send(traffic->peers, to, encoded);
        traffic->has_peer_news = true;
    }
}

void traffic_note(struct traffic *traffic, const struct event *event)
{
    if (tap_is_watched(traffic->tap)) {
        struct tap_record record = {.now_us = traffic->now_us,
                                    .wall_us = traffic->wall_us,
                                    .address = event->from,
                                    .peer = event->from_name,
                                    .message = event->message,
                                    .encoded = event->encoded};
        tap_note(traffic->tap, &record);
    }
}

void traffic_pause(struct traffic *traffic, bool is_paused)
{
    traffic->is_paused = is_paused;
}

void traffic_begin(struct traffic *traffic, uint64_t now_us, uint64_t wall_us)
{
    traffic->now_us = now_us;
    traffic->wall_us = wall_us;
    const struct budget full = {FRAMES_A_TURN_MAX, BYTES_A_TURN_MAX};
    const struct budget none = {0, 0};
    bool has_peer_news = traffic->has_peer_news && peer_sockets_poll(traffic->peers);
    traffic->has_peer_news = false;
    traffic->inbound_left = traffic->is_paused ? none : full;
    traffic->peers_left = has_peer_news ? full : none;
}

static bool has_left(const struct budget *budget)
{
    return budget->frames > 0 && budget->bytes > 0;
}

static void spend(struct budget *budget, const struct peer_event *event)
{
    size_t size = event->kind == PEER_FRAME ? event->messages.size : 0;
    budget->frames--;
    budget->bytes -= size < budget->bytes ? size : budget->bytes;
}

static bool next_of_peers(struct traffic *traffic, struct peer_event *ret_event)
{
    if (!has_left(&traffic->peers_left)) {
        return false;
    }
    if (!peer_sockets_next(traffic->peers, ret_event)) {
        traffic->peers_left.frames = 0;
        return false;
    }
    spend(&traffic->peers_left, ret_event);
    // When the budget ends something may be left; what waited for a connection that now stands goes
    // out with the next flush, after which the side must be asked.
    if (!has_left(&traffic->peers_left) || ret_event->kind == PEER_UP) {
        traffic->has_peer_news = true;
    }
    return true;
}

bool traffic_next(struct traffic *traffic, struct peer_event *ret_event)
{
    if (has_left(&traffic->inbound_left) && inbound_next(traffic->inbound, ret_event)) {
        spend(&traffic->inbound_left, ret_event);
        return true;
    }
    return next_of_peers(traffic, ret_event);
}

void traffic_flush(struct traffic *traffic)
{
    inbound_flush(traffic->inbound);
    peer_sockets_flush(traffic->peers);
    if (tap_is_watched(traffic->tap)) {
        tap_flush(traffic->tap);
        tap_poll(traffic->tap);
    }
}

bool traffic_has_news(struct traffic *traffic)
{
    traffic->has_peer_news = traffic->has_peer_news && peer_sockets_poll(traffic->peers);
    bool has_inbound_news = inbound_poll(traffic->inbound);
    return (has_inbound_news && !traffic->is_paused) || traffic->has_peer_news;
}

uint64_t traffic_refused(const struct traffic *traffic)
{
    return inbound_counts(traffic->inbound)->malformed +
           peer_sockets_counts(traffic->peers)->malformed;
}

uint64_t traffic_unsent(const struct traffic *traffic)
{
    return inbound_counts(traffic->inbound)->dropped + peer_sockets_counts(traffic->peers)->dropped;
}
