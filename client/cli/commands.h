/*
 * The functions behind the rows of the command table, one a file. Each does what the table says,
 * prints its result and returns ok, or sets the failure of the call and returns its status.
 */
#ifndef SKEIN_CLIENT_CLI_COMMANDS_H
#define SKEIN_CLIENT_CLI_COMMANDS_H

#include "client/cli/command.h"

MUST_CHECK enum status run_get(struct call *call);
MUST_CHECK enum status run_put(struct call *call);
MUST_CHECK enum status run_insert(struct call *call);
MUST_CHECK enum status run_update(struct call *call);
MUST_CHECK enum status run_delete(struct call *call);
MUST_CHECK enum status run_find(struct call *call);
MUST_CHECK enum status run_count(struct call *call);
MUST_CHECK enum status run_history(struct call *call);
MUST_CHECK enum status run_txn(struct call *call);
MUST_CHECK enum status run_txn_status(struct call *call);
MUST_CHECK enum status run_pipe(struct call *call);
MUST_CHECK enum status run_collection(struct call *call);
MUST_CHECK enum status run_index(struct call *call);
MUST_CHECK enum status run_load(struct call *call);
MUST_CHECK enum status run_dump(struct call *call);
MUST_CHECK enum status run_status(struct call *call);
MUST_CHECK enum status run_why(struct call *call);
MUST_CHECK enum status run_switchover(struct call *call);
MUST_CHECK enum status run_digest(struct call *call);
MUST_CHECK enum status run_monitor(struct call *call);
MUST_CHECK enum status run_bench(struct call *call);
MUST_CHECK enum status run_dev(struct call *call);

#endif
