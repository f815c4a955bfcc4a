/*
 * Serving: what readers, writers and tools ask of a storage node.
 *
 * 1. A read waits until the version it needs is applied, and the entry that marks it if the reader
 *    knows where that is, at most as long as it was given, and is then answered by the query
 *    machine.
 * 2. A read point is answered by a primary only, once an entry of its epoch is committed, with the
 *    version committed then (rule 26). A promise is told at once by any node that may vote.
 * 3. Transactions and marks need a primary whose no-op is committed and applied (rule 17).
 */
#include "actors/storage/node_internal.h"

#include "base/bug.h"

enum { PARKED_STEP_US = 5 * 1000 }; // deadlines of parked reads are looked at so often at most

static void node_refuse_not_primary(const struct node *node, const struct event *event,
                                    struct outbox *out)
{
    struct message_refusal refusal = {
        .request = message_request(event->message),
        .status = STATUS_not_primary,
        .epoch = core_promised(&node->core),
        .message = bytes_from_text("This storage node does not lead; ask the one that does.")};
    outbox_send(out, event->from, &(struct message){.kind = MESSAGE_refusal, .refusal = refusal});
}

void node_on_read_point(struct node *node, const struct event *event, struct outbox *out)
{
    const struct core *core = &node->core;
    bool settled = node->leader.leads && core->commit_position >= node->leader.noop_position;
    if (!node->leader.leads || !(settled || BUG(19))) {
        node_refuse_not_primary(node, event, out);
        return;
    }
    struct message_read_point_reply reply = {
        .request = event->message->read_point.request,
        .epoch = node->leader.epoch,
        .directory_id = core->vote.directory_id,
        .version = leader_committed_version(&node->leader),
        .promised = core_promised(core),
        .configuration = buffer_bytes(&core->configuration_bytes)};
    outbox_send(out, event->from,
                &(struct message){.kind = MESSAGE_read_point_reply, .read_point_reply = reply});
}

void node_on_confirm(struct node *node, const struct event *event, struct outbox *out)
{
    const struct core *core = &node->core;
    if (core->vote.damaged || node->state == NODE_LOADING) {
        return;
    }
    struct message_confirm_reply reply = {.request = event->message->confirm.request,
                                          .directory_id = core->vote.directory_id,
                                          .promised = core_promised(core)};
    outbox_send(out, event->from,
                &(struct message){.kind = MESSAGE_confirm_reply, .confirm_reply = reply});
}

// Whether transactions are taken; if not, why is answered.
static bool node_takes_writes(const struct node *node, const struct event *event,
                              struct outbox *out)
{
    if (!leader_is_ready(&node->leader) || node->leader.handover.active || node->stopping) {
        node_refuse_not_primary(node, event, out);
        return false;
    }
    if (leader_lacks_space(&node->leader)) {
        outbox_refuse(out, event->from, message_request(event->message), STATUS_read_only,
                      "The disks of the storage nodes are full; reads go on, writes are refused "
                      "until there is space.");
        return false;
    }
    return true;
}

void node_on_transaction(struct node *node, const struct event *event, struct outbox *out)
{
    if (!node_takes_writes(node, event, out)) {
        return;
    }
    if (event->message->kind == MESSAGE_transact) {
        proposals_on_transact(&node->leader.proposals, event, out);
    } else {
        proposals_on_transact_status(&node->leader.proposals, event, out);
    }
}

void node_on_mark(struct node *node, const struct event *event, struct outbox *out)
{
    if (node_takes_writes(node, event, out)) {
        proposals_on_mark(&node->leader.proposals, event, out);
    }
}

// What a read or digest needs, and how long it may wait. A snapshot at a time needs a version at
// which that time is over.
static struct read_need node_need_of(const struct message *message, uint32_t *ret_timeout_ms)
{
    if (message->kind == MESSAGE_digest) {
        *ret_timeout_ms = message->digest.timeout_ms;
        return (struct read_need){.version = message->digest.version};
    }
    const struct message_read *read = &message->read;
    *ret_timeout_ms = read->timeout_ms;
    if (read->level != READ_snapshot || read->at_time_us != 0) {
        return (struct read_need){.version = read->after_version};
    }
    return (struct read_need){.version = read->at_version, .position = read->at_position};
}

void node_on_query(struct node *node, const struct event *event, struct outbox *out)
{
    uint32_t timeout_ms = 0;
    struct read_need need = node_need_of(event->message, &timeout_ms);
    struct read_need applied = {.version = node->applied.place.version,
                                .position = node->applied.place.position};
    if (node->state == NODE_LOADING || node->state == NODE_INSTALLING) {
        outbox_refuse(out, event->from, message_request(event->message), STATUS_unavailable,
                      "The storage node is starting.");
    } else if (read_need_is_met(&need, &applied)) {
        outbox_query(out, event->from, event->encoded);
    } else if (!parked_reads_add(&node->parked, event, &need, timeout_ms)) {
        outbox_refuse(out, event->from, message_request(event->message), STATUS_busy,
                      "As many reads wait on this storage node as it takes.");
    } else {
        uint64_t due_us = event->now_us + (uint64_t)timeout_ms * 1000;
        if (node->parked.next_us == 0 || due_us < node->parked.next_us) {
            node->parked.next_us = due_us;
            outbox_timer(out, NODE_TIMER_PARKED, due_us);
        }
    }
}

void node_on_parked_due(struct node *node, uint64_t now_us, struct outbox *out)
{
    parked_reads_expire(&node->parked, now_us, out);
    uint64_t next_us = parked_reads_next_us(&node->parked);
    if (next_us != 0 && next_us < now_us + PARKED_STEP_US) {
        next_us = now_us + PARKED_STEP_US;
    }
    node->parked.next_us = next_us;
    outbox_timer(out, NODE_TIMER_PARKED, next_us);
}

void node_on_switchover(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_switchover *asked = &event->message->switchover;
    if (!leader_is_ready(&node->leader)) {
        node_refuse_not_primary(node, event, out);
        return;
    }
    uint64_t target = handover_target(&node->leader.streaming, asked->target);
    if (target == 0) {
        outbox_refuse(out, event->from, asked->request, STATUS_refused,
                      "No such voter is reachable and able to lead.");
        return;
    }
    outbox_log(out, LOG_INFO, "event=handover_started epoch=%llu",
               (unsigned long long)node->leader.epoch);
    handover_start(&node->leader.handover, target, event->from, event->now_us);
}
