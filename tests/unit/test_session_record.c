/*
 * Session records: what is remembered comes back, in few bytes, and what is no record is damage.
 * Their code is in every entry and on every disk, so it is tried with extreme and random values.
 */
#include "storage/session_record.h"

#include "base/limits.h"
#include "base/random.h"

#include <criterion/criterion.h>

static struct session_record live_record(uint64_t time_us, uint64_t done_below)
{
    return (struct session_record){
        .state = SESSION_LIVE, .time_us = time_us, .done_below = done_below};
}

static void add(struct session_record *record, uint64_t sequence, uint64_t version)
{
    struct session_outcome outcome = {
        .sequence = sequence, .version = version, .time_us = 1000 + version};
    session_record_add(record, &outcome);
}

static void expect_equal(const struct session_record *a, const struct session_record *b)
{
    cr_assert_eq(a->state, b->state);
    cr_assert_eq(a->time_us, b->time_us);
    cr_assert_eq(a->done_below, b->done_below);
    cr_assert_eq(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        cr_assert_eq(a->outcomes[i].sequence, b->outcomes[i].sequence);
        cr_assert_eq(a->outcomes[i].claimed, b->outcomes[i].claimed);
        cr_assert_eq(a->outcomes[i].version, b->outcomes[i].version);
        cr_assert_eq(a->outcomes[i].time_us, b->outcomes[i].time_us);
    }
}

// Encodes, decodes and compares; returns the size of the code.
static size_t go_round(const struct session_record *record)
{
    struct buffer value = {0};
    struct session_record read;
    session_record_init(&read);
    session_record_encode(record, &value);
    cr_assert_leq(value.size, session_record_size_max(record));
    cr_assert_eq(session_record_decode(buffer_bytes(&value), &read), STATUS_ok);
    expect_equal(record, &read);
    size_t size = value.size;
    session_record_release(&read);
    buffer_release(&value);
    return size;
}

Test(session_record, comes_back)
{
    struct session_record record = live_record(UINT64_MAX, 3);
    go_round(&record);
    add(&record, 3, 100);
    add(&record, 9, 50);
    add(&record, 5, UINT64_MAX);
    add(&record, UINT64_MAX, 0);
    record.outcomes[1].claimed = true;
    record.outcomes[2].time_us = 0;
    go_round(&record);
    session_record_expire(&record, 5000);
    cr_assert_eq(record.state, SESSION_EXPIRED);
    go_round(&record);
    session_record_release(&record);
}

Test(session_record, of_a_busy_session_is_small)
{
    struct session_record record = live_record(1700000000000000, 1000000);
    for (uint64_t i = 0; i < SESSION_OUTCOMES_MAX; i++) {
        struct session_outcome outcome = {
            .sequence = 1000000 + i,
            .version = 9000000000 + 3 * i,
            .time_us = 1699999999000000 + 250 * i,
        };
        session_record_add(&record, &outcome);
    }
    cr_assert_lt(go_round(&record), 8 * SESSION_OUTCOMES_MAX);
    session_record_release(&record);
}

Test(session_record, any_record_comes_back_within_its_size)
{
    struct random random;
    random_init(&random, 11);
    for (int round = 0; round < 2000; round++) {
        struct session_record record = live_record(random_next(&random), random_next(&random) / 2);
        uint64_t sequence = record.done_below;
        for (uint64_t i = random_below(&random, 20); i > 0; i--) {
            struct session_outcome outcome = {
                .sequence = sequence,
                .claimed = random_chance(&random, 300000),
                .version = random_next(&random) >> random_below(&random, 64),
                .time_us = random_next(&random) >> random_below(&random, 64),
            };
            session_record_add(&record, &outcome);
            sequence += random_between(&random, 1, UINT64_C(1) << random_below(&random, 56));
        }
        go_round(&record);
        session_record_release(&record);
    }
}

Test(session_record, finds_outcomes_by_sequence)
{
    struct session_record record = live_record(1, 0);
    cr_assert_null(session_record_find(&record, 1));
    add(&record, 5, 1);
    add(&record, 1, 2);
    add(&record, 3, 3);
    cr_assert_eq(session_record_find(&record, 1)->version, 2);
    cr_assert_eq(session_record_find(&record, 3)->version, 3);
    cr_assert_eq(session_record_find(&record, 5)->version, 1);
    cr_assert_null(session_record_find(&record, 0));
    cr_assert_null(session_record_find(&record, 4));
    cr_assert_null(session_record_find(&record, 6));
    session_record_release(&record);
}

Test(session_record, forgets_below_done_below_and_never_goes_back)
{
    struct session_record record = live_record(1, 0);
    for (uint64_t sequence = 1; sequence <= 5; sequence++) {
        add(&record, sequence, sequence);
    }
    cr_assert_eq(session_record_count_from(&record, 3), 3);
    session_record_forget(&record, 3);
    cr_assert_eq(record.count, 3);
    cr_assert_null(session_record_find(&record, 2));
    cr_assert_eq(session_record_find(&record, 3)->version, 3);
    session_record_forget(&record, 1);
    cr_assert_eq(record.done_below, 3);
    session_record_forget(&record, 100);
    cr_assert_eq(record.count, 0);
    cr_assert_eq(record.done_below, 100);
    session_record_release(&record);
}

static void expect_refused(struct bytes value, enum status wanted)
{
    struct session_record record = live_record(1, 0);
    add(&record, 1, 1);
    cr_assert_eq(session_record_decode(value, &record), wanted);
    cr_assert_eq(record.state, SESSION_UNKNOWN);
    cr_assert_eq(record.count, 0);
    session_record_release(&record);
}

Test(session_record, of_another_format_is_told_from_damage)
{
    static const uint8_t later[] = {0x93, 0x02, 0x01, 0x01};
    expect_refused(bytes_of(later, sizeof later), STATUS_version_mismatch);
}

Test(session_record, that_is_none_is_damaged)
{
    static const uint8_t no_array[] = {0x01};
    static const uint8_t state[] = {0x95, 0x01, 0x03, 0x01, 0x00, 0x90};
    static const uint8_t fields[] = {0x94, 0x01, 0x01, 0x01, 0x00};
    static const uint8_t odd[] = {0x95, 0x01, 0x01, 0x01, 0x00, 0x93, 0x01, 0xc2, 0x01};
    static const uint8_t twice[] = {0x95, 0x01, 0x01, 0x01, 0x00, 0x98, 0x01,
                                    0xc2, 0x01, 0x01, 0x00, 0xc2, 0x01, 0x01};
    static const uint8_t behind[] = {0x93, 0x01, 0x02, 0x01, 0x00};
    static const uint8_t text[] = {0x95, 0x01, 0x01, 0x01, 0x00, 0x94, 0x01, 0xc2, 0xa0, 0x01};
    expect_refused((struct bytes){0}, STATUS_damaged);
    expect_refused(bytes_of(no_array, sizeof no_array), STATUS_damaged);
    expect_refused(bytes_of(state, sizeof state), STATUS_damaged);
    expect_refused(bytes_of(fields, sizeof fields), STATUS_damaged);
    expect_refused(bytes_of(odd, sizeof odd), STATUS_damaged);
    expect_refused(bytes_of(twice, sizeof twice), STATUS_damaged);
    expect_refused(bytes_of(behind, sizeof behind), STATUS_damaged);
    expect_refused(bytes_of(text, sizeof text), STATUS_damaged);
}

Test(session_record, whose_sequences_overflow_is_damaged)
{
    static const uint8_t overflow[] = {0x95, 0x01, 0x01, 0x01, 0x05, 0x94, 0xcf, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc2, 0x01, 0x01};
    expect_refused(bytes_of(overflow, sizeof overflow), STATUS_damaged);
}

Test(session_record, cut_short_anywhere_is_damaged)
{
    struct session_record record = live_record(1000, 3);
    add(&record, 3, 100);
    add(&record, 700, 50);
    struct buffer value = {0};
    session_record_encode(&record, &value);
    for (size_t size = 0; size < value.size; size++) {
        expect_refused(bytes_of(value.data, size), STATUS_damaged);
    }
    buffer_release(&value);
    session_record_release(&record);
}
