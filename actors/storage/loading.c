/*
 * Loading: after a start the state stands at its last flush and the journal goes on from there.
 *
 *   state |........ applied|            RocksDB, as of its last flush
 *   journal      |base ............ committed ... end|
 *                          └── read back, applied up to what an entry says was committed
 *
 * 1. Every entry carries the commit position that its primary knew when it made it. The log up to
 *    that entry is the primary's log, so what it says is committed is committed here too (rule 15);
 *    only the last few entries stay undecided until a primary is heard.
 * 2. Until everything is read back the node takes part in nothing.
 * 3. A read that fails ends the process, for the next start to try again; it is no damage.
 * 4. A damaged journal (rules 19, 20), or one that ends before the state, is given up down to what
 *    can be trusted; the node is marked damaged before, so that a crash in between forgets nothing.
 */
#include "actors/storage/node_internal.h"

#include "base/assert.h"

static void node_load_next(struct node *node, struct outbox *out)
{
    struct disk_request request = {
        .kind = DISK_READ, .position = node->core.log.window_end, .size = CATCH_UP_READ_SIZE};
    node->load_sequence = core_request(&node->core, &request, out);
}

static void node_load_end(struct node *node, const struct event *event, struct outbox *out)
{
    node->load_sequence = 0;
    outbox_log(out, LOG_INFO, "event=loaded position=%llu version=%llu epoch=%llu",
               (unsigned long long)node->core.log.last.position,
               (unsigned long long)node->applied.place.version,
               (unsigned long long)core_promised(&node->core));
    node_become(node, NODE_FOLLOWING, event->now_us, out);
}

// The journal can't be trusted: it begins anew behind the state, whose entries are committed.
static void node_load_damaged(struct node *node, const struct event *event, struct outbox *out)
{
    struct core *core = &node->core;
    outbox_log(out, LOG_ERROR, "event=journal_damaged end=%llu applied=%llu",
               (unsigned long long)node->journal_end.position,
               (unsigned long long)node->applied.place.position);
    core->vote.damaged = true;
    core->vote.damaged_promise = core->vote.promised;
    core->vote.high_water_position = node->applied.place.position;
    core->vote.high_water_epoch = node->applied.place.epoch;
    core_write_vote(core, WRITE_NOTHING, 0, out);
    core_reset(core, &node->applied.place, out);
    node_load_end(node, event, out);
}

void node_load_start(struct node *node, const struct event *event, struct outbox *out)
{
    const struct entry_place *applied = &node->applied.place;
    bool reaches = node->journal_end.position >= applied->position &&
                   node->core.log.base.position <= applied->position;
    if (node->was_damaged || !reaches) {
        node_load_damaged(node, event, out);
    } else if (log_is_loaded(&node->core.log)) {
        node_load_end(node, event, out);
    } else {
        node_load_next(node, out);
    }
}

// Takes the entries read back. False: they are not what the journal said it holds.
static bool node_load_entries(struct node *node, struct bytes frames)
{
    struct core *core = &node->core;
    while (frames.size > 0 && !log_is_loaded(&core->log)) {
        struct entry entry;
        size_t size = 0;
        if (entry_decode(frames, core->vote.cluster_id, &entry, &size) != STATUS_ok ||
            entry.position != core->log.window_end) {
            return false;
        }
        core_load(core, bytes_of(frames.data, size), &entry);
        if (entry.commit_position > core->commit_position &&
            entry.commit_position < entry.position) {
            core_commit(core, entry.commit_position);
        }
        frames = bytes_of(frames.data + size, frames.size - size);
    }
    return true;
}

void node_load_on_read(struct node *node, const struct event *event, struct outbox *out)
{
    const struct disk_done *done = event->done;
    node->load_sequence = 0;
    if (done->status == STATUS_internal) {
        // The disk failed, which says nothing about what is on it: another start may read it.
        node_become(node, NODE_STOPPED, event->now_us, out);
        outbox_stop(out, EXIT_OTHER, "event=journal_unreadable position=%llu",
                    (unsigned long long)done->position);
        return;
    }
    if (done->status != STATUS_ok || done->bytes.size == 0 ||
        !node_load_entries(node, done->bytes)) {
        node_load_damaged(node, event, out);
        return;
    }
    node_apply(node, event, out);
    if (log_is_loaded(&node->core.log)) {
        node_load_end(node, event, out);
    } else {
        node_load_next(node, out);
    }
}

void node_repair_if_refilled(struct node *node, const struct event *event, struct outbox *out)
{
    struct core *core = &node->core;
    uint64_t epoch = node->follower.leader_epoch;
    if (!core->vote.damaged || epoch <= core->vote.damaged_promise || !core_has_room(core) ||
        core->log.last.epoch != epoch) {
        return;
    }
    const struct log *log = &core->log;
    bool received = log->last.position == log->base.position; // as a state of this epoch
    if (!received && core->commit_position < log_run_start(log, log->last.position)) {
        return;
    }
    core->vote.damaged = false;
    outbox_log(out, LOG_INFO, "event=repaired epoch=%llu position=%llu", (unsigned long long)epoch,
               (unsigned long long)core->commit_position);
    core_write_vote(core, WRITE_REPAIR, 0, out);
    node_report(node, event->now_us, out);
}
