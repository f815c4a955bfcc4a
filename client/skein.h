/*
 * libskein: the client library of Skein, a replicated, transactional document database.
 *
 *     struct skein *skein;
 *     struct skein_options options = {.endpoints = "tcp://127.0.0.1:7300"};
 *     if (skein_connect(&options, &skein) != SKEIN_ok) { ... }
 *
 *     struct skein_call call = {0};
 *     struct skein_key key = {.collection = "birds", .id = skein_text_id("greylag")};
 *     struct skein_document document;
 *     skein_document_from_json("{\"legs\": 2}", &document, NULL);
 *     if (skein_put(skein, &call, &key, skein_document_bytes(&document)) != SKEIN_ok) {
 *         fprintf(stderr, "%s\n", call.error.message);
 *     }
 *     skein_document_release(&document);
 *     skein_close(&skein);
 *
 * A client has one thread of its own and keeps connections to several writers and readers (or
 * gateways), over which it spreads requests. It may be used from any number of threads. It sends a
 * request again when a process or a message is lost, until the deadline; a transaction is done
 * once, however often it was sent.
 *
 * Documents are msgpack maps. Those that come back are in canonical form: keys sorted by bytes,
 * integers in their shortest form, floats as float64.
 *
 * How a request ends:
 *  - SKEIN_ok: done.
 *  - SKEIN_busy, SKEIN_unavailable, SKEIN_deadline, SKEIN_stale, SKEIN_read_only: certainly not
 *    done; it may be tried again.
 *  - SKEIN_unknown_outcome: the deadline passed, and the transaction may have been done. The error
 *    names session and sequence; skein_status_of() finds out, and sees to it that it won't be done
 *    later if it has not been so far.
 *  - everything else: refused by the data or the request; nothing was done.
 *
 * Interactive transactions are in client/skein_interactive.h.
 */
#ifndef SKEIN_CLIENT_SKEIN_H
#define SKEIN_CLIENT_SKEIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKEIN_API __attribute__((visibility("default")))

// How a request ended. The numbers never change their meaning.
enum skein_status {
    SKEIN_ok = 0,
    SKEIN_bad_request = 1,      // malformed; the error says what
    SKEIN_type = 2,             // a value is of a type that the operation can't work with
    SKEIN_too_large = 3,        // beyond a limit in size
    SKEIN_too_deep = 4,         // nested deeper than 24
    SKEIN_unauthenticated = 5,  // nobody we know
    SKEIN_forbidden = 6,        // not allowed to do this
    SKEIN_absent = 7,           // no such document
    SKEIN_exists = 8,           // there is a document of that id already
    SKEIN_unique = 9,           // another document has that value in a unique index
    SKEIN_refused = 10,         // a condition does not hold
    SKEIN_conflict = 11,        // what was read has changed; run the transaction anew
    SKEIN_too_old = 12,         // the version is not kept any more
    SKEIN_gap = 13,             // the feed does not go back that far
    SKEIN_expired = 14,         // the session has forgotten this
    SKEIN_lagged = 15,          // a feed was read too slowly; resume by version
    SKEIN_busy = 16,            // too much at once; try again after error.retry_after_ms
    SKEIN_deadline = 17,        // the time was too short; certainly not done
    SKEIN_unknown_outcome = 18, // may be done
    SKEIN_unavailable = 19,     // no primary, no majority, nobody reached
    SKEIN_stale = 20,           // the bound on the lag can't be kept
    SKEIN_read_only = 21,       // the disks are full, or the port takes no writes
    SKEIN_internal = 22,        // a bug of the database
};

// The word of a status, "unknown_outcome". Static text.
SKEIN_API const char *skein_status_name(enum skein_status status);

struct skein_bytes {
    const void *data;
    size_t size;
};

/*
 * Clients.
 */

struct skein;

// All zero but for the endpoints is good.
struct skein_options {
    const char *endpoints; // comma separated: gateways, writers, readers or coordinators
    const char *name;      // of this client, for logs and the monitor; NULL: "client"
    const char *session;   // name of its session, at most 44 bytes; NULL: a random one
    uint32_t timeout_ms;   // deadline of calls that set none; 0: 5000
};

// Starts a client. Returns at once: connections are made in the background, and requests wait for
// them until their deadline. Fails with bad_request for endpoints that are none and for names that
// are not UTF-8, and with unavailable when the system refuses a thread or descriptors.
SKEIN_API enum skein_status skein_connect(const struct skein_options *options,
                                          struct skein **ret_skein);

// Ends a client. What is outstanding ends first: transactions that were sent as unknown_outcome,
// everything else as not done. NULL-safe; not to be called from a callback.
SKEIN_API void skein_close(struct skein **take_skein);

// Waits until the client knows the cluster; unavailable if it does not within the time.
SKEIN_API enum skein_status skein_wait(struct skein *skein, uint32_t timeout_ms);

// The highest version that this client has seen: a token. Another client that takes it in with
// skein_see_version() sees at least the same with level SKEIN_session.
SKEIN_API uint64_t skein_version(const struct skein *skein);
SKEIN_API void skein_see_version(struct skein *skein, uint64_t version);

/*
 * Calls.
 */

enum skein_level {
    SKEIN_linearizable = 0, // sees everything acknowledged before the read began
    SKEIN_session = 2,      // sees at least what this client has seen, and after_version
    SKEIN_snapshot = 3,     // exactly at_version, or what was there at at_time_us
    SKEIN_any = 4,          // some committed state, as far behind as lag_... allow
};

enum { SKEIN_MESSAGE_SIZE_MAX = 512, SKEIN_SESSION_SIZE_MAX = 64, SKEIN_ID_SIZE_MAX = 256 };

struct skein_error {
    enum skein_status status;
    char message[SKEIN_MESSAGE_SIZE_MAX + 1]; // a sentence for a person; empty if all went well
    uint32_t operation;                       // 1 + number of the operation that failed; 0: none
    uint32_t retry_after_ms;                  // busy: when to try again
    char session[SKEIN_SESSION_SIZE_MAX + 1]; // of the transaction
    uint64_t sequence;                        // of the transaction in its session
};

// What a request is asked with, and how it went. All zero is good.
struct skein_call {
    uint32_t timeout_ms;       // deadline, 1 ms to 10 min; 0: that of the client
    enum skein_level level;    // reads: consistency
    uint64_t after_version;    // reads at SKEIN_session: at least this version
    uint64_t at_version;       // reads at SKEIN_snapshot: exactly this version
    uint64_t at_time_us;       // reads at SKEIN_snapshot: instead, this time since 1970
    uint64_t lag_versions_max; // reads at SKEIN_any: bound; 0 for none
    uint32_t lag_ms_max;       // reads at SKEIN_any: bound; 0 for none
    const char *session;       // transactions: a session that the caller keeps; NULL: the client's
    uint64_t sequence;         // of `session`, from 1; never used for another transaction
    uint64_t done_below;       // of `session`: outcomes of smaller sequences are not wanted

    uint64_t version;               // result: version of the answer
    uint64_t time_us;               // result: time of the transaction, since 1970
    bool replayed;                  // result: it ran before; its read results are null
    char id[SKEIN_ID_SIZE_MAX + 1]; // result of skein_insert(): the id, if it is a text
    struct skein_error error;       // result
};

// An id: a text of 1 to 256 bytes of UTF-8, or an integer.
struct skein_id {
    const char *text; // NULL: the integer
    int64_t integer;
};

static inline struct skein_id skein_text_id(const char *text)
{
    struct skein_id id = {text, 0};
    return id;
}

static inline struct skein_id skein_integer_id(int64_t integer)
{
    struct skein_id id = {NULL, integer};
    return id;
}

// Where a document is.
struct skein_key {
    const char *collection;
    struct skein_id id;
};

/*
 * Documents.
 */

// A document with memory of its own.
struct skein_document {
    void *data;                // msgpack map; NULL: there is none
    size_t size;               // in bytes
    uint64_t document_version; // of the transaction that wrote it
    uint64_t time_us;          // of that transaction, since 1970
};

SKEIN_API void skein_document_release(struct skein_document *document);

static inline struct skein_bytes skein_document_bytes(const struct skein_document *document)
{
    struct skein_bytes bytes = {document->data, document->size};
    return bytes;
}

// Makes a document of JSON text ({"$bin": base64} is binary, {"$time": RFC 3339} a timestamp).
// Fails with bad_request or too_deep and says where in `ret_error`, which may be NULL.
SKEIN_API enum skein_status skein_document_from_json(const char *json,
                                                     struct skein_document *ret_document,
                                                     struct skein_error *ret_error);

// JSON text of a msgpack value, to be released with free(). Fails with bad_request for what has no
// JSON form.
SKEIN_API enum skein_status skein_bytes_to_json(struct skein_bytes bytes, char **ret_json);

/*
 * One document at a time. Each returns call->error.status.
 */

// absent if there is no such document; `ret_document` then holds none.
SKEIN_API enum skein_status skein_get(struct skein *skein, struct skein_call *call,
                                      const struct skein_key *key,
                                      struct skein_document *ret_document);

SKEIN_API enum skein_status skein_put(struct skein *skein, struct skein_call *call,
                                      const struct skein_key *key, struct skein_bytes document);

// `id` NULL: the cluster makes one; call->id has it. exists if the id is taken.
SKEIN_API enum skein_status skein_insert(struct skein *skein, struct skein_call *call,
                                         const char *collection, const struct skein_id *id,
                                         struct skein_bytes document);

// What may go with an update. All zero is good.
struct skein_condition {
    struct skein_bytes where; // msgpack map: a predicate that the document must satisfy
    bool upsert;              // begin with an empty document if there is none
};

// Changes fields of a document: `patch` is a msgpack map such as {"stock": {"$inc": -1}}.
// `condition` may be NULL. absent if there is no such document, refused if the condition or a bound
// in the patch does not hold.
SKEIN_API enum skein_status skein_update(struct skein *skein, struct skein_call *call,
                                         const struct skein_key *key, struct skein_bytes patch,
                                         const struct skein_condition *condition);

// absent if there is no such document.
SKEIN_API enum skein_status skein_delete(struct skein *skein, struct skein_call *call,
                                         const struct skein_key *key);

/*
 * Many documents at a time. Each returns call->error.status.
 */

// What a find looks for. All zero but for the collection is good.
struct skein_find {
    const char *collection;
    struct skein_bytes where; // msgpack map: a predicate; of no bytes: all documents
    const char *order;        // field to order by, or "$id", "-" in front for backwards; NULL: none
    const char *index;        // name of the index to use; NULL: the cluster chooses
    uint32_t limit;           // documents of a page, at most 1000; 0: 100
    const char *cursor;       // text that a page ended with, to read the one behind it; NULL: first
};

struct skein_row {
    struct skein_id id;          // zero in a history
    struct skein_bytes document; // of no bytes: it was deleted then (in a history)
    uint64_t document_version;
    uint64_t time_us;
};

// Documents that were read together, with memory of their own. All zero is an empty page.
struct skein_page {
    const struct skein_row *rows;
    size_t count;
    const char *cursor; // there is more behind it, to be read with this; NULL: there is not
    bool has_more;      // the same; in a history: older versions were left out
    const char *index;  // index that was used; NULL: none was
    uint64_t examined;  // documents that were looked at
    void *memory;       // all that the others point into
};

SKEIN_API void skein_page_release(struct skein_page *page);

// The first page, or the one that find->cursor goes on with. All pages of a find show one version,
// call->version. too_old if that is not kept any more: 30 s after the first page.
SKEIN_API enum skein_status skein_find(struct skein *skein, struct skein_call *call,
                                       const struct skein_find *find, struct skein_page *ret_page);

// Puts the next page in the place of the one at hand; absent if there is none behind it:
//
//     enum skein_status status = skein_find(skein, &call, &find, &page);
//     for (; status == SKEIN_ok; status = skein_find_next(skein, &call, &find, &page)) { ... }
//     skein_page_release(&page);
SKEIN_API enum skein_status skein_find_next(struct skein *skein, struct skein_call *call,
                                            const struct skein_find *find, struct skein_page *page);

// How many documents there are for which `where` (may be of no bytes) holds.
SKEIN_API enum skein_status skein_count(struct skein *skein, struct skein_call *call,
                                        const char *collection, struct skein_bytes where,
                                        uint64_t *ret_count);

// The versions of a document that are kept, the newest first.
SKEIN_API enum skein_status skein_history(struct skein *skein, struct skein_call *call,
                                          const struct skein_key *key, struct skein_page *ret_page);

/*
 * Collections and indexes. Each returns call->error.status. A collection is made by its first write
 * if nobody made it before.
 */

// `settings` is a msgpack map, {"ttl": seconds or a field, "history": seconds, "check": [...]}; it
// may be of no bytes. exists if there is such a collection.
SKEIN_API enum skein_status skein_create_collection(struct skein *skein, struct skein_call *call,
                                                    const char *name, struct skein_bytes settings);
SKEIN_API enum skein_status skein_drop_collection(struct skein *skein, struct skein_call *call,
                                                  const char *name);

struct skein_index {
    const char *collection;
    const char *name;
    const char *fields; // comma separated paths, 1 to 8
    bool unique;        // no two documents have the same values
};

// Makes an index and waits until it serves, as long as the call allows; the cluster goes on
// building it in any case. exists if there is one of that name; unique if two documents have the
// same values.
SKEIN_API enum skein_status skein_create_index(struct skein *skein, struct skein_call *call,
                                               const struct skein_index *index);
SKEIN_API enum skein_status skein_drop_index(struct skein *skein, struct skein_call *call,
                                             const char *collection, const char *name);

/*
 * Transactions: operations that are done all or not at all, in order, as if nothing else happened
 * meanwhile. Operations see the effects of those before them.
 */

struct skein_transaction;

SKEIN_API struct skein_transaction *skein_transaction_new(void);
SKEIN_API void skein_transaction_destroy(struct skein_transaction **take_transaction);

// Empties it for another use.
SKEIN_API void skein_transaction_clear(struct skein_transaction *transaction);

// Each adds one operation. A mistake is kept and told when the transaction is committed.
SKEIN_API void skein_transaction_get(struct skein_transaction *transaction,
                                     const struct skein_key *key);
SKEIN_API void skein_transaction_put(struct skein_transaction *transaction,
                                     const struct skein_key *key, struct skein_bytes document);
SKEIN_API void skein_transaction_insert(struct skein_transaction *transaction,
                                        const char *collection, const struct skein_id *id,
                                        struct skein_bytes document);
SKEIN_API void skein_transaction_delete(struct skein_transaction *transaction,
                                        const struct skein_key *key);

// The transaction is refused unless the document has this version; 0: unless there is none.
SKEIN_API void skein_transaction_check(struct skein_transaction *transaction,
                                       const struct skein_key *key, uint64_t document_version);

// `condition` may be NULL.
SKEIN_API void skein_transaction_update(struct skein_transaction *transaction,
                                        const struct skein_key *key, struct skein_bytes patch,
                                        const struct skein_condition *condition);

// A find of a transaction looks at 10000 documents at most and has one page, without a cursor.
SKEIN_API void skein_transaction_find(struct skein_transaction *transaction,
                                      const struct skein_find *find);

// Any operation of the data model, as JSON: {"op": "update", "collection": "birds", ...}.
SKEIN_API void skein_transaction_json(struct skein_transaction *transaction, const char *json);

// The results of operations, one msgpack map each, in one array; with memory of their own.
struct skein_results {
    void *data;
    size_t size;
};

SKEIN_API void skein_results_release(struct skein_results *results);

// The document that operation `operation` (from 0) got. absent if there was none, bad_request if
// that operation was no get.
SKEIN_API enum skein_status skein_results_get(struct skein_bytes results, uint32_t operation,
                                              struct skein_document *ret_document);

// The documents that operation `operation` (from 0) found. bad_request if it was no find.
SKEIN_API enum skein_status skein_results_page(struct skein_bytes results, uint32_t operation,
                                               struct skein_page *ret_page);

// What is known about all collections: a msgpack array of maps {"name", "documents", "bytes",
// "settings", "indexes": [{"name", "fields", "unique", "state", "done"}]}, in `ret_results`.
SKEIN_API enum skein_status skein_collections(struct skein *skein, struct skein_call *call,
                                              struct skein_results *ret_results);

// Runs a transaction. `ret_results` may be NULL. Returns call->error.status.
SKEIN_API enum skein_status skein_commit(struct skein *skein, struct skein_call *call,
                                         const struct skein_transaction *transaction,
                                         struct skein_results *ret_results);

// Has this transaction of a session been done? ok: yes, call->version is its version. absent: no,
// and it never will be. expired: nobody remembers.
SKEIN_API enum skein_status skein_status_of(struct skein *skein, struct skein_call *call,
                                            const char *session, uint64_t sequence);

/*
 * Many at a time. A request is submitted and its end told to a callback, on the client's thread: it
 * must not block, and may submit.
 */

// How a request ended; what it borrows lives until the callback returns.
struct skein_outcome {
    enum skein_status status;
    uint64_t version;           // of the answer
    uint64_t time_us;           // of the transaction, since 1970
    bool replayed;              // it ran before; its read results are null
    struct skein_bytes results; // array of result maps, for skein_results_get() and _page()
    struct skein_bytes message; // a sentence for a person if it failed; no NUL behind it
    uint32_t operation;         // 1 + number of the operation that failed; 0 for none
    uint32_t retry_after_ms;    // busy: when to try again
    struct skein_bytes session; // of the transaction; no NUL behind it
    uint64_t sequence;          // of the transaction in its session
};

typedef void skein_done(void *context, const struct skein_outcome *outcome);

// Each copies what it needs and returns at once. `how` is a call of which only the first part is
// read; NULL stands for one that is all zero. Fail with busy when 65536 requests wait, and with
// bad_request for a mistake kept by the transaction or in the key; `done` is then not called.
SKEIN_API enum skein_status skein_submit(struct skein *skein, const struct skein_call *how,
                                         const struct skein_transaction *transaction,
                                         skein_done *done, void *context);
SKEIN_API enum skein_status skein_submit_get(struct skein *skein, const struct skein_call *how,
                                             const struct skein_key *key, skein_done *done,
                                             void *context);
SKEIN_API enum skein_status skein_submit_find(struct skein *skein, const struct skein_call *how,
                                              const struct skein_find *find, skein_done *done,
                                              void *context);

/*
 * A queue of outcomes, for those who would rather wait than be called.
 */

struct skein_queue;

SKEIN_API struct skein_queue *skein_queue_new(struct skein *skein);

// Waits for what was submitted through it, and frees it.
SKEIN_API void skein_queue_destroy(struct skein_queue **take_queue);

// As above; `tag` comes back with the outcome.
SKEIN_API enum skein_status skein_queue_submit(struct skein_queue *queue,
                                               const struct skein_call *how,
                                               const struct skein_transaction *transaction,
                                               uint64_t tag);
SKEIN_API enum skein_status skein_queue_submit_get(struct skein_queue *queue,
                                                   const struct skein_call *how,
                                                   const struct skein_key *key, uint64_t tag);

// Takes the next outcome, waiting for it. It lives until the next call on the queue. deadline if
// none came within the time, absent if none is outstanding.
SKEIN_API enum skein_status skein_queue_next(struct skein_queue *queue, uint32_t timeout_ms,
                                             struct skein_outcome *ret_outcome, uint64_t *ret_tag);

#ifdef __cplusplus
}
#endif

#endif
