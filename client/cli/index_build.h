/*
 * Making an index and seeing it through: `skein index create`, `skein collection create` and
 * `skein bench`.
 */
#ifndef SKEIN_CLIENT_CLI_INDEX_BUILD_H
#define SKEIN_CLIENT_CLI_INDEX_BUILD_H

#include "client/cli/connection.h"
#include "wire/document/operation.h"

// Waits until the index serves, and shows progress. Fails with absent when it was dropped
// meanwhile, with unique when two documents have the same value, and as reads do; the sentence then
// says that the build goes on.
MUST_CHECK enum status index_await(struct call *call, struct client_loop *loop,
                                   struct bytes collection, struct bytes index);

// Runs the operation, a create_index, and waits until the index serves. `answer`, empty before, is
// that of the transaction. Fails as the transaction does (exists: there is an index of that name),
// and as index_await().
MUST_CHECK enum status index_create(struct call *call, struct client_loop *loop,
                                    const struct operation *operation, struct answer *answer);

#endif
