/*
 * The election machine: births, other clusters, malformed answers (rule 31), and elections with
 * consent (rules 35, 36).
 */
#include "cluster/election.h"

#include "tests/unit/fixture_electors.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void open_blank(struct stage *stage)
{
    stage_open(stage, "123");
    for (size_t i = 0; i < 3; i++) {
        stage_blank(stage, i);
    }
}

// Suspects that nobody leads, and never did.
static void suspect_nobody(struct stage *stage)
{
    election_suspect(&stage->election, 0, stage->now_us, &stage->post->out);
    post_collect(stage->post);
}

Test(election_birth, a_cluster_is_born_of_all_voters_of_the_file)
{
    struct stage stage;
    open_blank(&stage);
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_SEAL);
    cr_assert_eq(stage_sealed_epoch(&stage, 0), 1);
    stage_answer_all(&stage, "123");
    size_t voter;
    const struct message_appoint *appoint = stage_appointment(&stage, &voter);
    struct configuration born;
    cr_assert_eq(configuration_decode(appoint->birth_configuration, &born), STATUS_ok);
    cr_assert_neq(appoint->birth_cluster_id, 0);
    cr_assert_eq(born.cluster_id, appoint->birth_cluster_id);
    cr_assert_eq(born.voter_count, 3);
    cr_assert_str_eq(configuration_find(&born, 102)->name, "s2");
    cr_assert_str_eq(configuration_find(&born, 102)->endpoint, "tcp://s2:7310");
    cr_assert(stage.election.is_birth);
    stage_close(&stage);
}

Test(election_birth, no_cluster_is_born_of_a_majority)
{
    struct stage stage;
    open_blank(&stage);
    suspect_nobody(&stage);
    stage_answer_all(&stage, "12");
    stage_wait(&stage, 50 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_connect(&stage, 2, false);
    stage_wait_for(&stage, ELECTION_POLL);
    stage_answer_all(&stage, "12");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    stage_close(&stage);
}

Test(election_birth, no_cluster_is_born_when_a_voter_turns_silent_after_the_poll)
{
    struct stage stage;
    open_blank(&stage);
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_answer_all(&stage, "12");
    stage_connect(&stage, 2, false);
    stage_wait(&stage, 1000 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage_close(&stage);
}

Test(election_birth, the_preferred_voter_leads_a_new_cluster)
{
    struct stage stage;
    open_blank(&stage);
    stage.seeds[2].preferred = true;
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_answer_all(&stage, "123");
    stage_check_appointed(&stage, 2);
    stage_close(&stage);
}

Test(election_birth, a_known_cluster_is_not_born_again)
{
    struct stage stage;
    open_blank(&stage);
    cr_assert(election_learn_cluster(&stage.election, ELECTORS_CLUSTER, &stage.post->out));
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_seal), 0);
    stage_close(&stage);
}

Test(election_birth, one_directory_behind_two_names_is_no_birth)
{
    struct stage stage;
    open_blank(&stage);
    stage.voters[2].directory_id = stage.voters[1].directory_id;
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    stage_close(&stage);
}

Test(election_birth, a_blank_node_under_another_name_is_not_the_voter_of_the_file)
{
    struct stage stage;
    open_blank(&stage);
    snprintf(stage.voters[2].name, sizeof stage.voters[2].name, "s9");
    stage.seeds[2].name = bytes_from_text("s3");
    suspect_nobody(&stage);
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_close(&stage);
}

Test(election_birth, a_second_try_at_a_birth_draws_another_cluster)
{
    struct stage stage;
    open_blank(&stage);
    uint64_t drawn[2];
    suspect_nobody(&stage);
    for (size_t i = 0; i < 2; i++) {
        stage_answer_all(&stage, "123");
        stage_answer_all(&stage, "123");
        drawn[i] = post_last(stage.post, 0, MESSAGE_appoint)->appoint.birth_cluster_id;
        stage_wait_for(&stage, ELECTION_BACK_OFF);
        post_forget(stage.post);
        stage_wait_for(&stage, ELECTION_POLL);
    }
    cr_assert_neq(drawn[0], drawn[1]);
    cr_assert_eq(stage.election.cluster_id, 0);
    stage_close(&stage);
}

Test(election_birth, learns_its_cluster_from_the_logs_and_tells_its_shell)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    cr_assert_eq(stage.election.cluster_id, ELECTORS_CLUSTER);
    cr_assert_eq(stage.post->cluster_id, ELECTORS_CLUSTER);
    stage_close(&stage);
}

Test(election_birth, a_node_of_another_cluster_is_refused_loudly)
{
    struct stage stage;
    stage_open(&stage, "123");
    election_learn_cluster(&stage.election, 78, &stage.post->out);
    post_collect(stage.post);
    size_t lines = stage.post->log_count;
    stage_suspect(&stage);
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(stage.election.refused, 3);
    cr_assert_gt(stage.post->log_count, lines);
    stage_close(&stage);
}

Test(election_birth, a_node_of_a_cluster_of_another_name_is_refused)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.process.cluster_name = bytes_from_text("herd");
    stage_suspect(&stage);
    stage_answer_all(&stage, "123");
    stage_check_state(&stage, ELECTION_BACK_OFF);
    cr_assert_eq(stage.election.cluster_id, 0);
    stage_close(&stage);
}

// Voter 1's promise, spoiled by the caller's choice, does not make the majority.
static void check_malformed(uint64_t directory_id, uint64_t epoch, uint64_t position,
                            struct bytes configuration)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    stage_answer(&stage, 2);
    struct message answer = {.kind = MESSAGE_seal_reply,
                             .seal_reply = {.epoch = 5,
                                            .incarnation = ELECTORS_INCARNATION,
                                            .accepted = true,
                                            .directory_id = directory_id,
                                            .last_epoch = epoch,
                                            .last_position = position,
                                            .configuration = configuration}};
    stage_answer_as(&stage, 1, answer);
    stage_wait(&stage, 20 * MS);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_appoint), 0);
    cr_assert_eq(stage.election.refused, 1);
    stage_close(&stage);
}

Test(election_birth, answers_that_contradict_themselves_are_refused)
{
    struct bytes nothing = bytes_of(NULL, 0);
    check_malformed(0, 0, 0, nothing);
    check_malformed(102, 4, 0, nothing);
    check_malformed(102, 0, 100, nothing);
    check_malformed(102, 4, 100, nothing);
    check_malformed(102, 4, 100, bytes_from_text("garbage"));
    check_malformed(102, 0, 0, bytes_from_text("garbage"));
}

Test(election_birth, a_blank_answer_of_a_named_voter_counts_for_the_majority)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage_suspect_to_seal(&stage, "23");
    stage_blank(&stage, 1);
    stage_answer_all(&stage, "23");
    stage_wait(&stage, 10 * MS);
    stage_check_appointed(&stage, 2);
    stage_close(&stage);
}

Test(election_birth, consent_replaces_the_poll_and_the_target_wins_ties)
{
    struct stage stage;
    stage_open(&stage, "123");
    for (size_t i = 0; i < 3; i++) {
        stage.voters[i].hears_primary = true;
    }
    struct topology_member record = {.address = stage_address(&stage, 0), .directory_id = 101};
    election_hear_promise(&stage.election, &record, 4, stage.now_us);
    cr_assert(election_consent(&stage.election, 4, 103, stage.now_us, &stage.post->out));
    post_collect(stage.post);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_poll), 0);
    stage_answer_all(&stage, "123");
    stage_check_appointed(&stage, 2);
    cr_assert_not(election_consent(&stage.election, 4, 102, stage.now_us, &stage.post->out));
    stage_close(&stage);
}

Test(election_birth, the_target_of_a_handover_does_not_win_against_a_longer_log)
{
    struct stage stage;
    stage_open(&stage, "123");
    stage.voters[0].last_position = 101;
    election_consent(&stage.election, 4, 103, stage.now_us, &stage.post->out);
    post_collect(stage.post);
    stage_wait(&stage, 1 * MS);
    for (size_t i = 0; i < 3; i++) {
        stage.voters[i].promised = 0;
    }
    stage_answer_all(&stage, "123");
    stage_check_appointed(&stage, 0);
    stage_close(&stage);
}

// s1 and s2 have sealed for the handover to s3.
static void open_handover(struct stage *stage)
{
    stage_open(stage, "123");
    for (size_t i = 0; i < 3; i++) {
        stage->voters[i].promised = 0;
    }
    election_consent(&stage->election, 4, 103, stage->now_us, &stage->post->out);
    post_collect(stage->post);
    stage_answer_all(stage, "12");
}

Test(election_birth, the_target_is_waited_for_until_the_step_is_over)
{
    struct stage stage;
    open_handover(&stage);
    stage_wait(&stage, 149 * MS);
    stage_check_state(&stage, ELECTION_SEAL);
    stage_answer(&stage, 2);
    stage_check_appointed(&stage, 2);
    stage_close(&stage);
    open_handover(&stage);
    stage_wait(&stage, 150 * MS); // s3 is dead
    stage_check_state(&stage, ELECTION_APPOINT);
    stage_close(&stage);
}

Test(election_birth, consent_is_good_for_one_attempt)
{
    struct stage stage;
    stage_open(&stage, "123");
    election_consent(&stage.election, 4, 103, stage.now_us, &stage.post->out);
    post_collect(stage.post);
    stage_wait(&stage, 150 * MS);
    stage_check_state(&stage, ELECTION_BACK_OFF);
    stage_wait_for(&stage, ELECTION_POLL);
    cr_assert_eq(stage.election.target, 0);
    stage_close(&stage);
}

Test(election_birth, a_primary_refused_with_a_higher_epoch_is_replaced_without_a_poll)
{
    struct stage stage;
    stage_open(&stage, "123");
    struct topology_member record = {.address = stage_address(&stage, 0), .directory_id = 101};
    election_hear_promise(&stage.election, &record, 9, stage.now_us);
    election_override(&stage.election, 4, 102, stage.now_us, &stage.post->out);
    post_collect(stage.post);
    cr_assert_eq(post_count(stage.post, 0, MESSAGE_poll), 0);
    cr_assert_eq(stage_sealed_epoch(&stage, 2), 10);
    stage_answer_all(&stage, "123");
    stage_check_appointed(&stage, 1);
    stage_close(&stage);
}
