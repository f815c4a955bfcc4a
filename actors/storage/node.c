/*
 * The storage node: one machine that follows, votes, leads and serves reads.
 *
 *                    loaded                 appointed                first entry durable
 *   LOADING ──────────────────► FOLLOWING ───────────► APPOINTED ─────────────────────► LEADING
 *   (loading.c)                  │  ▲  ▲  (voting.c)      │    (voting.c)                  │
 *                                │  │  └──────────────────┘ node_step_down                 │
 *                 state received │  └─────────────────────────────────────────────────────┘
 *                                ▼
 *                           INSTALLING ──► reboot                 any ──► STOPPED
 *
 * The core (cluster/core.h) holds what both sides share; actors/replica and actors/primary are the
 * two sides. Here events are handed to them, and what must happen in a certain order across them
 * is kept in order:
 *
 * 1. A message of a higher epoch ends leading before the following side sees it.
 * 2. A finished write moves the durable end first, then acknowledges, then commits, then applies.
 * 3. A node that leads treats its own appends as nobody's: there is no message to itself.
 */
#include "actors/storage/node.h"

#include "actors/storage/node_internal.h"
#include "base/assert.h"

#include <stdlib.h>

static const unsigned NODE_MOVES[] = {
    [NODE_LOADING] = 1u << NODE_FOLLOWING | 1u << NODE_STOPPED,
    [NODE_FOLLOWING] = 1u << NODE_APPOINTED | 1u << NODE_INSTALLING | 1u << NODE_STOPPED,
    [NODE_APPOINTED] = 1u << NODE_FOLLOWING | 1u << NODE_LEADING | 1u << NODE_STOPPED,
    [NODE_LEADING] = 1u << NODE_FOLLOWING | 1u << NODE_STOPPED,
    [NODE_INSTALLING] = 1u << NODE_STOPPED,
    [NODE_STOPPED] = 0,
};

static enum member_state node_member_state(const struct node *node)
{
    if (node->state == NODE_STOPPED) {
        return MEMBER_unreachable;
    }
    if (node->core.vote.damaged) {
        return MEMBER_damaged;
    }
    if (node->state == NODE_LEADING && leader_is_ready(&node->leader)) {
        return MEMBER_primary;
    }
    bool behind = node->state == NODE_LOADING || node->state == NODE_INSTALLING ||
                  node->follower.transfer.state != NULL;
    return behind ? MEMBER_catching_up : MEMBER_replica;
}

// Keeps the agent's report true; cheap, so it is done after every step.
static void node_describe(struct node *node)
{
    struct message_member *self = &node->agent.self;
    const struct core *core = &node->core;
    self->state = (uint8_t)node_member_state(node);
    self->directory_id = core->vote.directory_id;
    self->epoch = node->leader.leads ? node->leader.epoch : node->follower.leader_epoch;
    self->promised = core_promised(core);
    self->last_position = core->log.last.position;
    self->commit_position = core->commit_position;
    self->applied_version = node->applied.place.version;
    self->wanted_epoch = node->leader.leads ? node->leader.wanted_epoch : 0;
}

void node_report(struct node *node, uint64_t now_us, struct outbox *out)
{
    node_describe(node);
    agent_report(&node->agent, now_us, out);
}

void node_become(struct node *node, enum node_state state, uint64_t now_us, struct outbox *out)
{
    ASSERT((NODE_MOVES[node->state] & 1u << state) != 0);
    node->state = state;
    node_report(node, now_us, out);
}

void node_step_down(struct node *node, uint64_t now_us, struct outbox *out)
{
    if (node->state != NODE_LEADING && node->state != NODE_APPOINTED) {
        return;
    }
    if (node->leader.leads) {
        outbox_log(out, LOG_INFO, "event=deposed epoch=%llu",
                   (unsigned long long)node->leader.epoch);
        bool disk_full = node->leader.proposals.disk_full;
        leader_stop(&node->leader, out);
        if (disk_full) {
            core_forget_unwritten(&node->core, out);
        }
    }
    node->announced = false;
    follower_forget_leader(&node->follower);
    node_become(node, NODE_FOLLOWING, now_us, out);
}

// The log as the journal has it; its window begins behind the state.
static void node_open_log(struct node *node, const struct node_boot *boot)
{
    const struct journal_view *journal = &boot->journal;
    const struct entry_place *applied = &node->applied.place;
    bool reaches = !journal->damaged && journal->end.position >= applied->position &&
                   journal->base.position <= applied->position;
    const struct entry_place *base = reaches ? &journal->base : applied;
    const struct entry_place *end = reaches ? &journal->end : applied;
    node->was_damaged = !reaches;
    node->journal_end = journal->end;
    log_init(&node->core.log, base, end, applied);
    for (size_t i = 0; reaches && i < boot->run_count; i++) {
        log_add_run(&node->core.log, boot->runs[i].epoch, boot->runs[i].position);
    }
    node->core.durable_position = end->position;
    node->core.commit_position = applied->position;
}

static enum status node_open(struct node *node, const struct process *process,
                             const struct node_boot *boot)
{
    applied_init(&node->applied);
    parked_reads_init(&node->parked);
    node->state_port = boot->state;
    node->marks = boot->marks;
    TRY(core_init(&node->core, process, boot->vote_record));
    TRY(applied_load(boot->state, NULL, &node->applied));
    uint64_t state_cluster_id = node->applied.cluster_id;
    if (state_cluster_id != 0 && state_cluster_id != node->core.vote.cluster_id) {
        return STATUS_wrong_cluster;
    }
    node_open_log(node, boot);
    node_forget_birth(node);
    core_set_configuration(&node->core, buffer_bytes(&node->applied.configuration));
    agent_init(&node->agent, process);
    follower_init(&node->follower, &node->core);
    node->follower.transfer.factory = boot->factory;
    node->follower.applied_version = node->applied.place.version;
    leader_init(&node->leader, &node->core, boot->state, &node->applied);
    return STATUS_ok;
}

void node_forget_birth(struct node *node)
{
    bool is_damaged = node->was_damaged || node->core.vote.damaged; // then there was something
    if (node->applied.cluster_id == 0 && node->core.log.last.position == 0 && !is_damaged) {
        node->core.vote.cluster_id = 0;
    }
}

enum status node_new(const struct process *process, const struct node_boot *boot,
                     struct node **ret_node)
{
    struct node *node = calloc(1, sizeof(*node));
    ASSERT(node != NULL);
    enum status status = node_open(node, process, boot);
    if (status != STATUS_ok) {
        applied_release(&node->applied);
        core_release(&node->core);
        free(node);
        return status;
    }
    *ret_node = node;
    return STATUS_ok;
}

void node_destroy(struct node **take_node)
{
    struct node *node = *take_node;
    if (node == NULL) {
        return;
    }
    follower_release(&node->follower);
    leader_release(&node->leader);
    parked_reads_release(&node->parked);
    agent_release(&node->agent);
    applied_release(&node->applied);
    core_release(&node->core);
    free(node);
    *take_node = NULL;
}

static void on_start(struct node *node, const struct event *event, struct outbox *out)
{
    if (node->core.vote.cluster_id != 0) {
        outbox_cluster(out, node->core.vote.cluster_id);
    }
    node_upkeep_start(node, event->now_us, out);
    node_load_start(node, event, out);
}

// What follows from a log that grew, or of which more is known.
static void node_advance(struct node *node, const struct event *event, struct outbox *out)
{
    struct core *core = &node->core;
    if (node->state == NODE_LEADING) {
        leader_advance(&node->leader, event, out);
    } else if (node->state == NODE_FOLLOWING) {
        uint64_t committed = follower_commit_position(&node->follower);
        if (committed > core->commit_position) {
            core_commit(core, committed);
            transfer_in_end_if_passed(&node->follower.transfer);
        }
        node_repair_if_refilled(node, event, out);
    }
    node_apply(node, event, out);
}

static void on_append(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_append *append = &event->message->append;
    if (node->state == NODE_LOADING || node->state == NODE_INSTALLING) {
        return;
    }
    if (!follower_refuses(&node->follower, append->epoch, append->leader)) {
        node_step_down(node, event->now_us, out);
        if (append->epoch != node->follower.transfer.epoch) {
            transfer_in_abandon(&node->follower.transfer);
        }
    }
    follower_on_append(&node->follower, event, out);
    node_advance(node, event, out);
}

static void on_transfer_chunk(struct node *node, const struct event *event, struct outbox *out)
{
    const struct message_transfer_chunk *chunk = &event->message->transfer_chunk;
    bool refused = follower_refuses(&node->follower, chunk->epoch, chunk->leader) ||
                   event->from_cluster_id == 0;
    if (node->state != NODE_FOLLOWING || refused || !core_has_room(&node->core)) {
        node->refused++;
        return;
    }
    follower_follow(&node->follower, event, chunk->epoch, chunk->leader, out);
    transfer_in_on_chunk(&node->follower.transfer, event, out);
    if (node->follower.transfer.installing) {
        node_become(node, NODE_INSTALLING, event->now_us, out);
    }
}

static void on_append_reply(struct node *node, const struct event *event, struct outbox *out)
{
    struct leader *leader = &node->leader;
    if (!leader->leads) {
        return;
    }
    const struct peer *peer = streaming_on_reply(&leader->streaming, event, out);
    uint64_t promised = event->message->append_reply.promised;
    if (peer != NULL && promised > leader->epoch) {
        leader->wanted_epoch = promised > leader->wanted_epoch ? promised : leader->wanted_epoch;
    }
    bool refilled = peer != NULL && peer->voter && peer->hurt &&
                    peer->match_position >= node->core.commit_position;
    if (refilled && leader->wanted_epoch == 0) {
        leader->wanted_epoch = leader->epoch + 1; // only a new epoch makes it a voter again
    }
    node_advance(node, event, out);
}

static void on_round_reply(struct node *node, const struct event *event)
{
    if (node->leader.leads) {
        rounds_on_reply(&node->leader.rounds, &node->leader.streaming,
                        &event->message->round_reply);
    }
}

static void on_transfer_reply(struct node *node, const struct event *event, struct outbox *out)
{
    if (node->leader.leads) {
        streaming_on_transfer_reply(&node->leader.streaming, event, out);
    }
}

static void on_message(struct node *node, const struct event *event, struct outbox *out)
{
    uint64_t cluster_id = node->core.vote.cluster_id;
    if (cluster_id != 0 && event->from_cluster_id != 0 && event->from_cluster_id != cluster_id) {
        node->refused++;
        outbox_refuse(out, event->from, message_request(event->message), STATUS_wrong_cluster,
                      "This storage node belongs to another cluster.");
        return;
    }
    switch (event->message->kind) {
    case MESSAGE_poll: node_on_poll(node, event, out); break;
    case MESSAGE_seal: node_on_seal(node, event, out); break;
    case MESSAGE_appoint: node_on_appoint(node, event, out); break;
    case MESSAGE_switchover: node_on_switchover(node, event, out); break;
    case MESSAGE_append: on_append(node, event, out); break;
    case MESSAGE_round_reply: on_round_reply(node, event); break;
    case MESSAGE_append_reply: on_append_reply(node, event, out); break;
    case MESSAGE_transfer_chunk: on_transfer_chunk(node, event, out); break;
    case MESSAGE_transfer_reply: on_transfer_reply(node, event, out); break;
    case MESSAGE_read_point: node_on_read_point(node, event, out); break;
    case MESSAGE_confirm: node_on_confirm(node, event, out); break;
    case MESSAGE_transact: node_on_transaction(node, event, out); break;
    case MESSAGE_transact_status: node_on_transaction(node, event, out); break;
    case MESSAGE_read: node_on_query(node, event, out); break;
    case MESSAGE_digest: node_on_query(node, event, out); break;
    case MESSAGE_mark: node_on_mark(node, event, out); break;
    default: node->refused++; break;
    }
}

static void on_heartbeat(struct node *node, const struct event *event, struct outbox *out)
{
    if (!node->leader.leads) {
        return;
    }
    if (!leader_on_heartbeat(&node->leader, event, out)) {
        node_step_down(node, event->now_us, out);
        return;
    }
    node_advance(node, event, out);
}

static void on_timer(struct node *node, const struct event *event, struct outbox *out)
{
    switch (event->timer) {
    case LEADER_TIMER_HEARTBEAT: on_heartbeat(node, event, out); break;
    case LEADER_TIMER_RETRY: leader_on_retry(&node->leader, out); break;
    case NODE_TIMER_UPKEEP: node_on_upkeep(node, event->now_us, out); break;
    case NODE_TIMER_HIGH_WATER: node_on_high_water(node, event->now_us, out); break;
    case NODE_TIMER_PARKED: node_on_parked_due(node, event->now_us, out); break;
    case NODE_TIMER_STOP: node_on_stop_due(node, event->now_us, out); break;
    default: break; // gathering and marks are looked at at the end of the turn
    }
}

static void on_led(struct node *node, const struct core_write *write, const struct event *event,
                   struct outbox *out)
{
    struct leader *leader = &node->leader;
    bool current = leader->leads && write->epoch == leader->epoch;
    if (current && event->done->status == STATUS_read_only) {
        leader_on_disk_full(leader, write, event, out);
    } else if (current && leader->proposals.disk_full) {
        leader->proposals.disk_full = false;
        outbox_log(out, LOG_INFO, "event=disk_has_space_again");
    } else if (!leader->leads && event->done->status == STATUS_read_only) {
        core_forget_unwritten(&node->core, out);
    }
}

static void on_write(struct node *node, const struct core_write *write, const struct event *event,
                     struct outbox *out)
{
    if (write->kind == DISK_APPEND && event->done->status == STATUS_ok) {
        node_on_wrote(node, event->now_us, out);
    }
    switch (write->purpose) {
    case WRITE_NOTHING: break;
    case WRITE_SEAL: node_on_sealed(node, write, out); break;
    case WRITE_FOLLOW: follower_on_written(&node->follower, write, event->done->status, out); break;
    case WRITE_APPOINT: node_on_appointed(node, write, event, out); break;
    case WRITE_LEAD: on_led(node, write, event, out); break;
    case WRITE_REPAIR: break;
    case WRITE_TRANSFER:
        // Also when there was no space for it: then the old state is opened again.
        node_become(node, NODE_STOPPED, event->now_us, out);
        outbox_stop(out, EXIT_REBOOT, "event=state_received status=%s",
                    status_name(event->done->status));
        return;
    }
    node_advance(node, event, out);
}

static void on_disk(struct node *node, const struct event *event, struct outbox *out)
{
    const struct disk_done *done = event->done;
    struct core_write write;
    if (core_finish_write(&node->core, done, &write)) {
        on_write(node, &write, event, out);
    } else if (done->sequence == node->load_sequence) {
        node_load_on_read(node, event, out);
    } else if (done->kind == DISK_READ && node->leader.leads) {
        streaming_on_read(&node->leader.streaming, event, out);
    } else if (done->kind == DISK_FLUSH) {
        node_on_flushed(node, event, out);
    } else if (done->kind == DISK_DROP) {
        node_on_dropped(node, done);
    }
}

static void on_peer(struct node *node, const struct event *event, bool up)
{
    streaming_on_connection(&node->leader.streaming, event->from, up);
    size_t count = 0;
    const struct topology_member *members = topology_members(node->agent.topology, &count);
    for (size_t i = 0; !up && i < count; i++) {
        if (members[i].address == event->from && members[i].directory_id != 0) {
            follower_on_node_down(&node->follower, members[i].directory_id);
        }
    }
}

static void on_topology(struct node *node, struct outbox *out)
{
    size_t count = 0;
    const struct topology_member *members = topology_members(node->agent.topology, &count);
    for (size_t i = 0; i < count; i++) {
        bool other = members[i].directory_id != node->core.vote.directory_id;
        if (role_is_storage(members[i].role) && other) {
            outbox_connect(out, bytes_from_text(members[i].endpoint));
        }
    }
    if (node->leader.leads) {
        streaming_on_topology(&node->leader.streaming, node->agent.topology, out);
    }
}

static void node_handle(struct node *node, const struct event *event, struct outbox *out)
{
    switch (event->kind) {
    case EVENT_START: on_start(node, event, out); break;
    case EVENT_MESSAGE: on_message(node, event, out); break;
    case EVENT_TIMER: on_timer(node, event, out); break;
    case EVENT_DISK: on_disk(node, event, out); break;
    case EVENT_PEER_UP: on_peer(node, event, true); break;
    case EVENT_PEER_DOWN: on_peer(node, event, false); break;
    case EVENT_TURN: leader_on_turn(&node->leader, event, out); break;
    case EVENT_STOP: node_on_stop(node, event, out); break;
    }
}

static void node_check(const struct node *node)
{
    const struct core *core = &node->core;
    ASSERT(core->durable_position <= core->log.last.position);
    ASSERT(core->commit_position <= core->log.last.position);
    ASSERT(node->applied.place.position <= core->commit_position);
    ASSERT(node->leader.leads == (node->state == NODE_LEADING));
    ASSERT(core->durable_promised <= core->vote.promised);
}

void node_step(struct node *node, const struct event *event, struct outbox *out)
{
    if (node->state == NODE_STOPPED) {
        return;
    }
    switch (agent_step(&node->agent, event, out)) {
    case AGENT_PASSED: node_handle(node, event, out); break;
    case AGENT_HANDLED: break;
    case AGENT_TOPOLOGY_CHANGED: on_topology(node, out); break;
    }
    node_describe(node);
    node_check(node);
}

void node_inspect(const struct node *node, struct node_view *ret_view)
{
    const struct core *core = &node->core;
    *ret_view = (struct node_view){.directory_id = core->vote.directory_id,
                                   .cluster_id = core->vote.cluster_id,
                                   .promised = core_promised(core),
                                   .leads = node->leader.leads,
                                   .ready = leader_is_ready(&node->leader),
                                   .epoch = node->leader.leads ? node->leader.epoch
                                                               : node->follower.leader_epoch,
                                   .damaged = core->vote.damaged,
                                   .loading = node->state == NODE_LOADING,
                                   .receives = node->follower.transfer.state != NULL,
                                   .last = core->log.last,
                                   .durable_position = core->durable_position,
                                   .commit_position = core->commit_position,
                                   .applied = node->applied.place,
                                   .chain = node->applied.chain};
}
