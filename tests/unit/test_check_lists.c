/*
 * List-append histories: those that a strictly serializable database makes are good, and every
 * anomaly is found and called by its name.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct told_history told;

static void setup(void)
{
    told_history_init(&told);
}

static void teardown(void)
{
    told_history_release(&told);
}

TestSuite(check_lists, .init = setup, .fini = teardown);

static void ok(const char *times, const char *operations, const char *results)
{
    told_ok(&told, "list", times, operations, results);
}

static void failed(const char *times, const char *operations)
{
    told_not_ok(&told, "list", "fail", times, operations);
}

static void unknown(const char *times, const char *operations)
{
    told_not_ok(&told, "list", "unknown", times, operations);
}

Test(check_lists, accepts_no_history)
{
    told_expect_good(&told);
}

Test(check_lists, accepts_transactions_one_after_the_other)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("30-40", "[['read', 'x'], ['append', 'x', 2], ['read', 'x']]", "[[1], null, [1, 2]]");
    ok("50-60", "[['read', 'x'], ['read', 'y']]", "[[1, 2], []]");
    told_expect_good(&told);
}

Test(check_lists, accepts_either_order_of_transactions_that_overlap)
{
    ok("10-50", "[['append', 'x', 1]]", "[null]");
    ok("20-40", "[['read', 'x'], ['append', 'x', 2]]", "[[], null]");
    ok("30-60", "[['read', 'x']]", "[[2]]");
    ok("70-80", "[['read', 'x']]", "[[2, 1]]");
    told_expect_good(&told);
}

Test(check_lists, accepts_what_begins_as_another_ends_in_either_order)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("20-30", "[['read', 'x']]", "[[]]");
    told_expect_good(&told);
}

Test(check_lists, accepts_reads_of_which_only_their_being_done_is_known)
{
    ok("10-20", "[['append', 'x', 1], ['read', 'x']]", "[null, null]");
    ok("30-40", "[['read', 'x'], ['read', 'x'], ['append', 'x', 2]]", "[null, [1], null]");
    ok("50-60", "[['read', 'x']]", "[[1, 2]]");
    told_expect_good(&told);
}

Test(check_lists, accepts_an_unknown_outcome_that_happened_late)
{
    unknown("10-20", "[['append', 'x', 1]]");
    ok("30-40", "[['read', 'x']]", "[[]]");
    ok("50-60", "[['read', 'x']]", "[[1]]");
    told_expect_good(&told);
}

Test(check_lists, accepts_an_unknown_outcome_that_never_happened)
{
    unknown("10-20", "[['append', 'x', 1], ['append', 'y', 1]]");
    failed("10-20", "[['append', 'x', 2]]");
    ok("30-40", "[['read', 'x'], ['read', 'y']]", "[[], []]");
    told_expect_good(&told);
}

Test(check_lists, finds_an_unknown_outcome_that_happened_in_part)
{
    unknown("10-20", "[['append', 'x', 1], ['append', 'y', 1]]");
    ok("30-40", "[['read', 'x'], ['read', 'y']]", "[[1], []]");
    told_expect(&told, "G-single");
}

Test(check_lists, finds_a_read_that_forgets_its_own_append)
{
    ok("10-20", "[['append', 'x', 1], ['read', 'x']]", "[null, []]");
    told_expect_among(&told, "internal");
}

Test(check_lists, finds_two_different_reads_in_a_transaction)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("10-20", "[['read', 'x'], ['read', 'x']]", "[[], [1]]");
    told_expect(&told, "internal");
}

Test(check_lists, finds_a_read_of_an_own_append_that_comes_later)
{
    ok("10-20", "[['read', 'x'], ['append', 'x', 1]]", "[[1], null]");
    told_expect_among(&told, "internal");
}

Test(check_lists, finds_a_number_that_nobody_appended)
{
    ok("10-20", "[['read', 'x']]", "[[7]]");
    told_expect(&told, "phantom");
}

Test(check_lists, finds_an_append_that_was_done_twice)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("10-20", "[['append', 'x', 2]]", "[null]");
    ok("30-40", "[['read', 'x']]", "[[1, 2, 1]]");
    told_expect(&told, "duplicate");
}

Test(check_lists, finds_G1a_an_aborted_read)
{
    failed("10-20", "[['append', 'x', 1]]");
    ok("30-40", "[['read', 'x']]", "[[1]]");
    told_expect(&told, "G1a");
}

Test(check_lists, finds_an_update_of_what_was_aborted)
{
    failed("10-20", "[['append', 'x', 1]]");
    ok("10-20", "[['append', 'x', 2]]", "[null]");
    ok("30-40", "[['read', 'x']]", "[[1, 2]]");
    told_expect_among(&told, "dirty-update");
}

Test(check_lists, finds_G1b_an_intermediate_read)
{
    ok("10-20", "[['append', 'x', 1], ['append', 'x', 2]]", "[null, null]");
    ok("10-20", "[['read', 'x']]", "[[1]]");
    told_expect_among(&told, "G1b");
}

Test(check_lists, finds_reads_that_do_not_begin_alike)
{
    ok("10-90", "[['append', 'x', 1]]", "[null]");
    ok("10-90", "[['append', 'x', 2]]", "[null]");
    ok("10-90", "[['read', 'x']]", "[[1, 2]]");
    ok("10-90", "[['read', 'x']]", "[[2]]");
    told_expect(&told, "incompatible-order");
}

Test(check_lists, finds_G0_writes_in_two_orders)
{
    ok("10-90", "[['append', 'x', 1], ['append', 'y', 1]]", "[null, null]");
    ok("10-90", "[['append', 'x', 2], ['append', 'y', 2]]", "[null, null]");
    ok("100-110", "[['read', 'x'], ['read', 'y']]", "[[1, 2], [2, 1]]");
    told_expect(&told, "G0");
}

Test(check_lists, finds_G1c_each_reading_what_the_other_appended)
{
    ok("10-90", "[['append', 'x', 1], ['read', 'y']]", "[null, [1]]");
    ok("10-90", "[['append', 'y', 1], ['read', 'x']]", "[null, [1]]");
    told_expect(&told, "G1c");
}

Test(check_lists, finds_G_single_a_read_skew)
{
    ok("10-90", "[['append', 'x', 1], ['append', 'y', 1]]", "[null, null]");
    ok("10-90", "[['read', 'x'], ['read', 'y']]", "[[1], []]");
    told_expect(&told, "G-single");
}

Test(check_lists, finds_a_lost_update_that_was_read)
{
    ok("10-90", "[['read', 'x'], ['append', 'x', 1]]", "[[], null]");
    ok("10-90", "[['read', 'x'], ['append', 'x', 2]]", "[[], null]");
    ok("100-110", "[['read', 'x']]", "[[1, 2]]");
    told_expect(&told, "G-single");
}

Test(check_lists, finds_a_lost_update_that_nobody_read)
{
    ok("10-90", "[['read', 'x'], ['append', 'x', 1]]", "[[], null]");
    ok("10-90", "[['read', 'x'], ['append', 'x', 2]]", "[[], null]");
    told_expect(&told, "G2");
}

Test(check_lists, finds_lost_updates_wherever_in_the_tail_they_stand)
{
    ok("10-90", "[['append', 'x', 1]]", "[null]");
    ok("10-90", "[['append', 'x', 2]]", "[null]");
    ok("10-90", "[['read', 'x'], ['append', 'x', 3]]", "[[], null]");
    ok("10-90", "[['append', 'x', 4]]", "[null]");
    told_expect_good(&told);
    ok("10-90", "[['read', 'x'], ['append', 'x', 5]]", "[[], null]");
    told_expect(&told, "G2");
}

Test(check_lists, finds_G2_a_write_skew)
{
    ok("10-90", "[['read', 'x'], ['append', 'y', 1]]", "[[], null]");
    ok("10-90", "[['read', 'y'], ['append', 'x', 1]]", "[[], null]");
    ok("100-110", "[['read', 'x'], ['read', 'y']]", "[[1], [1]]");
    told_expect(&told, "G2");
}

Test(check_lists, finds_G2_among_three)
{
    ok("10-90", "[['read', 'x'], ['append', 'y', 1]]", "[[], null]");
    ok("10-90", "[['read', 'y'], ['append', 'z', 1]]", "[[], null]");
    ok("10-90", "[['read', 'z'], ['append', 'x', 1]]", "[[], null]");
    told_expect(&told, "G2");
}

Test(check_lists, finds_a_stale_read)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("30-40", "[['read', 'x']]", "[[]]");
    ok("35-60", "[['read', 'x']]", "[[1]]");
    told_expect(&told, "G-single-realtime");
}

Test(check_lists, finds_appends_in_another_order_than_time)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("30-40", "[['append', 'x', 2]]", "[null]");
    ok("35-60", "[['read', 'x']]", "[[2, 1]]");
    told_expect(&told, "G0-realtime");
}

Test(check_lists, finds_a_read_of_what_was_appended_later)
{
    ok("10-20", "[['read', 'x']]", "[[1]]");
    ok("30-40", "[['append', 'x', 1]]", "[null]");
    told_expect(&told, "G1c-realtime");
}

Test(check_lists, finds_reads_that_disagree_on_the_order_of_two_appends)
{
    ok("10-90", "[['append', 'x', 1]]", "[null]");
    ok("10-90", "[['append', 'y', 1]]", "[null]");
    ok("20-30", "[['read', 'x'], ['read', 'y']]", "[[1], []]");
    ok("20-30", "[['read', 'x'], ['read', 'y']]", "[[], [1]]");
    told_expect(&told, "G2");
}

Test(check_lists, finds_G2_that_takes_time_into_account)
{
    ok("10-20", "[['read', 'x'], ['append', 'z', 1]]", "[[], null]");
    ok("30-40", "[['read', 'y'], ['append', 'x', 2]]", "[[], null]");
    ok("5-50", "[['append', 'y', 3]]", "[null]");
    ok("60-70", "[['read', 'y']]", "[[3]]");
    told_expect_good(&told);
    ok("41-44", "[['read', 'z']]", "[[]]");
    told_expect_among(&told, "G-single-realtime");
}

Test(check_lists, finds_an_acknowledged_append_that_is_gone)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("30-40", "[['append', 'x', 2]]", "[null]");
    ok("50-60", "[['read', 'x']]", "[[2]]");
    told_expect_among(&told, "lost-append");
    told_expect_among(&told, "G0-realtime");
}

Test(check_lists, does_not_call_an_append_lost_that_no_later_read_missed)
{
    ok("10-20", "[['read', 'x']]", "[[]]");
    ok("15-40", "[['append', 'x', 2]]", "[null]");
    ok("30-60", "[['read', 'x']]", "[[]]");
    told_expect_good(&told);
}

static void ok_at(unsigned version, const char *operations, const char *results)
{
    char kind[64];
    snprintf(kind, sizeof kind, "list', 'version': %u, 'note': '", version);
    told_ok(&told, kind, "10-90", operations, results);
}

Test(check_lists, finds_a_version_that_contradicts_what_was_read)
{
    ok_at(5, "[['append', 'x', 1]]", "[null]");
    ok_at(5, "[['read', 'x']]", "[[1]]");
    ok_at(4, "[['read', 'x']]", "[[]]");
    told_expect_good(&told);
    ok_at(7, "[['read', 'x']]", "[[]]");
    told_expect(&told, "version-order");
}

Test(check_lists, finds_two_writes_of_one_version)
{
    ok_at(5, "[['append', 'x', 1]]", "[null]");
    ok_at(5, "[['append', 'y', 1]]", "[null]");
    told_expect(&told, "version-order");
}

Test(check_lists, tells_a_shortest_cycle_and_its_reasons)
{
    ok("10-20", "[['append', 'a', 9]]", "[null]");
    ok("30-90", "[['read', 'x'], ['append', 'y', 1]]", "[[], null]");
    ok("30-90", "[['read', 'y'], ['append', 'x', 1]]", "[[], null]");
    cr_assert_eq(told_check(&told), STATUS_ok);
    buffer_append_u8(&told.report.text, '\0');
    cr_assert_str_eq((const char *)told.report.text.data,
                     "these transactions can't be put in an order\n"
                     "  T1  line 2, process 1, from 30 to 90: read x [], append y 1\n"
                     "  T2  line 3, process 1, from 30 to 90: read y [], append x 1\n"
                     "  T1 is before T2: it read x as [], without the 1 that the other appended\n"
                     "  T2 is before T1: it read y as [], without the 1 that the other appended");
}

Test(check_lists, refuses_a_number_that_is_appended_twice)
{
    ok("10-20", "[['append', 'x', 1]]", "[null]");
    ok("30-40", "[['append', 'x', 1]]", "[null]");
    told_expect_unreadable(&told, 2);
}

Test(check_lists, refuses_what_is_no_operation_on_a_list)
{
    ok("10-20", "[['append', 'x']]", "[null]");
    told_expect_unreadable(&told, 1);
}

Test(check_lists, refuses_a_result_that_is_no_list)
{
    ok("10-20", "[['read', 'x']]", "[['a']]");
    told_expect_unreadable(&told, 1);
}
