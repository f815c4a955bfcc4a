/*
 * Sets: reads may have what was being added, must have what was there, and nothing else.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>

static struct told_history told;

static void ok(const char *times, const char *operation, const char *result)
{
    told_ok(&told, "set", times, operation, result);
}

static void setup(void)
{
    told_history_init(&told);
    ok("10-20", "[['add', 's', 1]]", "[null]");
    ok("10-40", "[['add', 's', 2]]", "[null]");
}

static void teardown(void)
{
    told_history_release(&told);
}

TestSuite(check_sets, .init = setup, .fini = teardown);

Test(check_sets, accepts_reads_before_during_and_after_an_addition)
{
    ok("1-5", "[['read', 's']]", "[[]]");
    ok("15-30", "[['read', 's']]", "[[1]]");
    ok("31-35", "[['read', 's']]", "[[2, 1]]");
    ok("50-60", "[['read', 's']]", "[[1, 2]]");
    ok("50-60", "[['read', 'other']]", "[[]]");
    told_expect_good(&told);
}

Test(check_sets, accepts_an_unknown_addition_seen_late_or_never)
{
    told_not_ok(&told, "set", "unknown", "10-20", "[['add', 's', 'x']]");
    told_not_ok(&told, "set", "unknown", "10-20", "[['add', 's', 'y']]");
    ok("50-60", "[['read', 's']]", "[[1, 2]]");
    ok("70-80", "[['read', 's']]", "[[1, 2, 'x']]");
    told_expect_good(&told);
}

Test(check_sets, finds_an_acknowledged_value_that_is_missing)
{
    ok("25-60", "[['read', 's']]", "[[2]]");
    told_expect(&told, "set-lost");
}

Test(check_sets, finds_a_value_that_was_seen_and_is_gone)
{
    told_not_ok(&told, "set", "unknown", "10-20", "[['add', 's', 3]]");
    ok("50-60", "[['read', 's']]", "[[1, 2, 3]]");
    ok("61-70", "[['read', 's']]", "[[1, 2]]");
    told_expect(&told, "set-lost");
}

Test(check_sets, does_not_mind_which_of_two_overlapping_reads_sees_more)
{
    told_not_ok(&told, "set", "unknown", "10-20", "[['add', 's', 3]]");
    ok("50-60", "[['read', 's']]", "[[1, 2, 3]]");
    ok("60-70", "[['read', 's']]", "[[1, 2]]");
    told_expect_good(&told);
}

Test(check_sets, finds_a_value_that_nobody_added)
{
    ok("50-60", "[['read', 's']]", "[[1, 2, 9]]");
    told_expect(&told, "set-phantom");
}

Test(check_sets, finds_a_failed_addition_that_was_done)
{
    told_not_ok(&told, "set", "fail", "10-20", "[['add', 's', 3]]");
    ok("50-60", "[['read', 's']]", "[[1, 2, 3]]");
    told_expect(&told, "set-phantom");
}

Test(check_sets, finds_a_value_read_before_it_was_added)
{
    ok("50-60", "[['read', 's']]", "[[1, 2, 3]]");
    ok("70-80", "[['add', 's', 3]]", "[null]");
    told_expect(&told, "set-early");
}

Test(check_sets, finds_a_value_read_twice_in_one_read)
{
    ok("50-60", "[['read', 's']]", "[[1, 2, 1]]");
    told_expect(&told, "set-duplicate");
}

Test(check_sets, refuses_a_value_that_is_added_twice)
{
    ok("70-80", "[['add', 's', 1]]", "[null]");
    told_expect_unreadable(&told, 3);
}

Test(check_sets, refuses_what_is_no_operation_on_a_set)
{
    ok("70-80", "[['remove', 's', 1]]", "[null]");
    told_expect_unreadable(&told, 3);
    told_history_release(&told);
    setup();
    ok("70-80", "[['read', 's']]", "[7]");
    told_expect_unreadable(&told, 3);
}
