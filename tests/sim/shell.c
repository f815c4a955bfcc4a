/*
 * One simulated process.
 *
 *            shell_start             shell_crash, an effect that stops it
 *     down ───────────────► up ─────────────────────────────────────────► down
 *                          │  ▲
 *              shell_pause │  │ shell_resume: what happened meanwhile happens now, in order
 *                          ▼  │
 *                         paused
 *
 * 1. Every start is a new life with a new incarnation; occurrences of an older life are stale.
 * 2. A timer has one occurrence in the queue at a time: when it comes it looks whether the timer
 *    was moved, and comes again if so. Moving a timer further away costs nothing.
 * 3. Turns: an event opens a turn, which ends (EVENT_TURN) after a random moment, so that events
 *    close together share one, as in a loop over sockets.
 * 4. Nothing here calls a machine from within a step: effects become occurrences.
 */
#include "tests/sim/shell.h"

#include "base/assert.h"
#include "tests/sim/network.h"

#include <stdio.h>
#include <stdlib.h>

// Writers and readers take any port that is free, so they have another one at each start.
static bool takes_any_port(const struct shell *shell)
{
    return shell->process.role == ROLE_writer || shell->process.role == ROLE_reader;
}

enum { ENDPOINT_SIZE = sizeof((struct shell *)NULL)->endpoint };

static struct bytes print_endpoint(const struct shell *shell, uint32_t home,
                                   char text[ENDPOINT_SIZE])
{
    if (home == 0) {
        snprintf(text, ENDPOINT_SIZE, "tcp://%s", shell->name);
    } else {
        snprintf(text, ENDPOINT_SIZE, "tcp://%s.%u", shell->name, home);
    }
    return bytes_from_text(text);
}

static void move_in(struct shell *shell, uint32_t home)
{
    shell->home = home;
    shell->process.endpoint = print_endpoint(shell, home, shell->endpoint);
    shell->address = address_of_endpoint(shell->process.endpoint);
}

void shell_init(struct shell *shell, struct network *network, const char *name, enum role role)
{
    *shell = (struct shell){.network = network, .world = network->world};
    ASSERT(strlen(name) < sizeof shell->name);
    memcpy(shell->name, name, strlen(name) + 1);
    shell->process.name = bytes_from_text(shell->name);
    shell->process.role = role;
    shell->process.timings = timings_default();
    move_in(shell, 0);
    outbox_init(&shell->outbox);
    network_add(network, shell);
}

void shell_release(struct shell *shell)
{
    if (shell->is_up) {
        shell->role->stop(shell, false);
    }
    outbox_release(&shell->outbox);
    free(shell->deferred);
    *shell = (struct shell){0};
}

uint64_t shell_address(const struct shell *shell, uint32_t home)
{
    char text[ENDPOINT_SIZE];
    return home == shell->home ? shell->address
                               : address_of_endpoint(print_endpoint(shell, home, text));
}

// The process is gone: forgets what belonged to this life.
static void shell_end(struct shell *shell, bool is_crash)
{
    ASSERT(shell->is_up);
    shell->role->stop(shell, is_crash);
    shell->machine = (struct machine){0};
    shell->is_up = false;
    shell->is_paused = false;
    shell->is_turn_due = false;
    shell->timer_count = 0;
    shell->deferred_count = 0;
    shell->cluster_id = 0;
    shell->life++;
    network_stopped(shell->network, shell);
}

void shell_start(struct shell *shell)
{
    ASSERT(!shell->is_up);
    shell->life++;
    shell->process.incarnation = random_next(&shell->random) | 1;
    shell->process.seed = random_next(&shell->random);
    if (takes_any_port(shell)) {
        move_in(shell, shell->home + 1);
    }
    shell->process.pid = 1000 * (shell->number + 1) + shell->life;
    world_trace(shell->world, "%s starts, incarnation %llx", shell->name,
                (unsigned long long)shell->process.incarnation);
    shell->exit_code = shell->role->start(shell);
    if (shell->exit_code != EXIT_CLEAN) {
        world_trace(shell->world, "%s can't start: exit code %u", shell->name, shell->exit_code);
        shell->watch->ended(shell->watch->context, shell, shell->exit_code);
        return;
    }
    shell->is_up = true;
    network_started(shell->network, shell);
    struct event event = {.kind = EVENT_START};
    shell_step(shell, &event);
}

void shell_crash(struct shell *shell)
{
    if (shell->is_up) {
        world_trace(shell->world, "%s crashes", shell->name);
        shell_end(shell, true);
    }
}

void shell_exit(struct shell *shell, uint32_t exit_code)
{
    world_trace(shell->world, "%s ends with exit code %u", shell->name, exit_code);
    shell->exit_code = exit_code;
    shell_end(shell, true);
    shell->watch->ended(shell->watch->context, shell, exit_code);
}

static void run_stop_request(void *context, uint64_t life)
{
    struct shell *shell = context;
    if (!shell->is_up || shell->life != life ||
        shell_defers(shell, run_stop_request, context, life)) {
        return;
    }
    struct event event = {.kind = EVENT_STOP};
    shell_step(shell, &event);
}

void shell_ask_to_stop(struct shell *shell)
{
    world_trace(shell->world, "%s is asked to stop", shell->name);
    world_at(shell->world, 0, run_stop_request, shell, shell->life);
}

void shell_pause(struct shell *shell)
{
    if (shell->is_up && !shell->is_paused) {
        world_trace(shell->world, "%s is paused", shell->name);
        shell->is_paused = true;
    }
}

void shell_resume(struct shell *shell)
{
    if (!shell->is_paused) {
        return;
    }
    world_trace(shell->world, "%s goes on", shell->name);
    shell->is_paused = false;
    for (size_t i = 0; i < shell->deferred_count; i++) {
        const struct occurrence *item = &shell->deferred[i];
        world_at(shell->world, 0, item->run, item->context, item->argument);
    }
    shell->deferred_count = 0;
}

static void queue_timer(struct shell *shell, size_t slot);

// The argument is the life and the slot of the timer.
static void run_timer(void *context, uint64_t argument)
{
    struct shell *shell = context;
    size_t slot = argument & 0xff;
    if (!shell->is_up || shell->life != argument >> 8 ||
        shell_defers(shell, run_timer, context, argument)) {
        return;
    }
    struct shell_timer *timer = &shell->timers[slot];
    if (timer->queued_us > shell->world->now_us) {
        return; // an earlier occurrence of a timer that was moved forwards and looked at since
    }
    timer->queued_us = 0;
    if (timer->at_us == 0) {
        return;
    }
    if (clock_local(&shell->clock, shell->world->now_us) < timer->at_us) {
        queue_timer(shell, slot);
        return;
    }
    timer->at_us = 0;
    struct event event = {.kind = EVENT_TIMER, .timer = timer->timer};
    shell_step(shell, &event);
}

static void queue_timer(struct shell *shell, size_t slot)
{
    struct shell_timer *timer = &shell->timers[slot];
    uint64_t due_us = clock_world(&shell->clock, timer->at_us);
    due_us = due_us > shell->world->now_us ? due_us : shell->world->now_us + 1;
    if (timer->queued_us == 0 || timer->queued_us > due_us) {
        timer->queued_us = due_us;
        world_at(shell->world, due_us, run_timer, shell, (uint64_t)shell->life << 8 | slot);
    }
}

static void set_timer(struct shell *shell, uint32_t timer, uint64_t at_us)
{
    size_t slot = 0;
    while (slot < shell->timer_count && shell->timers[slot].timer != timer) {
        slot++;
    }
    if (slot == shell->timer_count) {
        ASSERT(shell->timer_count < SHELL_TIMERS_MAX);
        shell->timers[shell->timer_count++] = (struct shell_timer){.timer = timer};
    }
    shell->timers[slot].at_us = at_us;
    if (at_us != 0) {
        queue_timer(shell, slot);
    }
}

void shell_set_rate(struct shell *shell, uint32_t rate_ppm)
{
    clock_set_rate(&shell->clock, shell->world->now_us, rate_ppm);
    for (size_t i = 0; i < shell->timer_count; i++) {
        if (shell->timers[i].at_us != 0) {
            queue_timer(shell, i);
        }
    }
}

static void run_turn(void *context, uint64_t life)
{
    struct shell *shell = context;
    if (!shell->is_up || shell->life != life || shell_defers(shell, run_turn, context, life)) {
        return;
    }
    shell->is_turn_due = false;
    struct event event = {.kind = EVENT_TURN};
    shell_step(shell, &event);
}

static void open_turn(struct shell *shell)
{
    if (!shell->is_turn_due) {
        shell->is_turn_due = true;
        uint64_t delay_us = random_below(&shell->random, shell->turn_delay_us + 1);
        world_at(shell->world, shell->world->now_us + delay_us, run_turn, shell, shell->life);
    }
}

static void carry_disk(struct shell *shell, const struct effect *effect, struct bytes bytes)
{
    struct disk_request request = effect->disk;
    request.bytes = bytes;
    shell->role->disk(shell, &request);
}

static void carry_log(const struct shell *shell, struct bytes text)
{
    world_trace(shell->world, "%s log: %.*s", shell->name, (int)text.size, (const char *)text.data);
    coverage_take_line(&shell->world->coverage, text);
}

// Carries out one effect; true if it ends the process.
static bool carry(struct shell *shell, const struct effect *effect)
{
    struct bytes bytes = outbox_effect_bytes(&shell->outbox, effect);
    switch (effect->kind) {
    case EFFECT_SEND: network_send(shell->network, shell, effect->to, bytes); break;
    case EFFECT_CONNECT: network_connect(shell->network, shell, bytes); break;
    case EFFECT_DISCONNECT: network_disconnect(shell->network, shell, effect->to); break;
    case EFFECT_TIMER: set_timer(shell, effect->timer, effect->at_us); break;
    case EFFECT_DISK: carry_disk(shell, effect, bytes); break;
    case EFFECT_QUERY: shell->role->query(shell, effect->to, bytes); break;
    case EFFECT_CLUSTER: shell->cluster_id = effect->at_us; break;
    case EFFECT_LOG: carry_log(shell, bytes); break;
    case EFFECT_STOP: return true;
    }
    return false;
}

static void stop_by_effect(struct shell *shell, const struct effect *effect)
{
    struct bytes why = outbox_effect_bytes(&shell->outbox, effect);
    world_trace(shell->world, "%s ends with exit code %u: %.*s", shell->name, effect->timer,
                (int)why.size, (const char *)why.data);
    shell->exit_code = effect->timer;
    shell_end(shell, false);
    shell->watch->ended(shell->watch->context, shell, shell->exit_code);
}

// Carries out the effects of a step; false when one of them ended the process.
static bool carry_all(struct shell *shell)
{
    for (size_t i = 0; i < shell->outbox.count; i++) {
        if (carry(shell, &shell->outbox.effects[i])) {
            stop_by_effect(shell, &shell->outbox.effects[i]);
            return false;
        }
    }
    return true;
}

void shell_step(struct shell *shell, struct event *event)
{
    struct world *world = shell->world;
    ASSERT(shell->is_up && !shell->is_paused);
    event->now_us = clock_local(&shell->clock, world->now_us);
    event->wall_us = clock_wall(&shell->clock, world->now_us);
    world_mix(world, (uint64_t)shell->number << 8 | event->kind);
    outbox_clear(&shell->outbox);
    shell->machine.step(shell->machine.self, event, &shell->outbox);
    shell->watch->stepped(shell->watch->context, shell, event);
    if (!carry_all(shell)) {
        return;
    }
    if (event->kind != EVENT_TURN) {
        open_turn(shell);
    }
    if (shell->role->stepped != NULL) {
        shell->role->stepped(shell);
    }
}

struct outbox *shell_open(struct shell *shell, uint64_t *ret_now_us)
{
    ASSERT(shell->is_up && !shell->is_paused);
    outbox_clear(&shell->outbox);
    *ret_now_us = clock_local(&shell->clock, shell->world->now_us);
    return &shell->outbox;
}

void shell_close(struct shell *shell)
{
    if (carry_all(shell)) {
        open_turn(shell);
    }
}

bool shell_defers(struct shell *shell, void (*run)(void *, uint64_t), void *context,
                  uint64_t argument)
{
    if (!shell->is_paused) {
        return false;
    }
    if (shell->deferred_count == shell->deferred_capacity) {
        shell->deferred_capacity = shell->deferred_capacity == 0 ? 64
                                                                 : 2 * shell->deferred_capacity;
        shell->deferred = reallocarray(shell->deferred, shell->deferred_capacity,
                                       sizeof *shell->deferred);
        ASSERT(shell->deferred != NULL);
    }
    shell->deferred[shell->deferred_count++] = (struct occurrence){
        .run = run, .context = context, .argument = argument};
    return true;
}
