/*
 * The storage node against the replication rules: what must happen, and what must not.
 */
#include "actors/primary/proposals.h"
#include "tests/unit/fixture_node.h"

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

TestSuite(node, .init = setup, .fini = teardown);

static void seal(uint64_t epoch, uint64_t incarnation)
{
    struct message_seal seal = {.epoch = epoch, .incarnation = incarnation};
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

// s2 leads epoch 1 with `count` entries, which are durable here and known committed up to `commit`.
static void follow(uint64_t count, uint64_t commit)
{
    for (uint64_t i = 0; i < count; i++) {
        node_fixture_entry(&f, 1);
    }
    node_fixture_append(&f, 1, &(struct entry_place){0}, commit);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
}

static const struct message_append_reply *last_append_reply(void)
{
    const struct message *message = node_fixture_sent(&f, MESSAGE_append_reply);
    cr_assert_not_null(message);
    return &message->append_reply;
}

static void put(uint64_t sequence)
{
    // [{"op":"put","collection":"c","id":"a","document":{}}]
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

Test(node, answers_a_seal_only_when_the_promise_is_durable)
{
    seal(1, FIXTURE_INCARNATION);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_seal_reply));
    node_fixture_disk_all(&f);
    const struct message *reply = node_fixture_sent(&f, MESSAGE_seal_reply);
    cr_assert_not_null(reply);
    cr_assert(reply->seal_reply.accepted);
    cr_assert_eq(reply->seal_reply.epoch, 1);
}

Test(node, seals_no_epoch_twice_but_repeats_its_answer_to_the_same_attempt)
{
    seal(1, FIXTURE_INCARNATION);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    seal(1, FIXTURE_INCARNATION + 1);
    cr_assert_not(node_fixture_sent(&f, MESSAGE_seal_reply)->seal_reply.accepted);
    seal(1, FIXTURE_INCARNATION);
    cr_assert(node_fixture_sent(&f, MESSAGE_seal_reply)->seal_reply.accepted);
    cr_assert_eq(f.waiting_count, 0);
}

Test(node, refuses_an_epoch_absurdly_far_ahead)
{
    seal(EPOCH_STEP_MAX + 1, FIXTURE_INCARNATION);
    cr_assert_eq(f.waiting_count, 0);
    cr_assert_not(node_fixture_sent(&f, MESSAGE_seal_reply)->seal_reply.accepted);
}

Test(node, a_seal_reports_appends_that_were_accepted_before_it)
{
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    seal(2, FIXTURE_INCARNATION);
    node_fixture_forget(&f);
    node_fixture_disk_all(&f);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_seal_reply)->seal_reply.last_position, 1);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_append_reply), "rule 7: not after the seal");
}

Test(node, leads_only_when_its_first_entry_is_durable)
{
    seal(1, FIXTURE_INCARNATION);
    node_fixture_disk_all(&f);
    AUTO(buffer_release) struct buffer configuration = {0};
    fixture_configuration(&configuration);
    struct message_appoint birth = {.epoch = 1,
                                    .incarnation = FIXTURE_INCARNATION,
                                    .appointee = S1,
                                    .birth_cluster_id = FIXTURE_CLUSTER_ID,
                                    .birth_configuration = buffer_bytes(&configuration)};
    node_fixture_message(&f, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_appoint, .appoint = birth});
    node_fixture_turn(&f);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_append), "rule 5");
    node_fixture_disk_all(&f);
    cr_assert(node_fixture_view(&f).leads);
    cr_assert_not_null(node_fixture_sent(&f, MESSAGE_append));
}

Test(node, takes_an_appointment_once)
{
    node_fixture_lead(&f, 1);
    struct journal_view journal = {.end = node_fixture_view(&f).last};
    node_fixture_restart(&f, &journal);
    cr_assert_eq(f.waiting[0].request.kind, DISK_READ, "it loads first");
    cr_assert_not(node_fixture_view(&f).leads);
}

Test(node, takes_no_appointment_for_another_end_of_log)
{
    follow(2, 0);
    seal(2, FIXTURE_INCARNATION);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    appoint(2, 1, 1);
    cr_assert_not(node_fixture_sent(&f, MESSAGE_appoint_reply)->appoint_reply.accepted);
    appoint(2, 1, 2);
    node_fixture_disk_all(&f);
    cr_assert(node_fixture_sent(&f, MESSAGE_appoint_reply)->appoint_reply.accepted);
}

Test(node, takes_no_appointment_of_an_epoch_below_its_promise)
{
    follow(1, 0);
    seal(2, FIXTURE_INCARNATION);
    seal(3, FIXTURE_INCARNATION);
    node_fixture_disk_all(&f);
    appoint(2, 1, 1);
    cr_assert_not(node_fixture_sent(&f, MESSAGE_appoint_reply)->appoint_reply.accepted);
}

Test(node, acknowledges_an_append_only_when_it_is_durable)
{
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_append_reply));
    cr_assert_not_null(node_fixture_sent(&f, MESSAGE_round_reply), "rounds don't wait");
    node_fixture_disk_all(&f);
    cr_assert_eq(last_append_reply()->match_position, 1);
}

Test(node, a_heartbeat_of_a_new_epoch_is_acknowledged_behind_its_promise)
{
    node_fixture_append(&f, 5, &(struct entry_place){0}, 0);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_append_reply), "rule 12");
    node_fixture_disk_all(&f);
    cr_assert(last_append_reply()->accepted);
}

Test(node, refuses_an_append_of_a_deposed_primary)
{
    seal(3, FIXTURE_INCARNATION);
    node_fixture_disk_all(&f);
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    cr_assert_not(last_append_reply()->accepted);
    cr_assert_eq(last_append_reply()->promised, 3);
    cr_assert_eq(node_fixture_view(&f).last.position, 0);
}

Test(node, refuses_a_second_leader_of_one_epoch)
{
    follow(1, 0);
    struct message_append append = {.epoch = 1, .leader = S3, .round = 1};
    node_fixture_message(&f, FROM_S3, &(struct message){.kind = MESSAGE_append, .append = append});
    cr_assert_not(last_append_reply()->accepted, "rule 6");
}

Test(node, hints_where_its_log_ends)
{
    follow(2, 0);
    node_fixture_append(&f, 1, &(struct entry_place){.epoch = 1, .position = 9}, 0);
    cr_assert_not(last_append_reply()->accepted);
    cr_assert_eq(last_append_reply()->hint_position, 3);
}

Test(node, a_delayed_append_that_matches_removes_no_longer_tail)
{
    node_fixture_entry(&f, 1);
    AUTO(buffer_release) struct buffer first = {0};
    buffer_append(&first, buffer_bytes(&f.frames));
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    node_fixture_disk_all(&f);
    buffer_append(&f.frames, buffer_bytes(&first));
    node_fixture_append(&f, 1, &(struct entry_place){0}, 0);
    cr_assert_eq(node_fixture_view(&f).last.position, 2, "rule 11");
}

Test(node, replaces_what_conflicts_with_the_new_primary)
{
    follow(3, 1);
    struct entry_place first = {.epoch = 1, .position = 1};
    // A log of s2 that has entry 1 and then one of epoch 2.
    struct node_view view = node_fixture_view(&f);
    f.end = view.applied;
    cr_assert_eq(f.end.position, 1);
    node_fixture_entry(&f, 2);
    node_fixture_append(&f, 2, &first, 1);
    cr_assert_eq(node_fixture_view(&f).last.position, 2);
    cr_assert_eq(node_fixture_view(&f).last.epoch, 2);
    node_fixture_disk_all(&f);
    cr_assert_eq(last_append_reply()->match_position, 2);
}

Test(node, stops_rather_than_remove_a_committed_entry)
{
    follow(2, 2);
    f.end = (struct entry_place){.epoch = 1, .position = 1};
    node_fixture_entry(&f, 2);
    node_fixture_append(&f, 2, &(struct entry_place){.epoch = 1, .position = 1}, 0);
    cr_assert_eq(node_fixture_view(&f).last.epoch, 1, "a committed entry stays");
}

Test(node, treats_as_committed_no_more_than_it_was_told)
{
    follow(3, 2);
    cr_assert_eq(node_fixture_view(&f).commit_position, 2);
    cr_assert_eq(node_fixture_view(&f).applied.position, 2);
}

Test(node, treats_as_committed_no_more_than_is_durable_here)
{
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 1);
    cr_assert_eq(node_fixture_view(&f).commit_position, 0, "rule 15");
    node_fixture_disk_all(&f);
    cr_assert_eq(node_fixture_view(&f).commit_position, 1);
}

Test(node, commits_when_a_majority_has_it_durable)
{
    node_fixture_lead(&f, 1);
    cr_assert_eq(node_fixture_view(&f).commit_position, 0);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    cr_assert_eq(node_fixture_view(&f).commit_position, 1);
    cr_assert(node_fixture_view(&f).ready);
}

Test(node, ignores_acknowledgements_of_another_epoch_and_of_strangers)
{
    node_fixture_lead(&f, 2);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    node_fixture_acknowledge(&f, FROM_S2, 999, 2, 1);
    cr_assert_eq(node_fixture_view(&f).commit_position, 0);
}

Test(node, commits_no_entry_of_an_earlier_epoch_by_counting)
{
    follow(2, 1);
    node_fixture_lead(&f, 3);
    node_fixture_acknowledge(&f, FROM_S2, S2, 3, 2);
    cr_assert_eq(node_fixture_view(&f).commit_position, 1, "rule 14");
    node_fixture_acknowledge(&f, FROM_S2, S2, 3, 3);
    cr_assert_eq(node_fixture_view(&f).commit_position, 3);
}

Test(node, takes_no_transaction_before_its_first_entry_is_committed)
{
    node_fixture_lead(&f, 1);
    put(1);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_refusal)->refusal.status, STATUS_not_primary);
}

Test(node, answers_a_transaction_when_it_is_committed)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_disk_all(&f);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_outcome), "durable here alone is not enough");
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    const struct message *outcome = node_fixture_sent(&f, MESSAGE_outcome);
    cr_assert_not_null(outcome);
    cr_assert_eq(outcome->outcome.status, STATUS_ok);
    cr_assert_eq(outcome->outcome.version, 1);
}

Test(node, a_single_acknowledgement_of_others_does_not_stand_for_its_own_disk)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_outcome), "rule 16");
    node_fixture_disk_all(&f);
    cr_assert_not_null(node_fixture_sent(&f, MESSAGE_outcome));
}

Test(node, a_deposed_primary_answers_nothing_more)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_disk_all(&f);
    seal(2, FIXTURE_INCARNATION);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_outcome));
    cr_assert_not(node_fixture_view(&f).leads);
}

Test(node, steps_down_when_no_majority_answers_its_rounds)
{
    node_fixture_lead(&f, 1);
    f.now_us += (uint64_t)f.process.timings.suspect_after_ms * 1000 + 1;
    node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
    cr_assert_not(node_fixture_view(&f).leads, "rule 34");
}

Test(node, keeps_its_place_while_a_majority_answers_its_rounds)
{
    node_fixture_lead(&f, 1);
    for (uint64_t round = 1; round < 20; round++) {
        struct message_round_reply reply = {
            .epoch = 1, .round = round, .directory_id = S3, .promised = 1};
        node_fixture_message(&f, FROM_S3,
                             &(struct message){.kind = MESSAGE_round_reply, .round_reply = reply});
        node_fixture_acknowledge(&f, FROM_S3, S3, 1, 1);
        f.now_us += (uint64_t)f.process.timings.heartbeat_ms * 1000;
        node_fixture_forget(&f);
        node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
    }
    cr_assert(node_fixture_view(&f).leads);
}

Test(node, rounds_answered_with_a_higher_promise_do_not_count)
{
    node_fixture_lead(&f, 1);
    f.now_us += (uint64_t)f.process.timings.suspect_after_ms * 1000;
    node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
    struct message_round_reply reply = {.epoch = 1, .round = 2, .directory_id = S3, .promised = 2};
    node_fixture_message(&f, FROM_S3,
                         &(struct message){.kind = MESSAGE_round_reply, .round_reply = reply});
    f.now_us += 2000;
    node_fixture_timer(&f, LEADER_TIMER_HEARTBEAT);
    cr_assert_not(node_fixture_view(&f).leads, "rule 25");
}

Test(node, names_a_read_point_only_once_an_entry_of_its_epoch_is_committed)
{
    node_fixture_lead(&f, 1);
    struct message ask = {.kind = MESSAGE_read_point, .read_point = {.request = 5}};
    node_fixture_message(&f, FROM_READER, &ask);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_read_point_reply));
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    node_fixture_message(&f, FROM_READER, &ask);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_read_point_reply)->read_point_reply.epoch, 1);
}

Test(node, confirms_with_the_epoch_it_is_about_to_promise)
{
    seal(7, FIXTURE_INCARNATION);
    struct message ask = {.kind = MESSAGE_confirm, .confirm = {.request = 5}};
    node_fixture_message(&f, FROM_READER, &ask);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_confirm_reply)->confirm_reply.promised, 7);
}

Test(node, a_read_waits_for_its_version_or_its_deadline)
{
    follow(1, 1);
    struct message_read read = {
        .request = 1, .level = READ_session, .after_version = 10, .timeout_ms = 50};
    node_fixture_message(&f, FROM_READER, &(struct message){.kind = MESSAGE_read, .read = read});
    cr_assert_eq(f.query_count, 0);
    f.now_us += 50 * 1000;
    node_fixture_timer(&f, 22);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_read_reply)->read_reply.status, STATUS_deadline);
    read.after_version = 0;
    node_fixture_message(&f, FROM_READER, &(struct message){.kind = MESSAGE_read, .read = read});
    cr_assert_eq(f.query_count, 1);
}

Test(node, a_snapshot_waits_for_the_entry_that_marks_it)
{
    follow(2, 1);
    struct entry_place applied = node_fixture_view(&f).applied;
    struct message_read read = {.request = 1,
                                .level = READ_snapshot,
                                .at_version = applied.version,
                                .at_position = applied.position + 1,
                                .timeout_ms = 50};
    node_fixture_message(&f, FROM_READER, &(struct message){.kind = MESSAGE_read, .read = read});
    cr_assert_eq(f.query_count, 0);
    node_fixture_append(&f, 1, &(struct entry_place){0}, 2);
    cr_assert_eq(node_fixture_view(&f).applied.position, 2);
    cr_assert_eq(f.query_count, 1);
    node_fixture_message(&f, FROM_READER, &(struct message){.kind = MESSAGE_read, .read = read});
    cr_assert_eq(f.query_count, 2);
}

Test(node, a_full_disk_refuses_writes_and_takes_them_again)
{
    node_fixture_lead(&f, 1);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 1);
    put(1);
    node_fixture_disk(&f, STATUS_read_only);
    put(2);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_refusal)->refusal.status, STATUS_read_only);
    node_fixture_timer(&f, LEADER_TIMER_RETRY);
    node_fixture_disk_all(&f);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 2);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_outcome)->outcome.request, 1);
    put(3);
    node_fixture_disk_all(&f);
    node_fixture_acknowledge(&f, FROM_S2, S2, 1, 3);
    cr_assert_eq(node_fixture_sent(&f, MESSAGE_outcome)->outcome.request, 3);
}

Test(node, a_follower_with_a_full_disk_forgets_what_did_not_reach_it)
{
    follow(1, 0);
    node_fixture_entry(&f, 1);
    node_fixture_append(&f, 1, &(struct entry_place){.epoch = 1, .position = 1}, 0);
    node_fixture_disk(&f, STATUS_read_only);
    cr_assert_eq(node_fixture_view(&f).last.position, 1);
    cr_assert(last_append_reply()->disk_full);
    cr_assert_eq(last_append_reply()->hint_position, 2);
}

Test(node, a_damaged_node_seals_nothing_and_says_so_in_its_answers)
{
    follow(2, 1);
    struct journal_view journal = {.end = {.epoch = 1, .position = 2}, .damaged = true};
    node_fixture_restart(&f, &journal);
    node_fixture_disk_all(&f);
    node_fixture_forget(&f);
    seal(2, FIXTURE_INCARNATION);
    cr_assert_not(node_fixture_sent(&f, MESSAGE_seal_reply)->seal_reply.accepted);
    struct entry_place applied = node_fixture_view(&f).applied;
    node_fixture_append(&f, 2, &applied, 1);
    node_fixture_disk_all(&f);
    cr_assert(last_append_reply()->damaged);
    cr_assert_null(node_fixture_sent(&f, MESSAGE_round_reply), "rule 20");
}

Test(node, a_refilled_node_votes_again_in_a_newer_epoch)
{
    follow(1, 1);
    struct journal_view journal = {.end = {.epoch = 1, .position = 1}, .damaged = true};
    node_fixture_restart(&f, &journal);
    node_fixture_disk_all(&f);
    f.end = node_fixture_view(&f).applied;
    struct entry_place applied = f.end;
    node_fixture_entry(&f, 2);
    node_fixture_append(&f, 2, &applied, 2);
    node_fixture_disk_all(&f);
    cr_assert_not(node_fixture_view(&f).damaged);
}

Test(node, refuses_messages_of_another_cluster)
{
    follow(1, 1);
    struct message ask = {.kind = MESSAGE_confirm, .confirm = {.request = 5}};
    struct event event = {.kind = EVENT_MESSAGE,
                          .from = FROM_READER,
                          .from_cluster_id = 99,
                          .message = &ask,
                          .now_us = f.now_us};
    node_step(f.node, &event, &f.out);
    cr_assert_eq(f.out.count, 1);
    struct bytes rest = outbox_effect_bytes(&f.out, &f.out.effects[0]);
    struct message refusal;
    cr_assert_eq(message_decode(&rest, &refusal), STATUS_ok);
    cr_assert_eq(refusal.refusal.status, STATUS_wrong_cluster);
}
