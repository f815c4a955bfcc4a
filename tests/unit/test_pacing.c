/*
 * Pacing of elections: steps, turns, back-offs, rivals.
 */
#include "cluster/pacing.h"

#include <criterion/criterion.h>

enum { MS = 1000 };

static struct bytes coordinators[3];

static struct process process_of(const char *endpoint)
{
    coordinators[0] = bytes_from_text("tcp://c1:7300");
    coordinators[1] = bytes_from_text("tcp://c2:7300");
    coordinators[2] = bytes_from_text("tcp://c3:7300");
    return (struct process){.endpoint = bytes_from_text(endpoint),
                            .seed = 5,
                            .coordinators = coordinators,
                            .coordinator_count = 3,
                            .timings = timings_default()};
}

Test(pacing, coordinators_begin_in_the_order_of_the_file)
{
    static const struct {
        const char *endpoint;
        uint64_t turn_us;
    } cases[] = {
        {"tcp://c1:7300", 0},
        {"tcp://c2:7300", 30 * MS},
        {"tcp://c3:7300", 60 * MS},
        {"tcp://elsewhere:1", 90 * MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process process = process_of(cases[i].endpoint);
        struct pacing pacing;
        pacing_init(&pacing, &process);
        cr_assert_eq(pacing_turn_us(&pacing), cases[i].turn_us);
    }
}

Test(pacing, a_step_doubles_after_failed_attempts_up_to_a_bound)
{
    struct process process = process_of("tcp://c1:7300");
    struct pacing pacing;
    pacing_init(&pacing, &process);
    static const uint64_t expected_ms[] = {150, 300, 600, 1200, 1200, 1200};
    for (size_t i = 0; i < sizeof expected_ms / sizeof expected_ms[0]; i++) {
        cr_assert_eq(pacing_step_us(&pacing), expected_ms[i] * MS);
        cr_assert_eq(pacing_resend_us(&pacing), 50 * MS);
        pacing_fail_us(&pacing, false);
        cr_assert_eq(pacing_step_us(&pacing), expected_ms[i] * MS);
        pacing_fail_us(&pacing, true);
    }
    pacing_reset(&pacing);
    cr_assert_eq(pacing_step_us(&pacing), 150 * MS);
}

Test(pacing, a_poll_is_a_part_of_a_step_and_doubles_after_every_failure)
{
    struct process process = process_of("tcp://c1:7300");
    struct pacing pacing;
    pacing_init(&pacing, &process);
    static const uint64_t expected_ms[] = {50, 100, 200, 400, 400, 400};
    for (size_t i = 0; i < sizeof expected_ms / sizeof expected_ms[0]; i++) {
        cr_assert_eq(pacing_poll_us(&pacing), expected_ms[i] * MS);
        pacing_fail_us(&pacing, i % 2 == 0);
    }
}

// The shortest and the longest of many back-offs after `failures` failures before.
static void measure(unsigned failures, bool had_epoch, uint64_t *ret_least, uint64_t *ret_most)
{
    struct process process = process_of("tcp://c1:7300");
    *ret_least = UINT64_MAX;
    *ret_most = 0;
    for (process.seed = 0; process.seed < 2000; process.seed++) {
        struct pacing pacing;
        pacing_init(&pacing, &process);
        for (unsigned i = 0; i < failures; i++) {
            pacing_fail_us(&pacing, false);
        }
        uint64_t wait_us = pacing_fail_us(&pacing, had_epoch);
        *ret_least = wait_us < *ret_least ? wait_us : *ret_least;
        *ret_most = wait_us > *ret_most ? wait_us : *ret_most;
    }
}

Test(pacing, a_failed_poll_is_repeated_soon_and_then_less_often)
{
    uint64_t least;
    uint64_t most;
    measure(0, false, &least, &most);
    cr_assert(least >= 18750 && least < 20000 && most <= 37500 && most > 36000);
    measure(9, false, &least, &most);
    cr_assert(least < 25000 && most <= 300000 && most > 290000);
}

Test(pacing, after_a_failed_attempt_jitter_is_long_against_an_attempt)
{
    uint64_t least;
    uint64_t most;
    measure(0, true, &least, &most);
    cr_assert(least < 21000 && most <= 187500 && most > 180000);
}

Test(pacing, tells_of_failures_at_growing_distances)
{
    struct process process = process_of("tcp://c1:7300");
    struct pacing pacing;
    pacing_init(&pacing, &process);
    unsigned told = 0;
    for (unsigned i = 0; i < 1024; i++) {
        pacing_fail_us(&pacing, false);
        told += pacing_is_worth_telling(&pacing);
    }
    cr_assert_eq(told, 11);
}

Test(pacing, makes_way_for_a_rival_for_half_a_step_and_twice_in_a_row_only)
{
    struct process process = process_of("tcp://c1:7300");
    struct pacing pacing;
    pacing_init(&pacing, &process);
    cr_assert_not(pacing_defers(&pacing, 10 * MS));
    pacing_hear_rival(&pacing, 100 * MS);
    cr_assert(pacing_defers(&pacing, 174 * MS));
    cr_assert_not(pacing_defers(&pacing, 175 * MS));
    pacing_hear_rival(&pacing, 200 * MS);
    cr_assert(pacing_defers(&pacing, 201 * MS));
    cr_assert_not(pacing_defers(&pacing, 202 * MS));
    pacing_reset(&pacing);
    cr_assert(pacing_defers(&pacing, 203 * MS));
}
