/*
 * Banks: what transfers can have made is good, all else is found.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>

static struct told_history told;

static void ok(const char *times, const char *operation, const char *result)
{
    told_ok(&told, "bank", times, operation, result);
}

static void setup(void)
{
    told_history_init(&told);
    ok("1-2", "[['open', {'a': 10, 'b': 20}]]", "[null]");
}

static void teardown(void)
{
    told_history_release(&told);
}

TestSuite(check_bank, .init = setup, .fini = teardown);

Test(check_bank, accepts_reads_before_during_and_after_a_transfer)
{
    ok("10-20", "[['read']]", "[{'a': 10, 'b': 20}]");
    ok("30-60", "[['transfer', 'a', 'b', 4]]", "[null]");
    ok("40-50", "[['read']]", "[{'a': 10, 'b': 20}]");
    ok("40-50", "[['read']]", "[{'a': 6, 'b': 24}]");
    ok("60-70", "[['read']]", "[{'b': 24, 'a': 6}]");
    told_expect_good(&told);
}

Test(check_bank, accepts_an_unknown_transfer_done_or_not)
{
    told_not_ok(&told, "bank", "unknown", "10-20", "[['transfer', 'a', 'b', 4]]");
    ok("30-40", "[['read']]", "[{'a': 10, 'b': 20}]");
    ok("50-60", "[['read']]", "[{'a': 6, 'b': 24}]");
    told_expect_good(&told);
}

Test(check_bank, finds_a_sum_that_is_another)
{
    ok("10-60", "[['transfer', 'a', 'b', 4]]", "[null]");
    ok("20-30", "[['read']]", "[{'a': 6, 'b': 20}]");
    told_expect(&told, "bank-total");
}

Test(check_bank, finds_a_negative_balance)
{
    ok("10-20", "[['transfer', 'a', 'b', 14]]", "[null]");
    ok("30-40", "[['read']]", "[{'a': -4, 'b': 34}]");
    told_expect(&told, "bank-negative");
}

Test(check_bank, finds_a_transfer_that_was_lost)
{
    ok("10-20", "[['transfer', 'a', 'b', 4]]", "[null]");
    ok("30-40", "[['read']]", "[{'a': 10, 'b': 20}]");
    told_expect_among(&told, "bank-balance");
}

Test(check_bank, finds_a_failed_transfer_that_was_done)
{
    told_not_ok(&told, "bank", "fail", "10-20", "[['transfer', 'a', 'b', 4]]");
    ok("30-40", "[['read']]", "[{'a': 6, 'b': 24}]");
    told_expect_among(&told, "bank-balance");
}

Test(check_bank, finds_a_transfer_read_before_it_began)
{
    ok("10-20", "[['read']]", "[{'a': 6, 'b': 24}]");
    ok("30-40", "[['transfer', 'a', 'b', 4]]", "[null]");
    told_expect_among(&told, "bank-balance");
}

Test(check_bank, finds_accounts_that_are_missing_or_too_many)
{
    ok("10-20", "[['read']]", "[{'a': 30}]");
    told_expect_among(&told, "bank-accounts");
    told_history_release(&told);
    setup();
    ok("10-20", "[['read']]", "[{'a': 10, 'b': 20, 'c': 0}]");
    told_expect(&told, "bank-accounts");
}

Test(check_bank, refuses_accounts_that_were_not_opened_or_twice)
{
    ok("10-20", "[['transfer', 'a', 'z', 4]]", "[null]");
    told_expect_unreadable(&told, 2);
    told_history_release(&told);
    setup();
    ok("3-4", "[['open', {'c': 1}]]", "[null]");
    told_expect_unreadable(&told, 2);
}

Test(check_bank, refuses_what_is_no_operation_of_a_bank)
{
    ok("10-20", "[['read'], ['read']]", "[{}, {}]");
    told_expect_unreadable(&told, 2);
}
