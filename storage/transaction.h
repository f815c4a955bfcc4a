/*
 * One transaction at a time: runs a list of operations against the documents that it sees, leaves
 * its effects in the overlay's open entry and its results here. Sessions and exactly-once are the
 * executor's.
 */
#ifndef SKEIN_STORAGE_TRANSACTION_H
#define SKEIN_STORAGE_TRANSACTION_H

#include "storage/document_write.h"
#include "wire/document/operation.h"

struct transaction {
    struct documents *documents;  // borrowed; with the version that it gets if it changes anything
    struct buffer results;        // owned; msgpack array of result maps
    struct operation_fault fault; // why it failed
    struct buffer document;       // owned; a document that had to be made
    struct buffer position;       // owned; where a find ended
    bool makes_jobs;              // it left work behind: something to be built or cleared
};

// `documents` is borrowed and outlives the transaction.
void transaction_init(struct transaction *transaction, struct documents *documents);
void transaction_release(struct transaction *transaction);

// Runs the operations. ok: results are complete, effects since overlay_begin() are in the open
// entry. Otherwise nothing was changed, and `fault` names the operation and says why: absent,
// exists, unique, refused, conflict or type by the data; bad_request, type, too_large or too_deep
// by what was asked; damaged or internal by the state.
MUST_CHECK enum status transaction_run(struct transaction *transaction, struct bytes operations);

// Takes back all effects of a run that succeeded.
void transaction_undo(struct transaction *transaction);

// Makes the results of operations that ran before, with the version and time of `documents`: what
// was read is null. Fails as transaction_run() does for operations that it can't understand.
MUST_CHECK enum status transaction_replay(struct transaction *transaction, struct bytes operations);

#endif
