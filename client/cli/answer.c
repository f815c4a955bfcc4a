/*
 * The end of a request is told on the loop's thread; it is copied into the answer under a lock, and
 * whoever waits goes on. Nobody gives up waiting by himself: every request has a deadline, and the
 * client says exactly once how it ended.
 */
#include "client/cli/answer.h"

#include "client/cli/reply.h"

void answer_release(struct answer *answer)
{
    buffer_release(&answer->bytes);
    *answer = (struct answer){0};
}

// Appends a copy and returns where it begins; the buffer may move until the last one.
static size_t keep(struct answer *answer, struct bytes bytes)
{
    size_t start = answer->bytes.size;
    buffer_append(&answer->bytes, bytes);
    return start;
}

void answer_copy(struct answer *answer, const struct client_completion *completion)
{
    buffer_clear(&answer->bytes);
    answer->completion = *completion;
    size_t results = keep(answer, completion->results);
    size_t message = keep(answer, completion->message);
    size_t session = keep(answer, completion->session);
    size_t reply = answer->bytes.size;
    if (completion->reply != NULL) {
        message_encode(completion->reply, &answer->bytes);
    }
    const uint8_t *data = answer->bytes.data;
    answer->completion.results.data = data + results;
    answer->completion.message.data = data + message;
    answer->completion.session.data = data + session;
    struct bytes rest = bytes_of(data + reply, answer->bytes.size - reply);
    bool has_reply = rest.size > 0 && message_decode(&rest, &answer->reply) == STATUS_ok;
    answer->completion.reply = has_reply ? &answer->reply : NULL;
}

void waiter_init(struct waiter *waiter, struct answer *answer)
{
    *waiter = (struct waiter){.answer = answer};
    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->ended, NULL);
}

void waiter_release(struct waiter *waiter)
{
    if (waiter->answer != NULL) {
        pthread_cond_destroy(&waiter->ended);
        pthread_mutex_destroy(&waiter->lock);
        *waiter = (struct waiter){0};
    }
}

void waiter_end(void *context, const struct client_completion *completion)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->lock);
    answer_copy(waiter->answer, completion);
    waiter->has_ended = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum status waiter_await(struct waiter *waiter, enum status submitted, struct failure *failure)
{
    if (submitted != STATUS_ok) {
        return failure_set(failure, submitted, "the client takes no more requests");
    }
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->has_ended) {
        pthread_cond_wait(&waiter->ended, &waiter->lock);
    }
    pthread_mutex_unlock(&waiter->lock);
    const struct client_completion *completion = &waiter->answer->completion;
    if (completion->status != STATUS_ok) {
        reply_failure(completion, failure);
    }
    return completion->status;
}
