/*
 * Exactly once: what a session is told that asks again, too late, or too much (rules 29 and 30).
 */
#include "storage/executor.h"

#include "storage/cells.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct engine p;

static const uint64_t HOUR_US = UINT64_C(3600) * 1000000;

static void setup(void)
{
    engine_init(&p);
}

static void teardown(void)
{
    engine_release(&p);
}

TestSuite(executor_sessions, .init = setup, .fini = teardown);

static enum status put(const char *session, uint64_t sequence, uint64_t done_below, uint64_t n)
{
    engine_put(&p, "c", "x", n);
    return engine_run(&p, session, sequence, done_below);
}

static uint64_t read_n(void)
{
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "reader", 1, 0), STATUS_ok);
    return engine_result_n(&p, 0);
}

static enum status claim(const char *session, uint64_t sequence)
{
    executor_claim(p.executor, bytes_from_text(session), sequence, &p.outcome);
    return p.outcome.status;
}

// Lets time pass, with an entry that looks for idle sessions.
static void pass(uint64_t us)
{
    engine_settle(&p);
    engine_close(&p);
    p.time_us += us;
    engine_open(&p);
    executor_expire_sessions(p.executor, 100);
    engine_settle(&p);
}

static bool has_session_cell(const char *name)
{
    struct buffer key = {0};
    struct buffer value = {0};
    cell_key_session(&key, bytes_from_text(name));
    enum status status = state_get(p.state, NULL, buffer_bytes(&key), &value);
    buffer_release(&key);
    buffer_release(&value);
    return status == STATUS_ok;
}

static void repeat_and_expect_replay(void)
{
    cr_assert_eq(put("s", 1, 0, 99), STATUS_ok);
    cr_assert(p.outcome.replayed);
    cr_assert_eq(p.outcome.version, 1);
    cr_assert_eq(p.outcome.time_us, 1000000);
    cr_assert_eq(read_n(), 1);
}

Test(executor_sessions, repeated_transaction_gets_its_first_outcome)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    p.time_us = 2000000;
    repeat_and_expect_replay();
    engine_close(&p);
    engine_open(&p);
    repeat_and_expect_replay();
    engine_apply(&p);
    repeat_and_expect_replay();
    executor_reset(p.executor);
    engine_open(&p);
    repeat_and_expect_replay();
    cr_assert_eq(executor_open_size(p.executor), 0);
}

Test(executor_sessions, replay_gives_generated_ids_and_nulls_for_what_was_read)
{
    for (int i = 0; i < 2; i++) {
        engine_put(&p, "c", "x", 5);
        engine_get(&p, "c", "x");
        engine_insert(&p, "c", NULL, 1);
        engine_insert(&p, "c", "own", 1);
        cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
        static char id[2][32];
        memcpy(id[i], engine_result_id(&p, 2).data, 26);
        cr_assert_str_eq(id[i], id[0]);
        cr_assert(bytes_equal(engine_result_id(&p, 3), bytes_from_text("own")));
        cr_assert_eq(engine_result_n(&p, 1), i == 0 ? 5 : 0);
        cr_assert_eq(p.outcome.replayed, i == 1);
        engine_close(&p);
        p.time_us += 77777;
        engine_open(&p);
    }
}

Test(executor_sessions, sequences_may_arrive_in_any_order)
{
    cr_assert_eq(put("s", 3, 0, 3), STATUS_ok);
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    cr_assert_eq(put("s", 2, 0, 2), STATUS_ok);
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        cr_assert_eq(put("s", sequence, 0, 9), STATUS_ok);
        cr_assert(p.outcome.replayed);
    }
    cr_assert_eq(p.outcome.version, 1, "sequence 3 ran first");
}

Test(executor_sessions, sessions_don_t_know_each_other)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    cr_assert_eq(put("t", 1, 0, 2), STATUS_ok);
    cr_assert_not(p.outcome.replayed);
    cr_assert_eq(p.outcome.version, 2);
}

Test(executor_sessions, outcome_below_done_below_is_expired)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    cr_assert_eq(put("s", 2, 2, 2), STATUS_ok);
    cr_assert_eq(put("s", 1, 0, 9), STATUS_expired);
    engine_expect_failure(&p, STATUS_expired, 0, "sequence 1 of session \"s\"");
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(put("s", 1, 0, 9), STATUS_expired);
    cr_assert_eq(put("s", 2, 0, 9), STATUS_ok);
    cr_assert(p.outcome.replayed);
    cr_assert_eq(put("s", 3, 4, 9), STATUS_expired, "below its own done_below");
}

Test(executor_sessions, request_without_effects_does_not_move_done_below)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 2, 2), STATUS_ok);
    engine_delete(&p, "c", "none");
    cr_assert_eq(engine_run(&p, "s", 2, 2), STATUS_absent);
    cr_assert_eq(put("s", 1, 0, 9), STATUS_ok);
    cr_assert(p.outcome.replayed);
}

Test(executor_sessions, unknown_session_may_begin_with_one_of_its_first_sequences_only)
{
    cr_assert_eq(put("s", SESSION_OUTCOMES_MAX + 1, 0, 1), STATUS_expired);
    engine_expect_failure(&p, STATUS_expired, 0, "session \"s\"");
    cr_assert_eq(put("s", SESSION_OUTCOMES_MAX, 0, 1), STATUS_ok);
    cr_assert_eq(put("s", SESSION_OUTCOMES_MAX + 1, 0, 1), STATUS_ok);
}

Test(executor_sessions, too_many_outcomes_are_busy_and_change_nothing)
{
    for (uint64_t sequence = 1; sequence <= SESSION_OUTCOMES_MAX; sequence++) {
        cr_assert_eq(put("s", sequence, 0, sequence), STATUS_ok);
    }
    cr_assert_eq(put("s", SESSION_OUTCOMES_MAX + 1, 1, 999), STATUS_busy);
    engine_expect_failure(&p, STATUS_busy, 0, "done_below");
    cr_assert_eq(read_n(), SESSION_OUTCOMES_MAX);
    cr_assert_eq(claim("s", SESSION_OUTCOMES_MAX + 1), STATUS_busy);
    cr_assert_eq(put("s", 7, 0, 999), STATUS_ok);
    cr_assert(p.outcome.replayed);
    cr_assert_eq(put("s", SESSION_OUTCOMES_MAX + 1, 2, 999), STATUS_ok);
    cr_assert_eq(p.outcome.version, SESSION_OUTCOMES_MAX + 1);
    engine_settle(&p);
}

Test(executor_sessions, record_counts_once_in_the_size_of_an_entry)
{
    for (uint64_t sequence = 1; sequence <= SESSION_OUTCOMES_MAX; sequence++) {
        cr_assert_eq(put("s", sequence, 0, sequence), STATUS_ok);
    }
    cr_assert_lt(executor_open_size(p.executor), 64 * SESSION_OUTCOMES_MAX + 8 * KIB);
    engine_close(&p);
    engine_open(&p);
    cr_assert_eq(executor_open_size(p.executor), 0);
}

Test(executor_sessions, claim_of_what_ran_tells_its_version)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    cr_assert_eq(put("s", 2, 0, 1), STATUS_ok);
    cr_assert_eq(claim("s", 1), STATUS_ok);
    cr_assert_eq(p.outcome.version, 1);
    engine_settle(&p);
    cr_assert_eq(claim("s", 2), STATUS_ok);
    cr_assert_eq(p.outcome.version, 2);
    cr_assert_eq(executor_open_size(p.executor), 0);
}

Test(executor_sessions, claimed_sequence_never_runs)
{
    cr_assert_eq(claim("s", 1), STATUS_absent);
    engine_expect_failure(&p, STATUS_absent, 0, "sequence 1 of session \"s\"");
    cr_assert_gt(executor_open_size(p.executor), 0, "the claim is an effect");
    cr_assert_eq(put("s", 1, 0, 1), STATUS_expired);
    engine_expect_failure(&p, STATUS_expired, 0, "sequence 1");
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(put("s", 1, 0, 1), STATUS_expired);
    cr_assert_eq(claim("s", 1), STATUS_absent);
    cr_assert_eq(read_n(), 0);
    cr_assert_eq(p.version, 0, "a claim takes no version");
}

Test(executor_sessions, claim_is_checked_like_a_transaction)
{
    cr_assert_eq(claim("", 1), STATUS_bad_request);
    cr_assert_eq(claim("s", 0), STATUS_bad_request);
    cr_assert_eq(claim("s", SESSION_OUTCOMES_MAX + 1), STATUS_expired);
    cr_assert_eq(put("s", 5, 4, 1), STATUS_ok);
    cr_assert_eq(claim("s", 3), STATUS_expired);
    engine_expect_failure(&p, STATUS_expired, 0, "sequence 3");
}

Test(executor_sessions, idle_session_expires_and_is_forgotten_a_week_later)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    pass(24 * HOUR_US - 1);
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    pass(1);
    cr_assert_eq(put("s", 1, 0, 9), STATUS_expired);
    engine_expect_failure(&p, STATUS_expired, 0, "session \"s\" was idle");
    cr_assert_eq(claim("s", 1), STATUS_expired);
    pass(7 * 24 * HOUR_US - 1);
    cr_assert_eq(put("s", 2, 0, 9), STATUS_expired);
    cr_assert(has_session_cell("s"));
    pass(1);
    cr_assert_not(has_session_cell("s"));
    cr_assert_eq(put("s", 257, 0, 9), STATUS_expired, "it is unknown now");
    cr_assert_eq(put("s", 1, 0, 9), STATUS_ok);
}

Test(executor_sessions, session_used_since_does_not_expire)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    pass(20 * HOUR_US);
    cr_assert_eq(put("s", 2, 0, 1), STATUS_ok);
    engine_close(&p);
    p.time_us += 5 * HOUR_US;
    engine_open(&p);
    executor_expire_sessions(p.executor, 100);
    cr_assert_eq(put("s", 2, 0, 1), STATUS_ok, "the state's cell is older than the overlay's");
    cr_assert(p.outcome.replayed);
    engine_settle(&p);
}

Test(executor_sessions, expiry_goes_on_where_it_stopped)
{
    for (char name[2] = "a"; name[0] <= 'j'; name[0]++) {
        cr_assert_eq(put(name, 1, 0, 1), STATUS_ok);
    }
    engine_settle(&p);
    engine_close(&p);
    p.time_us += 24 * HOUR_US;
    engine_open(&p);
    executor_expire_sessions(p.executor, 4);
    executor_expire_sessions(p.executor, 4);
    cr_assert_eq(put("h", 1, 0, 1), STATUS_expired);
    cr_assert_eq(put("i", 1, 0, 1), STATUS_ok);
    executor_expire_sessions(p.executor, 4);
    cr_assert_eq(put("j", 1, 0, 1), STATUS_expired);
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(put("a", 1, 0, 1), STATUS_expired);
}

Test(executor_sessions, damaged_state_does_not_expire_anything)
{
    cr_assert_eq(put("s", 1, 0, 1), STATUS_ok);
    engine_settle(&p);
    engine_close(&p);
    p.time_us += 24 * HOUR_US;
    engine_open(&p);
    state_memory_fail_reads(p.state, STATUS_damaged);
    executor_expire_sessions(p.executor, 100);
    cr_assert_eq(executor_open_size(p.executor), 0);
    state_memory_fail_reads(p.state, STATUS_ok);
    executor_expire_sessions(p.executor, 100);
    cr_assert_gt(executor_open_size(p.executor), 0);
}

Test(executor_sessions, more_sessions_than_are_cached_are_all_remembered)
{
    for (unsigned i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%u", i);
        cr_assert_eq(put(name, 1, 0, i), STATUS_ok);
        if (i % 1000 == 999) {
            engine_settle(&p);
        }
    }
    for (unsigned i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%u", i);
        cr_assert_eq(put(name, 1, 0, i), STATUS_ok);
        cr_assert_eq(p.outcome.version, i + 1);
        cr_assert(p.outcome.replayed);
    }
}
