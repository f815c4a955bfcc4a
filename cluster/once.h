/*
 * What the sender of a transaction may say about it, when it was sent more than once (rules 29 and
 * 30). Writer and client keep one for each transaction they carry.
 *
 * A transaction that was done left a record: a further copy of it gets the recorded outcome. One
 * that failed left none: a copy that is still on its way, in a process that hangs or a connection
 * that was lost, could run later and succeed. So a failure is believed at once only if no other
 * copy can be on its way. Otherwise the sender asks for the status of the transaction first, which
 * claims the sequence: from then on no copy runs any more.
 */
#ifndef SKEIN_CLUSTER_ONCE_H
#define SKEIN_CLUSTER_ONCE_H

#include "base/buffer.h"
#include "wire/message.h"

struct once {
    uint32_t open;         // copies sent of which nobody said that they were not done
    bool is_claiming;      // it failed; transact_status is sent in its place
    struct buffer failure; // is_claiming: how it failed, an encoded outcome
};

enum once_verdict {
    ONCE_ANSWER,  // the answer at hand is final
    ONCE_SAVED,   // the failure in `failure` is final
    ONCE_REFUSED, // not done, and no copy is on its way: may be passed on or sent again
    ONCE_CLAIM,   // send transact_status now
    ONCE_REPEAT,  // it was done: send the transaction again, for its recorded outcome
    ONCE_RETRY,   // nothing is decided: send again later
    ONCE_IGNORE,  // says nothing
};

// A new transaction. Keeps the memory of `failure`.
void once_reset(struct once *once);
void once_release(struct once *once);

// A copy was sent. Not counted while claiming: what is sent then is no copy.
void once_sent(struct once *once);

// Judges an answer: outcome, transact_status_reply or refusal.
enum once_verdict once_judge(struct once *once, const struct message *answer);

// What it ends with when its deadline has passed: `deadline`, certainly not done, or
// unknown_outcome.
enum status once_expiry(const struct once *once);

#endif
