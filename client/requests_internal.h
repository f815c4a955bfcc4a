/*
 * What the files of the request machine share: requests.c (calls and events), requests_send.c
 * (sending and time), requests_end.c (answers and completions).
 */
#ifndef SKEIN_CLIENT_REQUESTS_INTERNAL_H
#define SKEIN_CLIENT_REQUESTS_INTERNAL_H

#include "client/peers.h"
#include "client/requests.h"
#include "client/sessions.h"
#include "cluster/once.h"
#include "cluster/pending.h"

struct request {
    enum client_kind kind;
    uint64_t tag;               // the caller's
    uint64_t deadline_us;       // when the caller stops waiting
    uint64_t peer;              // who has it; 0 while it waits to be sent
    uint32_t resend_us;         // silence after which it is sent again
    bool was_sent;              // at least once
    bool has_place;             // TRANSACT: in one of our own sessions
    struct session_place place; // has_place
    struct once once;           // TRANSACT: what is known of the copies that were sent
    enum status refused;        // how it was refused last; ok for not at all
    uint32_t retry_after_ms;    // that the refusal asked for
    struct buffer refusal;      // its sentence, if it was busy
    struct buffer encoded;      // the message with our id, as it is sent first
};

// A completion and where its own texts stand in `texts`: they move while it grows.
struct ended {
    struct client_completion completion;
    size_t message_at; // own sentence, if has_sentence
    size_t session_at; // session
    bool has_sentence;
};

struct client {
    struct client_options options; // its texts are in `option_texts`
    struct bytes endpoints[CLIENT_ENDPOINTS_MAX];
    struct buffer option_texts;
    struct topology *topology;
    struct peers peers;
    struct sessions sessions;
    struct pending pending; // rooms are struct request
    uint64_t version;       // highest one seen
    uint64_t timer_at_us;   // what the timer of requests is set to; 0 for not set
    uint64_t renewed_us;    // when the topology was asked for
    bool is_stopping;
    struct ended *ended; // owned array: what ended in this step
    size_t ended_count;
    size_t ended_taken;
    size_t ended_capacity;
    struct buffer texts; // of what ended
};

static inline struct request *client_request(const struct client *self, uint32_t slot)
{
    return pending_room(&self->pending, slot);
}

// What a request needs a process for.
static inline enum peer_use request_use(const struct request *request)
{
    bool reads = request->kind == CLIENT_READ || request->kind == CLIENT_MARK;
    return reads ? PEER_READS : PEER_WRITES;
}

/*
 * requests_send.c
 */

// Keeps the message under the slot's id, which it gets, and sends it if there is somebody.
void request_start(struct client *self, uint32_t slot, struct message *message, uint64_t now_us,
                   struct outbox *out);

// Sends it, or leaves it waiting until there is somebody to send it to.
void request_send(struct client *self, uint32_t slot, uint64_t now_us, struct outbox *out);

// Sends a call to its process.
void request_send_call(struct client *self, uint32_t slot, uint64_t to, struct outbox *out);

// Nobody has it any more: its process answered, or is lost.
void request_leave_peer(struct client *self, struct request *request);

// It is sent again after a pause.
void request_retry(struct client *self, uint32_t slot, uint64_t now_us);

// Sends all that wait to be sent.
void requests_send_waiting(struct client *self, uint64_t now_us, struct outbox *out);

// Sends again, or ends, what a lost process had.
void requests_leave(struct client *self, uint64_t address, uint64_t now_us, struct outbox *out);

// Deadlines, silence and pauses that are over.
void requests_wake(struct client *self, uint64_t now_us, struct outbox *out);

// The field of a message that holds its time left; NULL for kinds without one.
uint32_t *message_timeout(struct message *message);

// The field of a message that holds its request id; NULL for kinds without one.
uint64_t *message_request_field(struct message *message);

/*
 * requests_end.c
 */

// Judges an answer to a request under way.
void request_answer(struct client *self, uint32_t slot, const struct message *answer,
                    uint64_t now_us, struct outbox *out);

// Ends a request with a failure of our own and its sentence.
void request_fail(struct client *self, uint32_t slot, enum status status, const char *sentence);

// Its deadline has passed.
void request_expire(struct client *self, uint32_t slot);

#endif
