/*
 * Requests whose end is waited for: a submission with a callback that copies the outcome and wakes
 * the caller. Waiting is not bounded here: the request machine ends every request by its deadline.
 *
 * What a call asks for and how it went stand in the same struct, so callers can use one again and
 * again: only the first part is read, and only the second is written.
 */
#include "client/skein_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <semaphore.h>

void call_begin(struct skein_call *call)
{
    call->version = 0;
    call->time_us = 0;
    call->replayed = false;
    call->id[0] = '\0';
    call->error = (struct skein_error){0};
}

uint32_t call_timeout_ms(const struct skein *skein, const struct skein_call *how)
{
    return how->timeout_ms == 0 ? skein->timeout_ms : how->timeout_ms;
}

struct client_transaction call_transaction(const struct skein *skein, const struct skein_call *how,
                                           struct bytes operations)
{
    return (struct client_transaction){
        .operations = operations,
        .session = bytes_from_text(how->session == NULL ? "" : how->session),
        .sequence = how->sequence,
        .done_below = how->done_below,
        .timeout_ms = call_timeout_ms(skein, how),
    };
}

struct client_read call_read(const struct skein *skein, const struct skein_call *how,
                             struct bytes operations)
{
    return (struct client_read){
        .operations = operations,
        .level = how->level == SKEIN_linearizable ? READ_linearizable : (enum read_level)how->level,
        .after_version = how->after_version,
        .at_version = how->at_version,
        .at_time_us = how->at_time_us,
        .lag_versions_max = how->lag_versions_max,
        .lag_ms_max = how->lag_ms_max,
        .timeout_ms = call_timeout_ms(skein, how),
    };
}

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

// A caller that waits.
struct waiting {
    struct skein_call *call;
    struct buffer results; // copied
    uint64_t position;     // of a mark
    sem_t is_over;
};

static void finish_waiting(void *context, const struct client_completion *completion)
{
    struct waiting *waiting = context;
    struct skein_outcome outcome = outcome_of(completion);
    call_finish(waiting->call, &outcome);
    buffer_append(&waiting->results, completion->results);
    waiting->position = completion->position;
    sem_post(&waiting->is_over);
}

static void waiting_init(struct waiting *waiting, struct skein_call *call)
{
    *waiting = (struct waiting){.call = call};
    sem_init(&waiting->is_over, 0, 0);
}

// Waits for the end of what was submitted with `status`, whose results are moved to `ret_results`.
static enum skein_status await(struct waiting *waiting, enum status status,
                               struct buffer *ret_results)
{
    if (status != STATUS_ok) {
        error_set(&waiting->call->error, (enum skein_status)status,
                  "too many requests wait to be sent; wait for some to end");
    }
    while (status == STATUS_ok && sem_wait(&waiting->is_over) != 0) {
        ASSERT(errno == EINTR);
    }
    sem_destroy(&waiting->is_over);
    *ret_results = waiting->results;
    return waiting->call->error.status;
}

enum skein_status call_run_transaction(struct skein *skein, struct skein_call *call,
                                       const struct skein_transaction *transaction,
                                       struct buffer *ret_results)
{
    call_begin(call);
    AUTO(buffer_release) struct buffer operations = {0};
    if (transaction_pack(transaction, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_transaction ask = call_transaction(skein, call, buffer_bytes(&operations));
    return call_run_operations(skein, call, &ask, ret_results);
}

enum skein_status call_run_operations(struct skein *skein, struct skein_call *call,
                                      const struct client_transaction *ask,
                                      struct buffer *ret_results)
{
    struct waiting waiting;
    waiting_init(&waiting, call);
    return await(&waiting, client_loop_transact(skein->loop, ask, finish_waiting, &waiting),
                 ret_results);
}

enum skein_status call_run_read(struct skein *skein, struct skein_call *call,
                                const struct client_read *ask, struct buffer *ret_results)
{
    struct waiting waiting;
    waiting_init(&waiting, call);
    return await(&waiting, client_loop_read(skein->loop, ask, finish_waiting, &waiting),
                 ret_results);
}

enum skein_status call_run_status(struct skein *skein, struct skein_call *call,
                                  const struct client_status *ask)
{
    AUTO(buffer_release) struct buffer none = {0};
    struct waiting waiting;
    waiting_init(&waiting, call);
    return await(&waiting, client_loop_status(skein->loop, ask, finish_waiting, &waiting), &none);
}

enum skein_status call_run_mark(struct skein *skein, struct skein_call *call,
                                uint64_t *ret_position)
{
    AUTO(buffer_release) struct buffer none = {0};
    struct client_mark ask = {.timeout_ms = call_timeout_ms(skein, call)};
    struct waiting waiting;
    waiting_init(&waiting, call);
    enum skein_status status = await(
        &waiting, client_loop_mark(skein->loop, &ask, finish_waiting, &waiting), &none);
    *ret_position = waiting.position;
    return status;
}
