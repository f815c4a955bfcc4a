/*
 * What put, insert and delete have in common: a transaction of one operation.
 */
#ifndef SKEIN_CLIENT_CLI_WRITE_H
#define SKEIN_CLIENT_CLI_WRITE_H

#include "client/cli/command.h"
#include "wire/document/operation.h"

// Runs the operation and prints id, version and time. The id of an insert without one is taken from
// its result.
MUST_CHECK enum status write_one(struct call *call, const struct operation *operation);

#endif
