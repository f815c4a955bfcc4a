/*
 * Upkeep: what has to be done now and then.
 *
 *   applied since the last flush >= sizes.flush, or FLUSH_AFTER ──► DISK_FLUSH ──► checkpoint
 *   checkpoint older than sizes.journal_keep bytes, needed by no follower ──► DISK_DROP ──► base
 *
 * 1. Journal entries are dropped only when the state that has them is durable, and then only whole
 *    segments.
 * 2. sizes.journal_keep bytes are kept beyond that, so that a node that was away for a while
 *    catches up from the journal. A primary keeps more for a follower that answers, up to
 *    journal_max; beyond, that follower gets the state.
 * 3. The high-water mark follows HIGH_WATER_DELAY_MS after the last write, or a segment's worth of
 *    them (rule 19).
 */
#include "actors/storage/node_internal.h"

#include <string.h>

enum {
    UPKEEP_INTERVAL_US = 1000 * 1000,
    FLUSH_AFTER_US = 30 * 1000 * 1000,
};

void node_upkeep_start(struct node *node, uint64_t now_us, struct outbox *out)
{
    node->upkeep.flush_asked_us = now_us;
    outbox_timer(out, NODE_TIMER_UPKEEP, now_us + UPKEEP_INTERVAL_US);
}

static void node_flush_if_due(struct node *node, uint64_t now_us, struct outbox *out)
{
    struct upkeep *upkeep = &node->upkeep;
    uint64_t unflushed = upkeep->applied_size - upkeep->flushed_size;
    bool due = unflushed >= node->core.process->sizes.flush ||
               (unflushed > 0 && now_us - upkeep->flush_asked_us >= FLUSH_AFTER_US);
    if (!due || upkeep->flush_sequence != 0) {
        return;
    }
    struct disk_request request = {.kind = DISK_FLUSH, .position = node->applied.place.position};
    upkeep->flush_asked_us = now_us;
    upkeep->flushed_size = upkeep->applied_size;
    upkeep->flush_sequence = core_request(&node->core, &request, out);
}

// Takes out the checkpoint that leaves the smallest gap: a slow trickle of writes must not push out
// those that grow old enough to drop the journal by.
static void node_thin_checkpoints(struct upkeep *upkeep)
{
    size_t thinned = 1;
    uint64_t smallest = UINT64_MAX;
    for (size_t i = 1; i + 1 < upkeep->checkpoint_count; i++) {
        uint64_t gap = upkeep->checkpoints[i + 1].written - upkeep->checkpoints[i - 1].written;
        if (gap < smallest) {
            smallest = gap;
            thinned = i;
        }
    }
    upkeep->checkpoint_count--;
    memmove(upkeep->checkpoints + thinned, upkeep->checkpoints + thinned + 1,
            (upkeep->checkpoint_count - thinned) * sizeof(upkeep->checkpoints[0]));
}

static void node_add_checkpoint(struct upkeep *upkeep, uint64_t position)
{
    if (upkeep->checkpoint_count == CHECKPOINT_COUNT) {
        node_thin_checkpoints(upkeep);
    }
    upkeep->checkpoints[upkeep->checkpoint_count++] = (struct checkpoint){
        .position = position, .written = upkeep->flushed_size};
}

// Up to where the journal may be dropped; 0 for not at all.
static uint64_t node_droppable(const struct node *node, uint64_t now_us)
{
    const struct upkeep *upkeep = &node->upkeep;
    const struct node_sizes *sizes = &node->core.process->sizes;
    uint64_t needed = node->state == NODE_LEADING
                          ? streaming_needed_position(&node->leader.streaming, now_us)
                          : UINT64_MAX;
    uint64_t droppable = 0;
    for (size_t i = 0; i < upkeep->checkpoint_count; i++) {
        const struct checkpoint *checkpoint = &upkeep->checkpoints[i];
        uint64_t behind = upkeep->applied_size - checkpoint->written;
        bool wanted = checkpoint->position > needed && behind < sizes->journal_max;
        if (behind >= sizes->journal_keep && !wanted) {
            droppable = checkpoint->position;
        }
    }
    return droppable;
}

static void node_drop_if_due(struct node *node, uint64_t now_us, struct outbox *out)
{
    uint64_t position = node_droppable(node, now_us);
    if (position <= node->core.log.base.position || node->upkeep.drop_sequence != 0) {
        return;
    }
    struct disk_request request = {.kind = DISK_DROP, .position = position};
    node->upkeep.drop_sequence = core_request(&node->core, &request, out);
}

void node_on_flushed(struct node *node, const struct event *event, struct outbox *out)
{
    const struct disk_done *done = event->done;
    node->upkeep.flush_sequence = 0;
    if (done->status != STATUS_ok) {
        outbox_log(out, LOG_WARNING, "event=flush_failed status=%s", status_name(done->status));
        node->upkeep.flushed_size = 0; // everything is to be flushed again
        return;
    }
    node_add_checkpoint(&node->upkeep, done->position);
    node_drop_if_due(node, event->now_us, out);
}

void node_on_dropped(struct node *node, const struct disk_done *done)
{
    node->upkeep.drop_sequence = 0;
    if (done->status == STATUS_ok && done->base.position > node->core.log.base.position) {
        log_set_base(&node->core.log, &done->base);
    }
}

void node_on_upkeep(struct node *node, uint64_t now_us, struct outbox *out)
{
    uint64_t horizon_us = (uint64_t)node->core.process->timings.horizon_ms * 1000;
    marks_expire(node->marks, now_us, horizon_us);
    node_flush_if_due(node, now_us, out);
    node_drop_if_due(node, now_us, out);
    outbox_timer(out, NODE_TIMER_UPKEEP, now_us + UPKEEP_INTERVAL_US);
}

void node_on_wrote(struct node *node, uint64_t now_us, struct outbox *out)
{
    if (node->core.unmarked_size >= node->core.process->sizes.segment &&
        core_has_room(&node->core)) {
        core_raise_high_water(&node->core, out);
    }
    node->upkeep.wrote_us = now_us;
    if (!node->upkeep.high_water_timer) {
        node->upkeep.high_water_timer = true;
        outbox_timer(out, NODE_TIMER_HIGH_WATER, now_us + (uint64_t)HIGH_WATER_DELAY_MS * 1000);
    }
}

void node_on_high_water(struct node *node, uint64_t now_us, struct outbox *out)
{
    uint64_t due_us = node->upkeep.wrote_us + (uint64_t)HIGH_WATER_DELAY_MS * 1000;
    if (now_us < due_us || !core_has_room(&node->core)) {
        outbox_timer(out, NODE_TIMER_HIGH_WATER, due_us > now_us ? due_us : now_us + 1000);
        return;
    }
    node->upkeep.high_water_timer = false;
    core_raise_high_water(&node->core, out);
}
