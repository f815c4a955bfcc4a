/*
 * The journal thread takes all requests that came while it was at the last ones, so the more there
 * is to do the more appends share one fdatasync. With nothing to do it prepares the next segment in
 * small steps. FLUSH can take seconds and has nothing to do with the journal; the maintenance
 * thread runs it beside. INSTALL makes another state durable and must not meet a FLUSH: they
 * exclude each other by `flushing`.
 *
 *     node ──► asked ──► journal thread ──────► done ──► node
 *         └──► flushes ─► maintenance thread ─┘
 *
 * A failed disk ends the process from here, without a result for anybody: nothing that depends on
 * the failed write may ever be acknowledged (rule 21).
 */
#include "actors/runtime/disk_threads.h"

#include "actors/runtime/mailbox.h"
#include "actors/runtime/thread.h"
#include "base/assert.h"

#include <stdlib.h>
#include <unistd.h>

enum { ASKED_SIZE_MAX = 64 * MIB, RUN_REQUESTS_MAX = 256 };

// Head of the letters to the threads; the bytes of the request follow.
struct disk_task {
    struct disk_request request; // without its bytes
    struct state *received;      // INSTALL
};

struct disk_threads {
    struct disk_worker *worker; // borrowed; used by the journal thread only
    struct state *state;        // borrowed; the one that FLUSH makes durable
    struct logger *logger;      // borrowed
    pthread_t journal_thread;
    pthread_t maintenance_thread;
    struct mailbox asked;     // of struct disk_task, for the journal thread
    struct mailbox flushes;   // of struct disk_task, for the maintenance thread
    struct mailbox done;      // of struct disk_done without its bytes, which follow
    int fd;                   // readable while there are results
    pthread_mutex_t flushing; // held while a FLUSH or an INSTALL runs
    struct buffer taken;      // results that are being handed out
    struct disk_request requests[RUN_REQUESTS_MAX]; // of one run
    struct disk_done results[RUN_REQUESTS_MAX];     // of one run
};

static void post(struct disk_threads *threads, const struct disk_done *done)
{
    struct disk_done head = *done;
    head.bytes = bytes_of(NULL, 0);
    mailbox_put(&threads->done, bytes_of(&head, sizeof head), done->bytes);
}

// Not exit(): nothing may run that could still send something.
__attribute__((noreturn)) static void stop_process(struct disk_threads *threads)
{
    logger_line(threads->logger, LOG_ERROR,
                "event=disk_failed why=\"a write or sync of journal or vote file failed\"");
    _exit(EXIT_OTHER);
}

// Takes the next requests out of the letters; an INSTALL is run by itself. Returns how many.
static size_t gather_run(struct disk_threads *threads, const struct buffer *letters, size_t *offset)
{
    size_t count = 0;
    struct letter letter;
    size_t next = *offset;
    while (count < RUN_REQUESTS_MAX &&
           letter_next(letters, &next, sizeof(struct disk_task), &letter)) {
        const struct disk_task *task = letter.head;
        bool is_install = task->request.kind == DISK_INSTALL;
        if (is_install && count > 0) {
            break;
        }
        threads->requests[count] = task->request;
        threads->requests[count++].bytes = letter.bytes;
        *offset = next;
        if (is_install) {
            disk_worker_set_received(threads->worker, task->received);
            break;
        }
    }
    return count;
}

static void run_requests(struct disk_threads *threads, size_t count)
{
    bool is_install = threads->requests[0].kind == DISK_INSTALL;
    if (is_install) {
        pthread_mutex_lock(&threads->flushing);
    }
    disk_worker_run(threads->worker, threads->requests, count, threads->results);
    if (is_install) {
        pthread_mutex_unlock(&threads->flushing);
    }
    if (disk_worker_has_failed(threads->worker)) {
        stop_process(threads);
    }
    for (size_t i = 0; i < count; i++) {
        post(threads, &threads->results[i]);
    }
}

static void *run_journal(void *context)
{
    struct disk_threads *threads = context;
    struct buffer letters AUTO(buffer_release) = {0};
    for (;;) {
        if (!mailbox_take(&threads->asked, &letters)) {
            if (disk_worker_prepare(threads->worker)) {
                continue;
            }
            if (!mailbox_take_waiting(&threads->asked, &letters)) {
                return NULL;
            }
        }
        size_t count;
        for (size_t offset = 0; (count = gather_run(threads, &letters, &offset)) > 0;) {
            run_requests(threads, count);
        }
    }
}

static void *run_maintenance(void *context)
{
    struct disk_threads *threads = context;
    struct buffer letters AUTO(buffer_release) = {0};
    while (mailbox_take_waiting(&threads->flushes, &letters)) {
        struct letter letter;
        size_t offset = 0;
        while (letter_next(&letters, &offset, sizeof(struct disk_task), &letter)) {
            const struct disk_task *task = letter.head;
            struct disk_done done;
            pthread_mutex_lock(&threads->flushing);
            disk_worker_flush(threads->state, &task->request, &done);
            pthread_mutex_unlock(&threads->flushing);
            post(threads, &done);
        }
    }
    return NULL;
}

struct disk_threads *disk_threads_new(struct disk_worker *worker, struct state *state,
                                      struct logger *logger)
{
    struct disk_threads *threads = calloc(1, sizeof *threads);
    ASSERT(threads != NULL);
    threads->worker = worker;
    threads->state = state;
    threads->logger = logger;
    mailbox_init(&threads->asked, ASKED_SIZE_MAX);
    mailbox_init(&threads->flushes, ASKED_SIZE_MAX);
    mailbox_init(&threads->done, ASKED_SIZE_MAX);
    threads->fd = mailbox_open_fd(&threads->done);
    ASSERT(pthread_mutex_init(&threads->flushing, NULL) == 0);
    thread_start(&threads->journal_thread, "journal", run_journal, threads);
    thread_start(&threads->maintenance_thread, "maintenance", run_maintenance, threads);
    return threads;
}

void disk_threads_destroy(struct disk_threads **take_threads)
{
    struct disk_threads *threads = *take_threads;
    *take_threads = NULL;
    if (threads == NULL) {
        return;
    }
    mailbox_close(&threads->asked);
    mailbox_close(&threads->flushes);
    ASSERT(pthread_join(threads->journal_thread, NULL) == 0);
    ASSERT(pthread_join(threads->maintenance_thread, NULL) == 0);
    mailbox_release(&threads->asked);
    mailbox_release(&threads->flushes);
    mailbox_release(&threads->done);
    pthread_mutex_destroy(&threads->flushing);
    buffer_release(&threads->taken);
    free(threads);
}

void disk_threads_ask(struct disk_threads *threads, const struct disk_request *request,
                      struct state *received)
{
    struct disk_task task = {.request = *request, .received = received};
    task.request.bytes = bytes_of(NULL, 0);
    struct mailbox *mailbox = request->kind == DISK_FLUSH ? &threads->flushes : &threads->asked;
    mailbox_put(mailbox, bytes_of(&task, sizeof task), request->bytes);
}

bool disk_threads_is_full(struct disk_threads *threads)
{
    return mailbox_is_full(&threads->asked);
}

int disk_threads_fd(const struct disk_threads *threads)
{
    return threads->fd;
}

void disk_threads_take(struct disk_threads *threads,
                       void (*each)(void *context, const struct disk_done *done), void *context)
{
    if (!mailbox_take(&threads->done, &threads->taken)) {
        return;
    }
    struct letter letter;
    size_t offset = 0;
    while (letter_next(&threads->taken, &offset, sizeof(struct disk_done), &letter)) {
        struct disk_done done = *(const struct disk_done *)letter.head;
        done.bytes = letter.bytes;
        each(context, &done);
    }
}
