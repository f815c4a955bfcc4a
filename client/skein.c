/*
 * libskein: clients, and requests of which many are under way at a time. Connections, retries and
 * sessions are the request machine's, its thread and queue the loop's; here is only what callers
 * see of them.
 */
#include "client/skein.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "client/skein_internal.h"

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
    if (!utf8_is_valid(loop.name) || !utf8_is_valid(loop.client.session)) {
        return SKEIN_bad_request;
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
    struct client_transaction ask = call_transaction(skein, how, buffer_bytes(&operations));
    struct skein_waiter *waiter = waiter_new(done, context);
    return submitted(waiter, client_loop_transact(skein->loop, &ask, tell_waiter, waiter));
}

enum skein_status submit_read(struct skein *skein, const struct skein_call *how,
                              const struct skein_transaction *read, skein_done *done, void *context)
{
    AUTO(buffer_release) struct buffer operations = {0};
    struct skein_error error;
    enum skein_status status = transaction_pack(read, &operations, &error);
    if (status != SKEIN_ok) {
        return status;
    }
    how = how == NULL ? &DEFAULT_CALL : how;
    struct client_read ask = call_read(skein, how, buffer_bytes(&operations));
    struct skein_waiter *waiter = waiter_new(done, context);
    return submitted(waiter, client_loop_read(skein->loop, &ask, tell_waiter, waiter));
}

enum skein_status skein_submit_get(struct skein *skein, const struct skein_call *how,
                                   const struct skein_key *key, skein_done *done, void *context)
{
    AUTO(skein_transaction_destroy) struct skein_transaction *get = skein_transaction_new();
    skein_transaction_get(get, key);
    return submit_read(skein, how, get, done, context);
}
