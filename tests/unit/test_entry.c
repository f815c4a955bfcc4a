/*
 * Frames of log entries: layout, chain, and what damage does to them.
 */
#include "wire/entry.h"

#include "base/crc32c.h"
#include "tests/unit/fixture_value.h"

#include <criterion/criterion.h>

enum { CLUSTER = 99 };

static struct entry sample(struct bytes payload)
{
    return (struct entry){.kind = ENTRY_BATCH,
                          .flags = ENTRY_FLAG_MARK,
                          .previous_crc = 0x01020304,
                          .epoch = 5,
                          .position = 6,
                          .commit_position = 4,
                          .version = 70,
                          .time_us = 0x1122334455667788,
                          .transactions = 3,
                          .payload = payload};
}

static void sample_encode(struct buffer *out)
{
    struct entry entry = sample(bytes_from_text("effects"));
    entry_encode(&entry, CLUSTER, out);
}

static enum status decode(struct bytes bytes, uint64_t cluster_id)
{
    struct entry entry;
    size_t size;
    return entry_decode(bytes, cluster_id, &entry, &size);
}

// Makes the CRC of a changed frame right again.
static void seal_again(struct buffer *frame)
{
    uint8_t cluster[8] = {CLUSTER};
    uint32_t crc = crc32c(0, bytes_of(cluster, 8));
    crc = crc32c(crc, bytes_of(frame->data + 8, frame->size - 8));
    for (unsigned i = 0; i < 4; i++) {
        frame->data[4 + i] = (uint8_t)(crc >> (8 * i));
    }
}

Test(entry, survives_the_way_there_and_back)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct entry before = sample(bytes_from_text("effects"));
    entry_encode(&before, CLUSTER, &out);
    buffer_append(&out, bytes_from_text("next"));
    struct entry after;
    size_t size;
    cr_assert_eq(entry_decode(buffer_bytes(&out), CLUSTER, &after, &size), STATUS_ok);
    cr_assert_eq(size, ENTRY_HEADER_SIZE + 7);
    cr_assert_eq(after.crc, before.crc);
    cr_assert_eq(after.time_us, before.time_us);
    AUTO(buffer_release) struct buffer again = {0};
    entry_encode(&after, CLUSTER, &again);
    cr_assert(bytes_equal(buffer_bytes(&again), bytes_of(out.data, size)));
}

Test(entry, lies_as_drawn)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    static const uint8_t expected[] = {79, 0, 0, 0};
    static const uint8_t behind_crc[] = {
        1,    2,    1, 0, 4, 3,  2, 1, // to 16
        5,    0,    0, 0, 0, 0,  0, 0, 6, 0, 0, 0, 0, 0,    0,    0,    4,    0,    0,
        0,    0,    0, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
        0x22, 0x11, 3, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0};
    cr_assert_eq(memcmp(out.data, expected, sizeof expected), 0);
    cr_assert_eq(memcmp(out.data + 8, behind_crc, sizeof behind_crc), 0);
    seal_again(&out);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_ok);
}

Test(entry, of_another_cluster_is_damage)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER + 1), STATUS_damaged);
}

Test(entry, cut_short_is_refused_everywhere)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    for (size_t cut = 0; cut < out.size; cut++) {
        cr_assert_eq(decode(bytes_of(out.data, cut), CLUSTER), STATUS_bad_request);
    }
}

Test(entry, any_flipped_bit_is_noticed)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_neq(decode(buffer_bytes(&out), CLUSTER), STATUS_ok, "bit %zu", bit);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(entry, sizes_out_of_bounds_are_refused_before_the_crc_is_computed)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    uint8_t *size = out.data;
    size[0] = ENTRY_HEADER_SIZE - 1;
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_bad_request);
    memset(size, 0xff, 4);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_bad_request);
}

Test(entry, takes_the_largest_payload_and_refuses_a_larger_one)
{
    AUTO(buffer_release) struct buffer payload = {0};
    AUTO(buffer_release) struct buffer out = {0};
    memset(buffer_extend(&payload, ENTRY_PAYLOAD_SIZE_MAX), 'x', ENTRY_PAYLOAD_SIZE_MAX);
    struct entry entry = sample(buffer_bytes(&payload));
    entry_encode(&entry, CLUSTER, &out);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_ok);
    buffer_append_u8(&out, 'x');
    uint32_t size = (uint32_t)out.size;
    memcpy(out.data, &size, 4);
    seal_again(&out);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_bad_request);
}

Test(entry, of_another_format_is_refused)
{
    AUTO(buffer_release) struct buffer out = {0};
    sample_encode(&out);
    out.data[8] = ENTRY_FORMAT + 1;
    seal_again(&out);
    cr_assert_eq(decode(buffer_bytes(&out), CLUSTER), STATUS_bad_request);
}

Test(entry, of_an_unknown_kind_still_decodes)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct entry before = sample(bytes_of(NULL, 0));
    before.kind = 200;
    before.flags = 0x8000;
    entry_encode(&before, CLUSTER, &out);
    struct entry after;
    size_t size;
    cr_assert_eq(entry_decode(buffer_bytes(&out), CLUSTER, &after, &size), STATUS_ok);
    cr_assert_eq(after.kind, 200);
    cr_assert_eq(after.flags, 0x8000);
}

Test(entry, chain_depends_on_the_entry_before)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct entry a = sample(bytes_from_text("effects"));
    struct entry b = a;
    b.previous_crc ^= 1;
    entry_encode(&a, CLUSTER, &out);
    entry_encode(&b, CLUSTER, &out);
    cr_assert_neq(a.crc, b.crc);
}

Test(entry, place_is_right_behind_it)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct entry entry = sample(bytes_of(NULL, 0));
    entry_encode(&entry, CLUSTER, &out);
    struct entry_place place = entry_place_of(&entry);
    cr_assert_eq(place.epoch, 5);
    cr_assert_eq(place.position, 6);
    cr_assert_eq(place.version, 70);
    cr_assert_eq(place.crc, entry.crc);
}

Test(entry, survives_damage)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 200000; i++) {
        buffer_clear(&out);
        sample_encode(&out);
        bytes_damage(&random, &out);
        enum status status = decode(buffer_bytes(&out), CLUSTER);
        cr_assert(status == STATUS_ok || status == STATUS_bad_request || status == STATUS_damaged);
    }
}
