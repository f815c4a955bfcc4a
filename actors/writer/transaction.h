/*
 * The transactions that a writer carries: each from the moment a client sent it until it is
 * answered, with what must be known to send it again and to say no more than is known.
 */
#ifndef SKEIN_ACTORS_WRITER_TRANSACTION_H
#define SKEIN_ACTORS_WRITER_TRANSACTION_H

#include "cluster/machine.h"
#include "cluster/once.h"
#include "cluster/pending.h"

struct transactions {
    struct pending pending; // rooms are struct transaction
    size_t size;            // bytes of all encoded requests
};

void transactions_init(struct transactions *transactions, uint64_t seed);
void transactions_release(struct transactions *transactions);

// Keeps a transact or transact_status that a client sent. `event` brought it; `message` is what is
// sent on, its request id is replaced by the slot's. False when the writer is full.
bool transactions_add(struct transactions *transactions, const struct event *event,
                      struct message *message, uint32_t *ret_slot);

// Sends a transaction, or all of them in the order in which they came, to the primary.
void transactions_send(struct transactions *transactions, uint32_t slot, uint64_t primary,
                       uint64_t now_us, struct outbox *out);
void transactions_send_all(struct transactions *transactions, uint64_t primary, uint64_t now_us,
                           struct outbox *out);

// Finds a transaction by the request id it is sent under.
bool transactions_find(const struct transactions *transactions, uint64_t request,
                       uint32_t *ret_slot);

// Judges what a storage node answered (outcome, transact_status_reply or refusal). ONCE_CLAIM and
// ONCE_REPEAT: the transaction is to be sent now. ONCE_REFUSED is not for not_primary.
enum once_verdict transactions_judge(struct transactions *transactions, uint32_t slot,
                                     const struct message *answer);

// Passes the answer on, or the failure that was saved, and forgets the transaction.
void transactions_finish(struct transactions *transactions, uint32_t slot,
                         const struct message *answer, struct outbox *out);
void transactions_finish_saved(struct transactions *transactions, uint32_t slot,
                               struct outbox *out);

// An answer said nothing final: the transaction is due again a little later.
void transactions_retry(struct transactions *transactions, uint32_t slot, uint64_t now_us);

// Nothing can be sent at present: the transaction is due again at its deadline.
void transactions_park(struct transactions *transactions, uint32_t slot);

// The next transaction to look at: sent a while ago, or its deadline has passed.
bool transactions_due(struct transactions *transactions, uint64_t now_us, uint32_t *ret_slot);
uint64_t transactions_next_due(const struct transactions *transactions); // 0 for none

// If the deadline has passed, answers so and forgets the transaction.
bool transactions_expire(struct transactions *transactions, uint32_t slot, uint64_t now_us,
                         struct outbox *out);

size_t transactions_count(const struct transactions *transactions);

#endif
