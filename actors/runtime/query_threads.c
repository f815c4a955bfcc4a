/*
 * Two lanes of threads, so that gets never wait behind something that looks at many rows:
 *
 *   ask ──► gets: run ─────────────────────────► answers
 *             │ may take long                      ▲
 *             └────────────► scans: run, in time ──┘
 *
 * 1. Each thread has a mailbox of its own; the next request goes to the thread after the one that
 *    got the last. What may take long is found out by the first lane, whose threads hand it to
 *    their neighbours in the second one.
 * 2. A scan ends when the time that the asker gave is over, counted from when it came: nobody waits
 *    for it any more. One that had to wait for so long isn't begun.
 * 3. Answers come back through one mailbox. A thread whose answers nobody takes waits: that, and
 *    the bound of the mailboxes, is all the memory that queries can hold.
 */
#include "actors/runtime/query_threads.h"

#include "actors/runtime/clock.h"
#include "actors/runtime/thread.h"
#include "base/assert.h"
#include "base/limits.h"
#include "storage/query.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    ASKED_SIZE_MAX = 4 * MIB,
    ANSWERS_SIZE_MAX = 16 * MIB,
    KEPT_SIZE_MAX = 256 * KIB,
    BUSY_RETRY_MS = 10,
};

// The head of what is asked.
struct asked {
    uint64_t from;  // address of the asker
    uint64_t at_us; // when it came
};

struct query_thread {
    struct query_threads *threads; // all of them
    struct query_thread *scans;    // gets what may take long; NULL: this one runs everything
    pthread_t thread;
    struct mailbox asked; // head: struct asked; bytes: encoded message
};

struct query_threads {
    struct state *state;       // borrowed
    struct marks *marks;       // borrowed
    struct mailbox answers;    // head: address of the asker; bytes: encoded answer
    int fd;                    // readable while there are answers
    struct buffer taken;       // answers that are being handed out
    size_t count;              // of threads in each lane
    size_t next;               // that gets the next request
    atomic_bool is_ending;     // nobody waits for answers any more
    struct query_thread all[]; // those for gets, then those for scans
};

// When a query has to be over, by the monotonic clock.
static bool is_over(void *context)
{
    const uint64_t *end_us = context;
    return clock_monotonic_us() >= *end_us;
}

static uint64_t end_of(const struct asked *asked, const struct message *message)
{
    uint32_t timeout_ms = message->kind == MESSAGE_read ? message->read.timeout_ms
                                                        : message->digest.timeout_ms;
    return asked->at_us + timeout_ms * UINT64_C(1000);
}

static void refuse(uint64_t request, struct buffer *answer)
{
    struct message refusal = {
        .kind = MESSAGE_refusal,
        .refusal = {.request = request,
                    .status = STATUS_busy,
                    .retry_after_ms = BUSY_RETRY_MS,
                    .message = bytes_from_text("The node has too many scans to do; try again.")},
    };
    message_encode(&refusal, answer);
}

// Appends the answer; nothing if the message went to the other lane.
static void run_one(struct query_thread *self, const struct letter *letter, struct buffer *answer)
{
    struct query_threads *threads = self->threads;
    const struct asked *asked = letter->head;
    struct bytes rest = letter->bytes;
    struct message message;
    ASSERT(message_decode(&rest, &message) == STATUS_ok); // it was encoded by our own node
    if (self->scans == NULL) {
        uint64_t end_us = end_of(asked, &message);
        struct patience patience = {.is_over = is_over, .context = &end_us};
        query_run_patiently(threads->state, threads->marks, &message, &patience, answer);
    } else if (!query_may_take_long(&message)) {
        query_run(threads->state, threads->marks, &message, answer);
    } else if (mailbox_is_full(&self->scans->asked)) {
        refuse(message_request(&message), answer);
    } else {
        mailbox_put(&self->scans->asked, bytes_of(asked, sizeof *asked), letter->bytes);
    }
}

static void answer_one(struct query_thread *self, const struct letter *letter,
                       struct buffer *answer)
{
    const struct asked *asked = letter->head;
    if (answer->capacity > KEPT_SIZE_MAX) {
        buffer_release(answer);
    }
    buffer_clear(answer);
    run_one(self, letter, answer);
    if (answer->size > 0) {
        mailbox_put_waiting(&self->threads->answers, bytes_of(&asked->from, sizeof asked->from),
                            buffer_bytes(answer));
    }
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
               letter_next(&letters, &offset, sizeof(struct asked), &letter)) {
            answer_one(self, &letter, &answer);
        }
    }
    return NULL;
}

struct query_threads *query_threads_new(struct state *state, struct marks *marks, size_t count)
{
    size_t room = 2 * count * sizeof(struct query_thread);
    struct query_threads *threads = calloc(1, sizeof *threads + room);
    ASSERT(threads != NULL);
    threads->state = state;
    threads->marks = marks;
    threads->count = count;
    mailbox_init(&threads->answers, ANSWERS_SIZE_MAX);
    threads->fd = mailbox_open_fd(&threads->answers);
    for (size_t i = 0; i < 2 * count; i++) {
        struct query_thread *thread = &threads->all[i];
        thread->threads = threads;
        thread->scans = i < count ? &threads->all[count + i] : NULL;
        mailbox_init(&thread->asked, ASKED_SIZE_MAX);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        struct query_thread *thread = &threads->all[i];
        thread_start(&thread->thread, thread->scans != NULL ? "query" : "scan", run_thread, thread);
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
    for (size_t i = 0; i < 2 * threads->count; i++) {
        mailbox_close(&threads->all[i].asked);
    }
    for (size_t i = 0; i < 2 * threads->count; i++) {
        ASSERT(pthread_join(threads->all[i].thread, NULL) == 0);
    }
    for (size_t i = 0; i < 2 * threads->count; i++) {
        mailbox_release(&threads->all[i].asked);
    }
    mailbox_release(&threads->answers);
    buffer_release(&threads->taken);
    free(threads);
}

bool query_threads_ask(struct query_threads *threads, uint64_t from, struct bytes encoded)
{
    struct asked head = {.from = from, .at_us = clock_monotonic_us()};
    for (size_t tried = 0; tried < threads->count; tried++) {
        struct mailbox *asked = &threads->all[threads->next].asked;
        threads->next = (threads->next + 1) % threads->count;
        if (!mailbox_is_full(asked)) {
            mailbox_put(asked, bytes_of(&head, sizeof head), encoded);
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
