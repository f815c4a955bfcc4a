/*
 * One thread, one machine. A turn of the loop:
 *
 *   submissions ──► client_transact ...  ┐
 *   frames      ──► client_step          ├─► effects ──► peer sockets, timers ──► flush ──► sleep
 *   timers      ──► client_step          ┘   completions ──► callbacks
 *
 * 1. The machine, the sockets and the callbacks belong to the loop's thread alone; other threads
 *    touch only the queue of submissions and what stands behind `mutex` with it.
 * 2. Whoever submits wakes the loop only if it sleeps or is about to: `is_sleeping` is set under
 *    the mutex after the queue was seen empty, and taken back by the first one who submits.
 * 3. Everything that came together is handled before anything is sent, so requests to one process
 *    share a frame.
 */
#include "client/loop.h"

#include "base/assert.h"
#include "client/peer_sockets.h"
#include "client/submissions.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    TIMER_COUNT = 4,        // timers of the machine are smaller numbers
    FRAMES_A_TURN_MAX = 64, // taken before anything is sent
};

// Who is told of the end of a request.
struct waiter {
    client_done *done;
    void *context;
    uint64_t next_free; // while it is free: another free one, or NO_WAITER
};

static const uint64_t NO_WAITER = UINT64_MAX;

struct client_loop {
    struct client *client;
    struct peer_sockets *sockets;
    void *context; // libzmq's
    struct outbox out;
    uint64_t timers[TIMER_COUNT]; // when each is due; 0 for never
    uint64_t now_us;              // of this turn
    struct waiter *waiters;       // owned; a request's tag is its waiter
    uint64_t waiter_count;
    uint64_t free_waiter;
    struct submissions taken; // what the loop works on
    uint64_t refused;         // endpoints that libzmq did not connect to
    bool is_over;             // the machine has stopped
    int wake_fd;              // written to by whoever submits to a sleeping loop
    pthread_t thread;
    uint64_t version;       // atomic: highest one seen
    uint64_t given_version; // atomic: highest one given from outside
    pthread_mutex_t mutex;  // over all below
    pthread_cond_t known;   // is_known has changed
    struct submissions incoming;
    bool is_sleeping; // the loop must be woken
    bool is_stopping; // the loop shall end
    bool is_known;    // the topology is known
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * The loop's own side.
 */

static uint64_t take_waiter(struct client_loop *loop, client_done *done, void *context)
{
    if (loop->free_waiter == NO_WAITER) {
        uint64_t count = loop->waiter_count == 0 ? 64 : 2 * loop->waiter_count;
        loop->waiters = reallocarray(loop->waiters, count, sizeof *loop->waiters);
        ASSERT(loop->waiters != NULL);
        for (uint64_t i = count; i-- > loop->waiter_count;) {
            loop->waiters[i].next_free = loop->free_waiter;
            loop->free_waiter = i;
        }
        loop->waiter_count = count;
    }
    uint64_t number = loop->free_waiter;
    loop->free_waiter = loop->waiters[number].next_free;
    loop->waiters[number].done = done;
    loop->waiters[number].context = context;
    return number;
}

static void tell_waiter(struct client_loop *loop, const struct client_completion *completion)
{
    struct waiter waiter = loop->waiters[completion->tag];
    loop->waiters[completion->tag].next_free = loop->free_waiter;
    loop->free_waiter = completion->tag;
    waiter.done(waiter.context, completion);
}

// From an endpoint that libzmq refuses nothing will ever come; requests to it go elsewhere.
static void on_connect(struct client_loop *loop, const struct effect *effect)
{
    struct bytes endpoint = outbox_effect_bytes(&loop->out, effect);
    enum status status = peer_sockets_connect(loop->sockets, effect->to, endpoint);
    loop->refused += status != STATUS_ok;
}

static void apply_effects(struct client_loop *loop)
{
    for (size_t i = 0; i < loop->out.count; i++) {
        const struct effect *effect = &loop->out.effects[i];
        switch (effect->kind) {
        case EFFECT_SEND:
            peer_sockets_send(loop->sockets, effect->to, outbox_effect_bytes(&loop->out, effect));
            break;
        case EFFECT_CONNECT: on_connect(loop, effect); break;
        case EFFECT_DISCONNECT: peer_sockets_disconnect(loop->sockets, effect->to); break;
        case EFFECT_TIMER:
            ASSERT(effect->timer < TIMER_COUNT);
            loop->timers[effect->timer] = effect->at_us;
            break;
        case EFFECT_CLUSTER: peer_sockets_set_cluster(loop->sockets, effect->at_us); break;
        case EFFECT_STOP: loop->is_over = true; break;
        default: break;
        }
    }
    outbox_clear(&loop->out);
}

static void step(struct client_loop *loop, struct event *event)
{
    event->now_us = loop->now_us;
    client_step(loop->client, event, &loop->out);
    __atomic_store_n(&loop->version, client_version(loop->client), __ATOMIC_RELAXED);
    struct client_completion completion;
    while (client_next(loop->client, &completion)) {
        tell_waiter(loop, &completion);
    }
    apply_effects(loop);
}

static void take_frame(struct client_loop *loop, const struct peer_event *frame)
{
    struct bytes rest = frame->messages;
    while (rest.size > 0) {
        struct bytes before = rest;
        struct message message;
        if (message_decode(&rest, &message) != STATUS_ok) {
            return; // the rest can't be understood: what was asked there is asked again
        }
        struct event event = {.kind = EVENT_MESSAGE,
                              .from = frame->address,
                              .from_name = frame->head.from,
                              .from_cluster_id = frame->head.cluster_id,
                              .message = &message,
                              .encoded = bytes_of(before.data, before.size - rest.size)};
        step(loop, &event);
    }
}

static void take_peer_events(struct client_loop *loop)
{
    struct peer_event peer_event;
    for (int i = 0; i < FRAMES_A_TURN_MAX && peer_sockets_next(loop->sockets, &peer_event); i++) {
        if (peer_event.kind == PEER_FRAME) {
            take_frame(loop, &peer_event);
        } else {
            bool is_up = peer_event.kind == PEER_UP;
            struct event event = {.kind = is_up ? EVENT_PEER_UP : EVENT_PEER_DOWN,
                                  .from = peer_event.address};
            step(loop, &event);
        }
    }
}

static void take_timers(struct client_loop *loop)
{
    for (uint32_t timer = 0; timer < TIMER_COUNT; timer++) {
        if (loop->timers[timer] != 0 && loop->timers[timer] <= loop->now_us) {
            loop->timers[timer] = 0;
            struct event event = {.kind = EVENT_TIMER, .timer = timer};
            step(loop, &event);
        }
    }
}

// Starts the call that was submitted as an encoded message.
static enum status start_call(struct client_loop *loop, const struct submission *submission,
                              uint64_t tag, uint64_t *ret_request)
{
    struct client_call call = {.to = submission_first(&loop->taken, submission),
                               .timeout_ms = submission->timeout_ms,
                               .tag = tag};
    struct bytes encoded = submission_second(&loop->taken, submission);
    TRY(message_decode(&encoded, &call.message));
    return client_call(loop->client, &call, loop->now_us, &loop->out, ret_request);
}

static enum status start_request(struct client_loop *loop, struct submission *submission,
                                 uint64_t tag)
{
    struct bytes first = submission_first(&loop->taken, submission);
    struct bytes second = submission_second(&loop->taken, submission);
    uint64_t request;
    switch (submission->kind) {
    case SUBMISSION_TRANSACT:
        submission->transaction.session = first;
        submission->transaction.operations = second;
        submission->transaction.tag = tag;
        return client_transact(loop->client, &submission->transaction, loop->now_us, &loop->out,
                               &request);
    case SUBMISSION_READ:
        submission->read.operations = second;
        submission->read.tag = tag;
        return client_read(loop->client, &submission->read, loop->now_us, &loop->out, &request);
    case SUBMISSION_STATUS:
        submission->status.session = first;
        submission->status.tag = tag;
        return client_status(loop->client, &submission->status, loop->now_us, &loop->out, &request);
    case SUBMISSION_MARK:
        submission->mark.tag = tag;
        return client_mark(loop->client, &submission->mark, loop->now_us, &loop->out, &request);
    case SUBMISSION_CALL: return start_call(loop, submission, tag, &request);
    case SUBMISSION_VISIT: break;
    }
    UNREACHABLE();
}

static const char *sentence_of(enum status status)
{
    switch (status) {
    case STATUS_busy: return "too many requests are outstanding; wait for some to end";
    case STATUS_too_large: return "the operations are larger than 4 MiB; split them";
    case STATUS_unavailable: return "the process is not known, or the client is being closed";
    default: return "a time, level, session or sequence is out of range";
    }
}

static void take_submission(struct client_loop *loop, struct submission *submission)
{
    static const enum client_kind KINDS[] = {
        [SUBMISSION_TRANSACT] = CLIENT_TRANSACT, [SUBMISSION_READ] = CLIENT_READ,
        [SUBMISSION_STATUS] = CLIENT_STATUS,     [SUBMISSION_MARK] = CLIENT_MARK,
        [SUBMISSION_CALL] = CLIENT_CALL,
    };
    if (submission->kind == SUBMISSION_VISIT) {
        submission->visit(submission->context, loop->client);
        return;
    }
    uint64_t tag = take_waiter(loop, submission->done, submission->context);
    enum status status = start_request(loop, submission, tag);
    if (status != STATUS_ok) {
        struct client_completion completion = {.kind = KINDS[submission->kind],
                                               .tag = tag,
                                               .status = status,
                                               .message = bytes_from_text(sentence_of(status))};
        tell_waiter(loop, &completion);
    }
}

// Takes all submissions; true if the loop shall end.
static bool take_submissions(struct client_loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    struct submissions incoming = loop->incoming;
    loop->incoming = loop->taken;
    loop->taken = incoming;
    loop->is_sleeping = false;
    bool is_stopping = loop->is_stopping;
    pthread_mutex_unlock(&loop->mutex);
    client_see_version(loop->client, __atomic_load_n(&loop->given_version, __ATOMIC_RELAXED));
    for (size_t i = 0; i < loop->taken.count; i++) {
        take_submission(loop, &loop->taken.items[i]);
    }
    submissions_clear(&loop->taken);
    apply_effects(loop);
    return is_stopping;
}

// Tells those who wait for the topology when it is known.
static void publish(struct client_loop *loop)
{
    size_t count;
    topology_members(client_topology(loop->client), &count);
    if (count > 0 && !loop->is_known) { // only this thread sets it
        pthread_mutex_lock(&loop->mutex);
        loop->is_known = true;
        pthread_cond_broadcast(&loop->known);
        pthread_mutex_unlock(&loop->mutex);
    }
}

// True if there is nothing to do; from then on whoever submits wakes the loop.
static bool may_sleep(struct client_loop *loop)
{
    if (peer_sockets_poll(loop->sockets)) {
        return false;
    }
    pthread_mutex_lock(&loop->mutex);
    bool is_idle = loop->incoming.count == 0 && !loop->is_stopping;
    loop->is_sleeping = is_idle;
    pthread_mutex_unlock(&loop->mutex);
    return is_idle;
}

// Sleeps until something happens or the first timer is due.
static void sleep_until_due(struct client_loop *loop)
{
    uint64_t due_us = UINT64_MAX;
    for (size_t i = 0; i < TIMER_COUNT; i++) {
        bool is_first = loop->timers[i] != 0 && loop->timers[i] < due_us;
        due_us = is_first ? loop->timers[i] : due_us;
    }
    uint64_t time_us = now_us();
    uint64_t wait_us = due_us > time_us ? due_us - time_us : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait_us / 1000000),
                               .tv_nsec = (long)(wait_us % 1000000) * 1000};
    struct pollfd items[2] = {
        {.fd = loop->wake_fd, .events = POLLIN},
        {.fd = peer_sockets_fd(loop->sockets), .events = POLLIN},
    };
    int count = ppoll(items, 2, due_us == UINT64_MAX ? NULL : &timeout, NULL);
    if (count > 0 && (items[0].revents & POLLIN) != 0) {
        uint64_t wakes;
        ssize_t size = read(loop->wake_fd, &wakes, sizeof wakes);
        ASSERT(size == sizeof wakes || errno == EAGAIN);
    }
}

static void *run(void *argument)
{
    struct client_loop *loop = argument;
    loop->now_us = now_us();
    struct event start = {.kind = EVENT_START};
    step(loop, &start);
    while (!loop->is_over) {
        if (take_submissions(loop)) {
            struct event stop = {.kind = EVENT_STOP};
            step(loop, &stop);
        }
        take_peer_events(loop);
        take_timers(loop);
        peer_sockets_flush(loop->sockets);
        publish(loop);
        if (may_sleep(loop)) {
            sleep_until_due(loop);
            peer_sockets_poll(loop->sockets);
        }
        loop->now_us = now_us();
    }
    return NULL;
}

/*
 * Its life.
 */

static enum status open_sockets(struct client_loop *loop, const struct client_loop_options *options,
                                uint64_t incarnation)
{
    loop->context = zmq_ctx_new();
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->context == NULL || loop->wake_fd < 0) {
        return STATUS_unavailable;
    }
    struct peer_sockets_options sockets = {
        .context = loop->context, .name = options->name, .incarnation = incarnation};
    TRY(peer_sockets_new(&sockets, &loop->sockets));
    for (size_t i = 0; i < options->client.endpoint_count; i++) {
        struct bytes endpoint = options->client.endpoints[i];
        TRY(peer_sockets_connect(loop->sockets, address_of_endpoint(endpoint), endpoint));
    }
    return STATUS_ok;
}

// Frees a loop whose thread is over or never began.
static void free_loop(struct client_loop *loop)
{
    client_destroy(&loop->client);
    peer_sockets_destroy(&loop->sockets);
    if (loop->context != NULL) {
        zmq_ctx_term(loop->context);
    }
    if (loop->wake_fd >= 0) {
        close(loop->wake_fd);
    }
    outbox_release(&loop->out);
    submissions_release(&loop->taken);
    submissions_release(&loop->incoming);
    pthread_mutex_destroy(&loop->mutex);
    pthread_cond_destroy(&loop->known);
    free(loop->waiters);
    free(loop);
}

static void init_locks(struct client_loop *loop)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loop->known, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&loop->mutex, NULL);
}

// Starts the thread with all signals blocked: they are for the threads of the application.
static enum status start_thread(struct client_loop *loop)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int result = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0 ? STATUS_ok : STATUS_unavailable;
}

enum status client_loop_new(const struct client_loop_options *options,
                            struct client_loop **ret_loop)
{
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return STATUS_unavailable;
    }
    struct client_loop *loop = calloc(1, sizeof *loop);
    ASSERT(loop != NULL);
    loop->free_waiter = NO_WAITER;
    init_locks(loop);
    outbox_init(&loop->out);
    struct client_options client = options->client;
    client.seed = client.seed == 0 ? random[0] : client.seed;
    loop->client = client_new(&client);
    enum status status = open_sockets(loop, options, random[1] | 1);
    if (status == STATUS_ok) {
        status = start_thread(loop);
    }
    if (status != STATUS_ok) {
        free_loop(loop);
        return status;
    }
    *ret_loop = loop;
    return STATUS_ok;
}

static void wake(struct client_loop *loop)
{
    uint64_t one = 1;
    ssize_t size = write(loop->wake_fd, &one, sizeof one);
    ASSERT(size == sizeof one || errno == EAGAIN);
}

void client_loop_destroy(struct client_loop **take_loop)
{
    struct client_loop *loop = *take_loop;
    if (loop == NULL) {
        return;
    }
    pthread_mutex_lock(&loop->mutex);
    loop->is_stopping = true;
    pthread_mutex_unlock(&loop->mutex);
    wake(loop);
    pthread_join(loop->thread, NULL);
    free_loop(loop);
    *take_loop = NULL;
}

/*
 * The side of other threads.
 */

static enum status submit(struct client_loop *loop, const struct submission *submission,
                          struct bytes first, struct bytes second)
{
    pthread_mutex_lock(&loop->mutex);
    enum status status = submissions_add(&loop->incoming, submission, first, second);
    bool must_wake = loop->is_sleeping;
    loop->is_sleeping = false;
    pthread_mutex_unlock(&loop->mutex);
    if (must_wake) {
        wake(loop);
    }
    return status;
}

enum status client_loop_transact(struct client_loop *loop, const struct client_transaction *ask,
                                 client_done *done, void *context)
{
    struct submission submission = {
        .kind = SUBMISSION_TRANSACT, .done = done, .context = context, .transaction = *ask};
    return submit(loop, &submission, ask->session, ask->operations);
}

enum status client_loop_read(struct client_loop *loop, const struct client_read *ask,
                             client_done *done, void *context)
{
    struct submission submission = {
        .kind = SUBMISSION_READ, .done = done, .context = context, .read = *ask};
    return submit(loop, &submission, bytes_of(NULL, 0), ask->operations);
}

enum status client_loop_status(struct client_loop *loop, const struct client_status *ask,
                               client_done *done, void *context)
{
    struct submission submission = {
        .kind = SUBMISSION_STATUS, .done = done, .context = context, .status = *ask};
    return submit(loop, &submission, ask->session, bytes_of(NULL, 0));
}

enum status client_loop_mark(struct client_loop *loop, const struct client_mark *ask,
                             client_done *done, void *context)
{
    struct submission submission = {
        .kind = SUBMISSION_MARK, .done = done, .context = context, .mark = *ask};
    return submit(loop, &submission, bytes_of(NULL, 0), bytes_of(NULL, 0));
}

enum status client_loop_call(struct client_loop *loop, const struct client_call *ask,
                             client_done *done, void *context)
{
    struct submission submission = {
        .kind = SUBMISSION_CALL, .done = done, .context = context, .timeout_ms = ask->timeout_ms};
    AUTO(buffer_release) struct buffer encoded = {0};
    message_encode(&ask->message, &encoded);
    return submit(loop, &submission, ask->to, buffer_bytes(&encoded));
}

// A visit and whoever waits for it.
struct visit {
    client_visit *visit;
    void *context;
    sem_t is_over;
};

static void run_visit(void *context, const struct client *client)
{
    struct visit *visit = context;
    visit->visit(visit->context, client);
    sem_post(&visit->is_over);
}

void client_loop_visit(struct client_loop *loop, client_visit *visit, void *context)
{
    struct visit waiting = {.visit = visit, .context = context};
    sem_init(&waiting.is_over, 0, 0);
    struct submission submission = {
        .kind = SUBMISSION_VISIT, .visit = run_visit, .context = &waiting};
    while (submit(loop, &submission, bytes_of(NULL, 0), bytes_of(NULL, 0)) != STATUS_ok) {
        sched_yield();
    }
    while (sem_wait(&waiting.is_over) != 0) {
        ASSERT(errno == EINTR);
    }
    sem_destroy(&waiting.is_over);
}

enum status client_loop_wait(struct client_loop *loop, uint32_t timeout_ms)
{
    uint64_t end_us = now_us() + timeout_ms * UINT64_C(1000);
    struct timespec end = {.tv_sec = (time_t)(end_us / 1000000),
                           .tv_nsec = (long)(end_us % 1000000) * 1000};
    pthread_mutex_lock(&loop->mutex);
    int result = 0;
    while (!loop->is_known && result == 0) {
        result = pthread_cond_timedwait(&loop->known, &loop->mutex, &end);
    }
    bool is_known = loop->is_known;
    pthread_mutex_unlock(&loop->mutex);
    return is_known ? STATUS_ok : STATUS_unavailable;
}

uint64_t client_loop_version(const struct client_loop *loop)
{
    uint64_t version = __atomic_load_n(&loop->version, __ATOMIC_RELAXED);
    uint64_t given = __atomic_load_n(&loop->given_version, __ATOMIC_RELAXED);
    return version > given ? version : given;
}

void client_loop_see_version(struct client_loop *loop, uint64_t version)
{
    uint64_t given = __atomic_load_n(&loop->given_version, __ATOMIC_RELAXED);
    while (version > given &&
           !__atomic_compare_exchange_n(&loop->given_version, &given, version, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
