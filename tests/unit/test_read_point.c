/*
 * Counting for a read point (rules 25 and 26).
 */
#include "cluster/read_point.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ID = 500, EPOCH = 7, VERSION = 99 };

static void encode_configuration(size_t voters, struct buffer *out)
{
    struct configuration configuration = {0};
    cr_assert_eq(configuration_set_cluster(&configuration, 42, bytes_from_text("test")), STATUS_ok);
    for (size_t i = 1; i <= voters; i++) {
        char name[8];
        char endpoint[16];
        snprintf(name, sizeof name, "s%zu", i);
        snprintf(endpoint, sizeof endpoint, "tcp://s%zu", i);
        cr_assert_eq(
            configuration_add(&configuration, i, bytes_from_text(name), bytes_from_text(endpoint)),
            STATUS_ok);
    }
    configuration_encode(&configuration, out);
}

// The primary of `voters` voters answers, under the id and with the promise given.
static enum status take_primary(struct read_point *point, size_t voters, uint64_t directory_id,
                                uint64_t promised)
{
    AUTO(buffer_release) struct buffer configuration = {0};
    encode_configuration(voters, &configuration);
    struct message_read_point_reply reply = {.request = ID,
                                             .epoch = EPOCH,
                                             .directory_id = directory_id,
                                             .version = VERSION,
                                             .promised = promised,
                                             .configuration = buffer_bytes(&configuration)};
    return read_point_take_primary(point, &reply);
}

static void take_voter(struct read_point *point, uint64_t request, uint64_t directory_id,
                       uint64_t promised)
{
    struct message_confirm_reply reply = {
        .request = request, .directory_id = directory_id, .promised = promised};
    read_point_take_voter(point, &reply);
}

static struct read_point begun(void)
{
    struct read_point point = {0};
    read_point_begin(&point, ID, 1000);
    return point;
}

Test(read_point, is_confirmed_by_the_primary_and_one_of_two_others)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    cr_assert_not(read_point_is_confirmed(&point));
    take_voter(&point, ID, 2, EPOCH);
    cr_assert(read_point_is_confirmed(&point));
    cr_assert_eq(point.version, VERSION);
}

Test(read_point, is_confirmed_when_voters_answer_before_the_primary)
{
    struct read_point point = begun();
    take_voter(&point, ID, 3, EPOCH - 1);
    cr_assert_not(read_point_is_confirmed(&point));
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    cr_assert(read_point_is_confirmed(&point));
}

Test(read_point, needs_the_primary)
{
    struct read_point point = begun();
    take_voter(&point, ID, 2, EPOCH);
    take_voter(&point, ID, 3, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, is_confirmed_by_a_single_voter_that_leads)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 1, 1, EPOCH), STATUS_ok);
    cr_assert(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_a_voter_that_promised_a_later_epoch)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH + 1);
    take_voter(&point, ID, 3, EPOCH + 1);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_a_primary_that_promised_a_later_epoch)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH + 1), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH);
    take_voter(&point, ID, 3, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_answers_to_another_id)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID - 1, 2, EPOCH);
    take_voter(&point, ID + 1, 3, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_answers_to_an_attempt_that_was_given_up)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    read_point_abandon(&point);
    take_voter(&point, ID, 2, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
    read_point_begin(&point, ID + 1, 2000);
    take_voter(&point, ID, 2, EPOCH);
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, counts_a_voter_once)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 5, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH);
    take_voter(&point, ID, 2, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
    take_voter(&point, ID, 3, EPOCH);
    cr_assert(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_those_who_are_no_voters)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID, 8, EPOCH);
    take_voter(&point, ID, 9, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, does_not_count_a_primary_that_its_configuration_does_not_name)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 9, EPOCH), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH);
    take_voter(&point, ID, 3, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, takes_half_of_an_even_number_for_no_majority)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 4, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
    take_voter(&point, ID, 3, EPOCH);
    cr_assert(read_point_is_confirmed(&point));
}

Test(read_point, keeps_the_first_answer_of_a_primary)
{
    struct read_point point = begun();
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    struct message_read_point_reply other = {.request = ID, .epoch = EPOCH + 1, .version = 1000};
    cr_assert_eq(read_point_take_primary(&point, &other), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH + 1);
    cr_assert_not(read_point_is_confirmed(&point));
    cr_assert_eq(point.version, VERSION);
}

Test(read_point, refuses_an_answer_that_can_not_be_read)
{
    struct read_point point = begun();
    struct message_read_point_reply reply = {.request = ID, .epoch = EPOCH, .directory_id = 1};
    cr_assert_neq(read_point_take_primary(&point, &reply), STATUS_ok);
    reply.configuration = bytes_of("\x92\x51\x01", 3);
    cr_assert_neq(read_point_take_primary(&point, &reply), STATUS_ok);
    cr_assert_not(read_point_is_confirmed(&point));
}

Test(read_point, survives_more_answers_than_there_can_be_voters)
{
    struct read_point point = begun();
    for (uint64_t i = 0; i < 100; i++) {
        take_voter(&point, ID, 1000 + i, EPOCH);
    }
    cr_assert_eq(take_primary(&point, 3, 1, EPOCH), STATUS_ok);
    take_voter(&point, ID, 2, EPOCH);
    cr_assert_not(read_point_is_confirmed(&point));
}
