/*
 * What the files of libskein's public interface share.
 */
#ifndef SKEIN_CLIENT_SKEIN_INTERNAL_H
#define SKEIN_CLIENT_SKEIN_INTERNAL_H

#include "client/loop.h"
#include "client/skein.h"
#include "wire/document/operation.h"

struct skein {
    struct client_loop *loop;
    uint32_t timeout_ms; // of calls that set none
};

struct skein_transaction {
    struct buffer operations; // operation maps, one after another
    uint32_t count;           // of them
    uint64_t clears;          // how often it was emptied
    struct skein_error fault; // the first mistake; ok for none
};

// A callback and what it is called with, on its way through the loop.
struct skein_waiter {
    skein_done *done;
    void *context;
};

/*
 * skein.c
 */

// Submits a read of these operations.
enum skein_status submit_read(struct skein *skein, const struct skein_call *how,
                              const struct skein_transaction *read, skein_done *done,
                              void *context);

/*
 * skein_transaction.c
 */

// Appends the operations as the blob that goes over the wire. Fails with the transaction's mistake,
// or with bad_request when it is empty.
MUST_CHECK enum skein_status transaction_pack(const struct skein_transaction *transaction,
                                              struct buffer *out, struct skein_error *ret_error);

// Adds an operation on a collection, and on the document `id` if that is not NULL.
void transaction_add(struct skein_transaction *transaction, struct operation *operation,
                     const char *collection, const struct skein_id *id);

// The bytes of a map that a caller gave; anything else, with more or less than one map in it, is a
// mistake, told with `sentence`. A condition may be of no bytes.
struct bytes transaction_take_map(struct skein_transaction *transaction, struct skein_bytes map,
                                  const char *sentence);
struct bytes transaction_take_where(struct skein_transaction *transaction,
                                    struct skein_bytes where);

// Adds a find, with its cursor.
void transaction_add_find(struct skein_transaction *transaction, const struct skein_find *find);

// Sets a mistake: status and sentence.
void error_set(struct skein_error *error, enum skein_status status, const char *sentence);

/*
 * skein_call.c: requests whose end is waited for.
 */

// Clears what the last use of the call left in it.
void call_begin(struct skein_call *call);

// The deadline that a call asks for.
uint32_t call_timeout_ms(const struct skein *skein, const struct skein_call *how);

// What a call asks for, with these operations.
struct client_transaction call_transaction(const struct skein *skein, const struct skein_call *how,
                                           struct bytes operations);
struct client_read call_read(const struct skein *skein, const struct skein_call *how,
                             struct bytes operations);

// The outcome of a completion, which it borrows from.
struct skein_outcome outcome_of(const struct client_completion *completion);

// Copies an outcome into the results of a call.
void call_finish(struct skein_call *call, const struct skein_outcome *outcome);

// Each makes one request, waits for its end and returns call->error.status. `ret_results`, empty
// before, gets the array of result maps. A transaction is one that transaction_pack() may refuse.
enum skein_status call_run_transaction(struct skein *skein, struct skein_call *call,
                                       const struct skein_transaction *transaction,
                                       struct buffer *ret_results);
enum skein_status call_run_operations(struct skein *skein, struct skein_call *call,
                                      const struct client_transaction *ask,
                                      struct buffer *ret_results);
enum skein_status call_run_read(struct skein *skein, struct skein_call *call,
                                const struct client_read *ask, struct buffer *ret_results);
enum skein_status call_run_status(struct skein *skein, struct skein_call *call,
                                  const struct client_status *ask);

// `*ret_position` is that of the marked entry; call->version is its version.
enum skein_status call_run_mark(struct skein *skein, struct skein_call *call,
                                uint64_t *ret_position);

/*
 * skein_documents.c
 */

// The id in the public interface, borrowed.
struct document_id id_inside(const struct skein_id *id);

// Reads the document of a get out of the results of a read that ended with `status`; absent if
// there is none.
enum skein_status call_take_document(struct skein_call *call, struct bytes results,
                                     struct skein_document *ret_document);

/*
 * skein_find.c
 */

// Reads the page of a find out of the results of a read.
enum skein_status call_take_page(struct skein_call *call, struct bytes results,
                                 struct skein_page *ret_page);

#endif
