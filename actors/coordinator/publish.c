/*
 * Publishing the topology.
 *
 * 1. A change goes to everybody at the end of the step in which it was made, but not more often
 *    than every 10 ms, so that one process that flaps can't flood all others. Who leads goes out at
 *    once.
 * 2. Otherwise a process gets a topology only as the answer to its own report, and only if half of
 *    the expiry time passed since the last one. So an idle cluster is quiet, what is said about
 *    lags is at most that old, and nobody takes this coordinator for dead.
 * 3. A process that is unreachable gets nothing until it reports.
 */
#include "actors/coordinator/publish.h"

enum { PUBLISH_INTERVAL_US = 10000 };

void publish_self(struct coordinator *self, uint64_t now_us)
{
    const struct process *process = self->process;
    struct registry_member *self_member;
    struct message_member report = {
        .name = process->name,
        .role = (uint8_t)process->role,
        .endpoint = process->endpoint,
        .trace_endpoint = process->trace_endpoint,
        .incarnation = process->incarnation,
        .pid = process->pid,
        .state = self->is_stopping ? MEMBER_unreachable : MEMBER_ready,
        .beat = ++self->publisher.beat,
    };
    if (registry_report(&self->registry, &report, 0, now_us, &self_member) != STATUS_ok) {
        self->refused++;
    }
}

static void encode_topology(struct coordinator *self, struct buffer *out)
{
    AUTO(buffer_release) struct buffer members = {0};
    registry_encode(&self->registry, &members);
    struct message message = {
        .kind = MESSAGE_topology,
        .topology = {.cluster_id = self->election.cluster_id,
                     .epoch = self->primary.epoch,
                     .primary = bytes_from_text(self->primary.name),
                     .coordinator = self->process->incarnation,
                     .sequence = ++self->publisher.sequence,
                     .cluster_name = self->process->cluster_name,
                     .members = buffer_bytes(&members)},
    };
    message_encode(&message, out);
}

// Whether there is something that others must hear of.
static bool is_behind(const struct coordinator *self)
{
    return self->publisher.change != self->registry.change ||
           self->publisher.cluster_id != self->election.cluster_id;
}

void publish_changes(struct coordinator *self, uint64_t now_us, struct outbox *out)
{
    if (!is_behind(self)) {
        return;
    }
    struct publisher *publisher = &self->publisher;
    uint64_t earliest_us = publisher->published_us + PUBLISH_INTERVAL_US;
    if (!publisher->is_urgent && publisher->published_us != 0 && now_us < earliest_us) {
        outbox_timer(out, TIMER_PUBLISH, earliest_us);
        return;
    }
    publisher->is_urgent = false;
    publisher->published_us = now_us;
    publisher->change = self->registry.change;
    publisher->cluster_id = self->election.cluster_id;
    AUTO(buffer_release) struct buffer encoded = {0};
    encode_topology(self, &encoded);
    for (size_t i = 0; i < self->registry.count; i++) {
        struct registry_member *member = &self->registry.members[i];
        if (member->from != 0 && member->record.state != MEMBER_unreachable) {
            outbox_send_encoded(out, member->from, buffer_bytes(&encoded));
            member->sent_us = now_us;
        }
    }
}

void publish_to_member(struct coordinator *self, struct registry_member *member, uint64_t now_us,
                       struct outbox *out)
{
    uint64_t refresh_us = ms_to_us(self->process->timings.member_expiry_ms) / 2;
    if (!is_behind(self) && now_us - member->sent_us >= refresh_us) {
        publish_to(self, member->from, out);
        member->sent_us = now_us;
    }
}

void publish_to(struct coordinator *self, uint64_t to, struct outbox *out)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    encode_topology(self, &encoded);
    outbox_send_encoded(out, to, buffer_bytes(&encoded));
}
