/*
 * The storage node in trouble: nodes left behind, disks that hang or are full, transfers that last,
 * births that came to nothing. Each of these once stopped a node or kept it from serving.
 */
#include "actors/primary/proposals.h"
#include "actors/storage/node_internal.h"
#include "base/crc32c.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_node.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

static struct node_fixture f;

static void setup(void)
{
    node_fixture_init(&f);
}

static void teardown(void)
{
    node_fixture_release(&f);
}

TestSuite(node_trouble, .init = setup, .fini = teardown);

static void put(uint64_t sequence)
{
    static const char operations[] = "\x91\x84\xa2op\xa3put\xaa"
                                     "collection\xa1"
                                     "c\xa2id\xa1"
                                     "a\xa8"
                                     "document\x80";
    struct message_transact transact = {.request = sequence,
                                        .session = bytes_from_text("session"),
                                        .sequence = sequence,
                                        .timeout_ms = 1000,
                                        .operations = bytes_of(operations, sizeof operations - 1)};
    node_fixture_message(&f, FROM_WRITER,
                         &(struct message){.kind = MESSAGE_transact, .transact = transact});
    node_fixture_turn(&f);
}

Test(node_trouble, primary_whose_state_is_damaged_stops_and_answers_nothing)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    state_memory_fail_reads(f.state, STATUS_damaged);
    put(1);
    cr_assert_eq(f.stopped, EXIT_DAMAGED);
    node_fixture_disk_all(&f);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_outcome));
    state_memory_fail_reads(f.state, STATUS_ok);
}

// Sends a transaction that looks at as many documents, which aren't there, as it may.
static void look_at_much(uint64_t sequence)
{
    enum { COUNT = TRANSACTION_EXAMINED_SIZE_MAX / EXAMINED_SIZE_MIN };
    AUTO(buffer_release) struct buffer ids = {0};
    AUTO(buffer_release) struct buffer operations = {0};
    struct operation unchanged = {.kind = OPERATION_unchanged, .collection = bytes_from_text("c")};
    pack_array(&ids, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        pack_array(&ids, 2);
        pack_u64(&ids, i);
        pack_u64(&ids, 0);
    }
    unchanged.ids = buffer_bytes(&ids);
    pack_array(&operations, 1);
    operation_pack(&unchanged, &operations);
    struct message_transact transact = {.request = sequence,
                                        .session = bytes_from_text("session"),
                                        .sequence = sequence,
                                        .timeout_ms = 1000,
                                        .operations = buffer_bytes(&operations)};
    node_fixture_message(&f, FROM_WRITER,
                         &(struct message){.kind = MESSAGE_transact, .transact = transact});
}

Test(node_trouble, primary_looks_at_so_much_in_one_turn)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    look_at_much(1);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_refusal));
    look_at_much(2);
    const struct message *refusal = node_fixture_sent(&f, MESSAGE_refusal);
    cr_assert_not_null(refusal);
    cr_assert_eq(refusal->refusal.request, 2);
    cr_assert_eq(refusal->refusal.status, STATUS_busy);
    node_fixture_turn(&f);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    look_at_much(3);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_refusal), "the next entry takes it");
}

static void seal(uint64_t epoch)
{
    struct message_seal seal = {.epoch = epoch, .incarnation = FIXTURE_INCARNATION};
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_seal, .seal = seal});
}

static void appoint(uint64_t epoch, uint64_t last_epoch, uint64_t last_position)
{
    struct message_appoint appoint = {.epoch = epoch,
                                      .incarnation = FIXTURE_INCARNATION,
                                      .appointee = S1,
                                      .last_epoch = last_epoch,
                                      .last_position = last_position};
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_appoint, .appoint = appoint});
}

// The births of a cluster as a coordinator orders them.
static void give_birth(uint64_t epoch)
{
    AUTO(buffer_release) struct buffer configuration = {0};
    fixture_configuration(&configuration);
    struct message_appoint birth = {.epoch = epoch,
                                    .incarnation = FIXTURE_INCARNATION,
                                    .appointee = S1,
                                    .birth_cluster_id = FIXTURE_CLUSTER_ID,
                                    .birth_configuration = buffer_bytes(&configuration)};
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_appoint, .appoint = birth});
}

static void answer_round(uint64_t from, uint64_t directory_id, uint64_t epoch)
{
    struct message_round_reply reply = {.epoch = epoch,
                                        .round = f.node->leader.rounds.round,
                                        .directory_id = directory_id,
                                        .promised = epoch};
    node_fixture_message(&f, from,
                         &(struct message){.kind = MESSAGE_round_reply, .round_reply = reply});
}

Test(node_trouble, a_primary_survives_a_node_that_its_journal_does_not_reach)
{
    uint64_t s3_address = address_of_endpoint(bytes_from_text("sim://s3"));
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    node_fixture_acknowledge(&f, FROM_S3, S3, 1, 1);
    node_fixture_event(&f, EVENT_PEER_DOWN, s3_address);
    for (uint64_t i = 1; i <= 5; i++) {
        put(i);
        node_fixture_disk_all(&f);
        node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1 + i);
    }
    struct entry_place base; // as upkeep makes it after much more
    cr_assert(log_place_at(&f.node->core.log, 4, &base));
    log_forget(&f.node->core.log, 5);
    log_set_base(&f.node->core.log, &base);
    streaming_find(&f.node->leader.streaming, S3)->next_position = 2;
    node_fixture_event(&f, EVENT_PEER_UP, s3_address);
    node_fixture_forget(&f);
    node_fixture_turn(&f);
    cr_assert_not_null(node_fixture_sent(&f, MESSAGE_transfer_chunk));
    put(6);
    node_fixture_disk_all(&f);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 7);
    node_fixture_turn(&f);
    cr_assert(node_fixture_view(&f).leads);
}

Test(node_trouble, a_bad_journal_of_the_primary_makes_it_send_the_state)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    node_fixture_acknowledge(&f, FROM_S3, S3, 1, 0);
    struct peer *s3 = streaming_find(&f.node->leader.streaming, S3);
    put(1);
    node_fixture_disk_all(&f);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    log_forget(&f.node->core.log, 2);
    s3->next_position = 1;
    s3->probing = false;
    node_fixture_turn(&f);
    cr_assert_eq(f.waiting[0].request.kind, DISK_READ);
    node_fixture_forget(&f);
    node_fixture_disk(&f, STATUS_damaged);
    cr_assert_not_null(node_fixture_sent(&f, MESSAGE_transfer_chunk));
    node_fixture_forget(&f);
    for (int i = 0; i < 3; i++) { // its answer was lost
        f.now_us += 200000;
        node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
        answer_round(FROM_S2, S2, 1);
    }
    const struct message *again = node_fixture_sent(&f, MESSAGE_transfer_chunk);
    cr_assert(again != NULL && again->transfer_chunk.sequence == 1);
}

Test(node_trouble, a_primary_whose_disk_hangs_steps_down)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    node_fixture_acknowledge(&f, FROM_S3, S3, 1, 2);
    for (int i = 0; i < 40 && node_fixture_view(&f).leads; i++) {
        f.now_us += (uint64_t)HEARTBEAT_MS * 1000;
        answer_round(FROM_S2, S2, 1);
        node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
        node_fixture_turn(&f);
        node_fixture_forget(&f);
    }
    cr_assert_not(node_fixture_view(&f).leads, "rule 34");
}

Test(node_trouble, a_first_entry_that_finds_the_disk_full_leaves_the_next_seal_an_answer)
{
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    node_fixture_disk_all(&f);
    seal(2);
    node_fixture_disk_all(&f);
    appoint(2, 1, 1);
    seal(3);
    node_fixture_forget(&f);
    node_fixture_disk(&f, STATUS_ok);
    node_fixture_disk(&f, STATUS_read_only);
    for (int i = 0; i < 10 && f.waiting_count > 0; i++) {
        node_fixture_disk(&f, STATUS_ok);
    }
    cr_assert_eq(f.waiting_count, 0);
    const struct message *reply = node_fixture_sent(&f, MESSAGE_seal_reply);
    cr_assert_not_null(reply);
    cr_assert_eq(reply->seal_reply.last_position, 1);
}

static enum status create_state(struct state_factory *factory, uint64_t generation,
                                struct state **ret_state)
{
    (void)factory;
    (void)generation;
    *ret_state = state_memory_new();
    return STATUS_ok;
}

static enum status send_chunk(uint64_t sequence)
{
    AUTO(buffer_release) struct buffer record = {0};
    struct message_applied_record applied = {
        .format = 1, .cluster_id = FIXTURE_CLUSTER_ID, .epoch = 1, .position = 100, .version = 5};
    message_encode(&(struct message){.kind = MESSAGE_applied_record, .applied_record = applied},
                   &record);
    struct message_transfer_chunk chunk = {.epoch = 1,
                                           .leader = S2,
                                           .transfer = 1,
                                           .sequence = sequence,
                                           .applied = buffer_bytes(&record),
                                           .crc = crc32c(0, bytes_of(NULL, 0))};
    node_fixture_message(
        &f, FROM_S2, &(struct message){.kind = MESSAGE_transfer_chunk, .transfer_chunk = chunk});
    const struct message *reply = node_fixture_sent(&f, MESSAGE_transfer_reply);
    cr_assert_not_null(reply);
    return (enum status)reply->transfer_reply.status;
}

Test(node_trouble, heartbeats_do_not_end_a_transfer)
{
    struct state_factory factory = {.create = create_state};
    struct entry_place far = {.epoch = 1, .position = 100};
    f.node->follower.transfer.factory = &factory;
    node_fixture_append(&f, 1, &far, 100);
    node_fixture_disk_all(&f);
    cr_assert_eq(send_chunk(1), STATUS_ok);
    node_fixture_append(&f, 1, &far, 100);
    cr_assert_eq(send_chunk(2), STATUS_ok);
    cr_assert_eq(send_chunk(1), STATUS_ok, "sent twice");
    node_fixture_append(&f, 2, &far, 100);
    node_fixture_disk_all(&f);
    cr_assert_null(f.node->follower.transfer.state, "another primary has another state");
}

Test(node_trouble, a_birth_that_came_no_further_than_the_vote_can_be_had_again)
{
    seal(1);
    node_fixture_disk_all(&f);
    give_birth(1);
    node_fixture_disk(&f, STATUS_ok);
    node_fixture_restart(&f, &(struct journal_view){0});
    cr_assert_eq(node_fixture_view(&f).cluster_id, 0);
    seal(2);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    give_birth(2);
    node_fixture_disk_all(&f);
    cr_assert(node_fixture_sent(&f, MESSAGE_appoint_reply)->appoint_reply.accepted);
}

Test(node_trouble, a_poll_tells_nothing_of_a_birth_that_is_not_durable)
{
    seal(1);
    node_fixture_disk_all(&f);
    give_birth(1);
    struct message_poll poll = {.request = 1};
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_poll, .poll = poll});
    const struct message_poll_reply *reply = &node_fixture_sent(&f, MESSAGE_poll_reply)->poll_reply;
    cr_assert_eq(reply->last_position, 0);
    cr_assert_eq(reply->configuration.size, 0);
    node_fixture_disk_all(&f);
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_poll, .poll = poll});
    reply = &node_fixture_sent(&f, MESSAGE_poll_reply)->poll_reply;
    cr_assert_eq(reply->last_position, 1);
    cr_assert_gt(reply->configuration.size, 0);
}

Test(node_trouble, a_birth_that_found_the_disk_full_can_be_had_again)
{
    seal(1);
    node_fixture_disk_all(&f);
    give_birth(1);
    node_fixture_disk(&f, STATUS_ok);
    node_fixture_disk(&f, STATUS_read_only);
    node_fixture_disk_all(&f);
    seal(2);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    give_birth(2);
    node_fixture_disk_all(&f);
    cr_assert(node_fixture_sent(&f, MESSAGE_appoint_reply)->appoint_reply.accepted);
}

static void answer_damaged(uint64_t damaged_promise, uint64_t match_position)
{
    struct message_append_reply reply = {.epoch = 2,
                                         .directory_id = S3,
                                         .promised = 2,
                                         .accepted = true,
                                         .match_position = match_position,
                                         .damaged = true,
                                         .damaged_promise = damaged_promise};
    node_fixture_message(&f, FROM_S3,
                         &(struct message){.kind = MESSAGE_append_reply, .append_reply = reply});
}

Test(node_trouble, asks_for_an_epoch_only_for_a_voter_that_needs_a_new_one)
{
    node_fixture_lead(&f, 2);
    node_fixture_acknowledge(&f, FROM_S2, S2, 2, 1);
    answer_damaged(1, 1);
    cr_assert_eq(f.node->leader.wanted_epoch, 0, "this epoch is new enough for it");
    answer_damaged(2, 1);
    cr_assert_eq(f.node->leader.wanted_epoch, 3);
}

Test(node_trouble, a_damaged_voter_is_not_counted)
{
    node_fixture_lead(&f, 2);
    answer_damaged(2, 1);
    cr_assert_eq(node_fixture_view(&f).commit_position, 0, "rule 20");
}

Test(node_trouble, survives_a_refusal_without_a_hint)
{
    node_fixture_lead(&f, 2);
    struct message_append_reply reply = {
        .epoch = 2, .directory_id = S3, .promised = 2, .damaged = true, .damaged_promise = 2};
    node_fixture_message(&f, FROM_S3,
                         &(struct message){.kind = MESSAGE_append_reply, .append_reply = reply});
    node_fixture_acknowledge(&f, FROM_S2, S2, 2, 1);
    node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
    cr_assert(node_fixture_view(&f).leads);
}

// s3 says that it can't take what follows entry 2.
static void refuse_with_hint(uint64_t hint)
{
    struct message_append_reply reply = {
        .epoch = 1, .directory_id = S3, .promised = 1, .hint_position = hint};
    node_fixture_message(&f, FROM_S3,
                         &(struct message){.kind = MESSAGE_append_reply, .append_reply = reply});
}

Test(node_trouble, a_voter_that_lost_what_it_acknowledged_is_sent_it_again)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_disk_all(&f);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    node_fixture_acknowledge(&f, FROM_S3, S3, 1, 2);
    struct peer *s3 = streaming_find(&f.node->leader.streaming, S3);
    refuse_with_hint(2); // may be old
    cr_assert_eq(s3->match_position, 2);
    f.now_us += (uint64_t)HEARTBEAT_MS * 1000;
    node_fixture_forget(&f);
    refuse_with_hint(2);
    cr_assert_eq(s3->match_position, 1);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_append)->append.previous_position, 1);
}

// The state is flushed after `size` more bytes of entries.
static void flush_after(uint64_t size, uint64_t position)
{
    struct upkeep *upkeep = &f.node->upkeep;
    upkeep->applied_size += size;
    upkeep->flushed_size = upkeep->applied_size;
    struct disk_done done = {.kind = DISK_FLUSH, .position = position};
    struct event event = {.kind = EVENT_DISK, .now_us = f.now_us, .done = &done};
    node_on_flushed(f.node, &event, &f.out);
}

Test(node_trouble, a_trickle_of_writes_lets_the_journal_be_dropped_too)
{
    const uint64_t size = 1 * MIB;
    uint64_t flushes = JOURNAL_KEEP_SIZE / size + 2 * CHECKPOINT_COUNT;
    for (uint64_t i = 1; i <= flushes; i++) {
        flush_after(size, i);
    }
    cr_assert_neq(f.node->upkeep.drop_sequence, 0);
}
