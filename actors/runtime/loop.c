/*
 * A turn of the loop:
 *
 *     sleep until a descriptor is readable or a timer is due
 *     other threads, signals, timers      ──► events
 *     frames, at most a budget of them    ──► events
 *     after each event or frame           ──► effects, in order
 *     EVENT_TURN, if there was any        ──► the machine closes its batches
 *     flush: one frame to each peer
 *
 * 1. One thread. Nothing in it waits: sockets are read and written without blocking, disk and
 *    queries belong to threads of the owner, which answer through descriptors watched here.
 * 2. One time a turn: every event of a turn has the same now_us.
 * 3. An idle process wakes up for its machine's timers and for the watchdog, and for nothing else.
 * 4. SIGTERM and SIGINT ask the machine to stop; it gets STOP_US_MAX, a second signal ends it.
 */
#include "actors/runtime/loop.h"

#include "actors/runtime/clock.h"
#include "actors/runtime/supervisor.h"
#include "actors/runtime/timers.h"
#include "actors/runtime/traffic.h"
#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    WATCH_COUNT_MAX = 16,
    OUTBOX_SIZE_MAX = 256 * KIB,    // effects are carried out in the middle of a frame
    REFUSED_CONNECTS_MAX = 64,      // endpoints that could not even be tried, in one turn
    STOP_US_MAX = 10 * 1000 * 1000, // for a clean stop
    REPORT_US = 10 * 1000 * 1000,   // frames refused are reported so often at most
};

// A descriptor and whom it wakes.
struct watch {
    int fd;
    void (*ready)(void *context);
    void *context;
};

struct loop {
    struct logger *log;      // borrowed
    struct traffic *traffic; // owned; all sockets
    int epoll_fd;            // of everything below
    int signal_fd;           // SIGTERM, SIGINT, SIGHUP
    struct watch watches[WATCH_COUNT_MAX];
    size_t watch_count;
    struct timers timers;      // of the machine
    struct outbox outbox;      // effects of the event that is being handled
    struct machine machine;    // borrowed, while the loop runs
    struct loop_owner owner;   // while the loop runs
    uint64_t now_us;           // of this turn
    uint64_t wall_us;          // of this turn
    uint64_t watchdog_us;      // how often the watchdog is answered; 0 for never
    uint64_t watchdog_next_us; // when next
    uint64_t stop_deadline_us; // the machine stops until then; UINT64_MAX before a signal
    uint64_t report_next_us;   // no report of lost frames before
    uint64_t reported;         // frames refused that were reported
    uint64_t refused[REFUSED_CONNECTS_MAX]; // addresses that the machine is told are down
    size_t refused_count;
    bool is_turn_open; // the machine was handed something since the last EVENT_TURN
    bool is_stopped;   // the machine said so, or had its time
    int exit_code;     // once stopped
};

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP};

static sigset_t loop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        sigaddset(&set, SIGNALS[i]);
    }
    return set;
}

static void on_signal(void *context);

// For traffic_watch().
static void watch_socket(void *context, int fd, void (*ready)(void *of_fd), void *of_fd)
{
    loop_watch(context, fd, ready, of_fd);
}

enum status loop_new(const struct loop_options *options, struct loop **ret_loop,
                     struct buffer *ret_error)
{
    struct loop *loop AUTO(loop_destroy) = calloc(1, sizeof *loop);
    ASSERT(loop != NULL);
    loop->log = options->log;
    loop->stop_deadline_us = UINT64_MAX;
    loop->watchdog_us = supervisor_watchdog_us();
    timers_init(&loop->timers);
    outbox_init(&loop->outbox);
    sigset_t signals = loop_signals();
    loop->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->signal_fd < 0 || loop->epoll_fd < 0) {
        text_append(ret_error, "no descriptors are left");
        return STATUS_unavailable;
    }
    struct peer_sockets_options sockets = {
        .context = options->context, .name = options->name, .incarnation = options->incarnation};
    TRY(traffic_new(&sockets, options->listen, &loop->traffic, ret_error));
    loop_watch(loop, loop->signal_fd, on_signal, loop);
    traffic_watch(loop->traffic, watch_socket, loop);
    *ret_loop = loop;
    loop = NULL;
    return STATUS_ok;
}

void loop_destroy(struct loop **take_loop)
{
    struct loop *loop = *take_loop;
    *take_loop = NULL;
    if (loop == NULL) {
        return;
    }
    traffic_destroy(&loop->traffic);
    if (loop->epoll_fd >= 0) {
        close(loop->epoll_fd);
    }
    if (loop->signal_fd >= 0) {
        close(loop->signal_fd);
    }
    outbox_release(&loop->outbox);
    free(loop);
}

const char *loop_endpoint(const struct loop *loop)
{
    return traffic_endpoint(loop->traffic);
}

const char *loop_trace_endpoint(const struct loop *loop)
{
    return tap_endpoint(traffic_tap(loop->traffic));
}

struct tap *loop_tap(struct loop *loop)
{
    return traffic_tap(loop->traffic);
}

void loop_watch(struct loop *loop, int fd, void (*ready)(void *context), void *context)
{
    ASSERT(loop->watch_count < WATCH_COUNT_MAX);
    struct watch *watch = &loop->watches[loop->watch_count++];
    *watch = (struct watch){.fd = fd, .ready = ready, .context = context};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    ASSERT(epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void stop(struct loop *loop, int exit_code)
{
    if (!loop->is_stopped) {
        loop->is_stopped = true;
        loop->exit_code = exit_code;
    }
}

void loop_send(struct loop *loop, uint64_t to, struct bytes encoded)
{
    traffic_send(loop->traffic, to, encoded);
}

static void connect_peer(struct loop *loop, uint64_t address, struct bytes endpoint)
{
    enum status status = traffic_connect(loop->traffic, address, endpoint);
    if (status == STATUS_ok) {
        return;
    }
    logger_line(loop->log, LOG_WARNING, "event=connect_refused endpoint=\"%.*s\" status=%s",
                (int)endpoint.size, (const char *)endpoint.data, status_name(status));
    if (loop->refused_count < REFUSED_CONNECTS_MAX) {
        loop->refused[loop->refused_count++] = address;
    }
}

static void write_log(struct loop *loop, enum log_level level, struct bytes text)
{
    logger_text(loop->log, level, text);
    if (level >= LOG_INFO) {
        supervisor_status(text);
    }
}

static void on_effect_disk(struct loop *loop, const struct effect *effect, struct bytes bytes)
{
    ASSERT(loop->owner.disk != NULL);
    struct disk_request request = effect->disk;
    request.bytes = bytes;
    loop->owner.disk(loop->owner.context, &request);
}

static void on_effect_query(struct loop *loop, const struct effect *effect, struct bytes bytes)
{
    ASSERT(loop->owner.query != NULL);
    loop->owner.query(loop->owner.context, effect->to, bytes);
}

static void on_effect_stop(struct loop *loop, const struct effect *effect, struct bytes why)
{
    bool is_clean = effect->timer == EXIT_CLEAN || effect->timer == EXIT_REBOOT;
    logger_line(loop->log, is_clean ? LOG_INFO : LOG_ERROR,
                "event=stopping code=%" PRIu32 " why=\"%.*s\"", effect->timer, (int)why.size,
                (const char *)why.data);
    stop(loop, (int)effect->timer);
}

static void run_effect(struct loop *loop, const struct effect *effect)
{
    struct bytes bytes = outbox_effect_bytes(&loop->outbox, effect);
    switch (effect->kind) {
    case EFFECT_SEND: traffic_send(loop->traffic, effect->to, bytes); break;
    case EFFECT_CONNECT: connect_peer(loop, effect->to, bytes); break;
    case EFFECT_DISCONNECT: traffic_disconnect(loop->traffic, effect->to); break;
    case EFFECT_TIMER: timers_set(&loop->timers, effect->timer, effect->at_us); break;
    case EFFECT_DISK: on_effect_disk(loop, effect, bytes); break;
    case EFFECT_QUERY: on_effect_query(loop, effect, bytes); break;
    case EFFECT_CLUSTER: traffic_set_cluster(loop->traffic, effect->at_us); break;
    case EFFECT_LOG: write_log(loop, (enum log_level)effect->timer, bytes); break;
    case EFFECT_STOP: on_effect_stop(loop, effect, bytes); break;
    }
}

static void run_effects(struct loop *loop)
{
    for (size_t i = 0; i < loop->outbox.count; i++) {
        run_effect(loop, &loop->outbox.effects[i]);
    }
    outbox_clear(&loop->outbox);
}

// Effects that touch connections wait for the end of the frame, which is borrowed from them.
static bool has_connects(const struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->count; i++) {
        enum effect_kind kind = outbox->effects[i].kind;
        if (kind == EFFECT_CONNECT || kind == EFFECT_DISCONNECT || kind == EFFECT_CLUSTER) {
            return true;
        }
    }
    return false;
}

// Nothing reaches a machine that has stopped.
static void step_machine(struct loop *loop, struct event *event)
{
    if (loop->is_stopped) {
        return;
    }
    event->now_us = loop->now_us;
    event->wall_us = loop->wall_us;
    loop->is_turn_open = true;
    loop->machine.step(loop->machine.self, event, &loop->outbox);
    if (loop->outbox.bytes.size >= OUTBOX_SIZE_MAX && !has_connects(&loop->outbox)) {
        run_effects(loop);
    }
}

void loop_step(struct loop *loop, struct event *event)
{
    step_machine(loop, event);
    run_effects(loop);
}

static void on_message(struct loop *loop, struct event *event)
{
    traffic_note(loop->traffic, event);
    if (loop->owner.message != NULL) {
        loop->owner.message(loop->owner.context, event);
    }
    step_machine(loop, event);
}

// Takes every message of the frame. False when one of them was malformed; the rest is dropped then.
static bool on_frame(struct loop *loop, const struct peer_event *frame)
{
    struct bytes rest = frame->messages;
    bool is_good = true;
    while (rest.size > 0 && is_good) {
        struct bytes before = rest;
        struct message message;
        is_good = message_decode(&rest, &message) == STATUS_ok;
        if (is_good) {
            struct event event = {.kind = EVENT_MESSAGE,
                                  .from = frame->address,
                                  .from_name = frame->head.from,
                                  .from_cluster_id = frame->head.cluster_id,
                                  .message = &message,
                                  .encoded = bytes_of(before.data, before.size - rest.size)};
            on_message(loop, &event);
        }
    }
    run_effects(loop);
    return is_good;
}

static void on_peer_event(struct loop *loop, const struct peer_event *event)
{
    if (event->kind == PEER_FRAME) {
        if (!on_frame(loop, event)) {
            logger_line(loop->log, LOG_WARNING, "event=malformed_message address=%016" PRIx64,
                        event->address);
        }
        return;
    }
    struct event change = {.kind = event->kind == PEER_UP ? EVENT_PEER_UP : EVENT_PEER_DOWN,
                           .from = event->address};
    loop_step(loop, &change);
}

static void take_traffic(struct loop *loop)
{
    struct peer_event event;
    while (!loop->is_stopped && traffic_next(loop->traffic, &event)) {
        on_peer_event(loop, &event);
    }
}

static void take_refused(struct loop *loop)
{
    size_t count = loop->refused_count;
    loop->refused_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_PEER_DOWN, .from = loop->refused[i]};
        loop_step(loop, &event);
    }
}

static void take_timers(struct loop *loop)
{
    struct event event = {.kind = EVENT_TIMER};
    while (!loop->is_stopped && timers_take(&loop->timers, loop->now_us, &event.timer)) {
        loop_step(loop, &event);
    }
}

static void on_stop_signal(struct loop *loop, uint32_t signal)
{
    logger_line(loop->log, LOG_INFO, "event=signal signal=%s", strsignal((int)signal));
    if (loop->stop_deadline_us != UINT64_MAX) {
        stop(loop, EXIT_OTHER);
        return;
    }
    supervisor_stopping();
    loop->stop_deadline_us = loop->now_us + STOP_US_MAX;
    struct event event = {.kind = EVENT_STOP};
    loop_step(loop, &event);
}

static void on_signal(void *context)
{
    struct loop *loop = context;
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGHUP) {
            on_stop_signal(loop, info.ssi_signo);
        } else if (loop->owner.reload != NULL) {
            loop->owner.reload(loop->owner.context);
        }
    }
}

static void read_clocks(struct loop *loop)
{
    loop->now_us = clock_monotonic_us();
    loop->wall_us = clock_wall_us();
}

// Frames that were not understood, and what could not be sent to peers that had gone or took
// nothing, for the operator.
static void report_losses(struct loop *loop)
{
    uint64_t refused = traffic_refused(loop->traffic);
    if (refused == loop->reported || loop->now_us < loop->report_next_us) {
        return;
    }
    loop->report_next_us = loop->now_us + REPORT_US;
    loop->reported = refused;
    logger_line(loop->log, LOG_WARNING, "event=frames_refused refused=%" PRIu64 " unsent=%" PRIu64,
                refused, traffic_unsent(loop->traffic));
}

static void answer_watchdog(struct loop *loop)
{
    if (loop->watchdog_us > 0 && loop->now_us >= loop->watchdog_next_us) {
        loop->watchdog_next_us = loop->now_us + loop->watchdog_us;
        supervisor_alive();
    }
}

// Lets the machine close its batches, then everything out.
static void end_turn(struct loop *loop)
{
    if (loop->is_turn_open) {
        struct event event = {.kind = EVENT_TURN};
        loop_step(loop, &event);
        loop->is_turn_open = false;
    }
    if (loop->owner.turn_over != NULL) {
        loop->owner.turn_over(loop->owner.context);
    }
    traffic_flush(loop->traffic);
}

// How long nothing is due; 0 when something is there already.
static struct timespec sleep_time(struct loop *loop)
{
    bool is_busy = traffic_has_news(loop->traffic) || loop->refused_count > 0;
    uint64_t until_us = timers_next_us(&loop->timers);
    if (loop->watchdog_us > 0 && loop->watchdog_next_us < until_us) {
        until_us = loop->watchdog_next_us;
    }
    if (loop->stop_deadline_us < until_us) {
        until_us = loop->stop_deadline_us;
    }
    if (until_us == UINT64_MAX && !is_busy) {
        return (struct timespec){.tv_sec = 3600};
    }
    uint64_t now_us = clock_monotonic_us();
    uint64_t left_us = is_busy || until_us <= now_us ? 0 : until_us - now_us;
    return (struct timespec){.tv_sec = (time_t)(left_us / 1000000),
                             .tv_nsec = (long)(left_us % 1000000) * 1000};
}

static void sleep_and_wake(struct loop *loop)
{
    struct timespec time = sleep_time(loop);
    struct epoll_event events[WATCH_COUNT_MAX];
    int count = epoll_pwait2(loop->epoll_fd, events, WATCH_COUNT_MAX, &time, NULL);
    ASSERT(count >= 0 || errno == EINTR);
    read_clocks(loop);
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        watch->ready(watch->context);
    }
}

static void take_turn(struct loop *loop)
{
    sleep_and_wake(loop);
    if (loop->owner.is_congested != NULL) {
        traffic_pause(loop->traffic, loop->owner.is_congested(loop->owner.context));
    }
    traffic_begin(loop->traffic, loop->now_us, loop->wall_us);
    take_timers(loop);
    take_traffic(loop);
    take_refused(loop);
    end_turn(loop);
    report_losses(loop);
    answer_watchdog(loop);
    if (loop->now_us >= loop->stop_deadline_us && !loop->is_stopped) {
        logger_line(loop->log, LOG_ERROR, "event=stop_took_too_long");
        stop(loop, EXIT_OTHER);
    }
}

int loop_run(struct loop *loop, const struct machine *machine, const struct loop_owner *owner)
{
    loop->machine = *machine;
    loop->owner = *owner;
    read_clocks(loop);
    struct event start = {.kind = EVENT_START};
    loop_step(loop, &start);
    end_turn(loop);
    while (!loop->is_stopped) {
        take_turn(loop);
    }
    return loop->exit_code;
}

void loop_block_signals(void)
{
    sigset_t signals = loop_signals();
    ASSERT(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
    // A reader of ours that went away and a file at its bound are errors of a write.
    ASSERT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    ASSERT(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
}
