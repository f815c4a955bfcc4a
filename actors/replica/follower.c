/*
 * Following.
 *
 *   append ── refused? (rules 6, 9, 12) ── mismatch? (rule 11) ── conflict: remove from there on
 *      │            │ answer at once          │ hint at once            │
 *      │            ▼                         ▼                         ▼
 *      └─ round: answered at once      append_reply            entries to log and journal
 *                                                                       │ durable
 *                                                                       ▼
 *                                                     append_reply (promise checked again, rule 7)
 *
 * 1. Nothing is acknowledged but what is durable here and was verified by an append of the epoch
 *    that is being followed (rule 15).
 * 2. A higher epoch is promised in the disk queue before the entries that came with it (rule 12).
 * 3. Matching entries remove nothing, not even a longer tail (rule 11); what is removed is never
 *    committed (rule 13).
 * 4. A damaged node answers so that it can be refilled, and says in every answer that it must not
 *    be counted; it answers no rounds (rule 20).
 * 5. A full disk: what did not reach it is forgotten and refused; the primary sends it again.
 */
#include "actors/replica/follower.h"

#include "base/assert.h"
#include "base/bug.h"

void follower_init(struct follower *follower, struct core *core)
{
    *follower = (struct follower){.core = core};
    transfer_in_init(&follower->transfer, core);
}

void follower_release(struct follower *follower)
{
    transfer_in_release(&follower->transfer);
}

void follower_forget_leader(struct follower *follower)
{
    follower->leader_epoch = 0;
    follower->leader = 0;
    follower->leader_address = 0;
    follower->heard_us = 0;
    follower->verified_position = 0;
    follower->told_position = 0;
}

bool follower_refuses(const struct follower *follower, uint64_t epoch, uint64_t leader)
{
    uint64_t promised = core_promised(follower->core);
    bool stale = BUG(11) ? false : epoch < promised;
    bool absurd = epoch > promised && epoch - promised > EPOCH_STEP_MAX;
    bool usurper = epoch == follower->leader_epoch && leader != follower->leader;
    return epoch == 0 || stale || absurd || usurper;
}

bool follower_hears_primary(const struct follower *follower, uint64_t now_us,
                            uint32_t suspect_after_ms)
{
    return follower->heard_us != 0 &&
           now_us - follower->heard_us <= (uint64_t)suspect_after_ms * 1000;
}

void follower_on_node_down(struct follower *follower, uint64_t directory_id)
{
    if (directory_id == follower->leader) {
        follower->heard_us = 0;
    }
}

static uint64_t follower_match(const struct follower *follower)
{
    uint64_t durable = BUG(8) ? follower->core->log.last.position
                              : follower->core->durable_position;
    return durable < follower->verified_position ? durable : follower->verified_position;
}

uint64_t follower_commit_position(const struct follower *follower)
{
    uint64_t durable = follower->core->durable_position;
    uint64_t match = BUG(18) ? durable : follower_match(follower);
    match = match < durable ? match : durable;
    uint64_t told = BUG(18) ? match : follower->told_position;
    return told < match ? told : match;
}

static void follower_answer(const struct follower *follower, uint64_t to,
                            struct message_append_reply reply, struct outbox *out)
{
    const struct core *core = follower->core;
    reply.directory_id = core->vote.directory_id;
    reply.promised = reply.promised != 0 ? reply.promised : core_promised(core);
    reply.applied_version = follower->applied_version;
    reply.damaged = core->vote.damaged;
    reply.damaged_promise = core->vote.damaged ? core->vote.damaged_promise : 0;
    reply.disk_full = follower->disk_full;
    outbox_send(out, to, &(struct message){.kind = MESSAGE_append_reply, .append_reply = reply});
}

// Acknowledges, unless the promise of this epoch is still on its way to the disk (rule 12): then
// the end of that write does.
static void follower_acknowledge(const struct follower *follower, uint64_t to, struct outbox *out)
{
    if (follower->core->durable_promised < follower->leader_epoch && !BUG(8)) {
        return;
    }
    struct message_append_reply reply = {.epoch = follower->leader_epoch,
                                         .accepted = true,
                                         .match_position = follower_match(follower)};
    follower_answer(follower, to, reply, out);
}

static void follower_answer_round(const struct follower *follower, const struct event *event,
                                  struct outbox *out)
{
    const struct message_append *append = &event->message->append;
    if (append->round == 0 || follower->core->vote.damaged) {
        return;
    }
    struct message_round_reply reply = {.epoch = append->epoch,
                                        .round = append->round,
                                        .directory_id = follower->core->vote.directory_id,
                                        .promised = core_promised(follower->core)};
    outbox_send(out, event->from,
                &(struct message){.kind = MESSAGE_round_reply, .round_reply = reply});
}

void follower_follow(struct follower *follower, const struct event *event, uint64_t epoch,
                     uint64_t leader, struct outbox *out)
{
    struct core *core = follower->core;
    if (epoch != follower->leader_epoch) {
        follower->leader_epoch = epoch;
        follower->leader = leader;
        follower->verified_position = 0;
        follower->told_position = 0;
    }
    follower->leader_address = event->from;
    follower->heard_us = event->now_us;
    bool joins = core->vote.cluster_id == 0;
    if (joins) {
        core->vote.cluster_id = event->from_cluster_id;
        outbox_cluster(out, event->from_cluster_id);
    }
    if (epoch > core_promised(core)) {
        core_promise(core, (struct attempt){.epoch = epoch}, WRITE_FOLLOW, event->from, out);
    } else if (joins) {
        core_write_vote(core, WRITE_FOLLOW, event->from, out);
    }
}

// Where the primary should go back to when the entry before its first isn't ours; 0 when it is.
static uint64_t follower_mismatch(const struct follower *follower,
                                  const struct message_append *append)
{
    const struct core *core = follower->core;
    uint64_t position = append->previous_position;
    uint64_t epoch = 0;
    if (position <= core->commit_position) {
        return 0; // committed: every primary has the same there
    }
    if (!log_epoch_at(&core->log, position, &epoch)) {
        return core->log.last.position + 1;
    }
    if (epoch == append->previous_epoch) {
        return 0;
    }
    uint64_t start = log_run_start(&core->log, position);
    return start > core->commit_position ? start : core->commit_position + 1;
}

// Removes what conflicts with an entry of the primary at `position`. False: a bug somewhere put a
// committed entry in question, and the process stops (rule 13).
static bool follower_remove_from(struct follower *follower, uint64_t position, struct outbox *out)
{
    struct core *core = follower->core;
    struct entry_place place;
    if (position <= core->commit_position || !log_place_at(&core->log, position - 1, &place)) {
        outbox_stop(out, EXIT_OTHER,
                    "event=committed_entry_in_question position=%llu commit_position=%llu",
                    (unsigned long long)position, (unsigned long long)core->commit_position);
        return false;
    }
    outbox_log(out, LOG_INFO, "event=entries_removed from=%llu to=%llu",
               (unsigned long long)position, (unsigned long long)core->log.last.position);
    core_truncate(core, &place, out);
    return true;
}

enum take_result { TAKE_SKIPPED, TAKE_APPENDED, TAKE_REFUSED };

static enum take_result follower_take_entry(struct follower *follower, struct bytes frame,
                                            const struct entry *entry, struct outbox *out)
{
    struct core *core = follower->core;
    uint64_t epoch = 0;
    if (entry->position <= core->commit_position) {
        return TAKE_SKIPPED;
    }
    if (log_epoch_at(&core->log, entry->position, &epoch)) {
        if (epoch == entry->epoch) {
            return TAKE_SKIPPED;
        }
        if (!follower_remove_from(follower, entry->position, out)) {
            return TAKE_REFUSED;
        }
    }
    bool continues = entry->position == core->log.last.position + 1 &&
                     entry->previous_crc == core->log.last.crc &&
                     entry->epoch >= core->log.last.epoch;
    if (!continues) {
        core->refused++;
        return TAKE_REFUSED;
    }
    core_append(core, frame, entry);
    return TAKE_APPENDED;
}

// Takes the entries into the log, up to the first one that is malformed or doesn't fit. The result
// are the bytes of those that have to be written; `*ret_last` is the last entry taken or skipped.
static struct bytes follower_take_entries(struct follower *follower,
                                          const struct message_append *append, uint64_t *ret_last,
                                          struct outbox *out)
{
    struct bytes rest = append->entries;
    const uint8_t *added = NULL;
    uint64_t expected = append->previous_position + 1;
    while (rest.size > 0) {
        struct entry entry;
        size_t size = 0;
        if (entry_decode(rest, follower->core->vote.cluster_id, &entry, &size) != STATUS_ok ||
            entry.position != expected || entry.epoch > append->epoch) {
            follower->core->refused++;
            break;
        }
        enum take_result result = follower_take_entry(follower, bytes_of(rest.data, size), &entry,
                                                      out);
        if (result == TAKE_REFUSED) {
            break;
        }
        if (result == TAKE_APPENDED && added == NULL) {
            added = rest.data;
        }
        rest = bytes_of(rest.data + size, rest.size - size);
        expected++;
    }
    *ret_last = expected - 1;
    if (*ret_last > follower->verified_position) {
        follower->verified_position = *ret_last;
    }
    return added == NULL ? bytes_of(NULL, 0) : bytes_of(added, (size_t)(rest.data - added));
}

static void follower_take(struct follower *follower, const struct event *event, struct outbox *out)
{
    const struct message_append *append = &event->message->append;
    uint64_t last = 0;
    struct bytes added = follower_take_entries(follower, append, &last, out);
    if (BUG(12) && append->entries.size > 0 && last < follower->core->log.last.position) {
        follower_remove_from(follower, last + 1, out);
    }
    if (append->commit_position > follower->told_position) {
        follower->told_position = append->commit_position;
    }
    if (added.size > 0) {
        core_write_entries(follower->core, added, WRITE_FOLLOW, event->from, out);
    }
    bool notice = append->entries.size == 0 && append->round == 0;
    if (added.size == 0 ? !notice : BUG(8)) {
        follower_acknowledge(follower, event->from, out);
    }
}

void follower_on_append(struct follower *follower, const struct event *event, struct outbox *out)
{
    const struct message_append *append = &event->message->append;
    struct core *core = follower->core;
    if (!core_has_room(core) || event->from_cluster_id == 0) {
        return;
    }
    if (follower_refuses(follower, append->epoch, append->leader)) {
        core->refused++;
        follower_answer_round(follower, event, out);
        follower_answer(follower, event->from,
                        (struct message_append_reply){.epoch = append->epoch}, out);
        return;
    }
    follower_follow(follower, event, append->epoch, append->leader, out);
    follower_answer_round(follower, event, out);
    uint64_t hint = follower_mismatch(follower, append);
    if (hint != 0) {
        struct message_append_reply reply = {.epoch = append->epoch, .hint_position = hint};
        follower_answer(follower, event->from, reply, out);
        return;
    }
    follower_take(follower, event, out);
}

// The disk was full: everything queued behind failed, too.
static void follower_on_disk_full(struct follower *follower, const struct core_write *write,
                                  struct outbox *out)
{
    struct core *core = follower->core;
    if (write->sequence <= follower->full_sequence) {
        return;
    }
    if (!follower->disk_full) {
        outbox_log(out, LOG_WARNING, "event=disk_full position=%llu",
                   (unsigned long long)core->durable_position);
    }
    follower->disk_full = true;
    follower->full_sequence = core->disk_sequence;
    core_forget_unwritten(core, out);
    struct message_append_reply reply = {.epoch = follower->leader_epoch,
                                         .hint_position = core->log.last.position + 1};
    follower_answer(follower, write->to, reply, out);
}

void follower_on_written(struct follower *follower, const struct core_write *write,
                         enum status status, struct outbox *out)
{
    if (status == STATUS_read_only) {
        follower_on_disk_full(follower, write, out);
        return;
    }
    if (follower->disk_full) {
        follower->disk_full = false;
        outbox_log(out, LOG_INFO, "event=disk_has_space_again");
    }
    if (BUG(5) && write->epoch != core_promised(follower->core)) {
        struct message_append_reply late = {.epoch = write->epoch,
                                            .promised = write->epoch,
                                            .accepted = true,
                                            .match_position = write->position};
        follower_answer(follower, write->to, late, out);
        return;
    }
    bool current = write->epoch == core_promised(follower->core) &&
                   (BUG(11) || write->epoch == follower->leader_epoch);
    if (current && !BUG(8)) {
        follower_acknowledge(follower, write->to, out);
    }
}
