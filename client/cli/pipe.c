/*
 * `skein pipe`: requests from standard input, replies to standard output in the order in which they
 * end, at most --outstanding at a time.
 *
 *     main thread     reads lines, waits for room, submits
 *     client's loop   appends replies to a buffer when requests end
 *     writer thread   writes that buffer out; only then is there room for others
 *
 * So a consumer that does not read stops the reading of requests, never the client's loop, and
 * everything is bounded by --outstanding. Invariants: `outstanding` counts the lines that were
 * taken and whose replies are not written; each is answered exactly once; at the end of input all
 * are answered before the program ends.
 */
#include "client/cli/commands.h"

#include "base/assert.h"
#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "client/cli/reply.h"
#include "client/cli/request.h"
#include "wire/json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OUTSTANDING_DEFAULT = 64,
    LINE_SIZE_MAX = 4 * TRANSACTION_SIZE_MAX, // of JSON, which is longer than msgpack
};

struct pipe {
    struct call *call;
    struct client_loop *loop;
    pthread_mutex_t lock;    // of everything below
    pthread_cond_t has_room; // outstanding went down
    pthread_cond_t has_work; // there are replies to write, or the end is near
    uint64_t outstanding;    // lines taken whose replies are not written
    uint64_t outstanding_max;
    struct buffer replies; // lines to be written
    uint64_t reply_count;  // of them
    bool is_ending;        // no more lines are taken
};

// A request under way.
struct piped {
    struct pipe *pipe;
    struct buffer tag; // msgpack; empty for none
};

static void append_reply(struct pipe *pipe, const struct buffer *value)
{
    struct cursor cursor = cursor_of(buffer_bytes(value));
    static const char unreadable[] = "{\"tag\":null,\"error\":{\"code\":\"internal\",\"message\":"
                                     "\"the answer has no JSON form\"}}";
    pthread_mutex_lock(&pipe->lock);
    if (json_from_msgpack(&cursor, &pipe->replies) != STATUS_ok) {
        buffer_append(&pipe->replies, bytes_from_text(unreadable));
    }
    buffer_append_u8(&pipe->replies, '\n');
    pipe->reply_count++;
    pthread_cond_signal(&pipe->has_work);
    pthread_mutex_unlock(&pipe->lock);
}

static void on_end(void *context, const struct client_completion *completion)
{
    struct piped *piped = context;
    AUTO(buffer_release) struct buffer value = {0};
    static const uint8_t nil = 0xc0;
    struct bytes tag = piped->tag.size > 0 ? buffer_bytes(&piped->tag) : bytes_of(&nil, 1);
    reply_pack(tag, completion, &value);
    append_reply(piped->pipe, &value);
    buffer_release(&piped->tag);
    free(piped);
}

static void refuse(struct pipe *pipe, struct bytes tag, const struct failure *failure)
{
    AUTO(buffer_release) struct buffer value = {0};
    reply_pack_failure(tag, failure, &value);
    append_reply(pipe, &value);
}

static enum status submit(struct pipe *pipe, const struct request *request, struct piped *piped)
{
    uint32_t timeout_ms = request->timeout_ms == 0 ? pipe->call->timeout_ms : request->timeout_ms;
    if (request->kind == REQUEST_txn) {
        const struct client_transaction ask = {.operations = request->operations,
                                               .session = request->session,
                                               .sequence = request->sequence,
                                               .done_below = request->done_below,
                                               .timeout_ms = timeout_ms};
        return client_loop_transact(pipe->loop, &ask, on_end, piped);
    }
    const struct client_read ask = {.operations = request->operations,
                                    .level = request->level,
                                    .after_version = request->after_version,
                                    .at_version = request->at_version,
                                    .at_time_us = request->at_time_us,
                                    .lag_versions_max = request->lag_versions_max,
                                    .lag_ms_max = request->lag_ms_max,
                                    .timeout_ms = timeout_ms};
    return client_loop_read(pipe->loop, &ask, on_end, piped);
}

static void take_line(struct pipe *pipe, struct bytes line)
{
    AUTO(request_release) struct request request;
    struct failure failure = {0};
    request_init(&request);
    if (request_parse(&request, line, &failure) != STATUS_ok) {
        refuse(pipe, request.tag, &failure);
        return;
    }
    struct piped *piped = calloc(1, sizeof *piped);
    ASSERT(piped != NULL);
    piped->pipe = pipe;
    buffer_append(&piped->tag, request.tag);
    enum status status = submit(pipe, &request, piped);
    if (status != STATUS_ok) {
        (void)failure_set(&failure, status, "the client takes no more requests");
        refuse(pipe, request.tag, &failure);
        buffer_release(&piped->tag);
        free(piped);
    }
}

// Waits until another line may be taken, and counts it; false if replies can't be written any more.
static bool await_room(struct pipe *pipe)
{
    pthread_mutex_lock(&pipe->lock);
    while (pipe->outstanding >= pipe->outstanding_max) {
        pthread_cond_wait(&pipe->has_room, &pipe->lock);
    }
    bool has_failed = pipe->call->output.has_failed;
    pipe->outstanding += !has_failed;
    pthread_mutex_unlock(&pipe->lock);
    return !has_failed;
}

static void take_lines(struct pipe *pipe)
{
    AUTO(buffer_release) struct buffer line = {0};
    for (;;) {
        enum status status = input_line(stdin, LINE_SIZE_MAX, &line);
        if (status == STATUS_absent || !await_room(pipe)) {
            break;
        }
        if (status == STATUS_ok) {
            take_line(pipe, buffer_bytes(&line));
            continue;
        }
        struct failure failure = {0};
        (void)failure_set(&failure, status, "a line has at most %d bytes", LINE_SIZE_MAX);
        refuse(pipe, bytes_of(NULL, 0), &failure);
    }
}

// Takes all replies that wait; false when the last one was written.
static bool take_replies(struct pipe *pipe, struct buffer *replies, uint64_t *ret_count)
{
    pthread_mutex_lock(&pipe->lock);
    while (pipe->reply_count == 0 && !(pipe->is_ending && pipe->outstanding == 0)) {
        pthread_cond_wait(&pipe->has_work, &pipe->lock);
    }
    struct buffer empty = *replies;
    buffer_clear(&empty);
    *replies = pipe->replies;
    pipe->replies = empty;
    *ret_count = pipe->reply_count;
    pipe->reply_count = 0;
    pthread_mutex_unlock(&pipe->lock);
    return *ret_count > 0;
}

static void *write_replies(void *context)
{
    struct pipe *pipe = context;
    AUTO(buffer_release) struct buffer replies = {0};
    uint64_t count;
    while (take_replies(pipe, &replies, &count)) {
        bool is_written = fwrite(replies.data, 1, replies.size, stdout) == replies.size &&
                          fflush(stdout) == 0;
        pthread_mutex_lock(&pipe->lock);
        pipe->call->output.has_failed = pipe->call->output.has_failed || !is_written;
        pipe->outstanding -= count;
        pthread_cond_signal(&pipe->has_room);
        pthread_mutex_unlock(&pipe->lock);
    }
    return NULL;
}

static void pipe_init(struct pipe *pipe, struct call *call)
{
    *pipe = (struct pipe){.call = call, .outstanding_max = OUTSTANDING_DEFAULT};
    pthread_mutex_init(&pipe->lock, NULL);
    pthread_cond_init(&pipe->has_room, NULL);
    pthread_cond_init(&pipe->has_work, NULL);
}

static void pipe_release(struct pipe *pipe)
{
    buffer_release(&pipe->replies);
    pthread_cond_destroy(&pipe->has_work);
    pthread_cond_destroy(&pipe->has_room);
    pthread_mutex_destroy(&pipe->lock);
}

static enum status run(struct pipe *pipe)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    pthread_t writer;
    TRY(connection_open(pipe->call, &loop));
    pipe->loop = loop;
    if (pthread_create(&writer, NULL, write_replies, pipe) != 0) {
        return failure_set(&pipe->call->failure, STATUS_unavailable, "the system refuses a thread");
    }
    take_lines(pipe);
    pthread_mutex_lock(&pipe->lock);
    pipe->is_ending = true;
    pthread_cond_signal(&pipe->has_work);
    pthread_mutex_unlock(&pipe->lock);
    pthread_join(writer, NULL);
    return STATUS_ok;
}

enum status run_pipe(struct call *call)
{
    AUTO(pipe_release) struct pipe pipe;
    pipe_init(&pipe, call);
    TRY(arguments_number(&call->arguments,
                         &(struct number_option){"outstanding", 1, CLIENT_OUTSTANDING_MAX},
                         &pipe.outstanding_max, &call->failure));
    return run(&pipe);
}
