/*
 * Each thread has a mailbox of its own, so that a long scan delays only what was given to the same
 * thread; the next request goes to the thread after the one that got the last. Answers come back
 * through one mailbox. A thread whose answers nobody takes waits: that, and the bound of the
 * mailboxes, is all the memory that queries can hold.
 */
#include "actors/runtime/query_threads.h"

#include "actors/runtime/thread.h"
#include "base/assert.h"
#include "base/limits.h"
#include "storage/query.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { ASKED_SIZE_MAX = 4 * MIB, ANSWERS_SIZE_MAX = 16 * MIB, KEPT_SIZE_MAX = 256 * KIB };

struct query_thread {
    struct query_threads *threads; // all of them
    pthread_t thread;
    struct mailbox asked; // head: address of the asker; bytes: encoded message
};

struct query_threads {
    struct state *state;    // borrowed
    struct marks *marks;    // borrowed
    struct mailbox answers; // head: address of the asker; bytes: encoded answer
    int fd;                 // readable while there are answers
    struct buffer taken;    // answers that are being handed out
    size_t count;           // of threads
    size_t next;            // that gets the next request
    atomic_bool is_ending;  // nobody waits for answers any more
    struct query_thread all[];
};

static void answer_one(struct query_threads *threads, const struct letter *letter,
                       struct buffer *answer)
{
    struct bytes rest = letter->bytes;
    struct message message;
    ASSERT(message_decode(&rest, &message) == STATUS_ok); // it was encoded by our own node
    if (answer->capacity > KEPT_SIZE_MAX) {
        buffer_release(answer);
    }
    buffer_clear(answer);
    query_run(threads->state, threads->marks, &message, answer);
    mailbox_put_waiting(&threads->answers, bytes_of(letter->head, sizeof(uint64_t)),
                        buffer_bytes(answer));
}

static void *run_thread(void *context)
{
    struct query_thread *self = context;
    struct buffer letters AUTO(buffer_release) = {0};
    struct buffer answer AUTO(buffer_release) = {0};
    while (mailbox_take_waiting(&self->asked, &letters)) {
        struct letter letter;
        size_t offset = 0;
        while (!self->threads->is_ending &&
               letter_next(&letters, &offset, sizeof(uint64_t), &letter)) {
            answer_one(self->threads, &letter, &answer);
        }
    }
    return NULL;
}

struct query_threads *query_threads_new(struct state *state, struct marks *marks, size_t count)
{
    struct query_threads *threads = calloc(1,
                                           sizeof *threads + count * sizeof(struct query_thread));
    ASSERT(threads != NULL);
    threads->state = state;
    threads->marks = marks;
    threads->count = count;
    mailbox_init(&threads->answers, ANSWERS_SIZE_MAX);
    threads->fd = mailbox_open_fd(&threads->answers);
    for (size_t i = 0; i < count; i++) {
        struct query_thread *thread = &threads->all[i];
        thread->threads = threads;
        mailbox_init(&thread->asked, ASKED_SIZE_MAX);
        thread_start(&thread->thread, "query", run_thread, thread);
    }
    return threads;
}

void query_threads_destroy(struct query_threads **take_threads)
{
    struct query_threads *threads = *take_threads;
    *take_threads = NULL;
    if (threads == NULL) {
        return;
    }
    threads->is_ending = true;
    mailbox_close(&threads->answers);
    for (size_t i = 0; i < threads->count; i++) {
        mailbox_close(&threads->all[i].asked);
    }
    for (size_t i = 0; i < threads->count; i++) {
        ASSERT(pthread_join(threads->all[i].thread, NULL) == 0);
        mailbox_release(&threads->all[i].asked);
    }
    mailbox_release(&threads->answers);
    buffer_release(&threads->taken);
    free(threads);
}

bool query_threads_ask(struct query_threads *threads, uint64_t from, struct bytes encoded)
{
    for (size_t tried = 0; tried < threads->count; tried++) {
        struct mailbox *asked = &threads->all[threads->next].asked;
        threads->next = (threads->next + 1) % threads->count;
        if (!mailbox_is_full(asked)) {
            mailbox_put(asked, bytes_of(&from, sizeof from), encoded);
            return true;
        }
    }
    return false;
}

int query_threads_fd(const struct query_threads *threads)
{
    return threads->fd;
}

void query_threads_take(struct query_threads *threads,
                        void (*each)(void *context, uint64_t to, struct bytes encoded),
                        void *context)
{
    if (!mailbox_take(&threads->answers, &threads->taken)) {
        return;
    }
    struct letter letter;
    size_t offset = 0;
    while (letter_next(&threads->taken, &offset, sizeof(uint64_t), &letter)) {
        each(context, *(const uint64_t *)letter.head, letter.bytes);
    }
}
