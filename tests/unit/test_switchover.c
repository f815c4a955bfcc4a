/*
 * Planned switchovers through a coordinator (rule 36).
 */
#include "actors/coordinator/switchover.h"

#include "tests/unit/fixture_coordinator.h"

#include <criterion/criterion.h>

static void ask(struct office *office, const char *target)
{
    struct message message = {.kind = MESSAGE_switchover,
                              .switchover = {.request = 44, .target = bytes_from_text(target)}};
    office_receive(office, OFFICE_CLIENT, "", message);
}

static void consent(struct office *office, uint64_t from, uint64_t epoch, uint64_t target)
{
    struct message message = {.kind = MESSAGE_consent,
                              .consent = {.epoch = epoch, .target = target, .last_position = 100}};
    office_receive(office, from, "s1", message);
}

static const struct message_switchover_reply *reply(const struct office *office)
{
    const struct message *message = post_last(office->post, OFFICE_CLIENT,
                                              MESSAGE_switchover_reply);
    cr_assert_eq(message->switchover_reply.request, 44);
    return &message->switchover_reply;
}

static void check_text(struct bytes text, const char *expected)
{
    cr_assert(bytes_equal(text, bytes_from_text(expected)), "%.*s", (int)text.size,
              (const char *)text.data);
}

static void check_refused(struct office *office, const char *target, enum status status)
{
    ask(office, target);
    const struct message *refusal = post_last(office->post, OFFICE_CLIENT, MESSAGE_refusal);
    cr_assert_eq(refusal->refusal.request, 44);
    cr_assert_eq(refusal->refusal.status, status);
    cr_assert_gt(refusal->refusal.message.size, 10);
    cr_assert_eq(post_count(office->post, voter_address(office, 0), MESSAGE_switchover), 0);
    post_forget(office->post);
}

// The voter takes the epoch that it is appointed to, and says so.
static void elect(struct office *office, size_t voter, const char *name)
{
    office_answer(office, "123");
    office_answer_appoint(office, voter);
    office_report_as(office, name, MEMBER_primary, 5);
}

Test(switchover, goes_from_the_request_through_consent_to_the_target_without_a_poll)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    const struct message *passed = post_last(office.post, voter_address(&office, 0),
                                             MESSAGE_switchover);
    check_text(passed->switchover.target, "s3");
    office_wait(&office, 20 * MS);
    consent(&office, voter_address(&office, 0), 4, 103);
    office_wait(&office, 5 * MS);
    elect(&office, 2, "s3");
    const struct message_switchover_reply *answer = reply(&office);
    cr_assert_eq(answer->status, STATUS_ok);
    check_text(answer->old_primary, "s1");
    check_text(answer->new_primary, "s3");
    cr_assert_eq(answer->epoch, 5);
    cr_assert_eq(answer->elapsed_us, 25 * MS);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_poll), 0);
    cr_assert_eq(office.post->timers[TIMER_SWITCHOVER], 0);
    cr_assert_str_eq(office.coordinator->failovers.failovers[0].cause, "switchover");
    office_close(&office);
}

Test(switchover, without_a_target_any_other_voter_will_do)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "");
    consent(&office, voter_address(&office, 0), 4, 102);
    elect(&office, 1, "s2");
    cr_assert_eq(reply(&office)->status, STATUS_ok);
    check_text(reply(&office)->new_primary, "s2");
    office_close(&office);
}

Test(switchover, says_so_when_another_node_than_the_target_leads)
{
    struct office office;
    office_open_with_primary(&office);
    office.scripts[1].last_position = 105;
    ask(&office, "s3");
    consent(&office, voter_address(&office, 0), 4, 103);
    elect(&office, 1, "s2");
    cr_assert_eq(reply(&office)->status, STATUS_refused);
    check_text(reply(&office)->message, "s2 leads now, and not s3");
    check_text(reply(&office)->new_primary, "s2");
    office_close(&office);
}

Test(switchover, is_refused_for_targets_that_cannot_be)
{
    struct office office;
    office_open_with_primary(&office);
    check_refused(&office, "s9", STATUS_absent);
    check_refused(&office, "r1", STATUS_refused);
    check_refused(&office, "c1", STATUS_refused);
    check_refused(&office, "s1", STATUS_refused);
    check_refused(&office, "s 1", STATUS_bad_request);
    office_report_as(&office, "s3", MEMBER_unreachable, 4);
    check_refused(&office, "s3", STATUS_unavailable);
    office_close(&office);
}

Test(switchover, a_storage_node_that_is_no_voter_cannot_be_the_target)
{
    struct office office;
    office_open_with_primary(&office);
    struct message_member member = office_member(&office, "extra", MEMBER_replica, 4);
    member.role = ROLE_replica;
    member.directory_id = 109;
    office_report(&office, member);
    check_refused(&office, "extra", STATUS_refused);
    office_close(&office);
}

Test(switchover, is_refused_without_a_primary_and_while_another_is_under_way)
{
    struct office office;
    office_open(&office);
    check_refused(&office, "s2", STATUS_unavailable);
    office_close(&office);
    office_open_with_primary(&office);
    ask(&office, "s3");
    post_forget(office.post);
    check_refused(&office, "s2", STATUS_busy);
    office_close(&office);
}

Test(switchover, is_given_up_when_the_primary_does_not_consent_in_time)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    office_wait_reporting(&office, 999 * MS, "");
    cr_assert_eq(post_count(office.post, OFFICE_CLIENT, MESSAGE_switchover_reply), 0);
    office_wait(&office, 1 * MS);
    cr_assert_eq(reply(&office)->status, STATUS_unavailable);
    check_text(reply(&office)->message, "s1 did not hand over within 1000 ms");
    ask(&office, "s3");
    cr_assert_eq(post_count(office.post, OFFICE_CLIENT, MESSAGE_refusal), 0);
    office_close(&office);
}

Test(switchover, has_an_unknown_outcome_when_nobody_is_heard_after_the_consent)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    consent(&office, voter_address(&office, 0), 4, 103);
    office_wait(&office, 1000 * MS);
    cr_assert_eq(reply(&office)->status, STATUS_unknown_outcome);
    office_close(&office);
}

Test(switchover, is_answered_when_the_primary_gives_up_or_refuses)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    consent(&office, voter_address(&office, 0), 4, 0);
    cr_assert_eq(reply(&office)->status, STATUS_unavailable);
    ask(&office, "s3");
    uint64_t request =
        post_last(office.post, voter_address(&office, 0), MESSAGE_switchover)->switchover.request;
    struct message refusal = {.kind = MESSAGE_refusal,
                              .refusal = {.request = request,
                                          .status = STATUS_refused,
                                          .message = bytes_from_text("s3 is damaged")}};
    office_receive(&office, voter_address(&office, 0), "s1", refusal);
    cr_assert_eq(reply(&office)->status, STATUS_refused);
    check_text(reply(&office)->message, "s3 is damaged");
    office_close(&office);
}

Test(switchover, refusals_of_others_or_of_other_requests_do_not_end_it)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    struct message refusal = {.kind = MESSAGE_refusal, .refusal = {.status = STATUS_refused}};
    refusal.refusal.request = 1;
    office_receive(&office, voter_address(&office, 1), "s2", refusal);
    refusal.refusal.request = 9;
    office_receive(&office, voter_address(&office, 0), "s1", refusal);
    cr_assert_eq(post_count(office.post, OFFICE_CLIENT, MESSAGE_switchover_reply), 0);
    cr_assert_eq(office.coordinator->refused, 2);
    office_close(&office);
}

Test(switchover, consent_counts_from_the_primary_of_that_epoch_only)
{
    struct office office;
    office_open_with_primary(&office);
    consent(&office, voter_address(&office, 1), 4, 103);
    consent(&office, OFFICE_CLIENT, 4, 103);
    consent(&office, voter_address(&office, 0), 3, 103);
    consent(&office, voter_address(&office, 0), 5, 103);
    cr_assert_eq(office.coordinator->election.state, ELECTION_IDLE);
    cr_assert_eq(office.coordinator->refused, 4);
    office_close(&office);
}

Test(switchover, a_primary_that_stops_consents_without_being_asked)
{
    struct office office;
    office_open_with_primary(&office);
    consent(&office, report_address("s1"), 4, 102);
    elect(&office, 1, "s2");
    office_check_primary(&office, "s2", 5);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_switchover_reply), 0);
    office_close(&office);
}

Test(switchover, a_primary_that_dies_meanwhile_is_replaced_and_the_request_answered)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "");
    office_connect(&office, 0, false);
    office_elect_second(&office, 5);
    cr_assert_eq(reply(&office)->status, STATUS_ok);
    check_text(reply(&office)->new_primary, "s2");
    cr_assert_str_eq(office.coordinator->failovers.failovers[0].cause, "connection refused");
    office_close(&office);
}

Test(switchover, is_answered_when_the_coordinator_stops)
{
    struct office office;
    office_open_with_primary(&office);
    ask(&office, "s3");
    office_step(&office, (struct event){.kind = EVENT_STOP});
    cr_assert_eq(reply(&office)->status, STATUS_unavailable);
    office_close(&office);
}
