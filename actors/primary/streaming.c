/*
 * Streaming.
 *
 *            answer accepted                    entry before `next` gone from memory
 *   stream ◄───────────────── probe       stream ──────────────► DISK_READ ──► one append
 *      │                        ▲            │ gone from the journal, too
 *      └── mismatch: next = hint┘            └──────────────► transfer_out ──► next = its position
 * + 1
 *
 * 1. Entries are sent before they are durable here; `next` moves on at once. What was lost shows as
 *    a mismatch of the next append, at the latest of the next heartbeat.
 * 2. After a mismatch one append goes to the hinted position, and nothing more until it is
 *    answered.
 * 3. The epoch of an answer is checked before anything else in it; answers of other epochs and
 *    answers that go backwards are ignored (rule 14).
 * 4. At most STREAM_ENTRIES_MAX entries are on their way to a node.
 * 5. A voter that reports damage, or that the configuration does not name, is streamed to and not
 *    counted (rules 20, 25).
 */
#include "actors/primary/streaming.h"

#include "base/assert.h"
#include "base/bug.h"
#include "cluster/majority.h"

#include <stdio.h>
#include <string.h>

// How long a node waits after what was to bring it up failed.
enum { REST_US = 500 * 1000 };

// How long a node may be silent that is sent the state while another waits: twice as long after
// each time that it was given up, so that in the end a node that often hangs gets the state, too.
enum { SILENCE_US = 1000 * 1000, SILENCE_DOUBLINGS_MAX = 3 };

void streaming_init(struct streaming *streaming, struct core *core, struct state *state,
                    const struct applied *applied)
{
    *streaming = (struct streaming){.core = core};
    transfer_out_init(&streaming->transfer, core, state, applied);
}

void streaming_release(struct streaming *streaming)
{
    transfer_out_release(&streaming->transfer);
    buffer_release(&streaming->frames);
}

// A place for one more; a directory that nobody counts and that is gone gives up its own.
static struct peer *streaming_free_peer(struct streaming *streaming)
{
    if (streaming->peer_count < PEER_COUNT_MAX) {
        return &streaming->peers[streaming->peer_count++];
    }
    for (size_t i = 0; i < streaming->peer_count; i++) {
        if (streaming->peers[i].replaced && !streaming->peers[i].voter) {
            return &streaming->peers[i];
        }
    }
    return NULL;
}

static struct peer *streaming_add(struct streaming *streaming, uint64_t directory_id,
                                  struct bytes name)
{
    struct peer *peer = streaming_free_peer(streaming);
    if (peer == NULL) {
        return NULL;
    }
    *peer = (struct peer){.directory_id = directory_id,
                          .voter = core_is_voter(streaming->core, directory_id),
                          .start_position = streaming->core->log.last.position - 1,
                          .next_position = streaming->core->log.last.position};
    snprintf(peer->name, sizeof(peer->name), "%.*s", (int)name.size, (const char *)name.data);
    return peer;
}

void streaming_start(struct streaming *streaming, uint64_t epoch, struct outbox *out)
{
    const struct configuration *configuration = &streaming->core->configuration;
    streaming->epoch = epoch;
    streaming->transfer.epoch = epoch;
    streaming->peer_count = 0;
    for (size_t i = 0; i < configuration->voter_count; i++) {
        const struct configuration_voter *voter = &configuration->voters[i];
        if (voter->directory_id == streaming->core->vote.directory_id) {
            continue;
        }
        struct peer *peer = streaming_add(streaming, voter->directory_id,
                                          bytes_from_text(voter->name));
        ASSERT(peer != NULL);
        peer->address = outbox_connect(out, bytes_from_text(voter->endpoint));
    }
}

void streaming_stop(struct streaming *streaming)
{
    transfer_out_stop(&streaming->transfer);
    streaming->peer_count = 0;
    streaming->epoch = 0;
}

struct peer *streaming_find(struct streaming *streaming, uint64_t directory_id)
{
    for (size_t i = 0; i < streaming->peer_count; i++) {
        if (streaming->peers[i].directory_id == directory_id) {
            return &streaming->peers[i];
        }
    }
    return NULL;
}

// A node whose disk was replaced has another identity: nobody answers for the old one there.
static void streaming_mark_replaced(struct streaming *streaming,
                                    const struct topology_member *member, struct outbox *out)
{
    for (size_t i = 0; i < streaming->peer_count; i++) {
        struct peer *peer = &streaming->peers[i];
        if (peer->address != member->address || member->state == MEMBER_unreachable) {
            continue;
        }
        bool replaced = peer->directory_id != member->directory_id;
        if (replaced && !peer->replaced) {
            outbox_log(out, LOG_INFO, "event=replaced node=%s directory_id=%016llx", peer->name,
                       (unsigned long long)member->directory_id);
        }
        peer->replaced = replaced;
        if (replaced && streaming->transfer.directory_id == peer->directory_id) {
            transfer_out_stop(&streaming->transfer);
        }
    }
}

void streaming_on_topology(struct streaming *streaming, const struct topology *topology,
                           struct outbox *out)
{
    size_t count = 0;
    const struct topology_member *members = topology_members(topology, &count);
    for (size_t i = 0; i < count; i++) {
        const struct topology_member *member = &members[i];
        if (!role_is_storage(member->role) || member->directory_id == 0 ||
            member->directory_id == streaming->core->vote.directory_id) {
            continue;
        }
        streaming_mark_replaced(streaming, member, out);
        struct peer *peer = streaming_find(streaming, member->directory_id);
        if (peer == NULL) {
            peer = streaming_add(streaming, member->directory_id, bytes_from_text(member->name));
        }
        if (peer != NULL && peer->address != member->address) {
            peer->address = outbox_connect(out, bytes_from_text(member->endpoint));
        }
    }
}

// Sends an append; its previous position, round and entries are given.
static void streaming_append(struct streaming *streaming, struct peer *peer,
                             struct message_append append, struct outbox *out)
{
    const struct core *core = streaming->core;
    append.epoch = streaming->epoch;
    append.leader = core->vote.directory_id;
    append.commit_position = core->commit_position;
    ASSERT(log_epoch_at(&core->log, append.previous_position, &append.previous_epoch));
    peer->told_position = core->commit_position;
    outbox_send(out, peer->address, &(struct message){.kind = MESSAGE_append, .append = append});
}

// Whether the node has answered in this epoch, and lately.
static bool streaming_hears(const struct streaming *streaming, const struct peer *peer,
                            uint64_t now_us)
{
    uint64_t patience_us = (uint64_t)streaming->core->process->timings.member_expiry_ms * 1000;
    return peer->heard_us != 0 && now_us - peer->heard_us <= patience_us;
}

// Whether nothing can be committed before this node has the state: the voters that need no more
// than entries are no majority.
static bool streaming_needs(const struct streaming *streaming, const struct peer *peer,
                            uint64_t now_us)
{
    const struct core *core = streaming->core;
    size_t able = core_is_voter(core, core->vote.directory_id) && !core->vote.damaged;
    for (size_t i = 0; i < streaming->peer_count; i++) {
        const struct peer *other = &streaming->peers[i];
        bool is_able = other->voter && !other->damaged && !other->down &&
                       streaming_hears(streaming, other, now_us);
        able += is_able && other != peer && other->next_position > core->log.base.position;
    }
    return peer->voter && able < majority_of(core->configuration.voter_count);
}

// The state goes to one node at a time. A voter without which nothing is committed does not wait
// for one without a vote.
static void streaming_send_state(struct streaming *streaming, const struct peer *peer,
                                 uint64_t now_us, struct outbox *out)
{
    struct transfer_out *transfer = &streaming->transfer;
    const struct peer *receiver = streaming_find(streaming, transfer->directory_id);
    if (receiver != NULL && !receiver->voter && streaming_needs(streaming, peer, now_us)) {
        outbox_log(out, LOG_INFO, "event=transfer_put_off node=%s for=%s", receiver->name,
                   peer->name);
        transfer_out_stop(transfer);
    } else if (receiver != NULL && receiver != peer && (peer->voter || !receiver->voter)) {
        transfer->awaited_us = now_us;
    }
    transfer_out_start(transfer, peer->directory_id, peer->address, now_us, out);
}

// The journal is asked for what memory does not hold any more; or the state is sent, if the journal
// doesn't hold it either.
static void streaming_go_back(struct streaming *streaming, struct peer *peer, uint64_t now_us,
                              struct outbox *out)
{
    struct core *core = streaming->core;
    if (now_us < peer->rest_until_us || !streaming_hears(streaming, peer, now_us)) {
        return;
    }
    if (peer->next_position <= core->log.base.position) {
        streaming_send_state(streaming, peer, now_us, out);
        return;
    }
    struct disk_request request = {
        .kind = DISK_READ, .position = peer->next_position, .size = CATCH_UP_READ_SIZE};
    peer->read_sequence = core_request(core, &request, out);
}

static bool streaming_may_send(const struct streaming *streaming, const struct peer *peer)
{
    uint64_t had = peer->match_position > peer->start_position ? peer->match_position
                                                               : peer->start_position;
    uint64_t under_way = peer->next_position > had ? peer->next_position - 1 - had : 0;
    bool receives_state = streaming->transfer.directory_id == peer->directory_id;
    bool awaited = peer->probing || peer->read_sequence != 0 || receives_state;
    return !peer->down && !peer->replaced && !awaited && under_way < STREAM_ENTRIES_MAX &&
           peer->next_position <= streaming->core->log.last.position;
}

static void streaming_send_entries(struct streaming *streaming, struct peer *peer, uint64_t now_us,
                                   struct outbox *out)
{
    uint64_t last = 0;
    buffer_clear(&streaming->frames);
    if (!log_gather(&streaming->core->log, peer->next_position, CATCH_UP_READ_SIZE,
                    &streaming->frames, &last)) {
        streaming_go_back(streaming, peer, now_us, out);
        return;
    }
    struct message_append append = {.previous_position = peer->next_position - 1,
                                    .entries = buffer_bytes(&streaming->frames)};
    streaming_append(streaming, peer, append, out);
    peer->next_position = last + 1;
    peer->sent_us = now_us;
}

void streaming_send_all(struct streaming *streaming, uint64_t now_us, struct outbox *out)
{
    uint64_t commit_position = streaming->core->commit_position;
    for (size_t i = 0; i < streaming->peer_count; i++) {
        struct peer *peer = &streaming->peers[i];
        if (streaming_may_send(streaming, peer)) {
            streaming_send_entries(streaming, peer, now_us, out);
        }
        bool untold = peer->told_position < commit_position && peer->match_position != 0 &&
                      peer->next_position > streaming->core->log.base.position;
        if (untold && !peer->down && !peer->replaced && !peer->probing) {
            struct message_append notice = {.previous_position = peer->next_position - 1};
            streaming_append(streaming, peer, notice, out);
        }
    }
}

static void streaming_expire_transfer(struct streaming *streaming, uint64_t now_us,
                                      struct outbox *out)
{
    struct peer *receiver = streaming_find(streaming, streaming->transfer.directory_id);
    if (receiver == NULL) {
        return;
    }
    uint64_t silence_us = (uint64_t)SILENCE_US << receiver->given_up;
    if (transfer_out_expire(&streaming->transfer, receiver->heard_us, silence_us, now_us, out)) {
        receiver->rest_until_us = now_us + REST_US; // others come first for a while
        receiver->given_up += receiver->given_up < SILENCE_DOUBLINGS_MAX;
    }
}

void streaming_send_round(struct streaming *streaming, uint64_t round, uint64_t now_us,
                          struct outbox *out)
{
    uint64_t base = streaming->core->log.base.position;
    for (size_t i = 0; i < streaming->peer_count; i++) {
        struct peer *peer = &streaming->peers[i];
        if (peer->replaced) {
            continue;
        }
        // A node that needs the state gets rounds at the base, which it refuses as a mismatch but
        // answers as a round.
        uint64_t first = peer->next_position > base ? peer->next_position : base + 1;
        struct message_append heartbeat = {.previous_position = first - 1, .round = round};
        streaming_append(streaming, peer, heartbeat, out);
    }
    streaming_expire_transfer(streaming, now_us, out);
}

// A node that has less than it acknowledged says that it is damaged; or else it refuses for a while
// whatever follows that, where one refusal alone may be an old one.
static void streaming_notice_loss(struct peer *peer, uint64_t hint, uint64_t now_us,
                                  struct outbox *out)
{
    if (hint == 0 || hint > peer->match_position) {
        return;
    }
    if (peer->refused_us == 0) {
        peer->refused_us = now_us;
    }
    if (peer->damaged || now_us - peer->refused_us >= (uint64_t)HEARTBEAT_MS * 1000) {
        outbox_log(out, LOG_WARNING, "event=lost_entries node=%s had=%llu has=%llu", peer->name,
                   (unsigned long long)peer->match_position, (unsigned long long)hint - 1);
        peer->match_position = hint - 1;
    }
}

static void streaming_on_mismatch(struct streaming *streaming, struct peer *peer,
                                  const struct message_append_reply *reply, uint64_t now_us,
                                  struct outbox *out)
{
    uint64_t hint = reply->hint_position;
    uint64_t last = streaming->core->log.last.position;
    streaming_notice_loss(peer, hint, now_us, out);
    hint = hint > peer->match_position ? hint : peer->match_position + 1;
    hint = hint <= last + 1 ? hint : last + 1;
    bool repeated = peer->probing && hint == peer->probe_position &&
                    now_us - peer->sent_us < (uint64_t)HEARTBEAT_MS * 1000;
    if (repeated || peer->read_sequence != 0 ||
        streaming->transfer.directory_id == peer->directory_id) {
        return;
    }
    peer->next_position = hint;
    peer->probe_position = hint;
    peer->start_position = hint - 1;
    peer->probing = false;
    if (hint <= last) {
        streaming_send_entries(streaming, peer, now_us, out);
    }
    peer->probing = peer->next_position > hint;
}

struct peer *streaming_on_reply(struct streaming *streaming, const struct event *event,
                                struct outbox *out)
{
    const struct message_append_reply *reply = &event->message->append_reply;
    if (reply->epoch != streaming->epoch) {
        return NULL;
    }
    struct peer *peer = streaming_find(streaming, reply->directory_id);
    if (peer == NULL || reply->promised > streaming->epoch) {
        return peer;
    }
    if (peer->hurt && !reply->damaged) {
        return NULL; // from before it was damaged
    }
    peer->down = false;
    peer->heard_us = event->now_us;
    peer->damaged = reply->damaged;
    if (reply->damaged && reply->damaged_promise >= streaming->epoch && !peer->hurt) {
        // What it acknowledged before in this epoch is gone.
        peer->hurt = true;
        peer->match_position = 0;
    }
    peer->disk_full = reply->disk_full;
    peer->applied_version = reply->applied_version;
    if (!reply->accepted) {
        streaming_on_mismatch(streaming, peer, reply, event->now_us, out);
        return peer;
    }
    peer->probing = false;
    peer->refused_us = 0;
    uint64_t base = streaming->core->log.base.position;
    bool has_state = peer->next_position <= base && reply->match_position >= base;
    peer->given_up = reply->match_position >= base ? 0 : peer->given_up;
    if (has_state && streaming->transfer.directory_id == peer->directory_id) {
        // It has begun anew with the state, and its answer to the last chunk was lost.
        transfer_out_stop(&streaming->transfer);
    }
    if (reply->match_position > peer->match_position &&
        reply->match_position <= streaming->core->log.last.position) {
        peer->match_position = reply->match_position;
        streaming->progress += peer->voter;
    }
    if (peer->next_position <= peer->match_position) {
        peer->next_position = peer->match_position + 1;
    }
    return peer;
}

static struct peer *streaming_find_reader(struct streaming *streaming, uint64_t sequence)
{
    for (size_t i = 0; i < streaming->peer_count; i++) {
        if (streaming->peers[i].read_sequence == sequence) {
            return &streaming->peers[i];
        }
    }
    return NULL;
}

// The position after the last of the framed entries, which begin at `position`; `position` itself
// when they aren't whole.
static uint64_t streaming_end_of(const struct core *core, struct bytes frames, uint64_t position)
{
    while (frames.size > 0) {
        struct entry entry;
        size_t size = 0;
        if (entry_decode(frames, core->vote.cluster_id, &entry, &size) != STATUS_ok ||
            entry.position != position) {
            return position;
        }
        frames = bytes_of(frames.data + size, frames.size - size);
        position++;
    }
    return position;
}

void streaming_on_read(struct streaming *streaming, const struct event *event, struct outbox *out)
{
    const struct disk_done *done = event->done;
    const struct core *core = streaming->core;
    struct peer *peer = streaming_find_reader(streaming, done->sequence);
    if (peer == NULL) {
        return;
    }
    peer->read_sequence = 0;
    if (done->status == STATUS_damaged) {
        // The journal of this node is bad there; its state isn't.
        streaming_send_state(streaming, peer, event->now_us, out);
        return;
    }
    if (done->position != peer->next_position || done->position <= core->log.base.position) {
        return; // wanted no longer
    }
    uint64_t end = done->status == STATUS_ok ? streaming_end_of(core, done->bytes, done->position)
                                             : done->position;
    if (end == done->position) {
        outbox_log(out, LOG_WARNING, "event=read_back_failed status=%s position=%llu",
                   status_name(done->status), (unsigned long long)done->position);
        peer->rest_until_us = event->now_us + REST_US;
        return;
    }
    struct message_append append = {.previous_position = done->position - 1,
                                    .entries = done->bytes};
    streaming_append(streaming, peer, append, out);
    peer->next_position = end;
    peer->sent_us = event->now_us;
}

void streaming_on_transfer_reply(struct streaming *streaming, const struct event *event,
                                 struct outbox *out)
{
    const struct message_transfer_reply *reply = &event->message->transfer_reply;
    struct peer *peer = streaming_find(streaming, reply->directory_id);
    uint64_t position = streaming->transfer.position;
    if (peer == NULL || !transfer_out_awaits(&streaming->transfer, reply)) {
        return;
    }
    streaming->progress += peer->voter;
    if (!transfer_out_on_reply(&streaming->transfer, event, out)) {
        bool is_over = streaming->transfer.directory_id == 0;
        peer->rest_until_us = is_over ? event->now_us + REST_US : 0;
        return;
    }
    peer->next_position = position + 1;
    peer->probing = false;
}

void streaming_on_connection(struct streaming *streaming, uint64_t address, bool up)
{
    for (size_t i = 0; i < streaming->peer_count; i++) {
        struct peer *peer = &streaming->peers[i];
        if (peer->address == address) {
            peer->down = !up;
            peer->probing = false;
        }
    }
}

uint64_t streaming_majority_position(const struct streaming *streaming)
{
    uint64_t positions[PEER_COUNT_MAX + 1];
    size_t count = 0;
    const struct core *core = streaming->core;
    if (core_is_voter(core, core->vote.directory_id) && !core->vote.damaged) {
        positions[count++] = BUG(9) ? core->log.last.position : core->durable_position;
    }
    for (size_t i = 0; i < streaming->peer_count; i++) {
        const struct peer *peer = &streaming->peers[i];
        if (peer->voter && !peer->damaged) {
            positions[count++] = peer->match_position;
        }
    }
    return majority_value(positions, count, majority_of(core->configuration.voter_count));
}

uint64_t streaming_needed_position(const struct streaming *streaming, uint64_t now_us)
{
    uint64_t needed = streaming->core->log.last.position;
    for (size_t i = 0; i < streaming->peer_count; i++) {
        const struct peer *peer = &streaming->peers[i];
        uint64_t position = peer->match_position;
        if (streaming->transfer.directory_id == peer->directory_id) {
            position = streaming->transfer.position;
        }
        bool answers = streaming_hears(streaming, peer, now_us) && !peer->replaced;
        if (answers && position < needed) {
            needed = position;
        }
    }
    return needed;
}
