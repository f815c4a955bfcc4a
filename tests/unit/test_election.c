/*
 * The election machine: polls, epochs, and making way for others (rules 1, 2, 9, 33).
 */
#include "cluster/election.h"

#include "tests/unit/fixture_electors.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(election, elects_within_the_time_of_its_messages_when_all_reachable_voters_answer)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_connect(&stage, 0, false);
    uint64_t begin_us = stage.now_us;
    stage_suspect_to_seal(&stage, "23");
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_APPOINT);
    stage_check_appointed(&stage, 1);
    stage_answer_appoint(&stage, 1, true);
    stage_check_state(&stage, ELECTION_WAIT);
    cr_assert(stage_hear_primary(&stage, 5, 1));
    stage_check_state(&stage, ELECTION_IDLE);
    cr_assert_eq(stage.now_us, begin_us);
    cr_assert_eq(stage.post->timers[ELECTION_TIMER], 0);
    stage_close(&stage);
}

Test(election, the_times_of_its_steps_are_kept)
{
    struct stage stage;
    stage_open(&stage, "123");
    uint64_t begin_us = stage.now_us;
    stage_suspect(&stage);
    stage_wait(&stage, 1 * MS);
    stage_answer_all(&stage, "23");
    stage_wait(&stage, 2 * MS);
    stage_answer_all(&stage, "23");
    stage_wait(&stage, 10 * MS);
    stage_wait(&stage, 4 * MS);
    stage_answer_appoint(&stage, 1, true);
    const struct election_times *times = &stage.election.times;
    cr_assert_eq(times->poll_us, begin_us);
    cr_assert_eq(times->seal_us, begin_us + 1 * MS);
    cr_assert_eq(times->appoint_us, begin_us + 13 * MS);
    cr_assert_eq(times->accepted_us, begin_us + 17 * MS);
    stage_close(&stage);
}

Test(election, a_poll_goes_to_all_and_nothing_else_is_sent)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    cr_assert_eq(stage.post->count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct message *poll = post_last(stage.post, stage_address(&stage, i), MESSAGE_poll);
        cr_assert_eq(poll->poll.suspect, 4);
    }
    stage_answer(&stage, 1);
    stage_check_state(&stage, ELECTION_POLL);
    cr_assert_eq(stage.post->count, 3);
    stage_close(&stage);
}

Test(election, does_not_seal_while_a_majority_hears_the_primary)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].hears_primary = true;
    stage.voters[1].hears_primary = true;
    for (unsigned i = 0; i < 50; i++) {
        stage_suspect(&stage);
        stage_wait_for(&stage, ELECTION_POLL);
        stage_answer_all(&stage, "123");
        stage_check_state(&stage, ELECTION_BACK_OFF);
    }
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    cr_assert_eq(stage.election.voters_hear_us, stage.now_us);
    stage_close(&stage);
}

Test(election, seals_when_a_majority_does_not_hear_the_primary_although_another_voter_does)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].hears_primary = true;
    stage_suspect(&stage);
    stage_answer_all(&stage, "12");
    stage_check_state(&stage, ELECTION_POLL);
    stage_answer_all(&stage, "3");
    stage_check_state(&stage, ELECTION_SEAL);
    stage_close(&stage);
}

Test(election, does_not_seal_without_a_majority_that_would_accept)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[1].refuses = true;
    stage_suspect(&stage);
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_POLL);
    stage_wait(&stage, 49 * MS);
    stage_check_state(&stage, ELECTION_POLL);
    stage_wait(&stage, 1 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    stage_close(&stage);
}

Test(election, a_failed_poll_is_over_as_soon_as_all_who_are_reached_have_answered)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_connect(&stage, 0, false);
    stage.voters[1].hears_primary = true;
    stage_suspect(&stage);
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_leq(stage_wait_for(&stage, ELECTION_POLL), 38 * MS);
    stage_close(&stage);
}

Test(election, a_voter_that_turns_up_or_hears_the_primary_no_more_is_noticed_soon)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[1].hears_primary = true;
    stage.election.pacing.failures = 6;
    stage_suspect(&stage);
    stage_answer(&stage, 1);
    stage_wait(&stage, 100 * MS);
    stage_check_state(&stage, ELECTION_POLL);
    post_forget(stage.post);
    stage_wait(&stage, 50 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_poll), 3);
    stage.voters[1].hears_primary = false;
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_SEAL);
    stage_close(&stage);
}

Test(election, a_network_slower_than_a_step_does_not_prevent_it)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    for (unsigned i = 0; stage.election.state != ELECTION_SEAL; i++) {
        cr_assert_lt(i, 6);
        stage_wait_for(&stage, ELECTION_POLL);
        stage_wait(&stage, 1000 * MS);
        if (stage.election.state == ELECTION_POLL) {
            stage_answer_all(&stage, "23");
        }
    }
    stage_close(&stage);
}

Test(election, polls_of_a_stranger_to_the_cluster_do_not_make_a_majority)
{
    struct stage stage;
    stage_open(&stage, "123");
    electorate_add_node(&stage.election.electorate, bytes_from_text("tcp://s7:7310"),
                        &stage.post->out);
    stage_suspect(&stage);
    stage_answer_all(&stage, "27");
    stage_check_state(&stage, ELECTION_POLL);
    stage_close(&stage);
}

Test(election, answers_to_an_earlier_poll_count_for_nothing)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    AUTO(buffer_release) struct buffer bytes = {0};
    struct message old = script_answer(
        &stage.voters[1], post_last(stage.post, stage_address(&stage, 1), MESSAGE_poll), &bytes);
    stage_wait_for(&stage, ELECTION_BACK_OFF);
    stage_wait_for(&stage, ELECTION_POLL);
    stage_answer(&stage, 2);
    stage_answer_as(&stage, 1, old);
    stage_check_state(&stage, ELECTION_POLL);
    stage_answer(&stage, 1);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_close(&stage);
}

Test(election, seals_above_every_promise_heard_of)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[2].promised = 7;
    struct topology_member record = {.address = stage_address(&stage, 0), .directory_id = 101};
    election_hear_promise(&stage.election, &record, 9, stage.now_us - 1000 * MS);
    stage_suspect_to_seal(&stage, "23");
    cr_assert_eq(stage_sealed_epoch(&stage, 1), 10);
    cr_assert_eq(stage_sealed_epoch(&stage, 2), 10);
    stage_close(&stage);
}

Test(election, every_attempt_has_a_higher_epoch_also_when_nobody_answered)
{
    struct stage stage;
    stage_open(&stage, "123");
    uint64_t epoch = 0;
    stage_suspect_to_seal(&stage, "23");
    for (unsigned i = 0; i < 20; i++) {
        cr_assert_gt(stage.election.epoch, epoch);
        epoch = stage.election.epoch;
        stage_repeat_to_seal(&stage, "23");
    }
    stage_close(&stage);
}

Test(election, a_refusal_raises_the_next_epoch_above_the_promise_in_it)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    stage.voters[1].promised = 31;
    stage.voters[2].promised = 31;
    stage_connect(&stage, 0, false);
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage.election.pacing.rival_us = 0;
    stage_repeat_to_seal(&stage, "23");
    cr_assert_eq(stage_sealed_epoch(&stage, 1), 32);
    stage_close(&stage);
}

Test(election, a_promise_too_far_above_the_others_is_not_followed)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].promised = UINT64_MAX;
    stage.voters[1].promised = 6;
    stage_suspect(&stage);
    stage_answer_all(&stage, "1");
    stage_answer_all(&stage, "23");
    cr_assert_eq(stage_sealed_epoch(&stage, 1), 7);
    stage_close(&stage);
}

Test(election, a_promise_just_within_reach_is_followed_to_the_limit)
{
    struct stage stage;
    stage_open(&stage, "123");
    uint64_t limit = (UINT64_C(1) << 32) + 4;
    stage.voters[1].promised = limit - 1;
    stage_suspect_to_seal(&stage, "23");
    cr_assert_eq(stage_sealed_epoch(&stage, 1), limit);
    stage_close(&stage);
    stage_open(&stage, "123");
    stage.voters[1].promised = limit;
    stage_suspect_to_seal(&stage, "23");
    cr_assert_eq(stage_sealed_epoch(&stage, 1), 5);
    stage_close(&stage);
}

Test(election, the_incarnation_of_the_process_goes_with_every_seal_and_appointment)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "123");
    const struct message *seal = post_last(stage.post, stage_address(&stage, 1), MESSAGE_seal);
    cr_assert_eq(seal->seal.incarnation, ELECTORS_INCARNATION);
    stage_answer_all(&stage, "123");
    cr_assert_eq(post_last(stage.post, 0, MESSAGE_appoint)->appoint.incarnation,
                 ELECTORS_INCARNATION);
    stage_close(&stage);
}

Test(election, a_suspected_primary_that_is_heard_again_ends_the_poll)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    cr_assert_not(stage_hear_primary(&stage, 3, 0));
    stage_check_state(&stage, ELECTION_POLL);
    cr_assert_not(stage_hear_primary(&stage, 4, 0));
    stage_check_state(&stage, ELECTION_IDLE);
    stage_wait(&stage, 10000 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    stage_close(&stage);
}

Test(election, a_primary_of_ours_that_is_suspected_and_heard_again_is_not_elected_anew)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "123");
    stage_answer_appoint(&stage, 0, true);
    cr_assert(stage_hear_primary(&stage, 5, 0));
    election_suspect(&stage.election, 5, stage.now_us, &stage.post->out);
    stage_check_state(&stage, ELECTION_POLL);
    cr_assert_not(stage_hear_primary(&stage, 5, 0));
    stage_check_state(&stage, ELECTION_IDLE);
    stage_close(&stage);
}

Test(election, a_sealed_primary_that_is_heard_does_not_stop_the_attempt)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    cr_assert_not(stage_hear_primary(&stage, 4, 0));
    stage_check_state(&stage, ELECTION_SEAL);
    stage_close(&stage);
}

Test(election, a_primary_of_a_newer_epoch_ends_the_attempt_of_another_coordinator)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    cr_assert_not(stage_hear_primary(&stage, 6, 2));
    stage_check_state(&stage, ELECTION_IDLE);
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_IDLE);
    stage_close(&stage);
}

Test(election, a_primary_that_commits_late_or_overtakes_its_answer_is_still_ours)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "123");
    cr_assert_not(stage_hear_primary(&stage, 4, 0));
    cr_assert(stage_hear_primary(&stage, 5, 0));
    stage_suspect_to_seal(&stage, "123");
    stage_answer_all(&stage, "123");
    stage_answer_appoint(&stage, 0, true);
    stage_wait(&stage, 301 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert(stage_hear_primary(&stage, 6, 0));
    stage_check_state(&stage, ELECTION_IDLE);
    stage_close(&stage);
}

Test(election, a_second_coordinator_begins_after_the_turn_of_the_first)
{
    struct stage stage;
    stage_open(&stage, "123");
    struct bytes coordinators[2] = {bytes_from_text("tcp://c0:1"), stage.process.endpoint};
    stage.process.coordinators = coordinators;
    stage.process.coordinator_count = 2;
    stage_suspect(&stage);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_wait(&stage, 30 * MS - 1);
    cr_assert_eq(stage.post->count, 0);
    stage_wait(&stage, 1);
    stage_check_state(&stage, ELECTION_POLL);
    stage_close(&stage);
}

Test(election, a_poll_that_shows_another_attempt_lets_it_go_first)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    stage_answer(&stage, 1);
    stage.voters[2].promised = 5;
    stage_answer(&stage, 2);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    cr_assert_leq(stage_wait_for(&stage, ELECTION_POLL), 38 * MS);
    stage_wait(&stage, 75 * MS);
    stage_answer_all(&stage, "23");
    stage_check_state(&stage, ELECTION_SEAL);
    cr_assert_eq(stage_sealed_epoch(&stage, 1), 6);
    stage_close(&stage);
}

Test(election, endless_new_promises_do_not_stop_it)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect(&stage);
    for (unsigned i = 0; stage.election.state != ELECTION_SEAL; i++) {
        cr_assert_lt(i, 3);
        stage_wait_for(&stage, ELECTION_POLL);
        stage.voters[2].promised += 10;
        stage_answer_all(&stage, "23");
    }
    stage_close(&stage);
}

Test(election, is_quiet_when_nobody_is_suspected)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_wait(&stage, 100000 * MS);
    stage_connect(&stage, 0, false);
    stage_connect(&stage, 0, true);
    cr_assert_eq(stage.post->count, 0);
    stage_check_state(&stage, ELECTION_IDLE);
    stage_close(&stage);
}

Test(election, a_voter_that_is_back_is_asked_at_once)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_connect(&stage, 1, false);
    stage_suspect(&stage);
    post_forget(stage.post);
    stage_connect(&stage, 1, true);
    cr_assert_eq(post_count(stage.post, stage_address(&stage, 1), MESSAGE_poll), 1);
    stage_close(&stage);
}

Test(election, registered_nodes_are_many_but_bounded_and_give_way_to_voters)
{
    struct stage stage;
    stage_open(&stage, "123");
    for (unsigned i = 0; i < 100; i++) {
        char endpoint[32];
        snprintf(endpoint, sizeof endpoint, "tcp://extra%u:1", i);
        electorate_add_node(&stage.election.electorate, bytes_from_text(endpoint),
                            &stage.post->out);
    }
    cr_assert_eq(stage.election.electorate.count, ELECTORS_MAX);
    for (size_t i = 0; i < 6; i++) {
        stage.voters[i].voters = "23456";
    }
    stage_suspect(&stage);
    stage_answer_all(&stage, "2");
    for (size_t i = 0; i < 6; i++) {
        cr_assert_not_null(electorate_find(&stage.election.electorate, stage_address(&stage, i)));
    }
    stage_answer_all(&stage, "56");
    stage_check_state(&stage, ELECTION_SEAL);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 6);
    stage_close(&stage);
}
