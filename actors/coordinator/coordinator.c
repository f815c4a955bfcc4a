/*
 * The coordinator: steps, and the parts that share its state.
 *
 *   watch.c     reports of processes, who leads, whom to suspect
 *   election    replaces a primary that is not heard (cluster/election.h)
 *   publish.c   the topology, to all, at the end of the step that changed it
 *   switchover.c  planned switchovers
 *
 * 1. It holds nothing that matters: one that was started anew learns all from the reports of a beat
 *    and from polls. Nothing that it publishes is a promise.
 * 2. What is malformed, of another cluster or not asked for is refused, counted, and told at
 *    growing distances. Only requests are refused with an answer: answers to answers would never
 *    end.
 */
#include "actors/coordinator/coordinator.h"

#include "actors/coordinator/publish.h"
#include "actors/coordinator/state.h"
#include "actors/coordinator/switchover.h"
#include "actors/coordinator/watch.h"
#include "base/assert.h"

#include <inttypes.h>
#include <stdlib.h>

struct coordinator *coordinator_new(const struct process *process, const struct voter_seed *voters,
                                    size_t voter_count)
{
    ASSERT(voter_count <= VOTER_COUNT_MAX);
    struct coordinator *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    self->process = process;
    self->voters = voters;
    self->voter_count = voter_count;
    election_init(&self->election, process);
    return self;
}

void coordinator_destroy(struct coordinator **take_coordinator)
{
    free(*take_coordinator);
    *take_coordinator = NULL;
}

void coordinator_count_refused(struct coordinator *self, const struct event *event, const char *why,
                               struct outbox *out)
{
    self->refused++;
    if ((self->refused & (self->refused - 1)) == 0) {
        outbox_log(out, LOG_WARNING, "event=refused kind=%s from=%.*s reason=%s times=%" PRIu64,
                   message_kind_name(event->message->kind), (int)event->from_name.size,
                   (const char *)event->from_name.data, why, self->refused);
    }
}

static void on_start(struct coordinator *self, const struct event *event, struct outbox *out)
{
    for (size_t i = 0; i < self->voter_count; i++) {
        if (registry_add_named(&self->registry, &self->voters[i]) == STATUS_ok) {
            electorate_add_voter(&self->election.electorate, &self->voters[i], out);
        } else {
            outbox_log(out, LOG_ERROR, "event=voter_ignored number=%zu reason=malformed", i + 1);
        }
    }
    publish_self(self, event->now_us);
    watch_start(self, event, out);
    outbox_timer(out, TIMER_BEAT, event->now_us + ms_to_us(self->process->timings.beat_ms));
}

static void on_beat(struct coordinator *self, uint64_t now_us, struct outbox *out)
{
    publish_self(self, now_us);
    watch_expiry(self, now_us);
    outbox_timer(out, TIMER_BEAT, now_us + ms_to_us(self->process->timings.beat_ms));
}

static void on_timer(struct coordinator *self, const struct event *event, struct outbox *out)
{
    switch (event->timer) {
    case TIMER_BEAT: on_beat(self, event->now_us, out); break;
    case TIMER_SUSPECT: watch_silence(self, event, out); break;
    case TIMER_SWITCHOVER: switchover_expire(self, event->now_us, out); break;
    case TIMER_PUBLISH: break; // every step ends with it
    case ELECTION_TIMER: election_on_timer(&self->election, event->now_us, out); break;
    default: break;
    }
}

static void on_why(const struct coordinator *self, const struct event *event, struct outbox *out)
{
    AUTO(buffer_release) struct buffer failovers = {0};
    failover_log_encode(&self->failovers, &failovers);
    struct message reply = {
        .kind = MESSAGE_why_reply,
        .why_reply = {.request = event->message->why.request,
                      .failovers = buffer_bytes(&failovers)},
    };
    outbox_send(out, event->from, &reply);
}

static void on_echo(const struct event *event, struct outbox *out)
{
    struct message reply = {
        .kind = MESSAGE_echo_reply,
        .echo_reply = {.request = event->message->echo.request,
                       .payload = event->message->echo.payload},
    };
    outbox_send(out, event->from, &reply);
}

// Whether a message is a request to us, so that a refusal may answer it.
static bool is_request(enum message_kind kind)
{
    return kind == MESSAGE_member || kind == MESSAGE_topology_get || kind == MESSAGE_why ||
           kind == MESSAGE_switchover || kind == MESSAGE_echo;
}

// Rule 31: a message of another cluster is refused loudly.
static void on_foreign(struct coordinator *self, const struct event *event, struct outbox *out)
{
    coordinator_count_refused(self, event, "wrong_cluster", out);
    if (is_request(event->message->kind)) {
        outbox_refuse(out, event->from, message_request(event->message), STATUS_wrong_cluster,
                      "this coordinator belongs to another cluster");
    }
}

static void on_message(struct coordinator *self, const struct event *event, struct outbox *out)
{
    uint64_t cluster_id = self->election.cluster_id;
    bool is_known = cluster_id != 0 && event->from_cluster_id != 0;
    if (is_known && event->from_cluster_id != cluster_id) {
        on_foreign(self, event, out);
        return;
    }
    switch (event->message->kind) {
    case MESSAGE_member: watch_report(self, event, out); break;
    case MESSAGE_poll_reply:
    case MESSAGE_seal_reply:
    case MESSAGE_appoint_reply: election_on_message(&self->election, event, out); break;
    case MESSAGE_switchover: switchover_on_request(self, event, out); break;
    case MESSAGE_consent: switchover_on_consent(self, event, out); break;
    case MESSAGE_switchover_reply:
    case MESSAGE_refusal: switchover_on_refused(self, event, out); break;
    case MESSAGE_topology_get: publish_to(self, event->from, out); break;
    case MESSAGE_why: on_why(self, event, out); break;
    case MESSAGE_echo: on_echo(event, out); break;
    default: coordinator_count_refused(self, event, "not_for_a_coordinator", out); break;
    }
}

// Says goodbye: the last topology lists this coordinator as unreachable.
static void on_stop(struct coordinator *self, const struct event *event, struct outbox *out)
{
    switchover_fail(self, STATUS_unavailable, "the coordinator was stopped", event->now_us, out);
    self->is_stopping = true;
    self->publisher.is_urgent = true;
    publish_self(self, event->now_us);
    publish_changes(self, event->now_us, out);
    outbox_stop(out, EXIT_CLEAN, "stopped");
}

void coordinator_step(struct coordinator *self, const struct event *event, struct outbox *out)
{
    switch (event->kind) {
    case EVENT_START: on_start(self, event, out); break;
    case EVENT_MESSAGE: on_message(self, event, out); break;
    case EVENT_TIMER: on_timer(self, event, out); break;
    case EVENT_PEER_UP:
    case EVENT_PEER_DOWN: watch_peer(self, event, out); break;
    case EVENT_STOP: on_stop(self, event, out); break;
    default: break;
    }
    publish_changes(self, event->now_us, out);
}
