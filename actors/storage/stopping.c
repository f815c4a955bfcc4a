/*
 * Stopping cleanly: a node that doesn't lead ends at once; a primary hands over first (rule 36) and
 * ends when it hears its successor, or when that takes longer than STOP_PATIENCE_US.
 *
 * The coordinators are asked one after another, in case one of them is gone.
 */
#include "actors/storage/node_internal.h"

enum {
    STOP_LOOK_US = 10 * 1000,       // between looks
    STOP_STEP_US = 200 * 1000,      // then the next coordinator is asked
    STOP_PATIENCE_US = 2000 * 1000, // it ends then at the latest
};

static void node_stop(struct node *node, uint64_t now_us, struct outbox *out)
{
    if (node->leader.leads) {
        leader_stop(&node->leader, out);
    }
    node_become(node, NODE_STOPPED, now_us, out);
    outbox_stop(out, EXIT_CLEAN, "event=stopped");
}

static void node_ask_coordinator(struct node *node, uint64_t now_us)
{
    const struct agent *agent = &node->agent;
    uint64_t target = handover_target(&node->leader.streaming, bytes_of(NULL, 0));
    if (target == 0 || agent->process->coordinator_count == 0) {
        return;
    }
    size_t index = node->stop_coordinator++ % agent->process->coordinator_count;
    handover_start(&node->leader.handover, target, agent->coordinators[index], now_us);
}

void node_on_stop(struct node *node, const struct event *event, struct outbox *out)
{
    if (node->stopping) {
        return;
    }
    if (!leader_is_ready(&node->leader)) {
        node_stop(node, event->now_us, out);
        return;
    }
    node->stopping = true;
    node->stop_at_us = event->now_us + STOP_PATIENCE_US;
    node->stop_again_us = event->now_us + STOP_STEP_US;
    node_ask_coordinator(node, event->now_us);
    outbox_timer(out, NODE_TIMER_STOP, event->now_us + STOP_LOOK_US);
}

void node_on_stop_due(struct node *node, uint64_t now_us, struct outbox *out)
{
    bool succeeded = !node->leader.leads && node->follower.leader_epoch != 0;
    bool alone = node->leader.leads && !node->leader.handover.active;
    if (succeeded || alone || now_us >= node->stop_at_us) {
        node_stop(node, now_us, out);
        return;
    }
    if (node->leader.leads && node->leader.handover.consented && now_us >= node->stop_again_us) {
        node->stop_again_us = now_us + STOP_STEP_US;
        node_ask_coordinator(node, now_us);
    }
    outbox_timer(out, NODE_TIMER_STOP, now_us + STOP_LOOK_US);
}
