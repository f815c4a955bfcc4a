/*
 * Counters: whatever was added counts once.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>

static struct told_history told;

static void ok(const char *times, const char *operation, const char *result)
{
    told_ok(&told, "counter", times, operation, result);
}

static void setup(void)
{
    told_history_init(&told);
    ok("10-20", "[['increment', 'c', 1]]", "[null]");
    ok("10-40", "[['increment', 'c', 5]]", "[null]");
}

static void teardown(void)
{
    told_history_release(&told);
}

TestSuite(check_counters, .init = setup, .fini = teardown);

Test(check_counters, accepts_reads_before_during_and_after_an_addition)
{
    ok("1-5", "[['read', 'c']]", "[0]");
    ok("15-18", "[['read', 'c']]", "[0]");
    ok("21-30", "[['read', 'c']]", "[1]");
    ok("31-35", "[['read', 'c']]", "[6]");
    ok("50-60", "[['read', 'c']]", "[6]");
    ok("50-60", "[['read', 'other']]", "[0]");
    told_expect_good(&told);
}

Test(check_counters, accepts_an_unknown_addition_done_late_or_never)
{
    told_not_ok(&told, "counter", "unknown", "10-20", "[['increment', 'c', 1]]");
    told_not_ok(&told, "counter", "unknown", "10-20", "[['increment', 'c', 10]]");
    ok("50-60", "[['read', 'c']]", "[6]");
    ok("70-80", "[['read', 'c']]", "[7]");
    told_expect_good(&told);
}

Test(check_counters, counts_what_only_touches_as_overlapping)
{
    ok("20-20", "[['read', 'c']]", "[0]");
    ok("5-10", "[['read', 'c']]", "[6]");
    told_expect(&told, "counter-back");
    told_history_release(&told);
    setup();
    ok("20-20", "[['read', 'c']]", "[0]");
    told_expect_good(&told);
}

Test(check_counters, finds_an_addition_that_was_lost)
{
    ok("50-60", "[['read', 'c']]", "[5]");
    told_expect(&told, "counter-low");
}

Test(check_counters, finds_an_addition_that_was_done_twice)
{
    ok("50-60", "[['read', 'c']]", "[7]");
    told_expect(&told, "counter-high");
}

Test(check_counters, finds_a_failed_addition_that_was_done)
{
    told_not_ok(&told, "counter", "fail", "10-20", "[['increment', 'c', 1]]");
    ok("50-60", "[['read', 'c']]", "[7]");
    told_expect(&told, "counter-high");
}

Test(check_counters, finds_a_count_that_went_back)
{
    ok("25-30", "[['read', 'c']]", "[6]");
    ok("31-35", "[['read', 'c']]", "[1]");
    told_expect(&told, "counter-back");
}

Test(check_counters, refuses_what_is_no_operation_on_a_counter)
{
    ok("70-80", "[['increment', 'c', -1]]", "[null]");
    told_expect_unreadable(&told, 3);
    told_history_release(&told);
    setup();
    ok("70-80", "[['read', 'c'], ['read', 'c']]", "[6, 6]");
    told_expect_unreadable(&told, 3);
}
