/*
 * The timers of a machine's shell.
 */
#include "actors/runtime/timers.h"

#include <criterion/criterion.h>

static struct timers timers;

static void setup(void)
{
    timers_init(&timers);
}

// The next due timer at `now_us`; 0 for none.
static uint32_t take(uint64_t now_us)
{
    uint32_t number = 0;
    return timers_take(&timers, now_us, &number) ? number : 0;
}

TestSuite(timers, .init = setup);

Test(timers, none_is_due_before_one_is_set)
{
    cr_expect_eq(timers_next_us(&timers), UINT64_MAX);
    cr_expect_eq(take(UINT64_MAX - 1), 0);
}

Test(timers, come_in_order_of_their_times)
{
    timers_set(&timers, 1, 300);
    timers_set(&timers, 2, 100);
    timers_set(&timers, 3, 200);
    cr_expect_eq(timers_next_us(&timers), 100);
    cr_expect_eq(take(250), 2);
    cr_expect_eq(take(250), 3);
    cr_expect_eq(take(250), 0);
    cr_expect_eq(timers_next_us(&timers), 300);
}

Test(timers, one_is_due_at_its_very_time)
{
    timers_set(&timers, 1, 100);
    cr_expect_eq(take(99), 0);
    cr_expect_eq(take(100), 1);
    cr_expect_eq(take(100), 0, "a timer is due once");
}

Test(timers, setting_again_replaces_the_time)
{
    timers_set(&timers, 1, 100);
    timers_set(&timers, 1, 300);
    cr_expect_eq(timers_next_us(&timers), 300);
    cr_expect_eq(take(200), 0);
    timers_set(&timers, 1, 150);
    cr_expect_eq(take(200), 1);
}

Test(timers, zero_takes_one_back)
{
    timers_set(&timers, 1, 100);
    timers_set(&timers, 2, 200);
    timers_set(&timers, 1, 0);
    timers_set(&timers, 7, 0);
    cr_expect_eq(timers_next_us(&timers), 200);
    cr_expect_eq(take(1000), 2);
}

Test(timers, equal_times_come_by_number)
{
    timers_set(&timers, 9, 100);
    timers_set(&timers, 4, 100);
    cr_expect_eq(take(100), 4);
    cr_expect_eq(take(100), 9);
}
