/*
 * A queue of outcomes: a callback copies each behind a mutex, a waiter takes them in order.
 *
 * The outcome that was handed out last lives until the next call, so that callers have nothing to
 * release. What was submitted is counted, so that destroying the queue can wait until nobody calls
 * back any more.
 */
#include "client/skein.h"

#include "base/assert.h"
#include "client/skein_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

// An outcome with bytes of its own, or on its way.
struct queued {
    struct skein_queue *queue;
    uint64_t tag;
    struct skein_outcome outcome; // its bytes are in `bytes`
    struct buffer bytes;          // results, message, session
    struct queued *next;
};

struct skein_queue {
    struct skein *skein;
    struct queued *taken;  // the last one handed out
    pthread_mutex_t mutex; // over all below
    pthread_cond_t changed;
    struct queued *first; // outcomes, oldest first
    struct queued *last;
    size_t outstanding; // submitted and not ended
};

struct skein_queue *skein_queue_new(struct skein *skein)
{
    struct skein_queue *queue = calloc(1, sizeof *queue);
    ASSERT(queue != NULL);
    queue->skein = skein;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&queue->mutex, NULL);
    return queue;
}

static void queued_destroy(struct queued **take_queued)
{
    if (*take_queued != NULL) {
        buffer_release(&(*take_queued)->bytes);
        free(*take_queued);
    }
    *take_queued = NULL;
}

void skein_queue_destroy(struct skein_queue **take_queue)
{
    struct skein_queue *queue = *take_queue;
    if (queue == NULL) {
        return;
    }
    pthread_mutex_lock(&queue->mutex);
    while (queue->outstanding > 0) {
        pthread_cond_wait(&queue->changed, &queue->mutex);
    }
    pthread_mutex_unlock(&queue->mutex);
    for (struct queued *queued = queue->first; queued != NULL;) {
        struct queued *next = queued->next;
        queued_destroy(&queued);
        queued = next;
    }
    queued_destroy(&queue->taken);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
    *take_queue = NULL;
}

// Copies `bytes` behind the others; the pointers are set when all are there.
static void copy_bytes(struct buffer *to, struct skein_bytes bytes)
{
    buffer_append(to, bytes_of(bytes.data, bytes.size));
}

static void keep_outcome(struct queued *queued, const struct skein_outcome *outcome)
{
    queued->outcome = *outcome;
    copy_bytes(&queued->bytes, outcome->results);
    copy_bytes(&queued->bytes, outcome->message);
    copy_bytes(&queued->bytes, outcome->session);
    const uint8_t *data = queued->bytes.data;
    if (data != NULL) {
        queued->outcome.results.data = data;
        queued->outcome.message.data = data + outcome->results.size;
        queued->outcome.session.data = data + outcome->results.size + outcome->message.size;
    }
}

static void on_done(void *context, const struct skein_outcome *outcome)
{
    struct queued *queued = context;
    struct skein_queue *queue = queued->queue;
    keep_outcome(queued, outcome);
    pthread_mutex_lock(&queue->mutex);
    if (queue->first == NULL) {
        queue->first = queued;
    } else {
        queue->last->next = queued;
    }
    queue->last = queued;
    queue->outstanding--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

// Counts a request that is about to be submitted.
static struct queued *begin(struct skein_queue *queue, uint64_t tag)
{
    struct queued *queued = calloc(1, sizeof *queued);
    ASSERT(queued != NULL);
    queued->queue = queue;
    queued->tag = tag;
    pthread_mutex_lock(&queue->mutex);
    queue->outstanding++;
    pthread_mutex_unlock(&queue->mutex);
    return queued;
}

// Takes the count back if it could not be submitted.
static enum skein_status end_begin(struct queued *queued, enum skein_status status)
{
    if (status != SKEIN_ok) {
        pthread_mutex_lock(&queued->queue->mutex);
        queued->queue->outstanding--;
        pthread_mutex_unlock(&queued->queue->mutex);
        queued_destroy(&queued);
    }
    return status;
}

enum skein_status skein_queue_submit(struct skein_queue *queue, const struct skein_call *how,
                                     const struct skein_transaction *transaction, uint64_t tag)
{
    struct queued *queued = begin(queue, tag);
    return end_begin(queued, skein_submit(queue->skein, how, transaction, on_done, queued));
}

enum skein_status skein_queue_submit_get(struct skein_queue *queue, const struct skein_call *how,
                                         const struct skein_key *key, uint64_t tag)
{
    struct queued *queued = begin(queue, tag);
    return end_begin(queued, skein_submit_get(queue->skein, how, key, on_done, queued));
}

static struct timespec time_after(uint32_t timeout_ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += timeout_ms / 1000;
    time.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

enum skein_status skein_queue_next(struct skein_queue *queue, uint32_t timeout_ms,
                                   struct skein_outcome *ret_outcome, uint64_t *ret_tag)
{
    struct timespec end = time_after(timeout_ms);
    queued_destroy(&queue->taken);
    pthread_mutex_lock(&queue->mutex);
    int result = 0;
    while (queue->first == NULL && queue->outstanding > 0 && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&queue->changed, &queue->mutex, &end);
    }
    struct queued *queued = queue->first;
    bool is_idle = queued == NULL && queue->outstanding == 0;
    if (queued != NULL) {
        queue->first = queued->next;
    }
    pthread_mutex_unlock(&queue->mutex);
    if (queued == NULL) {
        return is_idle ? SKEIN_absent : SKEIN_deadline;
    }
    queue->taken = queued;
    *ret_outcome = queued->outcome;
    *ret_tag = queued->tag;
    return SKEIN_ok;
}
