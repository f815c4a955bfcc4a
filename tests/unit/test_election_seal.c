/*
 * The election machine: promises, the configuration that counts, and the appointment (rules 2, 3,
 * 4, 31, 32).
 */
#include "cluster/election.h"

#include "tests/unit/fixture_electors.h"

#include <criterion/criterion.h>

Test(election_seal, those_who_are_silent_are_asked_again_with_the_same_attempt)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    uint64_t epoch = stage_sealed_epoch(&stage, 1);
    stage_answer(&stage, 2);
    post_forget(stage.post);
    stage_wait(&stage, 49 * MS);
    cr_assert_eq(stage.post->count, 0);
    stage_wait(&stage, 1 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 2);
    cr_assert_eq(post_count(stage.post, stage_address(&stage, 2), MESSAGE_seal), 0);
    cr_assert_eq(stage_sealed_epoch(&stage, 1), epoch);
    stage_close(&stage);
}

Test(election_seal, a_majority_waits_ten_milliseconds_for_the_rest)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].last_position = 105;
    stage_suspect_to_seal(&stage, "23");
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_SEAL);
    stage_wait(&stage, 9 * MS);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_answer(&stage, 0);
    stage_check_appointed(&stage, 0);
    stage_close(&stage);
}

Test(election_seal, a_majority_goes_on_without_the_rest_after_ten_milliseconds)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    stage_answer_all(&stage, "23");
    stage_wait(&stage, 10 * MS - 1);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_wait(&stage, 1);
    stage_check_appointed(&stage, 1);
    stage_close(&stage);
}

Test(election_seal, appoints_nobody_without_a_majority_that_promised)
{
    struct stage stage;
    stage_open(&stage, "12345");
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "12");
    stage_wait(&stage, 149 * MS);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_wait(&stage, 1 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage_close(&stage);
}

Test(election_seal, the_second_answer_of_a_voter_is_no_second_voice)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    AUTO(buffer_release) struct buffer bytes = {0};
    struct message promise = script_answer(
        &stage.voters[1], post_last(stage.post, stage_address(&stage, 1), MESSAGE_seal), &bytes);
    stage_answer_as(&stage, 1, promise);
    stage_answer_as(&stage, 1, promise);
    stage_answer_as(&stage, 2, promise);
    stage_wait(&stage, 20 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage_close(&stage);
}

// The answer of voter 1 to the seal, changed so that it is none to this attempt.
static void check_not_counted(uint64_t epoch, uint64_t incarnation, bool accepted)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    stage_answer(&stage, 2);
    AUTO(buffer_release) struct buffer bytes = {0};
    struct message answer = script_answer(
        &stage.voters[1], post_last(stage.post, stage_address(&stage, 1), MESSAGE_seal), &bytes);
    answer.seal_reply.epoch = epoch;
    answer.seal_reply.incarnation = incarnation;
    answer.seal_reply.accepted = accepted;
    stage_answer_as(&stage, 1, answer);
    stage_wait(&stage, 20 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint),
                 epoch == 5 && incarnation == ELECTORS_INCARNATION && accepted);
    stage_close(&stage);
}

Test(election_seal, only_a_promise_to_this_very_attempt_counts)
{
    check_not_counted(5, ELECTORS_INCARNATION, true);
    check_not_counted(4, ELECTORS_INCARNATION, true);
    check_not_counted(6, ELECTORS_INCARNATION, true);
    check_not_counted(5, ELECTORS_INCARNATION + 1, true);
    check_not_counted(5, ELECTORS_INCARNATION, false);
}

Test(election_seal, voters_that_only_the_log_names_are_asked_and_counted)
{
    struct stage stage;
    stage_open(&stage, "123");
    for (size_t i = 0; i < 5; i++) {
        stage.voters[i].voters = "245";
    }
    stage_suspect(&stage);
    stage_answer_all(&stage, "2");
    stage_check_state(&stage, ELECTION_POLL);
    stage_answer_all(&stage, "4");
    stage_check_state(&stage, ELECTION_SEAL);
    stage_answer_all(&stage, "2345");
    stage_wait(&stage, 10 * MS);
    stage_check_appointed(&stage, 1);
    stage_close(&stage);
}

Test(election_seal, a_better_log_with_another_configuration_puts_off_the_appointment)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[2].voters = "23456";
    stage.voters[2].last_position = 101;
    stage_suspect_to_seal(&stage, "12");
    stage_answer_all(&stage, "12");
    stage_wait(&stage, 5 * MS);
    stage_answer_all(&stage, "3");
    stage_wait(&stage, 100 * MS);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_answer_all(&stage, "4");
    stage_wait(&stage, 10 * MS - 1);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage_wait(&stage, 1);
    stage_check_appointed(&stage, 2);
    stage_close(&stage);
}

Test(election_seal, an_appointee_that_refuses_is_followed_by_a_new_epoch_without_it)
{
    struct stage stage;
    stage_open(&stage, "12345");
    stage.voters[0].last_position = 105;
    stage_suspect_to_seal(&stage, "12345");
    stage_answer_all(&stage, "12345");
    stage_check_appointed(&stage, 0);
    stage_answer_appoint(&stage, 0, false);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_check_appointed(&stage, 0);
    stage_repeat_to_seal(&stage, "12345");
    cr_assert_gt(stage_sealed_epoch(&stage, 1), 5);
    cr_assert_eq(post_count(stage.post, stage_address(&stage, 0), MESSAGE_seal), 0);
    stage_answer_all(&stage, "2345");
    stage_check_appointed(&stage, 1);
    stage_close(&stage);
}

Test(election_seal, an_appointee_that_is_silent_or_lost_is_doubted_at_its_time)
{
    struct stage stage;
    stage_open(&stage, "12345");
    stage_suspect_to_seal(&stage, "12345");
    stage_answer_all(&stage, "12345");
    stage_check_appointed(&stage, 0);
    stage_wait(&stage, 149 * MS);
    stage_check_state(&stage, ELECTION_APPOINT);
    stage_wait(&stage, 1 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_repeat_to_seal(&stage, "12345");
    stage_answer_all(&stage, "2345");
    stage_check_appointed(&stage, 1);
    stage_connect(&stage, 1, false);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_check_appointed(&stage, 1);
    stage_close(&stage);
}

Test(election_seal, an_appointee_that_commits_nothing_is_doubted_after_suspect_after)
{
    struct stage stage;
    stage_open(&stage, "12345");
    stage_suspect_to_seal(&stage, "12345");
    stage_answer_all(&stage, "12345");
    stage_answer_appoint(&stage, 0, true);
    stage_wait(&stage, 299 * MS);
    stage_check_state(&stage, ELECTION_WAIT);
    stage_wait(&stage, 1 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_check_appointed(&stage, 0);
    stage_close(&stage);
}

Test(election_seal, a_failed_appointee_is_asked_again_when_there_is_no_majority_without_it)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_connect(&stage, 0, false);
    stage.voters[1].last_position = 101;
    stage_suspect_to_seal(&stage, "23");
    stage_answer_all(&stage, "23");
    stage_check_appointed(&stage, 1);
    stage_answer_appoint(&stage, 1, false);
    stage_repeat_to_seal(&stage, "23");
    stage_answer_all(&stage, "23");
    stage_check_appointed(&stage, 1);
    cr_assert_eq(post_last(stage.post, 0, MESSAGE_appoint)->appoint.epoch, 6);
    stage_close(&stage);
}

Test(election_seal, a_failed_appointee_is_asked_again_when_the_others_do_not_promise)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].last_position = 101;
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "123");
    stage_check_appointed(&stage, 0);
    stage_wait_for(&stage, ELECTION_BACK_OFF);
    stage_repeat_to_seal(&stage, "123");
    stage_answer(&stage, 1);
    stage_wait_for(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, stage_address(&stage, 0), MESSAGE_seal), 0);
    stage_repeat_to_seal(&stage, "123");
    stage_answer_all(&stage, "12");
    stage_wait_for(&stage, ELECTION_APPOINT);
    stage_check_appointed(&stage, 0);
    stage_close(&stage);
}

Test(election_seal, no_epoch_has_two_appointments_whatever_the_answers)
{
    struct stage stage;
    stage_open(&stage, "12345");
    uint64_t epoch = 0;
    stage_suspect_to_seal(&stage, "12345");
    for (unsigned i = 0; i < 12; i++) {
        stage_answer_all(&stage, "12345");
        stage_wait_for(&stage, ELECTION_APPOINT);
        size_t voter;
        const struct message_appoint *appoint = stage_appointment(&stage, &voter);
        cr_assert_gt(appoint->epoch, epoch);
        epoch = appoint->epoch;
        stage_repeat_to_seal(&stage, "12345");
    }
    stage_close(&stage);
}

Test(election_seal, answers_about_another_appointment_or_of_another_node_are_ignored)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "123");
    struct message reply = {
        .kind = MESSAGE_appoint_reply,
        .appoint_reply = {.epoch = 5, .incarnation = ELECTORS_INCARNATION, .accepted = true}};
    stage_answer_as(&stage, 1, reply);
    reply.appoint_reply.epoch = 4;
    stage_answer_as(&stage, 0, reply);
    reply.appoint_reply.epoch = 5;
    reply.appoint_reply.incarnation++;
    stage_answer_as(&stage, 0, reply);
    stage_check_state(&stage, ELECTION_APPOINT);
    stage_close(&stage);
}
