/*
 * Voting: what a storage node promises and answers to coordinators.
 *
 *   poll     nothing is persisted (rule 33)
 *   seal     promise ──► vote file, behind all appends queued before ──► answer (rules 2, 7, 8)
 *   appoint  used mark ──► vote file; no-op ──► journal ──► leads (rules 4, 5)
 *
 * 1. Only an epoch above every one promised is sealed; the incarnation recognises nothing but a
 *    retransmission of the attempt that was promised, which gets the stored answer (rule 2).
 * 2. A promise that is on its way to the disk already counts against everything older, and nothing
 *    that relies on it leaves before it is there.
 * 3. An appointment is taken if the promise is this attempt, the durable log ends where it did when
 *    it was sealed, and the appointment was not used before (rule 4). A restart does not forget
 *    that it was used, so an epoch is never resumed (rule 5).
 * 4. A damaged node seals nothing and is never appointed (rule 20).
 */
#include "actors/storage/node_internal.h"

#include "base/assert.h"
#include "base/bug.h"

static bool node_takes_part(const struct node *node)
{
    return node->state == NODE_FOLLOWING || node->state == NODE_APPOINTED ||
           node->state == NODE_LEADING;
}

void node_on_poll(struct node *node, const struct event *event, struct outbox *out)
{
    const struct core *core = &node->core;
    bool leads = node->state == NODE_LEADING || node->state == NODE_APPOINTED;
    bool hears = follower_hears_primary(&node->follower, event->now_us,
                                        core->process->timings.suspect_after_ms);
    struct message_poll_reply reply = {.request = event->message->poll.request,
                                       .directory_id = core->vote.directory_id,
                                       .hears_primary = leads || hears,
                                       .would_accept = node_takes_part(node) && !core->vote.damaged,
                                       .promised = core_promised(core)};
    if (core->durable_position > 0) { // a birth that is being written may come to nothing
        reply.last_epoch = core->log.last.epoch;
        reply.last_position = core->log.last.position;
        reply.configuration = buffer_bytes(&core->configuration_bytes);
    }
    outbox_send(out, event->from,
                &(struct message){.kind = MESSAGE_poll_reply, .poll_reply = reply});
}

static void node_answer_seal(const struct node *node, uint64_t to, struct attempt attempt,
                             bool accepted, struct outbox *out)
{
    const struct core *core = &node->core;
    struct message_seal_reply reply = {.epoch = attempt.epoch,
                                       .incarnation = attempt.incarnation,
                                       .accepted = accepted,
                                       .promised = core_promised(core),
                                       .directory_id = core->vote.directory_id};
    if (accepted) {
        reply.last_epoch = core->vote.sealed_epoch;
        reply.last_position = core->vote.sealed_position;
        reply.configuration = buffer_bytes(&core->configuration_bytes);
    }
    outbox_send(out, to, &(struct message){.kind = MESSAGE_seal_reply, .seal_reply = reply});
}

// Whether the attempt may be promised (rules 2, 9, 20).
static bool node_may_seal(const struct node *node, const struct message_seal *seal)
{
    const struct message_vote_record *vote = &node->core.vote;
    bool newer = seal->epoch > vote->promised;
    if (BUG(1)) {
        newer = seal->epoch >= vote->promised;
    }
    if (BUG(14)) {
        newer = newer || (seal->epoch == vote->promised && seal->incarnation > vote->incarnation);
    }
    bool near = seal->epoch - vote->promised <= EPOCH_STEP_MAX;
    return newer && near && seal->incarnation != 0 && !vote->damaged;
}

void node_on_seal(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_seal *seal = &event->message->seal;
    struct attempt attempt = {.epoch = seal->epoch, .incarnation = seal->incarnation};
    struct core *core = &node->core;
    if (!node_takes_part(node) || !core_has_room(core)) {
        return;
    }
    bool repeated = seal->epoch == core->vote.promised && seal->incarnation != 0 &&
                    seal->incarnation == core->vote.incarnation;
    if (repeated) {
        bool durable = core->durable_promised == seal->epoch &&
                       core->durable_incarnation == seal->incarnation;
        if (durable) {
            node_answer_seal(node, event->from, attempt, true, out);
        }
        return;
    }
    if (!node_may_seal(node, seal)) {
        core->refused++;
        node_answer_seal(node, event->from, attempt, false, out);
        return;
    }
    node_step_down(node, event->now_us, out);
    follower_forget_leader(&node->follower);
    core_promise(core, attempt, WRITE_SEAL, event->from, out);
    if (BUG(7)) {
        node_answer_seal(node, event->from, attempt, true, out);
    }
}

void node_on_sealed(struct node *node, const struct core_write *write, struct outbox *out)
{
    struct core *core = &node->core;
    bool current = core->vote.promised == write->epoch &&
                   core->vote.incarnation == write->incarnation && write->incarnation != 0;
    if (!current || core_correct_seal(core, write->to, out)) {
        return;
    }
    outbox_log(out, LOG_INFO, "event=sealed epoch=%llu last_epoch=%llu last_position=%llu",
               (unsigned long long)write->epoch, (unsigned long long)core->vote.sealed_epoch,
               (unsigned long long)core->vote.sealed_position);
    struct attempt attempt = {.epoch = write->epoch, .incarnation = write->incarnation};
    node_answer_seal(node, write->to, attempt, true, out);
}

static void node_answer_appoint(const struct node *node, uint64_t to, struct attempt attempt,
                                uint64_t took_us, struct outbox *out)
{
    struct message_appoint_reply reply = {.epoch = attempt.epoch,
                                          .incarnation = attempt.incarnation,
                                          .accepted = took_us != 0,
                                          .promised = core_promised(&node->core),
                                          .took_us = took_us};
    outbox_send(out, to, &(struct message){.kind = MESSAGE_appoint_reply, .appoint_reply = reply});
}

// Whether the birth in an appointment fits: a blank node, and a configuration that names it.
static bool node_may_be_born(const struct node *node, const struct message_appoint *appoint)
{
    struct configuration born;
    return node->core.vote.cluster_id == 0 && node->core.log.last.position == 0 &&
           configuration_decode(appoint->birth_configuration, &born) == STATUS_ok &&
           born.cluster_id == appoint->birth_cluster_id &&
           configuration_find(&born, node->core.vote.directory_id) != NULL;
}

// Rule 4.
static bool node_may_lead(const struct node *node, const struct message_appoint *appoint)
{
    const struct core *core = &node->core;
    const struct message_vote_record *vote = &core->vote;
    bool promised = appoint->epoch == vote->promised && appoint->incarnation == vote->incarnation &&
                    core->durable_promised == vote->promised &&
                    core->durable_incarnation == vote->incarnation;
    if (BUG(10)) {
        promised = true;
    }
    bool ends_there = core->durable_position == core->log.last.position &&
                      appoint->last_position == core->log.last.position &&
                      appoint->last_epoch == core->log.last.epoch;
    bool unused = !vote->appointment_used;
    if (BUG(4)) {
        ends_there = core->durable_position == core->log.last.position;
        unused = true;
    }
    bool born = appoint->birth_cluster_id != 0 ? node_may_be_born(node, appoint)
                                               : core_is_voter(core, vote->directory_id);
    return node->state == NODE_FOLLOWING && appoint->appointee == vote->directory_id && promised &&
           ends_there && unused && born && appoint->incarnation != 0 && !vote->damaged;
}

static uint64_t node_last_time_us(const struct node *node)
{
    const struct log_item *item = log_find(&node->core.log, node->core.log.last.position);
    return item == NULL ? node->applied.time_us : item->entry.time_us;
}

// The used mark and the first entry of the epoch go to the disk, in this order.
static void node_write_first_entry(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_appoint *appoint = &event->message->appoint;
    struct core *core = &node->core;
    uint64_t last_time_us = node_last_time_us(node);
    bool birth = appoint->birth_cluster_id != 0;
    if (birth) {
        core->vote.cluster_id = appoint->birth_cluster_id;
    }
    core->vote.appointment_used = true;
    core_write_vote(core, WRITE_NOTHING, 0, out);
    struct entry entry = {.kind = birth ? ENTRY_CONFIGURATION : ENTRY_NOOP,
                          .previous_crc = core->log.last.crc,
                          .epoch = appoint->epoch,
                          .position = core->log.last.position + 1,
                          .commit_position = core->commit_position,
                          .version = core->log.last.version,
                          .time_us = event->wall_us > last_time_us ? event->wall_us : last_time_us,
                          .payload = appoint->birth_configuration};
    AUTO(buffer_release) struct buffer frame = {0};
    entry_encode(&entry, core->vote.cluster_id, &frame);
    core_append(core, buffer_bytes(&frame), &entry);
    core_write_entries(core, buffer_bytes(&frame), WRITE_APPOINT, event->from, out);
}

void node_on_appoint(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_appoint *appoint = &event->message->appoint;
    struct attempt attempt = {.epoch = appoint->epoch, .incarnation = appoint->incarnation};
    struct core *core = &node->core;
    bool repeated = node->state != NODE_FOLLOWING && appoint->epoch == core->vote.promised &&
                    appoint->incarnation == core->vote.incarnation;
    if (repeated || !core_has_room(core)) {
        return;
    }
    if (!node_may_lead(node, appoint)) {
        core->refused++;
        node_answer_appoint(node, event->from, attempt, 0, out);
        return;
    }
    node_become(node, NODE_APPOINTED, event->now_us, out);
    node->appointment = (struct appointment){.to = event->from,
                                             .incarnation = appoint->incarnation,
                                             .position = core->log.last.position + 1,
                                             .taken_us = event->now_us};
    node_write_first_entry(node, event, out);
}

void node_on_appointed(struct node *node, const struct core_write *write, const struct event *event,
                       struct outbox *out)
{
    const struct appointment *taken = &node->appointment;
    struct attempt attempt = {.epoch = write->epoch, .incarnation = taken->incarnation};
    bool refused = event->done->status != STATUS_ok;
    if (refused) {
        core_forget_unwritten(&node->core, out); // no space for it
        node_forget_birth(node);
    }
    if (node->state != NODE_APPOINTED || write->epoch != core_promised(&node->core)) {
        return;
    }
    if (refused) {
        node_become(node, NODE_FOLLOWING, event->now_us, out);
        node_answer_appoint(node, taken->to, attempt, 0, out);
        return;
    }
    outbox_cluster(out, node->core.vote.cluster_id);
    node_become(node, NODE_LEADING, event->now_us, out);
    follower_forget_leader(&node->follower);
    node->follower.leader_epoch = write->epoch;
    node->follower.leader = node->core.vote.directory_id;
    leader_start(&node->leader, write->epoch, taken->position, event, out);
    streaming_on_topology(&node->leader.streaming, node->agent.topology, out);
    outbox_log(out, LOG_INFO, "event=elected epoch=%llu position=%llu",
               (unsigned long long)write->epoch, (unsigned long long)taken->position);
    uint64_t took_us = event->now_us - taken->taken_us;
    node_answer_appoint(node, taken->to, attempt, took_us == 0 ? 1 : took_us, out);
}
