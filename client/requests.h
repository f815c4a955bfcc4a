/*
 * The client as a pure machine: it keeps connections to writers and readers, spreads requests over
 * them, sends them again when a process or a message is lost, and says how each one ended, exactly
 * once. libskein's loop (client/loop.h) and the simulator drive it.
 *
 *     client_transact / client_read / ... ──► client_step (events) ──► client_next (completions)
 *
 * Sessions: transactions get one of the client's own sessions, unless the caller names one. A
 * session holds at most SESSION_OUTCOMES_MAX outcomes, so a client with more outstanding uses
 * several; nobody sees that but in an unknown_outcome.
 *
 * The highest version seen in any answer is the client's token: `session` reads see at least that.
 */
#ifndef SKEIN_CLIENT_REQUESTS_H
#define SKEIN_CLIENT_REQUESTS_H

#include "cluster/machine.h"
#include "cluster/topology.h"

struct client;

enum { CLIENT_ENDPOINTS_MAX = 16 };

struct client_options {
    const struct bytes *endpoints; // gateways, writers, readers or coordinators; copied
    size_t endpoint_count;         // 1 to CLIENT_ENDPOINTS_MAX
    struct bytes session;          // name of its session; empty: made from the seed
    uint64_t seed;                 // random; ids, names and choices depend on it
};

struct client_transaction {
    struct bytes operations; // wire/document/operation.h; borrowed for the call
    struct bytes session;    // empty: one of the client's own
    uint64_t sequence;       // of a named session
    uint64_t done_below;     // of a named session
    uint32_t timeout_ms;     // DEADLINE_MS_MIN to DEADLINE_MS_MAX
    uint64_t tag;            // the caller's, given back in the completion
};

struct client_read {
    struct bytes operations;   // get, find, count, history, collections; borrowed for the call
    enum read_level level;     // consistency
    uint64_t after_version;    // session: at least this version, besides the client's own token
    uint64_t at_version;       // snapshot: exactly this version
    uint64_t at_position;      // snapshot: of the marked entry, as a mark said; 0 when not known
    uint64_t at_time_us;       // snapshot: instead of at_version, this time since 1970; 0 for none
    uint64_t lag_versions_max; // any: bound on its lag; 0 for none
    uint32_t lag_ms_max;       // any: bound on its lag; 0 for none
    uint32_t timeout_ms;       // DEADLINE_MS_MIN to DEADLINE_MS_MAX
    uint64_t tag;              // the caller's
};

struct client_status {
    struct bytes session; // asked about
    uint64_t sequence;    // asked about
    uint32_t timeout_ms;  // DEADLINE_MS_MIN to DEADLINE_MS_MAX
    uint64_t tag;         // the caller's
};

// A version that stays readable for the horizon and sees everything acknowledged before.
struct client_mark {
    uint32_t timeout_ms; // DEADLINE_MS_MIN to DEADLINE_MS_MAX
    uint64_t tag;        // the caller's
};

// Any other request, to a process of the caller's choice. It is sent once, never again.
struct client_call {
    struct message message; // its request id is set by the client; of any kind that has one
    struct bytes to;        // name of a process in the topology
    uint32_t timeout_ms;    // DEADLINE_MS_MIN to DEADLINE_MS_MAX
    uint64_t tag;           // the caller's
};

enum client_kind { CLIENT_TRANSACT, CLIENT_READ, CLIENT_STATUS, CLIENT_CALL, CLIENT_MARK };

// How a request ended.
struct client_completion {
    enum client_kind kind;
    uint64_t request;        // id that the call returned
    uint64_t tag;            // the caller's
    enum status status;      // ok, or why not; CALL: ok if there was an answer, whatever it says
    uint64_t version;        // TRANSACT, READ, STATUS: version of the answer; MARK: marked
    uint64_t position;       // MARK: of the marked entry
    uint64_t time_us;        // TRANSACT: time of the transaction, since 1970
    bool replayed;           // TRANSACT: it ran before, its read results are null
    struct bytes results;    // TRANSACT, READ: array of result maps; empty when it failed
    struct bytes message;    // a sentence for a person when it failed
    uint32_t operation;      // 1 + number of the operation that failed; 0 for none
    uint32_t retry_after_ms; // busy: when to try again
    struct bytes session;    // TRANSACT, STATUS: the session
    uint64_t sequence;       // TRANSACT, STATUS: the sequence in it
    const struct message *reply; // CALL: the answer; NULL when there was none
};

struct client *client_new(const struct client_options *options);
void client_destroy(struct client **take_client);

// Each of these starts a request and returns its id. Fails at once, without a completion, with busy
// when CLIENT_OUTSTANDING_MAX are outstanding, with bad_request for a time, session, sequence or
// level out of range, and with too_large for operations that fit no message.
MUST_CHECK enum status client_transact(struct client *self, const struct client_transaction *ask,
                                       uint64_t now_us, struct outbox *out, uint64_t *ret_request);
MUST_CHECK enum status client_read(struct client *self, const struct client_read *ask,
                                   uint64_t now_us, struct outbox *out, uint64_t *ret_request);
MUST_CHECK enum status client_status(struct client *self, const struct client_status *ask,
                                     uint64_t now_us, struct outbox *out, uint64_t *ret_request);
MUST_CHECK enum status client_mark(struct client *self, const struct client_mark *ask,
                                   uint64_t now_us, struct outbox *out, uint64_t *ret_request);

// Fails with unavailable, too, when the topology has no process of that name.
MUST_CHECK enum status client_call(struct client *self, const struct client_call *ask,
                                   uint64_t now_us, struct outbox *out, uint64_t *ret_request);

// Asks for the topology; the answer is an event like any other. The client does so itself every few
// seconds and when a process is lost.
void client_renew_topology(struct client *self, uint64_t now_us, struct outbox *out);

// Handles an event; then client_next() has what ended by it. What completions borrow lives until
// the next step and no longer than the event.
void client_step(struct client *self, const struct event *event, struct outbox *out);

// Takes the next completion; false when there is none. Requests may be made in between.
bool client_next(struct client *self, struct client_completion *ret_completion);

// Requests that have not ended.
size_t client_outstanding(const struct client *self);

// The highest version seen, a token for other clients; and a way to take one in.
uint64_t client_version(const struct client *self);
void client_see_version(struct client *self, uint64_t version);

// What the client knows of the cluster, borrowed until the next step.
const struct topology *client_topology(const struct client *self);

#endif
