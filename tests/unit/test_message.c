/*
 * Every message of the schema, by a table of all fields that expands from it. Messages are encoded
 * here by hand, from the table and with random content; since there is one encoding of a message,
 * decoding and encoding it must give the same bytes again. Then: what a decoder does with fewer,
 * more, larger or damaged fields.
 */
#include "wire/message.h"

#include "tests/unit/fixture_value.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

enum row_type { TYPE_message, TYPE_u8, TYPE_u32, TYPE_u64, TYPE_flag, TYPE_text, TYPE_blob };

// A message, or one of its fields, which follow it.
struct row {
    enum row_type type;
    unsigned id;  // of the message
    size_t limit; // of a text or blob
};

#define FIELD_ROW(type, name, limit, doc) {TYPE_##type, 0, (limit)},
#define MESSAGE_ROW(id, name, doc) {TYPE_message, id, 0}, WIRE_##name(FIELD_ROW)

static const struct row ROWS[] = {MESSAGE_LIST(MESSAGE_ROW)};

enum { ROW_COUNT = sizeof ROWS / sizeof ROWS[0] };

// The row of the message behind `row`, NULL behind the last one.
static const struct row *next_message(const struct row *row)
{
    do {
        row++;
    } while (row < ROWS + ROW_COUNT && row->type != TYPE_message);
    return row < ROWS + ROW_COUNT ? row : NULL;
}

static uint32_t count_fields(const struct row *message)
{
    uint32_t count = 0;
    while (message + count + 1 < ROWS + ROW_COUNT && message[count + 1].type != TYPE_message) {
        count++;
    }
    return count;
}

static void pack_zero(const struct row *field, struct buffer *out)
{
    switch (field->type) {
    case TYPE_flag: pack_flag(out, false); break;
    case TYPE_text: pack_text(out, bytes_of(NULL, 0)); break;
    case TYPE_blob: pack_binary(out, bytes_of(NULL, 0)); break;
    default: pack_u64(out, 0); break;
    }
}

static void pack_random(const struct row *field, struct random *random, struct buffer *out)
{
    AUTO(buffer_release) struct buffer text = {0};
    text_append_random(random, field->limit < 300 ? field->limit : 300, &text);
    switch (field->type) {
    case TYPE_u8: pack_u64(out, random_below(random, 256)); break;
    case TYPE_u32: pack_u64(out, natural_random(random) & UINT32_MAX); break;
    case TYPE_u64: pack_u64(out, natural_random(random)); break;
    case TYPE_flag: pack_flag(out, random_chance(random, 500000)); break;
    case TYPE_text: pack_text(out, buffer_bytes(&text)); break;
    case TYPE_blob: pack_binary(out, buffer_bytes(&text)); break;
    case TYPE_message: break;
    }
}

// Appends the head of a message with `extra` values more than it has fields.
static void pack_head(const struct row *message, int extra, struct buffer *out)
{
    pack_array(out, (uint32_t)((int)count_fields(message) + 1 + extra));
    pack_u64(out, message->id);
}

static void pack_message(const struct row *message, struct random *random, struct buffer *out)
{
    pack_head(message, 0, out);
    for (uint32_t i = 1; i <= count_fields(message); i++) {
        pack_random(&message[i], random, out);
    }
}

static struct message decode(const struct buffer *encoded)
{
    struct bytes rest = buffer_bytes(encoded);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    cr_assert_eq(rest.size, 0);
    return message;
}

// Decoding `encoded` gives the message whose encoding is `expected`.
static void check_means(const struct buffer *encoded, const struct buffer *expected)
{
    AUTO(buffer_release) struct buffer again = {0};
    struct message message = decode(encoded);
    message_encode(&message, &again);
    cr_assert(bytes_equal(buffer_bytes(&again), buffer_bytes(expected)), "%s",
              message_kind_name(message.kind));
}

static void check_refused(struct bytes encoded)
{
    struct bytes rest = encoded;
    struct message message = {.kind = MESSAGE_why};
    cr_assert_eq(message_decode(&rest, &message), STATUS_bad_request);
    cr_assert_eq(rest.data, encoded.data);
    cr_assert_eq(rest.size, encoded.size);
    cr_assert_eq(message.kind, MESSAGE_why);
}

Test(message, every_kind_survives_the_way_there_and_back)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct random random;
    random_init(&random, 1);
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        for (unsigned i = 0; i < 300; i++) {
            buffer_clear(&encoded);
            pack_message(row, &random, &encoded);
            check_means(&encoded, &encoded);
        }
    }
}

Test(message, fields_keep_their_places)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct message message = {.kind = MESSAGE_append,
                              .append = {.epoch = 1,
                                         .leader = 2,
                                         .previous_epoch = 3,
                                         .previous_position = 4,
                                         .commit_position = 5,
                                         .round = 6,
                                         .entries = bytes_from_text("entries")}};
    message_encode(&message, &out);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_of("\x98\x14\1\2\3\4\5\6\xc4\7entries", 17)));
    struct message_append append = decode(&out).append;
    cr_assert_eq(append.previous_position, 4);
    cr_assert_eq(append.round, 6);
    cr_assert(bytes_equal(append.entries, message.append.entries));
}

Test(message, every_truncation_is_refused)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct random random;
    random_init(&random, 2);
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        buffer_clear(&encoded);
        pack_message(row, &random, &encoded);
        for (size_t cut = 0; cut < encoded.size; cut++) {
            check_refused(bytes_of(encoded.data, cut));
        }
    }
}

Test(message, missing_fields_at_the_end_are_zero)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer expected = {0};
    struct random random;
    random_init(&random, 3);
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        uint32_t count = count_fields(row);
        uint32_t kept = (uint32_t)random_below(&random, count);
        buffer_clear(&encoded);
        buffer_clear(&expected);
        pack_head(row, (int)kept - (int)count, &encoded);
        pack_head(row, 0, &expected);
        size_t begin = encoded.size;
        for (uint32_t i = 1; i <= kept; i++) {
            pack_random(&row[i], &random, &encoded);
        }
        buffer_append(&expected, bytes_of(encoded.data + begin, encoded.size - begin));
        for (uint32_t i = kept + 1; i <= count; i++) {
            pack_zero(&row[i], &expected);
        }
        check_means(&encoded, &expected);
    }
}

Test(message, unknown_fields_at_the_end_are_skipped)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer expected = {0};
    struct random random;
    random_init(&random, 4);
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        buffer_clear(&encoded);
        buffer_clear(&expected);
        pack_head(row, 3, &encoded);
        pack_head(row, 0, &expected);
        size_t begin = encoded.size;
        for (uint32_t i = 1; i <= count_fields(row); i++) {
            pack_random(&row[i], &random, &encoded);
        }
        buffer_append(&expected, bytes_of(encoded.data + begin, encoded.size - begin));
        for (unsigned i = 0; i < 3; i++) {
            value_append_random(&random, 3, &encoded);
        }
        check_means(&encoded, &expected);
    }
}

Test(message, unknown_fields_nested_too_deeply_are_refused)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    pack_array(&encoded, 3);
    pack_u64(&encoded, MESSAGE_why);
    pack_u64(&encoded, 1);
    for (unsigned i = 0; i <= WIRE_DEPTH_MAX; i++) {
        pack_array(&encoded, 1);
    }
    pack_nil(&encoded);
    check_refused(buffer_bytes(&encoded));
}

// Encodes `message` all zero but for field `number`, a run of `size` letters or the number `size`.
static void pack_one_field(const struct row *message, uint32_t number, size_t size,
                           struct buffer *out)
{
    AUTO(buffer_release) struct buffer letters = {0};
    memset(buffer_extend(&letters, size), 'x', size);
    buffer_clear(out);
    pack_head(message, 0, out);
    for (uint32_t i = 1; i <= count_fields(message); i++) {
        if (i != number) {
            pack_zero(&message[i], out);
        } else if (message[i].type == TYPE_text) {
            pack_text(out, buffer_bytes(&letters));
        } else {
            pack_binary(out, buffer_bytes(&letters));
        }
    }
}

Test(message, texts_and_blobs_end_at_their_limits)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    unsigned checked = 0;
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        for (uint32_t i = 1; i <= count_fields(row); i++) {
            if (row[i].type != TYPE_text && row[i].type != TYPE_blob) {
                continue;
            }
            pack_one_field(row, i, row[i].limit, &encoded);
            check_means(&encoded, &encoded);
            pack_one_field(row, i, row[i].limit + 1, &encoded);
            check_refused(buffer_bytes(&encoded));
            checked++;
        }
    }
    cr_assert_gt(checked, 30);
}

// Decodes a `member` whose field `number` is `value` and the last one.
static enum status decode_member(uint32_t number, uint64_t value)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    const struct row *row = ROWS;
    while (row->id != MESSAGE_member) {
        row = next_message(row);
    }
    pack_head(row, (int)number - (int)count_fields(row), &encoded);
    for (uint32_t i = 1; i < number; i++) {
        pack_zero(&row[i], &encoded);
    }
    pack_u64(&encoded, value);
    struct bytes rest = buffer_bytes(&encoded);
    struct message message;
    return message_decode(&rest, &message);
}

Test(message, numbers_beyond_their_type_are_refused)
{
    enum { ROLE_NUMBER = 2, PID_NUMBER = 7 };
    cr_assert_eq(decode_member(ROLE_NUMBER, UINT8_MAX), STATUS_ok);
    cr_assert_eq(decode_member(ROLE_NUMBER, UINT8_MAX + 1), STATUS_bad_request);
    cr_assert_eq(decode_member(PID_NUMBER, UINT32_MAX), STATUS_ok);
    cr_assert_eq(decode_member(PID_NUMBER, (uint64_t)UINT32_MAX + 1), STATUS_bad_request);
}

Test(message, fields_of_another_type_are_refused)
{
    check_refused(bytes_of("\x92\x2a\xa1x", 4));
    check_refused(bytes_of("\x92\x2a\xff", 3));
    check_refused(bytes_of("\x92\x2a\xc3", 3));
}

Test(message, texts_that_are_not_utf8_are_refused)
{
    check_refused(bytes_of("\x93\x10\x01\xa2\xc3\x28", 6));
}

Test(message, unknown_kinds_and_what_is_no_message_are_refused)
{
    check_refused(bytes_of("\x91\x7f", 2));
    check_refused(bytes_of("\x91\x00", 2));
    check_refused(bytes_of("\x90", 1));
    check_refused(bytes_of("\x80", 1));
    check_refused(bytes_of(NULL, 0));
    cr_assert_str_eq(message_kind_name((enum message_kind)0), "unknown");
}

Test(message, takes_one_message_after_another)
{
    AUTO(buffer_release) struct buffer out = {0};
    for (uint64_t i = 1; i <= 3; i++) {
        message_encode(&(struct message){.kind = MESSAGE_mark, .mark = {.request = i}}, &out);
    }
    struct bytes rest = buffer_bytes(&out);
    struct message message;
    for (uint64_t i = 1; i <= 3; i++) {
        cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
        cr_assert_eq(message.mark.request, i);
    }
    cr_assert_eq(rest.size, 0);
}

Test(message, damaged_bytes_are_refused_or_mean_a_message_within_limits)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct random random;
    random_init(&random, 5);
    for (const struct row *row = ROWS; row != NULL; row = next_message(row)) {
        for (unsigned i = 0; i < 6000; i++) {
            buffer_clear(&encoded);
            pack_message(row, &random, &encoded);
            bytes_damage(&random, &encoded);
            struct bytes rest = buffer_bytes(&encoded);
            struct message message;
            if (message_decode(&rest, &message) == STATUS_ok) {
                buffer_clear(&again);
                message_encode(&message, &again);
                check_means(&again, &again);
            }
        }
    }
}

static void check_printed(const struct message *message, const char *expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    message_print(message, &out);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text(expected)), "%.*s", (int)out.size,
              (const char *)out.data);
}

Test(message, prints_as_one_line)
{
    struct message echo = {.kind = MESSAGE_echo,
                           .echo = {.request = 7, .payload = bytes_from_text("secret")}};
    check_printed(&echo, "echo{request=7 payload=6B}");
    struct message reply = {.kind = MESSAGE_switchover,
                            .switchover = {.request = 1, .target = bytes_from_text("a\"\n\\ä")}};
    check_printed(&reply, "switchover{request=1 target=\"a\\x22\\x0a\\x5cä\"}");
}

Test(message, finds_what_traces_show)
{
    struct message append = {.kind = MESSAGE_append,
                             .append = {.epoch = 4, .previous_position = 9}};
    cr_assert_eq(message_epoch(&append), 4);
    cr_assert_eq(message_position(&append), 9);
    cr_assert_eq(message_request(&append), 0);
    struct message mark = {.kind = MESSAGE_mark_reply, .mark_reply = {.request = 5, .position = 6}};
    cr_assert_eq(message_request(&mark), 5);
    cr_assert_eq(message_position(&mark), 6);
    cr_assert_eq(message_epoch(&mark), 0);
}
