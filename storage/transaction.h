/*
 * One transaction at a time: runs a list of operations against the state and the overlay, leaves
 * its effects in the overlay's open entry and its results here. Sessions and exactly-once are the
 * executor's.
 */
#ifndef SKEIN_STORAGE_TRANSACTION_H
#define SKEIN_STORAGE_TRANSACTION_H

#include "storage/catalog.h"
#include "storage/overlay.h"
#include "wire/document/operation.h"

struct transaction {
    struct state *state;          // borrowed
    struct overlay *overlay;      // borrowed; one entry is open
    struct catalog *catalog;      // borrowed; loaded
    uint64_t version;             // that it gets if it changes anything
    uint64_t time_us;             // its time, since 1970
    struct buffer results;        // owned; msgpack array of result maps
    struct operation_fault fault; // why it failed
    size_t collections_before;    // collections when it began
    struct buffer key;            // owned; of the cell at hand
    struct buffer value;          // owned; of the cell at hand
    struct buffer document;       // owned; a document that had to be made canonical
};

// `state`, `overlay` and `catalog` are borrowed and outlive the transaction.
void transaction_init(struct transaction *transaction, struct state *state, struct overlay *overlay,
                      struct catalog *catalog);
void transaction_release(struct transaction *transaction);

// Runs the operations. ok: results are complete, effects since overlay_begin() are in the open
// entry. Otherwise nothing was changed, and `fault` names the operation and says why: absent,
// exists or refused by the data; bad_request, type, too_large or too_deep by what was asked;
// damaged or internal by the state.
MUST_CHECK enum status transaction_run(struct transaction *transaction, struct bytes operations);

// Takes back all effects of a run that succeeded.
void transaction_undo(struct transaction *transaction);

// Makes the results of operations that ran before as `version` at `time_us`: what was read is null.
// Fails as transaction_run() does for operations that it can't understand.
MUST_CHECK enum status transaction_replay(struct transaction *transaction, struct bytes operations);

#endif
