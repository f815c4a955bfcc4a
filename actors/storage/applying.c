/*
 * Applying: the state follows the commit position.
 *
 * 1. Nothing is applied before it is committed and durable in this node's own journal (rule 17).
 * 2. An entry of an unknown kind stops the node; nothing is skipped (rule 38).
 * 3. A marked entry makes the node keep a snapshot of the state right behind it.
 * 4. What was applied leaves the window of the log, but for the newest few megabytes, which spare
 *    followers a little behind the way through the journal.
 */
#include "actors/storage/node_internal.h"

#include "base/assert.h"

static void node_apply_failed(const struct node *node, enum status status, struct outbox *out)
{
    outbox_stop(out, status == STATUS_damaged ? EXIT_DAMAGED : EXIT_OTHER,
                "event=apply_failed position=%llu status=%s",
                (unsigned long long)node->applied.place.position + 1, status_name(status));
}

// Applies one entry. False: it could not be.
static bool node_apply_entry(struct node *node, const struct log_item *item,
                             const struct event *event, struct outbox *out)
{
    enum status status = apply_entry(node->state_port, node->core.vote.cluster_id, &item->entry,
                                     &node->applied);
    if (status == STATUS_ok && (item->entry.flags & ENTRY_FLAG_MARK) != 0) {
        status = marks_add(node->marks, item->entry.version, event->now_us);
    }
    node->upkeep.applied_size += item->size;
    if (status == STATUS_ok) {
        return true;
    }
    if (status != STATUS_read_only) { // a full disk is tried again
        node_apply_failed(node, status, out);
    }
    return false;
}

static void node_trim_window(struct node *node)
{
    struct log *log = &node->core.log;
    while (log->window_size > node->core.process->sizes.log_window &&
           log->window_first <= node->applied.place.position) {
        log_forget(log, log->window_first);
    }
}

// The primary's no-op is applied: it serves from now on, and everybody is told at once.
static void node_announce(struct node *node, const struct event *event, struct outbox *out)
{
    if (node->state != NODE_LEADING || node->announced || !leader_is_ready(&node->leader)) {
        return;
    }
    node->announced = true;
    outbox_log(out, LOG_INFO, "event=serves epoch=%llu version=%llu",
               (unsigned long long)node->leader.epoch,
               (unsigned long long)node->applied.place.version);
    node_report(node, event->now_us, out);
}

void node_apply(struct node *node, const struct event *event, struct outbox *out)
{
    struct core *core = &node->core;
    uint64_t limit = core->commit_position < core->durable_position ? core->commit_position
                                                                    : core->durable_position;
    bool applied = false;
    while (node->applied.place.position < limit) {
        const struct log_item *item = log_find(&core->log, node->applied.place.position + 1);
        if (item == NULL || !node_apply_entry(node, item, event, out)) {
            break;
        }
        applied = true;
    }
    if (!applied) {
        return;
    }
    node->follower.applied_version = node->applied.place.version;
    if (node->state == NODE_LEADING) {
        leader_on_applied(&node->leader);
    }
    node_announce(node, event, out);
    struct read_need reached = {.version = node->applied.place.version,
                                .position = node->applied.place.position};
    parked_reads_release_up_to(&node->parked, &reached, out);
    node_trim_window(node);
}
