/*
 * The loop: a thread of its own that drives one client machine (client/requests.h) over its
 * sockets. Any thread may submit requests; their ends are told by callbacks on the loop's thread.
 *
 * A callback must not block: everything waits for it meanwhile. It may submit further requests.
 */
#ifndef SKEIN_CLIENT_LOOP_H
#define SKEIN_CLIENT_LOOP_H

#include "client/requests.h"

struct client_loop;

struct client_loop_options {
    struct client_options client; // a seed of 0 stands for a random one
    struct bytes name;            // in the head of frames, for logs and the monitor; copied
};

// Called once for each submission, on the loop's thread. What the completion borrows lives until
// the callback returns.
typedef void client_done(void *context, const struct client_completion *completion);

// Runs on the loop's thread, between two steps of the machine.
typedef void client_visit(void *context, const struct client *client);

// Starts the thread. Fails with bad_request for an endpoint that libzmq refuses, with unavailable
// when the system refuses a thread or descriptors.
MUST_CHECK enum status client_loop_new(const struct client_loop_options *options,
                                       struct client_loop **ret_loop);

// Ends every request that is outstanding (transactions as unknown_outcome, if they were sent), then
// the thread. Not to be called from a callback.
void client_loop_destroy(struct client_loop **take_loop);

// Each submits one request, whose bytes are copied, and returns at once. Fails with busy when
// CLIENT_OUTSTANDING_MAX submissions or SUBMISSIONS_SIZE_MAX bytes wait to be taken by the loop;
// there is no callback then. Everything else that is wrong with it comes as a completion.
MUST_CHECK enum status client_loop_transact(struct client_loop *loop,
                                            const struct client_transaction *ask, client_done *done,
                                            void *context);
MUST_CHECK enum status client_loop_read(struct client_loop *loop, const struct client_read *ask,
                                        client_done *done, void *context);
MUST_CHECK enum status client_loop_status(struct client_loop *loop, const struct client_status *ask,
                                          client_done *done, void *context);
MUST_CHECK enum status client_loop_mark(struct client_loop *loop, const struct client_mark *ask,
                                        client_done *done, void *context);
MUST_CHECK enum status client_loop_call(struct client_loop *loop, const struct client_call *ask,
                                        client_done *done, void *context);

// Runs `visit` on the loop's thread and returns when it has: to look at the topology, or at the
// version. Not to be called from a callback.
void client_loop_visit(struct client_loop *loop, client_visit *visit, void *context);

// Waits until the topology is known; unavailable when it is not within the time.
MUST_CHECK enum status client_loop_wait(struct client_loop *loop, uint32_t timeout_ms);

// The highest version seen, and a way to take one in; from any thread.
uint64_t client_loop_version(const struct client_loop *loop);
void client_loop_see_version(struct client_loop *loop, uint64_t version);

#endif
