/*
 * What get, find, count and history have in common: a read of one operation.
 */
#ifndef SKEIN_CLIENT_CLI_READ_ONE_H
#define SKEIN_CLIENT_CLI_READ_ONE_H

#include "client/cli/answer.h"
#include "client/cli/command.h"
#include "wire/document/operation.h"

// Reads at the consistency that the options of the call ask for. The answer is empty before.
MUST_CHECK enum status read_one(struct call *call, const struct operation *operation,
                                struct answer *answer);

// A field of its result, the whole msgpack value, borrowed. Fails with internal when it isn't
// there.
MUST_CHECK enum status read_one_field(struct call *call, const struct answer *answer,
                                      const char *name, struct bytes *ret_value);

#endif
