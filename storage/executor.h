/*
 * The executor: runs transactions one after another against the state plus the overlay (the effects
 * of entries that are not committed yet) and collects their effects into the open entry. It lives
 * in the primary; replicas apply its effects (storage/apply.h) and need no executor.
 *
 *   executor_open ──► executor_run* ──► executor_close ──► (replication) ──► executor_applied
 *
 * Serial execution is what makes Skein strictly serializable. Everything that is not a function of
 * the log (time, generated ids) is decided here and becomes part of the effects (rule 23).
 */
#ifndef SKEIN_STORAGE_EXECUTOR_H
#define SKEIN_STORAGE_EXECUTOR_H

#include "base/buffer.h"
#include "base/status.h"
#include "storage/state.h"

struct executor;

struct executor_request {
    struct bytes session;    // name, 1 to SESSION_NAME_SIZE_MAX bytes
    uint64_t sequence;       // in the session, from 1
    uint64_t done_below;     // outcomes of smaller sequences may be forgotten
    struct bytes operations; // blob of operations, wire/document/operation.h
};

// How a transaction went. Borrowed from the executor until its next call.
struct executor_outcome {
    enum status status;   // ok, or why nothing of it was done
    uint64_t version;     // ok: its version; read-only: the version that it saw
    uint64_t time_us;     // ok: time of the transaction
    bool replayed;        // it ran before; this is the recorded outcome (rule 29)
    uint32_t operation;   // 1 + number of the operation that failed; 0 for none
    struct bytes results; // ok: msgpack array of result maps
    struct bytes message; // failed: sentence for a person
};

// `state` is borrowed and outlives the executor; its contents are read through it.
struct executor *executor_new(struct state *state);
void executor_destroy(struct executor **take_executor);

// Opens an entry whose first transaction gets version + 1. `time_us` (since 1970) is the time of
// all its transactions, never before that of an earlier entry. No entry is open before.
void executor_open(struct executor *executor, uint64_t version, uint64_t time_us);

// Runs one transaction in the open entry: all of it or nothing. Exactly once by session and
// sequence. Failed and read-only transactions leave no trace.
void executor_run(struct executor *executor, const struct executor_request *request,
                  struct executor_outcome *ret_outcome);

// Has this sequence of the session run? ok and its version; absent: it has not and now never will
// (the claim is an effect of the open entry); expired: forgotten.
void executor_claim(struct executor *executor, struct bytes session, uint64_t sequence,
                    struct executor_outcome *ret_outcome);

// Looks through at most `cells` session records for idle and forgotten ones and makes their expiry
// effects of the open entry; goes on where it stopped the last time.
void executor_expire_sessions(struct executor *executor, size_t cells);

// Whether executor_work() would find anything to do at `time_us`: documents that expire, history
// that is too old, a job. Costs next to nothing while it is known that there isn't.
bool executor_has_work(struct executor *executor, uint64_t time_us);

// Does a bounded part of that work, of about `cells` cells, as effects of the open entry. It takes
// a version if it changes what readers see: documents that expire, an index that is complete or
// can't be.
void executor_work(struct executor *executor, size_t cells);

// Bytes of effects in the open entry so far, bytes of documents that its transactions have looked
// at, as they count for TRANSACTION_EXAMINED_SIZE_MAX, and transactions that took a version.
size_t executor_open_size(const struct executor *executor);
uint64_t executor_open_examined_size(const struct executor *executor);
uint32_t executor_open_transactions(const struct executor *executor);

// Closes the open entry as the one at `position`: appends its effects (storage/apply.h) to
// `payload` and keeps them in the overlay. One session record a session, whatever the number of its
// transactions.
void executor_close(struct executor *executor, uint64_t position, struct buffer *payload);

// The entry at `position` and all before are applied to the state: the overlay forgets them.
void executor_applied(struct executor *executor, uint64_t position);

// Deposed: forgets the open entry, the overlay and every cached cell.
void executor_reset(struct executor *executor);

// What any call since executor_reset() has met in a state that can't be read: damaged, internal, or
// version_mismatch for what a later version of the program wrote. ok: nothing.
enum status executor_fault(const struct executor *executor);

#endif
