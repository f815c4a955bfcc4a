/*
 * libskein: clients, and requests one at a time or many. Connections, retries and sessions are the
 * request machine's, its thread and queue the loop's; here is only what callers see of them.
 *
 * A call that waits is a submission with a callback that copies the outcome and wakes the caller.
 * Waiting is not bounded here: the request machine ends every request by its deadline.
 */
#include "client/skein.h"

#include "base/assert.h"
#include "client/skein_internal.h"
#include "wire/cursor.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS_DEFAULT = 5000 };

static_assert((int)SKEIN_ok == (int)STATUS_ok &&
                  (int)SKEIN_bad_request == (int)STATUS_bad_request &&
                  (int)SKEIN_busy == (int)STATUS_busy &&
                  (int)SKEIN_unknown_outcome == (int)STATUS_unknown_outcome &&
                  (int)SKEIN_internal == (int)STATUS_internal,
              "statuses are the same inside and outside");
static_assert((int)SKEIN_session == (int)READ_session &&
                  (int)SKEIN_snapshot == (int)READ_snapshot && (int)SKEIN_any == (int)READ_any,
              "levels are the same inside and outside");

const char *skein_status_name(enum skein_status status)
{
    return status_name((enum status)status);
}

/*
 * Clients.
 */

// Cuts the text at its commas. Fails with bad_request when a part is empty or there are too many.
static enum status split_endpoints(const char *text, struct bytes *ret_endpoints, size_t *ret_count)
{
    size_t count = 0;
    for (const char *rest = text; rest != NULL;) {
        size_t size = strcspn(rest, ",");
        if (size == 0 || size > ENDPOINT_SIZE_MAX || count == CLIENT_ENDPOINTS_MAX) {
            return STATUS_bad_request;
        }
        ret_endpoints[count++] = bytes_of(rest, size);
        rest = rest[size] == ',' ? rest + size + 1 : NULL;
    }
    *ret_count = count;
    return count > 0 ? STATUS_ok : STATUS_bad_request;
}

enum skein_status skein_connect(const struct skein_options *options, struct skein **ret_skein)
{
    struct bytes endpoints[CLIENT_ENDPOINTS_MAX];
    struct client_loop_options loop = {.client = {.endpoints = endpoints}};
    if (split_endpoints(options->endpoints, endpoints, &loop.client.endpoint_count) != STATUS_ok) {
        return SKEIN_bad_request;
    }
    loop.name = bytes_from_text(options->name == NULL ? "client" : options->name);
    if (loop.name.size > NAME_SIZE_MAX || options->timeout_ms > DEADLINE_MS_MAX) {
        return SKEIN_bad_request;
    }
    if (options->session != NULL) {
        loop.client.session = bytes_from_text(options->session);
    }
    struct client_loop *started;
    enum status status = client_loop_new(&loop, &started);
    if (status != STATUS_ok) {
        return (enum skein_status)status;
    }
    struct skein *skein = calloc(1, sizeof *skein);
    ASSERT(skein != NULL);
    skein->loop = started;
    skein->timeout_ms = options->timeout_ms == 0 ? TIMEOUT_MS_DEFAULT : options->timeout_ms;
    *ret_skein = skein;
    return SKEIN_ok;
}

void skein_close(struct skein **take_skein)
{
    if (*take_skein != NULL) {
        client_loop_destroy(&(*take_skein)->loop);
        free(*take_skein);
    }
    *take_skein = NULL;
}

enum skein_status skein_wait(struct skein *skein, uint32_t timeout_ms)
{
    return (enum skein_status)client_loop_wait(skein->loop, timeout_ms);
}

uint64_t skein_version(const struct skein *skein)
{
    return client_loop_version(skein->loop);
}

void skein_see_version(struct skein *skein, uint64_t version)
{
    client_loop_see_version(skein->loop, version);
}

/*
 * Outcomes.
 */

static struct skein_bytes bytes_outside(struct bytes bytes)
{
    return (struct skein_bytes){.data = bytes.data, .size = bytes.size};
}

struct skein_outcome outcome_of(const struct client_completion *completion)
{
    return (struct skein_outcome){
        .status = (enum skein_status)completion->status,
        .version = completion->version,
        .time_us = completion->time_us,
        .replayed = completion->replayed,
        .results = bytes_outside(completion->results),
        .message = bytes_outside(completion->message),
        .operation = completion->operation,
        .retry_after_ms = completion->retry_after_ms,
        .session = bytes_outside(completion->session),
        .sequence = completion->sequence,
    };
}

static void copy_text(struct skein_bytes text, char *copy, size_t room)
{
    size_t size = text.size < room ? text.size : room - 1;
    if (size > 0) {
        memcpy(copy, text.data, size);
    }
    copy[size] = '\0';
}

void call_finish(struct skein_call *call, const struct skein_outcome *outcome)
{
    call->version = outcome->version;
    call->time_us = outcome->time_us;
    call->replayed = outcome->replayed;
    call->error = (struct skein_error){.status = outcome->status,
                                       .operation = outcome->operation,
                                       .retry_after_ms = outcome->retry_after_ms,
                                       .sequence = outcome->sequence};
    copy_text(outcome->message, call->error.message, sizeof call->error.message);
    copy_text(outcome->session, call->error.session, sizeof call->error.session);
}

// Passes the end of a request on to a callback of the public interface.
static void tell_waiter(void *context, const struct client_completion *completion)
{
    struct skein_waiter waiter = *(struct skein_waiter *)context;
    free(context);
    struct skein_outcome outcome = outcome_of(completion);
    waiter.done(waiter.context, &outcome);
}

/*
 * Many at a time.
 */

static struct skein_waiter *waiter_new(skein_done *done, void *context)
{
    struct skein_waiter *waiter = calloc(1, sizeof *waiter);
    ASSERT(waiter != NULL);
    *waiter = (struct skein_waiter){.done = done, .context = context};
    return waiter;
}

// Ends a submission that the loop took or not.
static enum skein_status submitted(struct skein_waiter *waiter, enum status status)
{
    if (status != STATUS_ok) {
        free(waiter);
    }
    return (enum skein_status)status;
}

static uint32_t timeout_of(const struct skein *skein, const struct skein_call *how)
{
    return how->timeout_ms == 0 ? skein->timeout_ms : how->timeout_ms;
}

static struct client_transaction
transaction_of(const struct skein *skein, const struct skein_call *how, struct bytes operations)
{
    return (struct client_transaction){
        .operations = operations,
        .session = bytes_from_text(how->session == NULL ? "" : how->session),
        .sequence = how->sequence,
        .done_below = how->done_below,
        .timeout_ms = timeout_of(skein, how),
    };
}

static const struct skein_call DEFAULT_CALL;

enum skein_status skein_submit(struct skein *skein, const struct skein_call *how,
                               const struct skein_transaction *transaction, skein_done *done,
                               void *context)
{
    AUTO(buffer_release) struct buffer operations = {0};
    struct skein_error error;
    enum skein_status status = transaction_pack(transaction, &operations, &error);
    if (status != SKEIN_ok) {
        return status;
    }
    how = how == NULL ? &DEFAULT_CALL : how;
    struct client_transaction ask = transaction_of(skein, how, buffer_bytes(&operations));
    struct skein_waiter *waiter = waiter_new(done, context);
    return submitted(waiter, client_loop_transact(skein->loop, &ask, tell_waiter, waiter));
}

static struct client_read read_of(const struct skein *skein, const struct skein_call *how,
                                  struct bytes operations)
{
    return (struct client_read){
        .operations = operations,
        .level = how->level == SKEIN_linearizable ? READ_linearizable : (enum read_level)how->level,
        .after_version = how->after_version,
        .at_version = how->at_version,
        .lag_versions_max = how->lag_versions_max,
        .lag_ms_max = how->lag_ms_max,
        .timeout_ms = timeout_of(skein, how),
    };
}

// Packs the get of one document; fails with the mistake in the key.
static enum skein_status pack_get(const struct skein_key *key, struct buffer *out,
                                  struct skein_error *ret_error)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *get = skein_transaction_new();
    skein_transaction_get(get, key);
    return transaction_pack(get, out, ret_error);
}

enum skein_status skein_submit_get(struct skein *skein, const struct skein_call *how,
                                   const struct skein_key *key, skein_done *done, void *context)
{
    AUTO(buffer_release) struct buffer operations = {0};
    struct skein_error error;
    enum skein_status status = pack_get(key, &operations, &error);
    if (status != SKEIN_ok) {
        return status;
    }
    how = how == NULL ? &DEFAULT_CALL : how;
    struct client_read ask = read_of(skein, how, buffer_bytes(&operations));
    struct skein_waiter *waiter = waiter_new(done, context);
    return submitted(waiter, client_loop_read(skein->loop, &ask, tell_waiter, waiter));
}

/*
 * One at a time.
 */

// A caller that waits.
struct waiting {
    struct skein_call *call;
    struct buffer results; // copied
    sem_t is_over;
};

static void finish_waiting(void *context, const struct client_completion *completion)
{
    struct waiting *waiting = context;
    struct skein_outcome outcome = outcome_of(completion);
    call_finish(waiting->call, &outcome);
    buffer_append(&waiting->results, completion->results);
    sem_post(&waiting->is_over);
}

static void waiting_init(struct waiting *waiting, struct skein_call *call)
{
    *waiting = (struct waiting){.call = call};
    sem_init(&waiting->is_over, 0, 0);
}

// Waits for the end of what was submitted with `status`.
static enum skein_status wait_for_end(struct waiting *waiting, enum status status)
{
    if (status != STATUS_ok) {
        error_set(&waiting->call->error, (enum skein_status)status,
                  "too many requests wait to be sent; wait for some to end");
    }
    while (status == STATUS_ok && sem_wait(&waiting->is_over) != 0) {
        ASSERT(errno == EINTR);
    }
    sem_destroy(&waiting->is_over);
    return waiting->call->error.status;
}

// Clears what the last use of the call left in it.
static void call_begin(struct skein_call *call)
{
    call->version = 0;
    call->time_us = 0;
    call->replayed = false;
    call->id[0] = '\0';
    call->error = (struct skein_error){0};
}

// Runs a transaction and gives its results to `ret_results`, which is empty before.
static enum skein_status run_transaction(struct skein *skein, struct skein_call *call,
                                         const struct skein_transaction *transaction,
                                         struct buffer *ret_results)
{
    call_begin(call);
    AUTO(buffer_release) struct buffer operations = {0};
    if (transaction_pack(transaction, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_transaction ask = transaction_of(skein, call, buffer_bytes(&operations));
    struct waiting waiting;
    waiting_init(&waiting, call);
    enum status status = client_loop_transact(skein->loop, &ask, finish_waiting, &waiting);
    wait_for_end(&waiting, status);
    *ret_results = waiting.results;
    return call->error.status;
}

enum skein_status skein_commit(struct skein *skein, struct skein_call *call,
                               const struct skein_transaction *transaction,
                               struct skein_results *ret_results)
{
    struct buffer results = {0};
    enum skein_status status = run_transaction(skein, call, transaction, &results);
    if (ret_results != NULL) {
        *ret_results = (struct skein_results){.data = results.data, .size = results.size};
    } else {
        buffer_release(&results);
    }
    return status;
}

enum skein_status skein_get(struct skein *skein, struct skein_call *call,
                            const struct skein_key *key, struct skein_document *ret_document)
{
    call_begin(call);
    *ret_document = (struct skein_document){0};
    AUTO(buffer_release) struct buffer operations = {0};
    if (pack_get(key, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_read ask = read_of(skein, call, buffer_bytes(&operations));
    struct waiting waiting;
    waiting_init(&waiting, call);
    enum status status = client_loop_read(skein->loop, &ask, finish_waiting, &waiting);
    if (wait_for_end(&waiting, status) == SKEIN_ok) {
        struct skein_bytes results = {.data = waiting.results.data, .size = waiting.results.size};
        enum skein_status found = skein_results_get(results, 0, ret_document);
        if (found != SKEIN_ok) {
            error_set(&call->error, found == SKEIN_absent ? SKEIN_absent : SKEIN_internal,
                      found == SKEIN_absent ? "there is no such document"
                                            : "the answer can't be understood");
        }
    }
    buffer_release(&waiting.results);
    return call->error.status;
}

enum skein_status skein_put(struct skein *skein, struct skein_call *call,
                            const struct skein_key *key, struct skein_bytes document)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_put(transaction, key, document);
    return skein_commit(skein, call, transaction, NULL);
}

// Copies the id in the result of an insert, if it is a text.
static enum status read_inserted_id(struct bytes results, char *ret_id, size_t room)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    struct bytes name;
    struct bytes id;
    TRY(cursor_array(&cursor, &count));
    TRY(cursor_map(&cursor, &count));
    TRY(cursor_text(&cursor, &name));
    TRY(cursor_text(&cursor, &id));
    copy_text(bytes_outside(id), ret_id, room);
    return STATUS_ok;
}

enum skein_status skein_insert(struct skein *skein, struct skein_call *call, const char *collection,
                               const struct skein_id *id, struct skein_bytes document)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_insert(transaction, collection, id, document);
    AUTO(buffer_release) struct buffer results = {0};
    bool is_done = run_transaction(skein, call, transaction, &results) == SKEIN_ok;
    if (is_done &&
        read_inserted_id(buffer_bytes(&results), call->id, sizeof call->id) != STATUS_ok) {
        call->id[0] = '\0'; // an integer
    }
    return call->error.status;
}

enum skein_status skein_delete(struct skein *skein, struct skein_call *call,
                               const struct skein_key *key)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_delete(transaction, key);
    return skein_commit(skein, call, transaction, NULL);
}

enum skein_status skein_status_of(struct skein *skein, struct skein_call *call, const char *session,
                                  uint64_t sequence)
{
    call_begin(call);
    struct client_status ask = {.session = bytes_from_text(session),
                                .sequence = sequence,
                                .timeout_ms = timeout_of(skein, call)};
    struct waiting waiting;
    waiting_init(&waiting, call);
    enum status status = client_loop_status(skein->loop, &ask, finish_waiting, &waiting);
    wait_for_end(&waiting, status);
    buffer_release(&waiting.results);
    return call->error.status;
}
