/*
 * How a request ended, kept beyond the callback that told it; and waiting for that end.
 */
#ifndef SKEIN_CLIENT_CLI_ANSWER_H
#define SKEIN_CLIENT_CLI_ANSWER_H

#include "client/cli/arguments.h"
#include "client/loop.h"

#include <pthread.h>

// How a request ended, with bytes of its own. All zero before.
struct answer {
    struct client_completion completion; // borrows from `bytes` and `reply`
    struct message reply;                // of a call; completion.reply points here or is NULL
    struct buffer bytes;
};

void answer_release(struct answer *answer);

// Keeps what `completion` says, in place of what was there.
void answer_copy(struct answer *answer, const struct client_completion *completion);

// Somebody who waits for the end of one request.
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
    struct answer *answer; // where to put it; borrowed
};

void waiter_init(struct waiter *waiter, struct answer *answer);

// Safe on one that is all zero.
void waiter_release(struct waiter *waiter);

// To be handed to the client's loop with the waiter as its context.
void waiter_end(void *context, const struct client_completion *completion);

// Waits for the end of a request that was submitted with `submitted`. A request that ended with
// another status than ok, or was not taken, sets the failure and is returned as that status; the
// answer is set even then.
MUST_CHECK enum status waiter_await(struct waiter *waiter, enum status submitted,
                                    struct failure *failure);

#endif
