/*
 * Counting the answers of an attempt: rules 4, 31 and 32, in both directions.
 */
#include "cluster/ballot.h"

#include <criterion/criterion.h>
#include <stdio.h>

// A ballot under construction. Answers come from directories 1, 2, 3 ...
struct urn {
    struct ballot ballot;
    struct ballot_answer answers[BALLOT_ANSWERS_MAX];
    const struct ballot_answer *best;
};

// A configuration of the directories whose digits are in `voters`, "123".
static struct configuration configuration_of(const char *voters)
{
    struct configuration configuration = {.cluster_id = 77};
    for (const char *digit = voters; *digit != '\0'; digit++) {
        char name[8];
        snprintf(name, sizeof name, "s%c", *digit);
        cr_assert_eq(configuration_add(&configuration, (uint64_t)(*digit - '0'),
                                       bytes_from_text(name), bytes_from_text("tcp://x:1")),
                     STATUS_ok);
    }
    return configuration;
}

// Directory `id` answers that its log ends at (epoch, position) and names these voters.
static struct ballot_answer *answer(struct urn *urn, uint64_t id, uint64_t epoch, uint64_t position,
                                    const char *voters)
{
    struct ballot_answer *put = &urn->answers[urn->ballot.count];
    *put = (struct ballot_answer){.directory_id = id,
                                  .last_epoch = epoch,
                                  .last_position = position,
                                  .configuration = configuration_of(voters)};
    urn->ballot.answers[urn->ballot.count++] = put;
    return put;
}

// A voter of the file answers that it is blank.
static struct ballot_answer *answer_blank(struct urn *urn, uint64_t id)
{
    struct ballot_answer *put = answer(urn, id, 0, 0, "");
    put->is_named = true;
    return put;
}

static enum ballot_verdict decide(struct urn *urn)
{
    return ballot_decide(&urn->ballot, &urn->best);
}

static void check_chosen(struct urn *urn, uint64_t directory_id)
{
    cr_assert_eq(decide(urn), BALLOT_CHOSEN);
    cr_assert_eq(urn->best->directory_id, directory_id);
}

Test(ballot, without_answers_is_open)
{
    struct urn urn = {.ballot.named_count = 3};
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    cr_assert_null(urn.best);
    struct urn nameless = {0};
    cr_assert_eq(decide(&nameless), BALLOT_OPEN);
}

Test(ballot, chooses_the_highest_epoch_before_the_highest_position)
{
    struct urn urn = {0};
    answer(&urn, 1, 3, 900, "123");
    answer(&urn, 2, 4, 100, "123");
    check_chosen(&urn, 2);
    answer(&urn, 3, 4, 101, "123");
    check_chosen(&urn, 3);
}

Test(ballot, of_equal_logs_the_target_wins_then_the_first)
{
    struct urn urn = {0};
    answer(&urn, 2, 4, 100, "123");
    answer(&urn, 1, 4, 100, "123");
    answer(&urn, 3, 4, 100, "123");
    check_chosen(&urn, 2);
    urn.ballot.target = 3;
    check_chosen(&urn, 3);
}

Test(ballot, a_target_with_a_shorter_log_does_not_win)
{
    struct urn urn = {.ballot.target = 3};
    answer(&urn, 1, 4, 101, "123");
    answer(&urn, 3, 4, 100, "123");
    check_chosen(&urn, 1);
}

Test(ballot, is_open_without_a_majority_but_says_who_is_best_so_far)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 100, "12345");
    answer(&urn, 2, 4, 102, "12345");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    cr_assert_eq(urn.best->directory_id, 2);
    answer(&urn, 5, 1, 1, "12345");
    check_chosen(&urn, 2);
}

Test(ballot, a_voter_of_one_is_a_majority)
{
    struct urn urn = {0};
    answer(&urn, 1, 1, 1, "1");
    check_chosen(&urn, 1);
}

Test(ballot, strangers_do_not_count_whatever_they_hold)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 100, "123");
    answer(&urn, 7, 4, 100, "123");
    answer(&urn, 8, 0, 0, "");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer(&urn, 2, 3, 1, "123");
    check_chosen(&urn, 1);
}

Test(ballot, a_wiped_disk_under_its_old_name_does_not_count)
{
    struct urn urn = {.ballot.named_count = 3};
    answer(&urn, 1, 4, 100, "123");
    answer_blank(&urn, 9);
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer_blank(&urn, 8);
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
}

Test(ballot, a_directory_counts_once)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 100, "123");
    answer(&urn, 1, 4, 100, "123");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
}

Test(ballot, a_voter_that_is_blank_counts_when_the_best_log_names_it)
{
    struct urn urn = {0};
    answer(&urn, 1, 1, 1, "123");
    answer(&urn, 3, 0, 0, "");
    check_chosen(&urn, 1);
}

Test(ballot, the_configuration_of_the_best_log_counts_although_it_is_not_committed)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 100, "123");
    answer(&urn, 2, 4, 101, "1234");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer(&urn, 4, 4, 50, "123");
    check_chosen(&urn, 2);
}

Test(ballot, a_configuration_with_more_voters_in_a_worse_log_does_not_count)
{
    struct urn urn = {0};
    answer(&urn, 1, 5, 60, "123");
    answer(&urn, 2, 5, 60, "123");
    answer(&urn, 4, 4, 900, "12345");
    check_chosen(&urn, 1);
}

Test(ballot, the_best_log_of_a_node_that_it_does_not_name_counts_as_lost)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 105, "23");
    answer(&urn, 2, 4, 104, "23");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    cr_assert_eq(urn.best->directory_id, 2);
    answer(&urn, 3, 4, 104, "23");
    check_chosen(&urn, 2);
}

Test(ballot, an_answer_that_counts_as_lost_is_not_part_of_an_older_majority_either)
{
    struct urn urn = {0};
    answer(&urn, 1, 4, 105, "23");
    answer(&urn, 2, 4, 103, "123");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer(&urn, 3, 4, 103, "123");
    check_chosen(&urn, 2);
}

Test(ballot, a_cluster_is_born_when_every_voter_of_the_file_is_blank)
{
    struct urn urn = {.ballot.named_count = 3};
    answer_blank(&urn, 1);
    answer_blank(&urn, 2);
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer_blank(&urn, 3)->is_preferred = true;
    cr_assert_eq(decide(&urn), BALLOT_BIRTH);
    cr_assert_eq(urn.best->directory_id, 3);
}

Test(ballot, nodes_that_the_file_does_not_name_take_no_part_in_a_birth)
{
    struct urn urn = {.ballot.named_count = 3};
    answer_blank(&urn, 1);
    answer_blank(&urn, 2);
    answer(&urn, 7, 0, 0, "")->is_preferred = true;
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
    answer_blank(&urn, 3);
    cr_assert_eq(decide(&urn), BALLOT_BIRTH);
    cr_assert_eq(urn.best->directory_id, 1);
}

Test(ballot, no_cluster_is_born_while_one_answer_holds_a_configuration)
{
    struct urn urn = {.ballot.named_count = 3};
    answer_blank(&urn, 1);
    answer_blank(&urn, 2);
    answer_blank(&urn, 3);
    answer(&urn, 7, 1, 1, "456");
    cr_assert_eq(decide(&urn), BALLOT_OPEN);
}

Test(ballot, preference_means_nothing_once_there_are_logs)
{
    struct urn urn = {.ballot.named_count = 3};
    answer(&urn, 1, 4, 100, "123");
    answer(&urn, 2, 4, 100, "123")->is_preferred = true;
    check_chosen(&urn, 1);
}
