/*
 * Leading an epoch.
 *
 *   start ──► no-op committed and applied: ready ──► transactions, entries, commits ──► stop
 *                                                        │
 *        heartbeat: a round and an append to every node, or step down (rule 34)
 *
 * 1. The no-op of the epoch is durable before this begins; no message of the epoch left the node
 *    before (rule 5).
 * 2. The commit position moves to what a majority of voters has, and only when that entry is of
 *    this epoch; earlier ones follow with it (rule 14).
 * 3. Nothing is executed before the no-op is committed and applied (rule 17).
 * 4. A primary without a confirmed round for suspect_after, or with work and no progress for
 *    stall_ms, is none any more, whatever it thinks (rule 34). A lack of disk space is no stall:
 *    writes are refused, reads go on; but a disk that doesn't even refuse is one. Neither is a
 *    majority that is still being brought up.
 * 5. A voter that promised a higher epoch is reported, not obeyed: the majority still follows. A
 *    coordinator elects above it (rule 35).
 * 6. A node whose state can't be read stops: what fails here may be done by the next primary. So
 *    nothing that failed for it is answered.
 */
#include "actors/primary/leader.h"

#include "base/assert.h"
#include "base/bug.h"

enum {
    RETRY_US = 100 * 1000,  // after which a full disk is tried again, at most
    RETRIES_OF_A_STALL = 4, // so often at least before it would be taken for one that hangs
};

void leader_init(struct leader *leader, struct core *core, struct state *state,
                 const struct applied *applied)
{
    *leader = (struct leader){.core = core, .state = state, .applied = applied};
    proposals_init(&leader->proposals, core, state);
    streaming_init(&leader->streaming, core, state, applied);
}

void leader_release(struct leader *leader)
{
    proposals_release(&leader->proposals);
    streaming_release(&leader->streaming);
}

void leader_start(struct leader *leader, uint64_t epoch, uint64_t noop_position,
                  const struct event *event, struct outbox *out)
{
    const struct log_item *noop = log_find(&leader->core->log, noop_position);
    ASSERT(noop != NULL && !leader->leads);
    leader->leads = true;
    leader->epoch = epoch;
    leader->noop_position = noop_position;
    leader->progress_us = event->now_us;
    leader->wanted_epoch = 0;
    leader->handover = (struct handover){0};
    proposals_start(&leader->proposals, noop->entry.time_us, event->now_us);
    rounds_start(&leader->rounds, event->now_us);
    streaming_start(&leader->streaming, epoch, out);
    leader_on_heartbeat(leader, event, out);
}

void leader_stop(struct leader *leader, struct outbox *out)
{
    leader->leads = false;
    leader->handover = (struct handover){0};
    proposals_stop(&leader->proposals);
    streaming_stop(&leader->streaming);
    outbox_timer(out, LEADER_TIMER_HEARTBEAT, 0);
    outbox_timer(out, LEADER_TIMER_GATHER, 0);
    outbox_timer(out, LEADER_TIMER_MARK, 0);
    outbox_timer(out, LEADER_TIMER_RETRY, 0);
    outbox_timer(out, LEADER_TIMER_WORK, 0);
}

bool leader_is_ready(const struct leader *leader)
{
    uint64_t reached = BUG(17) ? leader->core->durable_position : leader->applied->place.position;
    return leader->leads && reached >= leader->noop_position;
}

uint64_t leader_committed_version(const struct leader *leader)
{
    struct entry_place place;
    ASSERT(log_place_at(&leader->core->log, leader->core->commit_position, &place));
    return place.version;
}

bool leader_advance(struct leader *leader, const struct event *event, struct outbox *out)
{
    struct core *core = leader->core;
    uint64_t position = streaming_majority_position(&leader->streaming);
    uint64_t epoch = 0;
    if (!leader->leads || position <= core->commit_position ||
        !log_epoch_at(&core->log, position, &epoch)) {
        return false;
    }
    if (!BUG(13) && epoch != leader->epoch) {
        return false;
    }
    core_commit(core, position);
    leader->progress_us = event->now_us;
    proposals_on_commit(&leader->proposals, position, out);
    return true;
}

void leader_on_disk_full(struct leader *leader, const struct core_write *write,
                         const struct event *event, struct outbox *out)
{
    struct proposals *proposals = &leader->proposals;
    leader->progress_us = event->now_us;
    if (write->sequence <= proposals->full_sequence) {
        return;
    }
    if (!proposals->disk_full) {
        outbox_log(out, LOG_WARNING, "event=disk_full position=%llu",
                   (unsigned long long)leader->core->durable_position);
    }
    proposals->disk_full = true;
    proposals->full_sequence = leader->core->disk_sequence;
    uint64_t stall_us = (uint64_t)leader->core->process->timings.stall_ms * 1000;
    uint64_t retry_us = stall_us / RETRIES_OF_A_STALL;
    outbox_timer(out, LEADER_TIMER_RETRY,
                 event->now_us + (retry_us < RETRY_US ? retry_us : RETRY_US));
}

void leader_on_retry(struct leader *leader, struct outbox *out)
{
    struct core *core = leader->core;
    struct buffer *frames = &leader->proposals.frame;
    uint64_t last = 0;
    buffer_clear(frames);
    if (!leader->proposals.disk_full || !core_has_room(core) ||
        !log_gather(&core->log, core->durable_position + 1, SIZE_MAX, frames, &last)) {
        return;
    }
    core_write_entries(core, buffer_bytes(frames), WRITE_LEAD, 0, out);
}

void leader_on_applied(struct leader *leader)
{
    executor_applied(leader->proposals.executor, leader->applied->place.position);
}

// Once the executor has met a state that can't be read nothing is closed any more (6).
static bool stop_if_unreadable(const struct leader *leader, struct outbox *out)
{
    enum status fault = executor_fault(leader->proposals.executor);
    if (fault == STATUS_ok) {
        return false;
    }
    outbox_stop(out, fault == STATUS_damaged ? EXIT_DAMAGED : EXIT_OTHER,
                "event=state_unreadable epoch=%llu status=%s", (unsigned long long)leader->epoch,
                status_name(fault));
    return true;
}

void leader_on_turn(struct leader *leader, const struct event *event, struct outbox *out)
{
    if (!leader->leads || stop_if_unreadable(leader, out)) {
        return;
    }
    if (leader_is_ready(leader)) {
        if (!leader->handover.active && !leader_lacks_space(leader)) {
            proposals_work(&leader->proposals, event, out);
        }
        proposals_close_if_due(&leader->proposals, event, out);
    }
    streaming_send_all(&leader->streaming, event->now_us, out);
    handover_advance(&leader->handover, &leader->streaming,
                     proposals_are_drained(&leader->proposals), out);
}

bool leader_lacks_space(const struct leader *leader)
{
    const struct streaming *streaming = &leader->streaming;
    size_t able = 1;
    if (leader->proposals.disk_full) {
        return true;
    }
    for (size_t i = 0; i < streaming->peer_count; i++) {
        const struct peer *peer = &streaming->peers[i];
        able += peer->voter && !peer->disk_full ? 1 : 0;
    }
    return able < majority_of(leader->core->configuration.voter_count);
}

bool leader_on_heartbeat(struct leader *leader, const struct event *event, struct outbox *out)
{
    const struct timings *timings = &leader->core->process->timings;
    uint64_t now_us = event->now_us;
    const struct core *core = leader->core;
    bool idle = core->commit_position == core->log.last.position &&
                core->durable_position == core->log.last.position && !leader->proposals.open;
    bool is_full = leader->proposals.disk_full;
    bool progressed = !is_full && leader->streaming.progress != leader->seen_progress;
    bool awaits_space = !is_full && leader_lacks_space(leader);
    leader->seen_progress = leader->streaming.progress;
    if (idle || progressed || awaits_space) {
        leader->progress_us = now_us;
    }
    bool stalled = now_us - leader->progress_us > (uint64_t)timings->stall_ms * 1000;
    bool confirmed = rounds_are_fresh(&leader->rounds, now_us,
                                      (uint64_t)timings->suspect_after_ms * 1000);
    if (!BUG(28) && (stalled || !confirmed)) {
        outbox_log(out, LOG_WARNING, "event=steps_down epoch=%llu reason=\"%s\"",
                   (unsigned long long)leader->epoch,
                   stalled ? "work and no progress" : "no majority answers");
        return false;
    }
    uint64_t round = rounds_begin(&leader->rounds, &leader->streaming, now_us);
    streaming_send_round(&leader->streaming, round, now_us, out);
    handover_end_if_late(&leader->handover, now_us, out);
    if (leader_is_ready(leader) && !leader->handover.active && !leader_lacks_space(leader)) {
        proposals_expire_sessions(&leader->proposals, event);
    }
    outbox_timer(out, LEADER_TIMER_HEARTBEAT, now_us + (uint64_t)timings->heartbeat_ms * 1000);
    return true;
}
