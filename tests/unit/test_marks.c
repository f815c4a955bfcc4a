/*
 * Marked versions: they keep the state as it was, go at the horizon, and stay while somebody reads
 * them. The memory state counts open snapshots, so one that was forgotten fails the test that did
 * so.
 */
#include "storage/marks.h"

#include "base/limits.h"
#include "storage/state_memory.h"

#include <criterion/criterion.h>

static struct state *state;
static struct marks *marks;

static void setup(void)
{
    state = state_memory_new();
    marks = marks_new(state);
}

static void teardown(void)
{
    marks_destroy(&marks);
    cr_assert_eq(state_memory_open_count(state), 0, "a snapshot was forgotten");
    state_destroy(&state);
}

TestSuite(marks, .init = setup, .fini = teardown);

static void put(const char *value)
{
    struct state_batch batch = {0};
    state_batch_put(&batch, bytes_from_text("key"), bytes_from_text(value));
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

static void expect_value(const struct state_snapshot *snapshot, const char *wanted)
{
    struct buffer value = {0};
    cr_assert_eq(state_get(state, snapshot, bytes_from_text("key"), &value), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&value), bytes_from_text(wanted)));
    buffer_release(&value);
}

static const struct state_snapshot *borrow(uint64_t version)
{
    const struct state_snapshot *snapshot = NULL;
    cr_assert_eq(marks_borrow(marks, version, &snapshot), STATUS_ok);
    return snapshot;
}

static enum status try_borrow(uint64_t version)
{
    const struct state_snapshot *snapshot = NULL;
    enum status status = marks_borrow(marks, version, &snapshot);
    if (status == STATUS_ok) {
        marks_give_back(marks, version);
    }
    return status;
}

static void add(uint64_t version, uint64_t now_us)
{
    cr_assert_eq(marks_add(marks, version, now_us), STATUS_ok);
}

Test(marks, keep_the_state_as_it_was)
{
    put("one");
    add(1, 100);
    put("two");
    add(2, 200);
    put("three");
    expect_value(borrow(1), "one");
    expect_value(borrow(2), "two");
    marks_give_back(marks, 1);
    marks_give_back(marks, 2);
}

Test(marks, version_that_is_not_kept_is_too_old)
{
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    add(2, 100);
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    cr_assert_eq(try_borrow(3), STATUS_too_old);
    cr_assert_eq(try_borrow(2), STATUS_ok);
}

Test(marks, version_zero_can_be_marked)
{
    add(0, 100);
    cr_assert_eq(try_borrow(0), STATUS_ok);
}

Test(marks, marking_a_version_again_keeps_the_newer_state_of_it)
{
    put("one");
    add(1, 100);
    put("two");
    add(1, 200);
    cr_assert_eq(marks_count(marks), 1);
    expect_value(borrow(1), "two");
    marks_give_back(marks, 1);
    marks_expire(marks, 200, 0);
    cr_assert_eq(marks_count(marks), 1, "it is as old as the newer one");
    marks_expire(marks, 201, 0);
    cr_assert_eq(marks_count(marks), 0);
}

Test(marks, marking_a_borrowed_version_again_leaves_its_reader_alone)
{
    put("one");
    add(1, 100);
    const struct state_snapshot *snapshot = borrow(1);
    put("two");
    add(1, 200);
    expect_value(snapshot, "one");
    marks_give_back(marks, 1);
}

Test(marks, those_before_the_horizon_expire)
{
    put("one");
    add(1, 100);
    add(2, 200);
    add(3, 300);
    marks_expire(marks, 400, 200);
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    cr_assert_eq(marks_count(marks), 2);
    cr_assert_eq(state_memory_open_count(state), 2);
    marks_expire(marks, 1000, 200);
    cr_assert_eq(marks_count(marks), 0);
}

Test(marks, one_that_is_read_stays)
{
    add(1, 100);
    for (uint64_t now_us = 200; now_us < 2000; now_us += 200) {
        cr_assert_eq(try_borrow(1), STATUS_ok);
        marks_expire(marks, now_us, 300);
    }
    marks_expire(marks, 2100, 300);
    cr_assert_eq(marks_count(marks), 1, "300 after it was seen to be read");
    marks_expire(marks, 2101, 300);
    cr_assert_eq(marks_count(marks), 0);
}

Test(marks, one_that_is_read_for_ever_expires_at_last)
{
    const uint64_t age_us = MARK_AGE_MS_MAX * UINT64_C(1000);
    add(1, 100);
    borrow(1);
    marks_expire(marks, 100 + age_us, 300);
    cr_assert_eq(try_borrow(1), STATUS_ok);
    marks_expire(marks, 100 + age_us + 1, 300);
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    marks_give_back(marks, 1);
    cr_assert_eq(marks_count(marks), 0);
}

Test(marks, borrowed_one_stays_until_the_last_gives_it_back)
{
    put("one");
    add(1, 100);
    const struct state_snapshot *snapshot = borrow(1);
    borrow(1);
    marks_expire(marks, UINT64_MAX, 0);
    cr_assert_eq(try_borrow(1), STATUS_too_old, "nobody else gets it");
    expect_value(snapshot, "one");
    marks_give_back(marks, 1);
    expect_value(snapshot, "one");
    marks_give_back(marks, 1);
    cr_assert_eq(marks_count(marks), 0);
}

Test(marks, expired_one_that_is_borrowed_can_be_marked_again)
{
    put("one");
    add(1, 100);
    borrow(1);
    marks_expire(marks, UINT64_MAX, 0);
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    add(1, 200);
    cr_assert_eq(try_borrow(1), STATUS_ok, "it was marked just now");
    marks_give_back(marks, 1);
    cr_assert_eq(marks_count(marks), 1);
}

Test(marks, clear_forgets_all)
{
    put("one");
    add(1, 100);
    add(2, 200);
    marks_clear(marks);
    cr_assert_eq(marks_count(marks), 0);
    cr_assert_eq(try_borrow(1), STATUS_too_old);
    add(1, 300);
    cr_assert_eq(try_borrow(1), STATUS_ok);
}

Test(marks, their_number_is_bounded)
{
    put("one");
    for (uint64_t version = 1; version <= 10000; version++) {
        add(version, version);
    }
    cr_assert_leq(marks_count(marks), 6000);
    cr_assert_eq(try_borrow(1), STATUS_too_old, "the oldest gave way");
    cr_assert_eq(try_borrow(10000), STATUS_ok);
}

Test(marks, state_that_makes_no_snapshot_is_told)
{
    state_memory_fail_reads(state, STATUS_damaged);
    cr_assert_eq(marks_add(marks, 1, 100), STATUS_damaged);
    cr_assert_eq(marks_count(marks), 0);
}
