/*
 * What a read asks for: which operations it may have, what is found out about them, and what an
 * answer that is not the whole of it looks like.
 */
#include "actors/reader/asked.h"

#include "wire/document/find_cursor.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void pack_json(const char *json, struct buffer *out)
{
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), out, &fault), STATUS_ok, "%s",
                 fault.sentence);
}

static enum status check(const char *json, struct asked *ret_asked)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer canonical = {0};
    struct operation_fault fault = {0};
    pack_json(json, &operations);
    enum status status = asked_check(buffer_bytes(&operations), &canonical, ret_asked, &fault);
    cr_assert_eq(status == STATUS_ok, fault.sentence[0] == '\0');
    cr_assert_eq(canonical.size > 0, status == STATUS_ok && ret_asked->has_scan);
    return status;
}

// A find whose cursor names this version.
static void append_find(struct buffer *json, uint64_t version)
{
    struct find_cursor cursor = {.version = version, .position = bytes_from_text("x")};
    const char *before = json->size == 0 ? "[" : ", ";
    buffer_append(json, bytes_from_text(before));
    buffer_append(json,
                  bytes_from_text("{\"op\": \"find\", \"collection\": \"c\", \"cursor\": \""));
    find_cursor_encode(&cursor, json);
    buffer_append(json, bytes_from_text("\"}"));
}

Test(asked, gets_go_on_as_they_are)
{
    struct asked asked;
    cr_assert_eq(check("[{\"op\": \"get\", \"collection\": \"c\", \"id\": 1}]", &asked), STATUS_ok);
    cr_assert(!asked.has_scan && !asked.has_find && !asked.has_cursor);
}

Test(asked, takes_everything_that_reads)
{
    struct asked asked;
    cr_assert_eq(check("[{\"op\": \"count\", \"collection\": \"c\"}]", &asked), STATUS_ok);
    cr_assert(asked.has_scan && !asked.has_find);
    cr_assert_eq(check("[{\"op\": \"history\", \"collection\": \"c\", \"id\": 1}]", &asked),
                 STATUS_ok);
    cr_assert_eq(check("[{\"op\": \"collections\"}]", &asked), STATUS_ok);
    cr_assert_eq(
        check("[{\"op\": \"find\", \"collection\": \"c\", \"where\": {\"a\": 1}}]", &asked),
        STATUS_ok);
    cr_assert(asked.has_scan && asked.has_find && !asked.has_cursor);
}

Test(asked, refuses_what_is_no_read)
{
    static const char *const READS[] = {
        "[{\"op\": \"put\", \"collection\": \"c\", \"id\": 1, \"document\": {}}]",
        "[{\"op\": \"check\", \"collection\": \"c\", \"id\": 1, \"absent\": true}]",
        "[{\"op\": \"drop_collection\", \"collection\": \"c\"}]",
        "[]",
        "{}",
    };
    for (size_t i = 0; i < sizeof READS / sizeof *READS; i++) {
        struct asked asked;
        cr_assert_eq(check(READS[i], &asked), STATUS_bad_request, "%s", READS[i]);
    }
}

Test(asked, finds_the_version_that_cursors_name)
{
    AUTO(buffer_release) struct buffer json = {0};
    append_find(&json, 55);
    append_find(&json, 55);
    buffer_append(&json, bytes_of("]", 2));
    struct asked asked;
    cr_assert_eq(check((const char *)json.data, &asked), STATUS_ok);
    cr_assert(asked.has_cursor);
    cr_assert_eq(asked.cursor_version, 55);
}

Test(asked, refuses_cursors_of_different_versions)
{
    AUTO(buffer_release) struct buffer json = {0};
    append_find(&json, 55);
    append_find(&json, 56);
    buffer_append(&json, bytes_of("]", 2));
    struct asked asked;
    cr_assert_eq(check((const char *)json.data, &asked), STATUS_bad_request);
}

Test(asked, refuses_a_cursor_that_is_none)
{
    struct asked asked;
    cr_assert_eq(check("[{\"op\": \"find\", \"collection\": \"c\", \"cursor\": \"abcd\"}]", &asked),
                 STATUS_bad_request);
}

// Checks a read of so many operations; a failure has to say the words.
static void expect_count(const struct operation *operation, uint32_t count, enum status status,
                         const char *words)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer canonical = {0};
    struct asked asked;
    struct operation_fault fault = {0};
    pack_array(&operations, count);
    for (uint32_t i = 0; i < count; i++) {
        operation_pack(operation, &operations);
    }
    cr_assert_eq(asked_check(buffer_bytes(&operations), &canonical, &asked, &fault), status);
    cr_assert_not_null(strstr(fault.sentence, words), "\"%s\"", fault.sentence);
}

Test(asked, refuses_more_operations_than_fit_a_read)
{
    struct operation get = {.kind = OPERATION_get,
                            .collection = bytes_from_text("c"),
                            .has_id = true,
                            .id = {.integer = 1}};
    expect_count(&get, READ_OPERATIONS_MAX, STATUS_ok, "");
    expect_count(&get, READ_OPERATIONS_MAX + 1, STATUS_too_large,
                 "the read has 1001 operations, 1000 are allowed");
}

Test(asked, refuses_more_scans_than_fit_a_read)
{
    struct operation count = {.kind = OPERATION_count, .collection = bytes_from_text("c")};
    expect_count(&count, READ_SCANS_MAX, STATUS_ok, "");
    expect_count(&count, READ_SCANS_MAX + 1, STATUS_too_large,
                 "the read has 17 operations besides gets, 16 are allowed");
}

// A count with a condition of so many bytes.
static void expect_size(size_t size, enum status status)
{
    enum { HEAD_SIZE = 8 };
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(buffer_release) struct buffer text = {0};
    memset(buffer_extend(&text, size - HEAD_SIZE), 'x', size - HEAD_SIZE);
    pack_map(&where, 1);
    pack_text_literal(&where, "a");
    pack_text(&where, buffer_bytes(&text));
    struct operation count = {
        .kind = OPERATION_count, .collection = bytes_from_text("c"), .where = buffer_bytes(&where)};
    AUTO(buffer_release) struct buffer packed = {0};
    operation_pack(&count, &packed);
    expect_count(&count, 1, status, status == STATUS_ok ? "" : "larger than 1048576 bytes");
    cr_assert_eq(1 + packed.size <= READ_SIZE_MAX, status == STATUS_ok);
}

Test(asked, refuses_a_read_that_is_too_large)
{
    enum { AROUND_SIZE = 30 }; // the list, its operation and the other fields
    expect_size(READ_SIZE_MAX - AROUND_SIZE, STATUS_ok);
    expect_size(READ_SIZE_MAX - AROUND_SIZE + 1, STATUS_too_large);
}

Test(asked, tells_a_page_that_lacks_a_cursor)
{
    static const struct {
        const char *json;
        bool has_more;
    } CASES[] = {
        {"[{\"documents\": [], \"more\": true}]", true},
        {"[{\"documents\": [{\"id\": 1, \"document\": {\"more\": true}}], \"cursor\": null}]",
         false},
        {"[{\"document\": {\"more\": true}}, {\"documents\": [], \"more\": true}]", true},
        {"[{\"documents\": [], \"more\": false}]", false},
        {"[{\"collections\": [{\"documents\": 3, \"more\": true}]}]", false},
        {"[]", false},
        {"3", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        AUTO(buffer_release) struct buffer results = {0};
        pack_json(CASES[i].json, &results);
        cr_assert_eq(asked_for_more(buffer_bytes(&results)), CASES[i].has_more, "%s",
                     CASES[i].json);
    }
    cr_assert_not(asked_for_more(bytes_from_text("results")));
}
