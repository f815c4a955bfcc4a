/*
 * Interactive transactions of libskein: read, think, write, commit, as if nothing else happened
 * meanwhile.
 *
 *     enum skein_status grow(void *context, struct skein_interactive *interactive)
 *     {
 *         struct skein_key *key = context;
 *         struct skein_document document;
 *         enum skein_status status = skein_interactive_get(interactive, key, &document);
 *         if (status != SKEIN_ok) {
 *             return status;
 *         }
 *         struct skein_bytes grown = ... what is made of the document ...;
 *         skein_transaction_put(skein_interactive_writes(interactive), key, grown);
 *         return SKEIN_ok;
 *     }
 *
 *     status = skein_run(skein, &call, grow, &key);
 *
 * Everything is read at one version, which sees all that was acknowledged before the transaction
 * began. Writes are kept by the library until the commit, which the cluster refuses with conflict
 * if anything that was read has changed, or if a find would find something else now. Then the
 * transaction has done nothing and may be run anew; skein_run() does so.
 *
 * A transaction may be idle for 10 s and last 30 s. It belongs to one thread at a time.
 */
#ifndef SKEIN_CLIENT_SKEIN_INTERACTIVE_H
#define SKEIN_CLIENT_SKEIN_INTERACTIVE_H

#include "client/skein.h"

#ifdef __cplusplus
extern "C" {
#endif

struct skein_interactive;

// Begins one. `call` says how long this and each read may take. Returns call->error.status.
SKEIN_API enum skein_status skein_begin(struct skein *skein, struct skein_call *call,
                                        struct skein_interactive **ret_interactive);

// Ends it; writes that were not committed are forgotten.
SKEIN_API void skein_interactive_destroy(struct skein_interactive **take_interactive);

// The version that everything is read at.
SKEIN_API uint64_t skein_interactive_version(const struct skein_interactive *interactive);

// Reads a document, and sees what the transaction itself has written to it; document_version is 0
// then. absent if there is none. A write of the transaction that can't be done on the document
// fails here already, as it would when it is committed. expired after 10 s without a call, too_old
// after 30 s or when the version is not kept any more.
SKEIN_API enum skein_status skein_interactive_get(struct skein_interactive *interactive,
                                                  const struct skein_key *key,
                                                  struct skein_document *ret_document);

// Finds documents; those that the transaction itself has written are found as they were before. One
// page: a find takes no cursor. What is found must be found again at the commit, at a cost of 10000
// documents looked at.
SKEIN_API enum skein_status skein_interactive_find(struct skein_interactive *interactive,
                                                   const struct skein_find *find,
                                                   struct skein_page *ret_page);

// The writes of the transaction: add to them with skein_transaction_put() and its like. Borrowed.
SKEIN_API struct skein_transaction *skein_interactive_writes(struct skein_interactive *interactive);

// Commits; the transaction is over however that ends. `ret_results`, which may be NULL, gets those
// of the writes. Without writes there is nothing to do: what was read is one state. conflict if
// something that was read has changed, and the sentence names it. Returns call->error.status, whose
// operation counts writes.
SKEIN_API enum skein_status skein_interactive_commit(struct skein_interactive *interactive,
                                                     struct skein_call *call,
                                                     struct skein_results *ret_results);

// How the last get or find went.
SKEIN_API const struct skein_error *
skein_interactive_error(const struct skein_interactive *interactive);

// Begins a transaction, calls `body`, which reads and writes, and commits if that returned ok;
// again and again until that works out or the deadline of the call has passed: with a random pause,
// longer each time, after a conflict and when the version is not kept any more. Returns
// call->error.status: how the last commit went, or what the body gave up with; if the deadline
// ended an attempt that had done nothing, how the one before went. The call names no session of its
// own, since each attempt is another transaction.
SKEIN_API enum skein_status
skein_run(struct skein *skein, struct skein_call *call,
          enum skein_status (*body)(void *context, struct skein_interactive *interactive),
          void *context);

#ifdef __cplusplus
}
#endif

#endif
