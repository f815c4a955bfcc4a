/*
 * Registers: linearizable histories are good, others are found, and a search that would take too
 * long is given up.
 */
#include "tests/check/configurations.h"
#include "tests/check/linearize.h"
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

TestSuite(check_registers, .init = setup, .fini = teardown);

static void ok(const char *times, const char *operation, const char *result)
{
    told_ok(&told, "register", times, operation, result);
}

static void unknown(const char *times, const char *operation)
{
    told_not_ok(&told, "register", "unknown", times, operation);
}

Test(check_registers, accepts_operations_one_after_the_other)
{
    ok("10-20", "[['read', 'x']]", "[null]");
    ok("30-40", "[['write', 'x', 'a']]", "[null]");
    ok("50-60", "[['compare_and_set', 'x', 'a', 'b']]", "[true]");
    ok("70-80", "[['compare_and_set', 'x', 'a', 'c']]", "[false]");
    ok("90-99", "[['read', 'x']]", "['b']");
    told_expect_good(&told);
}

Test(check_registers, keeps_registers_apart)
{
    ok("10-20", "[['write', 'x', 1]]", "[null]");
    ok("30-40", "[['write', 'y', 2]]", "[null]");
    ok("50-60", "[['read', 'x']]", "[1]");
    ok("50-60", "[['read', 'y']]", "[2]");
    told_expect_good(&told);
}

Test(check_registers, accepts_whatever_order_overlapping_operations_need)
{
    ok("10-90", "[['write', 'x', 1]]", "[null]");
    ok("10-90", "[['write', 'x', 2]]", "[null]");
    ok("20-30", "[['read', 'x']]", "[2]");
    ok("40-50", "[['read', 'x']]", "[1]");
    told_expect_good(&told);
}

Test(check_registers, accepts_an_unknown_write_at_any_time_or_never)
{
    unknown("10-20", "[['write', 'x', 1]]");
    unknown("10-20", "[['write', 'x', 2]]");
    ok("30-40", "[['write', 'x', 3]]", "[null]");
    ok("50-60", "[['read', 'x']]", "[3]");
    ok("70-80", "[['read', 'x']]", "[1]");
    told_expect_good(&told);
}

Test(check_registers, accepts_unknown_swaps_that_build_on_each_other)
{
    unknown("10-20", "[['write', 'x', 1]]");
    unknown("10-20", "[['compare_and_set', 'x', 1, 2]]");
    ok("30-40", "[['read', 'x']]", "[null]");
    ok("50-60", "[['read', 'x']]", "[2]");
    told_expect_good(&told);
}

Test(check_registers, finds_an_unknown_write_seen_twice)
{
    unknown("10-20", "[['write', 'x', 1]]");
    ok("30-40", "[['read', 'x']]", "[1]");
    ok("50-60", "[['write', 'x', 2]]", "[null]");
    ok("70-80", "[['read', 'x']]", "[1]");
    told_expect(&told, "register");
}

Test(check_registers, finds_a_stale_read)
{
    ok("10-20", "[['write', 'x', 1]]", "[null]");
    ok("30-40", "[['write', 'x', 2]]", "[null]");
    ok("50-60", "[['read', 'x']]", "[1]");
    told_expect(&told, "register");
}

Test(check_registers, finds_reads_that_go_back)
{
    ok("10-90", "[['write', 'x', 1]]", "[null]");
    ok("20-30", "[['read', 'x']]", "[1]");
    ok("40-50", "[['read', 'x']]", "[null]");
    told_expect(&told, "register");
}

Test(check_registers, finds_two_swaps_of_one_value)
{
    ok("10-20", "[['write', 'x', 1]]", "[null]");
    ok("30-90", "[['compare_and_set', 'x', 1, 2]]", "[true]");
    ok("30-90", "[['compare_and_set', 'x', 1, 3]]", "[true]");
    told_expect(&told, "register");
}

Test(check_registers, finds_a_swap_refused_without_reason)
{
    ok("10-20", "[['write', 'x', 1]]", "[null]");
    ok("30-40", "[['compare_and_set', 'x', 1, 2]]", "[false]");
    told_expect(&told, "register");
}

Test(check_registers, finds_a_failed_write_that_was_done)
{
    told_not_ok(&told, "register", "fail", "10-20", "[['write', 'x', 1]]");
    ok("30-40", "[['read', 'x']]", "[1]");
    told_expect(&told, "register");
}

Test(check_registers, tells_where_the_longest_order_ends)
{
    ok("10-20", "[['write', 'x', 1]]", "[null]");
    ok("30-40", "[['read', 'x']]", "[{'a': 2}]");
    told_expect(&told, "register");
    buffer_append_u8(&told.report.text, '\0');
    cr_assert_str_eq((const char *)told.report.text.data,
                     "no order of the operations on \"x\" fits. At best 1 of them can be put in "
                     "one, which leave 1; then line 2 has to come, which read {\"a\":2}");
}

Test(check_registers, refuses_what_is_no_operation_on_a_register)
{
    ok("10-20", "[['increment', 'x']]", "[null]");
    told_expect_unreadable(&told, 1);
}

// So many writes at once, and then a read of what nobody wrote.
static size_t make_hard(struct register_operation *operations, size_t writes)
{
    for (size_t i = 0; i < writes; i++) {
        operations[i] = (struct register_operation){
            .kind = REGISTER_write, .value = (uint32_t)i + 1, .invoke_ns = 10, .complete_ns = 20};
    }
    operations[writes] = (struct register_operation){.kind = REGISTER_read,
                                                     .expected = (uint32_t)writes + 1,
                                                     .invoke_ns = 30,
                                                     .complete_ns = 40};
    return writes + 1;
}

Test(check_registers, gives_up_a_search_without_end)
{
    struct register_operation operations[41];
    struct linearize_dead_end dead_end;
    size_t count = make_hard(operations, 40);
    cr_assert_eq(linearize(operations, count, 10000, &dead_end), LINEARIZE_undecided);
    count = make_hard(operations, 8);
    cr_assert_eq(linearize(operations, count, 10000, &dead_end), LINEARIZE_bad);
    cr_assert_eq(dead_end.ordered, 8);
    cr_assert_eq(dead_end.blocked, 8);
}

Test(check_registers, remembers_every_configuration_once)
{
    struct configurations configurations;
    configurations_init(&configurations);
    for (uint64_t i = 1; i <= 5000; i++) {
        struct configuration_hash hash = {.high = i, .low = i % 7};
        cr_assert(configurations_add(&configurations, hash));
        cr_assert_not(configurations_add(&configurations, hash));
    }
    cr_assert_eq(configurations.count, 5000);
    configurations_release(&configurations);
}
