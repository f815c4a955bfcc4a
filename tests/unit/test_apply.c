/*
 * Applying entries: what is written with them, what is refused, and that effects and the record of
 * where the state stands can't be told apart by a crash. Deviation 25 of the simulator fails the
 * test about the crash.
 */
#include "storage/apply.h"

#include "storage/cells.h"
#include "storage/effects.h"
#include "storage/state_memory.h"
#include "wire/message.h"

#include <criterion/criterion.h>

static struct state *state;
static struct applied applied;
static struct buffer payload;

static void setup(void)
{
    state = state_memory_new();
    applied_init(&applied);
}

static void teardown(void)
{
    state_destroy(&state);
    applied_release(&applied);
    buffer_release(&payload);
}

TestSuite(apply, .init = setup, .fini = teardown);

static struct bytes session_key(struct buffer *key, const char *name)
{
    cell_key_session(key, bytes_from_text(name));
    return buffer_bytes(key);
}

// The payload of an entry that puts one cell.
static struct bytes put_payload(const char *name, const char *value)
{
    struct state_batch batch = {0};
    struct buffer key = {0};
    state_batch_put(&batch, session_key(&key, name), bytes_from_text(value));
    buffer_clear(&payload);
    effects_encode(&batch, &payload);
    state_batch_release(&batch);
    buffer_release(&key);
    return buffer_bytes(&payload);
}

static struct entry entry_of(enum entry_kind kind, struct bytes bytes)
{
    return (struct entry){
        .kind = (uint8_t)kind,
        .crc = 77,
        .epoch = 3,
        .position = applied.place.position + 1,
        .version = applied.place.version + (kind == ENTRY_BATCH),
        .time_us = applied.time_us + 10,
        .payload = bytes,
    };
}

static enum status apply(enum entry_kind kind, struct bytes bytes)
{
    struct entry entry = entry_of(kind, bytes);
    return apply_entry(state, 42, &entry, &applied);
}

static bool has(const char *name)
{
    struct buffer key = {0};
    struct buffer value = {0};
    enum status status = state_get(state, NULL, session_key(&key, name), &value);
    buffer_release(&key);
    buffer_release(&value);
    return status == STATUS_ok;
}

// What is found after a crash must be what is known now.
static void expect_stored(void)
{
    struct applied read;
    applied_init(&read);
    cr_assert_eq(applied_load(state, NULL, &read), STATUS_ok);
    cr_assert_eq(read.cluster_id, applied.cluster_id);
    cr_assert_eq(memcmp(&read.place, &applied.place, sizeof read.place), 0);
    cr_assert_eq(read.time_us, applied.time_us);
    cr_assert_eq(read.chain, applied.chain);
    cr_assert(bytes_equal(buffer_bytes(&read.configuration), buffer_bytes(&applied.configuration)));
    applied_release(&read);
}

Test(apply, empty_state_stands_before_everything)
{
    applied.place.position = 99;
    buffer_append_u8(&applied.configuration, 1);
    cr_assert_eq(applied_load(state, NULL, &applied), STATUS_ok);
    cr_assert_eq(applied.place.position, 0);
    cr_assert_eq(applied.cluster_id, 0);
    cr_assert_eq(applied.configuration.size, 0);
}

Test(apply, writes_effects_and_where_it_stands)
{
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    cr_assert(has("a"));
    cr_assert_eq(applied.cluster_id, 42);
    cr_assert_eq(applied.place.epoch, 3);
    cr_assert_eq(applied.place.position, 1);
    cr_assert_eq(applied.place.version, 1);
    cr_assert_eq(applied.place.crc, 77);
    cr_assert_eq(applied.time_us, 10);
    expect_stored();
    cr_assert_eq(apply(ENTRY_NOOP, (struct bytes){0}), STATUS_ok);
    cr_assert_eq(applied.place.position, 2);
    cr_assert_eq(applied.place.version, 1);
    expect_stored();
}

Test(apply, time_never_goes_backwards)
{
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    struct entry entry = entry_of(ENTRY_NOOP, (struct bytes){0});
    entry.time_us = 0;
    cr_assert_eq(apply_entry(state, 42, &entry, &applied), STATUS_ok);
    cr_assert_eq(applied.time_us, 10);
    expect_stored();
}

Test(apply, removes_what_an_entry_removes)
{
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    struct state_batch batch = {0};
    struct buffer key = {0};
    state_batch_remove(&batch, session_key(&key, "a"));
    buffer_clear(&payload);
    effects_encode(&batch, &payload);
    cr_assert_eq(apply(ENTRY_BATCH, buffer_bytes(&payload)), STATUS_ok);
    cr_assert_not(has("a"));
    state_batch_release(&batch);
    buffer_release(&key);
}

Test(apply, effects_and_position_survive_a_crash_together)
{
    for (uint64_t writes = 1; writes <= 2; writes++) {
        state_memory_flush_after(state, writes);
        cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
        state_memory_crash(state);
        cr_assert_eq(applied_load(state, NULL, &applied), STATUS_ok);
        cr_assert_eq(applied.place.position == 1, has("a"));
        cr_assert_eq(has("a"), writes == 1);
        state_destroy(&state);
        state = state_memory_new();
        applied_release(&applied);
    }
}

static struct bytes configuration_payload(uint64_t cluster_id)
{
    struct message message = {.kind = MESSAGE_configuration};
    message.configuration.format = 1;
    message.configuration.cluster_id = cluster_id;
    message.configuration.cluster_name = bytes_from_text("geese");
    buffer_clear(&payload);
    message_encode(&message, &payload);
    return buffer_bytes(&payload);
}

Test(apply, keeps_the_latest_configuration)
{
    cr_assert_eq(apply(ENTRY_CONFIGURATION, configuration_payload(1)), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&applied.configuration), buffer_bytes(&payload)));
    expect_stored();
    cr_assert_eq(apply(ENTRY_CONFIGURATION, configuration_payload(123456)), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&applied.configuration), buffer_bytes(&payload)));
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    cr_assert_gt(applied.configuration.size, 0);
    expect_stored();
}

// The chain after one entry on an empty state, given its kind, payload and version.
static uint64_t chain_after(enum entry_kind kind, struct bytes bytes, uint64_t version)
{
    struct state *fresh = state_memory_new();
    struct applied at;
    applied_init(&at);
    struct entry entry = entry_of(kind, bytes);
    entry.position = 1;
    entry.version = version;
    cr_assert_eq(apply_entry(fresh, 42, &entry, &at), STATUS_ok);
    uint64_t chain = at.chain;
    applied_release(&at);
    state_destroy(&fresh);
    return chain;
}

Test(apply, chain_depends_on_all_that_was_applied)
{
    uint64_t first = chain_after(ENTRY_BATCH, put_payload("a", "1"), 1);
    cr_assert_neq(first, 0);
    cr_assert_eq(first, chain_after(ENTRY_BATCH, put_payload("a", "1"), 1));
    cr_assert_neq(first, chain_after(ENTRY_BATCH, put_payload("a", "2"), 1));
    cr_assert_neq(first, chain_after(ENTRY_BATCH, put_payload("a", "1"), 2));
    cr_assert_neq(first, chain_after(ENTRY_NOOP, (struct bytes){0}, 1));
    cr_assert_eq(apply(ENTRY_NOOP, (struct bytes){0}), STATUS_ok);
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    cr_assert_neq(applied.chain, first, "what came before counts");
}

// An entry that must be refused, leaving everything as it was.
static void expect_refused(enum entry_kind kind, struct bytes bytes, enum status wanted)
{
    uint64_t position = applied.place.position;
    enum status status = apply(kind, bytes);
    cr_assert_eq(status, wanted, "%s, not %s", status_name(status), status_name(wanted));
    cr_assert_eq(applied.place.position, position);
    expect_stored();
}

Test(apply, unknown_kinds_and_formats_are_a_version_mismatch)
{
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    expect_refused((enum entry_kind)9, (struct bytes){0}, STATUS_version_mismatch);
    put_payload("b", "1");
    payload.data[0] = 2;
    expect_refused(ENTRY_BATCH, buffer_bytes(&payload), STATUS_version_mismatch);
    put_payload("b", "1");
    payload.data[1 + 8] = 0x0f; // first byte of the key
    expect_refused(ENTRY_BATCH, buffer_bytes(&payload), STATUS_version_mismatch);
    configuration_payload(1);
    payload.data[2] = 2; // after the array's head and the kind: its format
    expect_refused(ENTRY_CONFIGURATION, buffer_bytes(&payload), STATUS_version_mismatch);
    cr_assert_not(has("b"));
}

Test(apply, malformed_payloads_are_a_bad_request)
{
    static const uint8_t one = 1;
    expect_refused(ENTRY_NOOP, bytes_of(&one, 1), STATUS_bad_request);
    expect_refused(ENTRY_BATCH, (struct bytes){0}, STATUS_bad_request);
    expect_refused(ENTRY_CONFIGURATION, bytes_of(&one, 1), STATUS_bad_request);
    put_payload("b", "1");
    for (size_t size = 2; size < payload.size; size++) {
        expect_refused(ENTRY_BATCH, bytes_of(payload.data, size), STATUS_bad_request);
    }
    payload.data[1 + 8] = CELL_APPLIED;
    expect_refused(ENTRY_BATCH, buffer_bytes(&payload), STATUS_bad_request);
    memset(payload.data + 1, 0, 4);
    expect_refused(ENTRY_BATCH, buffer_bytes(&payload), STATUS_bad_request);
    configuration_payload(1);
    buffer_append_u8(&payload, 0);
    expect_refused(ENTRY_CONFIGURATION, buffer_bytes(&payload), STATUS_bad_request);
}

Test(apply, key_that_is_too_long_is_a_bad_request)
{
    struct state_batch batch = {0};
    struct buffer key = {0};
    buffer_append_u8(&key, CELL_DOCUMENT);
    memset(buffer_extend(&key, CELL_KEY_SIZE_MAX), 'x', CELL_KEY_SIZE_MAX);
    state_batch_put(&batch, buffer_bytes(&key), (struct bytes){0});
    effects_encode(&batch, &payload);
    expect_refused(ENTRY_BATCH, buffer_bytes(&payload), STATUS_bad_request);
    state_batch_release(&batch);
    buffer_release(&key);
}

Test(apply, empty_batch_is_an_entry_like_others)
{
    static const uint8_t format = EFFECTS_FORMAT;
    cr_assert_eq(apply(ENTRY_BATCH, bytes_of(&format, 1)), STATUS_ok);
    cr_assert_eq(applied.place.position, 1);
}

Test(apply, failed_write_can_be_repeated)
{
    state_memory_fail_writes(state, STATUS_read_only);
    struct bytes bytes = put_payload("a", "1");
    expect_refused(ENTRY_BATCH, bytes, STATUS_read_only);
    state_memory_fail_writes(state, STATUS_ok);
    cr_assert_eq(apply(ENTRY_BATCH, bytes), STATUS_ok);
    cr_assert_eq(applied.place.position, 1);
    expect_stored();
}

// Puts something else where the applied record belongs.
static void overwrite_record(struct bytes value)
{
    struct state_batch batch = {0};
    struct buffer key = {0};
    cell_key_applied(&key);
    state_batch_put(&batch, buffer_bytes(&key), value);
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
    buffer_release(&key);
}

Test(apply, record_that_can_not_be_read_is_told)
{
    overwrite_record(bytes_from_text("no record"));
    cr_assert_eq(applied_load(state, NULL, &applied), STATUS_damaged);
    overwrite_record(configuration_payload(1));
    cr_assert_eq(applied_load(state, NULL, &applied), STATUS_damaged);
    struct message message = {.kind = MESSAGE_applied_record};
    message.applied_record.format = 2;
    buffer_clear(&payload);
    message_encode(&message, &payload);
    overwrite_record(buffer_bytes(&payload));
    cr_assert_eq(applied_load(state, NULL, &applied), STATUS_version_mismatch);
    state_memory_fail_reads(state, STATUS_damaged);
    cr_assert_eq(applied_load(state, NULL, &applied), STATUS_damaged);
}

Test(apply, record_is_read_at_a_snapshot)
{
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "1")), STATUS_ok);
    struct state_snapshot *snapshot;
    cr_assert_eq(state_snapshot_new(state, &snapshot), STATUS_ok);
    cr_assert_eq(apply(ENTRY_BATCH, put_payload("a", "2")), STATUS_ok);
    struct applied then;
    applied_init(&then);
    cr_assert_eq(applied_load(state, snapshot, &then), STATUS_ok);
    cr_assert_eq(then.place.version, 1);
    applied_release(&then);
    state_snapshot_destroy(state, &snapshot);
}
