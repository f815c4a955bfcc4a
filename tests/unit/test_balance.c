/*
 * Spreading requests over equal processes.
 */
#include "cluster/balance.h"

#include <criterion/criterion.h>

static const uint64_t THREE[] = {11, 12, 13};

static struct balance balance_of_three(void)
{
    struct balance balance = {0};
    balance_set(&balance, THREE, 3);
    return balance;
}

static void check_picks(struct balance *balance, enum balance_policy policy,
                        const uint64_t *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t picked = balance_pick(balance, policy);
        cr_assert_eq(picked, expected[i], "pick %zu was %lu", i, (unsigned long)picked);
    }
}

Test(balance, round_robin_takes_each_in_turn_whatever_is_outstanding)
{
    struct balance balance = balance_of_three();
    balance_sent(&balance, 11);
    balance_sent(&balance, 11);
    check_picks(&balance, BALANCE_ROUND_ROBIN, (uint64_t[]){11, 12, 13, 11, 12}, 5);
}

Test(balance, least_outstanding_takes_the_idlest_and_turns_among_equals)
{
    struct balance balance = balance_of_three();
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){11, 12, 13, 11}, 4);
    balance_sent(&balance, 12);
    balance_sent(&balance, 13);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){11, 11}, 2);
    balance_done(&balance, 13);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){13, 11, 13}, 3);
}

Test(balance, one_that_is_down_is_never_picked_until_it_is_up)
{
    struct balance balance = balance_of_three();
    balance_mark(&balance, 12, true);
    check_picks(&balance, BALANCE_ROUND_ROBIN, (uint64_t[]){11, 13, 11}, 3);
    balance_mark(&balance, 12, false);
    check_picks(&balance, BALANCE_ROUND_ROBIN, (uint64_t[]){12, 13}, 2);
}

Test(balance, nobody_is_picked_when_all_are_down_or_there_are_none)
{
    struct balance balance = {0};
    cr_assert_eq(balance_pick(&balance, BALANCE_ROUND_ROBIN), 0);
    balance_set(&balance, THREE, 3);
    for (size_t i = 0; i < 3; i++) {
        balance_mark(&balance, THREE[i], true);
    }
    cr_assert_eq(balance_pick(&balance, BALANCE_ROUND_ROBIN), 0);
    cr_assert_eq(balance_pick(&balance, BALANCE_LEAST_OUTSTANDING), 0);
}

Test(balance, a_mark_ends_the_requests_of_the_one_that_is_down)
{
    struct balance balance = balance_of_three();
    balance_sent(&balance, 11);
    balance_sent(&balance, 11);
    balance_mark(&balance, 11, true);
    balance_mark(&balance, 11, false);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){11}, 1);
}

Test(balance, those_who_stay_keep_their_requests_and_marks)
{
    struct balance balance = balance_of_three();
    balance_sent(&balance, 11);
    balance_mark(&balance, 12, true);
    balance_set(&balance, (uint64_t[]){14, 12, 11}, 3);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){14, 14}, 2);
    balance_mark(&balance, 14, true);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){11}, 1);
}

Test(balance, what_is_over_twice_or_of_a_stranger_counts_for_nothing)
{
    struct balance balance = balance_of_three();
    balance_done(&balance, 11);
    balance_sent(&balance, 99);
    balance_mark(&balance, 99, true);
    balance_sent(&balance, 11);
    check_picks(&balance, BALANCE_LEAST_OUTSTANDING, (uint64_t[]){12, 13, 12}, 3);
}
