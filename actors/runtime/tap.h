/*
 * The tap of a process: an XPUB socket on which it publishes every message that it takes or sends,
 * while somebody watches. Nobody watching costs one test of a flag a message; a slow watcher loses
 * what it does not take in time, the process never waits.
 *
 * A publication is two message parts: the topic, then a frame (wire/frame.h) of `trace` messages.
 *
 *     topic "h"   without payloads
 *     topic "p"   with payloads, those above 64 KiB cut off whole
 *
 * A watcher connects a SUB socket and subscribes to one of the topics.
 */
#ifndef SKEIN_ACTORS_RUNTIME_TAP_H
#define SKEIN_ACTORS_RUNTIME_TAP_H

#include "client/peer_sockets.h"

struct tap;

enum tap_topic { TAP_HEADERS, TAP_PAYLOADS, TAP_TOPIC_COUNT };

// One message that the process took or sent.
struct tap_record {
    uint64_t now_us;               // monotonic
    uint64_t wall_us;              // since 1970
    bool is_sent;                  // by this process
    uint64_t address;              // of the other side
    struct bytes peer;             // name of the other side; empty when it is not in the message
    const struct message *message; // as decoded
    struct bytes encoded;          // as encoded
};

// `options` as for peer_sockets_new(). Publishes on a free port of the host of `listen`, or on the
// ipc endpoint `listen` + ".trace". Fails with unavailable; `ret_error` then gets a sentence.
MUST_CHECK enum status tap_new(const struct peer_sockets_options *options, const char *listen,
                               struct tap **ret_tap, struct buffer *ret_error);
void tap_destroy(struct tap **take_tap);

// Where watchers connect to.
const char *tap_endpoint(const struct tap *tap);

void tap_set_cluster(struct tap *tap, uint64_t cluster_id);

// Takes in who watches. Call it when tap_fd() is readable, and before sleeping on it.
void tap_poll(struct tap *tap);
int tap_fd(const struct tap *tap);

// Whether somebody watches the topic; any topic.
bool tap_is_watched_for(const struct tap *tap, enum tap_topic topic);
bool tap_is_watched(const struct tap *tap);

// Publishes a frame of somebody else's traces as it is.
void tap_forward(struct tap *tap, enum tap_topic topic, struct bytes frame);

// Notes the message for the next publication. Only while somebody watches.
void tap_note(struct tap *tap, const struct tap_record *record);

// Publishes what was noted.
void tap_flush(struct tap *tap);

// The topic as it is sent, "h" or "p".
const char *tap_topic_name(enum tap_topic topic);

#endif
