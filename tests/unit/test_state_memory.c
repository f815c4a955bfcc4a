/*
 * What the memory twin has beyond the port: crashes, flushes by itself, and failures on demand.
 * What it shares with RocksDB is in test_state.c.
 */
#include "storage/state_memory.h"

#include <criterion/criterion.h>

static void put(struct state *state, const char *key, const char *value)
{
    struct state_batch batch = {0};
    state_batch_put(&batch, bytes_from_text(key), bytes_from_text(value));
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

static enum status get(struct state *state, const char *key)
{
    struct buffer value = {0};
    enum status status = state_get(state, NULL, bytes_from_text(key), &value);
    buffer_release(&value);
    return status;
}

Test(state_memory, crash_goes_back_to_the_last_flush)
{
    struct state *state = state_memory_new();
    put(state, "a", "1");
    cr_assert_eq(state_flush(state), STATUS_ok);
    put(state, "b", "1");
    state_memory_crash(state);
    cr_assert_eq(get(state, "a"), STATUS_ok);
    cr_assert_eq(get(state, "b"), STATUS_absent);
    put(state, "b", "2");
    state = state_memory_reopen(&state);
    cr_assert_eq(get(state, "a"), STATUS_ok);
    cr_assert_eq(get(state, "b"), STATUS_absent);
    state_destroy(&state);
}

Test(state_memory, flushes_by_itself_when_asked_to)
{
    struct state *state = state_memory_new();
    state_memory_flush_after(state, 2);
    put(state, "a", "1");
    put(state, "b", "1");
    put(state, "c", "1");
    state_memory_crash(state);
    cr_assert_eq(get(state, "b"), STATUS_ok);
    cr_assert_eq(get(state, "c"), STATUS_absent);
    state_destroy(&state);
}

Test(state_memory, failing_writes_change_nothing)
{
    struct state *state = state_memory_new();
    struct state_batch batch = {0};
    state_batch_put(&batch, bytes_from_text("a"), bytes_from_text("1"));
    state_memory_fail_writes(state, STATUS_read_only);
    cr_assert_eq(state_write(state, &batch), STATUS_read_only);
    cr_assert_eq(state_flush(state), STATUS_read_only);
    cr_assert_eq(get(state, "a"), STATUS_absent);
    state_memory_fail_writes(state, STATUS_ok);
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    cr_assert_eq(get(state, "a"), STATUS_ok);
    state_batch_release(&batch);
    state_destroy(&state);
}

Test(state_memory, failing_reads_fail_everywhere_and_end_open_cursors)
{
    struct state *state = state_memory_new();
    put(state, "a", "1");
    struct state_cursor *cursor;
    struct state_cursor *other;
    struct state_snapshot *snapshot;
    struct bytes none = {0};
    cr_assert_eq(state_cursor_new(state, NULL, none, none, &cursor), STATUS_ok);
    state_memory_fail_reads(state, STATUS_damaged);
    cr_assert_eq(get(state, "a"), STATUS_damaged);
    cr_assert_eq(state_snapshot_new(state, &snapshot), STATUS_damaged);
    cr_assert_eq(state_cursor_new(state, NULL, none, none, &other), STATUS_damaged);
    struct bytes key;
    struct bytes value;
    cr_assert_not(state_cursor_next(cursor, state, &key, &value));
    cr_assert_eq(state_cursor_destroy(state, &cursor), STATUS_damaged);
    cr_assert_eq(state_memory_open_count(state), 0);
    state_destroy(&state);
}
