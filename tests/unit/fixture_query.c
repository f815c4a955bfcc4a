/*
 * JSON goes in and comes out. Statistics are taken out of results before they are compared: which
 * rows are looked at is for the tests of finds.
 */
#include "tests/unit/fixture_query.h"

#include "storage/query.h"
#include "storage/state_memory.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

void asker_init(struct asker *asker)
{
    *asker = (struct asker){0};
    engine_init(&asker->engine);
    asker->marks = marks_new(asker->engine.state);
}

void asker_release(struct asker *asker)
{
    marks_destroy(&asker->marks);
    cr_assert_eq(state_memory_open_count(asker->engine.state), 0, "a snapshot was forgotten");
    engine_release(&asker->engine);
    buffer_release(&asker->answer);
    buffer_release(&asker->json);
}

static void pack_json(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault = {0};
    struct operation_fault wrong = {0};
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &raw, &fault), STATUS_ok, "%s: %s", json,
                 fault.sentence);
    if (operations_canonicalize(buffer_bytes(&raw), out, &wrong) != STATUS_ok) {
        buffer_append(out, buffer_bytes(&raw)); // for the query to refuse
    }
}

void asker_write(struct asker *asker, const char *format, ...)
{
    char json[2048] = "[";
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(json + 1, sizeof json - 2, format, arguments);
    va_end(arguments);
    cr_assert_lt((size_t)size, sizeof json - 2);
    json[size + 1] = ']';
    asker_write_all(asker, json);
}

void asker_write_all(struct asker *asker, const char *operations)
{
    AUTO(buffer_release) struct buffer packed = {0};
    pack_json(operations, &packed);
    enum status status = engine_run_packed(&asker->engine, "s", ++asker->sequence,
                                           buffer_bytes(&packed));
    cr_assert_eq(status, STATUS_ok, "%.200s: %.*s", operations,
                 (int)asker->engine.outcome.message.size,
                 (const char *)asker->engine.outcome.message.data);
    engine_settle(&asker->engine);
}

uint64_t asker_mark(struct asker *asker)
{
    uint64_t version = asker->engine.applied.place.version;
    cr_assert_eq(marks_add(asker->marks, version, 0), STATUS_ok);
    return version;
}

static void take_reply(struct asker *asker)
{
    struct message reply;
    struct bytes rest = buffer_bytes(&asker->answer);
    cr_assert_eq(message_decode(&rest, &reply), STATUS_ok);
    cr_assert_eq(rest.size, 0);
    cr_assert_eq(reply.kind, MESSAGE_read_reply);
    cr_assert_eq(reply.read_reply.status == STATUS_ok, reply.read_reply.message.size == 0);
    asker->reply = reply.read_reply;
    buffer_clear(&asker->json);
    if (asker->reply.status == STATUS_ok) {
        struct cursor cursor = cursor_of(asker->reply.results);
        cr_assert_eq(json_from_msgpack(&cursor, &asker->json), STATUS_ok);
        cr_assert(cursor_at_end(&cursor));
    }
    buffer_append_u8(&asker->json, 0);
}

void asker_read(struct asker *asker, const struct message_read *how, const char *operations)
{
    AUTO(buffer_release) struct buffer packed = {0};
    pack_json(operations, &packed);
    struct message question = {.kind = MESSAGE_read, .read = *how};
    question.read.request = 7;
    question.read.operations = buffer_bytes(&packed);
    buffer_clear(&asker->answer);
    query_run(asker->engine.state, asker->marks, &question, &asker->answer);
    take_reply(asker);
    cr_assert_eq(asker->reply.request, 7);
}

// Appends a map without one of its fields.
static void append_without(struct cursor *map, const char *name, struct buffer *out)
{
    AUTO(buffer_release) struct buffer fields = {0};
    uint32_t pairs;
    uint32_t kept = 0;
    cr_assert_eq(cursor_map(map, &pairs), STATUS_ok);
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes field;
        struct bytes value;
        cr_assert_eq(cursor_text(map, &field), STATUS_ok);
        cr_assert_eq(cursor_skip(map, &value), STATUS_ok);
        if (!bytes_equal(field, bytes_from_text(name))) {
            pack_text(&fields, field);
            buffer_append(&fields, value);
            kept++;
        }
    }
    pack_map(out, kept);
    buffer_append(out, buffer_bytes(&fields));
}

static void expect_result(const struct asker *asker, const char *wanted)
{
    AUTO(buffer_release) struct buffer result = {0};
    AUTO(buffer_release) struct buffer json = {0};
    struct cursor cursor = cursor_of(asker->reply.results);
    uint32_t count;
    cr_assert_eq(asker->reply.status, STATUS_ok, "%.*s", (int)asker->reply.message.size,
                 (const char *)asker->reply.message.data);
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_ok);
    cr_assert_eq(count, 1);
    append_without(&cursor, "stats", &result);
    cursor = cursor_of(buffer_bytes(&result));
    cr_assert_eq(json_from_msgpack(&cursor, &json), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&json), bytes_from_text(wanted)), "%.*s\nis not\n%s",
              (int)json.size, (const char *)json.data, wanted);
}

static void expect_with(struct asker *asker, const struct message_read *how, const char *operation,
                        const char *result)
{
    char operations[4096];
    snprintf(operations, sizeof operations, "[%s]", operation);
    asker_read(asker, how, operations);
    expect_result(asker, result);
}

void asker_expect(struct asker *asker, const char *operation, const char *result)
{
    struct message_read how = {.level = READ_any};
    expect_with(asker, &how, operation, result);
}

void asker_expect_at(struct asker *asker, uint64_t version, const char *operation,
                     const char *result)
{
    struct message_read how = {.level = READ_snapshot, .at_version = version};
    expect_with(asker, &how, operation, result);
}

void asker_expect_failure(const struct asker *asker, enum status status, const char *words)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    memcpy(sentence, asker->reply.message.data, asker->reply.message.size);
    cr_assert_eq(asker->reply.status, status, "%s: %s",
                 status_name((enum status)asker->reply.status), sentence);
    cr_assert_eq(asker->reply.results.size, 0);
    cr_assert_not_null(strstr(sentence, words), "\"%s\" doesn't say \"%s\"", sentence, words);
}

static void append_value(struct cursor *cursor, struct buffer *out)
{
    enum value_kind kind;
    struct bytes text;
    cr_assert_eq(cursor_peek(cursor, &kind), STATUS_ok);
    if (kind == VALUE_TEXT) {
        cr_assert_eq(cursor_text(cursor, &text), STATUS_ok);
        buffer_append(out, text);
    } else {
        cr_assert_eq(json_from_msgpack(cursor, out), STATUS_ok);
    }
}

void asker_field(const struct asker *asker, const char *name, struct buffer *out)
{
    struct cursor cursor = cursor_of(asker->reply.results);
    uint32_t count;
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_ok);
    cr_assert_eq(cursor_map(&cursor, &count), STATUS_ok);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes field;
        cr_assert_eq(cursor_text(&cursor, &field), STATUS_ok);
        if (bytes_equal(field, bytes_from_text(name))) {
            append_value(&cursor, out);
            return;
        }
        cr_assert_eq(cursor_skip(&cursor, NULL), STATUS_ok);
    }
}
