/*
 * What the files of libskein's public interface share.
 */
#ifndef SKEIN_CLIENT_SKEIN_INTERNAL_H
#define SKEIN_CLIENT_SKEIN_INTERNAL_H

#include "client/loop.h"
#include "client/skein.h"

struct skein {
    struct client_loop *loop;
    uint32_t timeout_ms; // of calls that set none
};

struct skein_transaction {
    struct buffer operations; // operation maps, one after another
    uint32_t count;           // of them
    struct skein_error fault; // the first mistake; ok for none
};

// A callback and what it is called with, on its way through the loop.
struct skein_waiter {
    skein_done *done;
    void *context;
};

// Appends the operations as the blob that goes over the wire. Fails with the transaction's mistake,
// or with bad_request when it is empty.
MUST_CHECK enum skein_status transaction_pack(const struct skein_transaction *transaction,
                                              struct buffer *out, struct skein_error *ret_error);

// Sets a mistake: status and sentence.
void error_set(struct skein_error *error, enum skein_status status, const char *sentence);

// The outcome of a completion, which it borrows from.
struct skein_outcome outcome_of(const struct client_completion *completion);

// Copies an outcome into the results of a call.
void call_finish(struct skein_call *call, const struct skein_outcome *outcome);

#endif
