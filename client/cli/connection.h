/*
 * The tool's way to the cluster: the client's loop, and single requests whose end is waited for.
 * Commands that keep many outstanding use the loop (client/loop.h) themselves.
 */
#ifndef SKEIN_CLIENT_CLI_CONNECTION_H
#define SKEIN_CLIENT_CLI_CONNECTION_H

#include "client/cli/answer.h"
#include "client/cli/command.h"

// Starts the client at --at, SKEIN_AT or the local cluster (the one of `skein dev` in its usual
// folder, else a coordinator on the usual port). Fails with bad_request for endpoints that are
// none. Whether somebody is there shows with the first request.
MUST_CHECK enum status connection_open(struct call *call, struct client_loop **ret_loop);

// Each makes one request and waits for its end, as long as the call allows. A request that ends
// with another status than ok sets the failure of the call and is returned as that status; the
// answer is set even then. `answer` is empty before.
MUST_CHECK enum status connection_transact(struct call *call, struct client_loop *loop,
                                           struct bytes operations, struct answer *answer);
MUST_CHECK enum status connection_read(struct call *call, struct client_loop *loop,
                                       const struct client_read *ask, struct answer *answer);
MUST_CHECK enum status connection_status(struct call *call, struct client_loop *loop,
                                         const struct client_status *ask, struct answer *answer);

// A call of the process `to`. Fails with internal when the answer is of another kind, and with the
// answer's own status when it is a refusal.
MUST_CHECK enum status connection_call(struct call *call, struct client_loop *loop,
                                       const struct client_call *ask, enum message_kind wanted,
                                       struct answer *answer);

// What is known of the cluster: the answer's reply is a topology message. Fails with unavailable
// when nobody tells it within the time of the call.
MUST_CHECK enum status connection_topology(struct call *call, struct client_loop *loop,
                                           struct answer *answer);

// Takes the next member off the front of a topology's members; false behind the last one.
bool members_next(struct bytes *rest, struct message_member *ret_member);

#endif
