/*
 * Finds, counts and histories as a reader asks for them. What a find finds is for test_find.c; here
 * it is what a page holds and how it goes on.
 */
#include "storage/results.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_query.h"
#include "wire/document/find_cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct asker a;
static const struct message_read ANY = {.level = READ_any};

static void setup(void)
{
    asker_init(&a);
}

static void teardown(void)
{
    asker_release(&a);
}

TestSuite(query_read, .init = setup, .fini = teardown);

// Birds of some sizes; version 1 makes the index.
static void add_birds(void)
{
    asker_write(&a, "{\"op\": \"create_index\", \"collection\": \"birds\", \"index\": \"size\", "
                    "\"fields\": [\"size\"]}");
    static const char *const NAMES[] = {"auk", "crane", "gull", "tern", "wren"};
    static const int SIZES[] = {41, 120, 60, 41, 10};
    for (int i = 0; i < 5; i++) {
        asker_write(&a,
                    "{\"op\": \"put\", \"collection\": \"birds\", \"id\": \"%s\", \"document\": "
                    "{\"size\": %d}}",
                    NAMES[i], SIZES[i]);
    }
}

// The ids of the documents in the first result, "a b c".
static void expect_ids(const char *wanted)
{
    AUTO(buffer_release) struct buffer ids = {0};
    cr_assert_eq(a.reply.status, STATUS_ok, "%.*s", (int)a.reply.message.size,
                 (const char *)a.reply.message.data);
    const char *at = (const char *)a.json.data;
    while ((at = strstr(at, "{\"id\":")) != NULL) {
        const char *begin = strchr(at + 6, '"') + 1;
        buffer_append(&ids, bytes_from_text(ids.size > 0 ? " " : ""));
        buffer_append(&ids, bytes_of(begin, strcspn(begin, "\"")));
        at = begin;
    }
    cr_assert(bytes_equal(buffer_bytes(&ids), bytes_from_text(wanted)), "%.*s is not %s",
              (int)ids.size, (const char *)ids.data, wanted);
}

static void expect_field(const char *name, const char *wanted)
{
    AUTO(buffer_release) struct buffer value = {0};
    asker_field(&a, name, &value);
    cr_assert(bytes_equal(buffer_bytes(&value), bytes_from_text(wanted)), "%s is %.*s, not %s",
              name, (int)value.size, (const char *)value.data, wanted);
}

Test(query_read, find_gives_documents_with_their_versions_and_times)
{
    asker_write(&a, "{\"op\": \"put\", \"collection\": \"c\", \"id\": \"x\", \"document\": {}}");
    char wanted[256];
    snprintf(wanted, sizeof wanted,
             "{\"documents\":[{\"id\":\"x\",\"document\":{},\"document_version\":1,\"time\":%llu}],"
             "\"cursor\":null}",
             (unsigned long long)a.engine.applied.time_us);
    asker_expect(&a, "{\"op\": \"find\", \"collection\": \"c\"}", wanted);
}

Test(query_read, find_in_a_collection_that_does_not_exist_finds_nothing)
{
    asker_expect(&a, "{\"op\": \"find\", \"collection\": \"none\", \"where\": {\"a\": 1}}",
                 "{\"documents\":[],\"cursor\":null}");
    asker_read(&a, &ANY, "[{\"op\": \"find\", \"collection\": \"none\", \"index\": \"x\"}]");
    asker_expect_failure(&a, STATUS_absent, "operation 0 (find) names the index \"x\"");
}

Test(query_read, find_says_how)
{
    add_birds();
    asker_read(&a, &ANY,
               "[{\"op\": \"find\", \"collection\": \"birds\", \"where\": {\"size\": 41}}]");
    expect_ids("auk tern");
    expect_field("stats", "{\"index\":\"size\",\"examined\":2,\"sorted\":false}");
    asker_read(&a, &ANY, "[{\"op\": \"find\", \"collection\": \"birds\", \"order\": \"x\"}]");
    expect_field("stats", "{\"index\":null,\"examined\":5,\"sorted\":true}");
}

Test(query_read, explain_gives_no_documents)
{
    add_birds();
    asker_read(&a, &ANY,
               "[{\"op\": \"find\", \"collection\": \"birds\", \"where\": {\"size\": {\"$gt\": "
               "10}}, \"limit\": 2, \"explain\": true}]");
    expect_ids("");
    expect_field("stats", "{\"index\":\"size\",\"examined\":3,\"sorted\":false}");
    expect_field("cursor", "null");
    expect_field("more", "");
}

Test(query_read, page_at_an_unmarked_version_says_that_there_is_more)
{
    add_birds();
    asker_read(&a, &ANY, "[{\"op\": \"find\", \"collection\": \"birds\", \"limit\": 2}]");
    expect_ids("auk crane");
    expect_field("more", "true");
    expect_field("cursor", "");
    asker_read(&a, &ANY, "[{\"op\": \"find\", \"collection\": \"birds\", \"limit\": 5}]");
    expect_ids("auk crane gull tern wren");
    expect_field("more", "");
    expect_field("cursor", "null");
}

// Asks for a page at a marked version; the cursor it ends with goes to `cursor`.
static void read_page(uint64_t version, const char *fields, struct buffer *cursor)
{
    char operations[4096];
    struct message_read how = {.level = READ_snapshot, .at_version = version};
    int size = snprintf(operations, sizeof operations,
                        "[{\"op\": \"find\", \"collection\": \"birds\"%s", fields);
    if (cursor->size > 0) {
        size += snprintf(operations + size, sizeof operations - (size_t)size,
                         ", \"cursor\": \"%.*s\"", (int)cursor->size, (const char *)cursor->data);
    }
    snprintf(operations + size, sizeof operations - (size_t)size, "}]");
    asker_read(&a, &how, operations);
    buffer_clear(cursor);
    if (a.reply.status == STATUS_ok) {
        asker_field(&a, "cursor", cursor);
    }
}

Test(query_read, pages_of_a_mark_go_on_by_cursor_whatever_is_written)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    add_birds();
    uint64_t version = asker_mark(&a);
    read_page(version, ", \"limit\": 2, \"order\": \"-size\"", &cursor);
    expect_ids("crane gull");
    asker_write(&a, "{\"op\": \"put\", \"collection\": \"birds\", \"id\": \"emu\", \"document\": "
                    "{\"size\": 50}}");
    asker_write(&a, "{\"op\": \"delete\", \"collection\": \"birds\", \"id\": \"tern\"}");
    read_page(version, ", \"limit\": 1, \"order\": \"-size\"", &cursor);
    expect_ids("tern");
    cr_assert_eq(a.reply.version, version);
    read_page(version, ", \"limit\": 2, \"order\": \"-size\"", &cursor);
    expect_ids("auk wren");
    cr_assert(bytes_equal(buffer_bytes(&cursor), bytes_from_text("null")));
}

Test(query_read, cursor_of_another_find_is_refused)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    AUTO(buffer_release) struct buffer kept = {0};
    static const char *const OTHERS[] = {
        "",
        ", \"order\": \"size\"",
        ", \"order\": \"-size\", \"where\": {\"size\": 41}",
        ", \"order\": \"-size\", \"index\": \"size\"",
    };
    add_birds();
    uint64_t version = asker_mark(&a);
    read_page(version, ", \"limit\": 2, \"order\": \"-size\"", &kept);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        buffer_clear(&cursor);
        buffer_append(&cursor, buffer_bytes(&kept));
        read_page(version, OTHERS[i], &cursor);
        asker_expect_failure(&a, STATUS_bad_request, "cursor of another find");
    }
}

Test(query_read, cursor_of_another_version_is_refused)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    AUTO(buffer_release) struct buffer kept = {0};
    add_birds();
    uint64_t version = asker_mark(&a);
    read_page(version, ", \"limit\": 2", &kept);
    asker_write(&a, "{\"op\": \"delete\", \"collection\": \"birds\", \"id\": \"tern\"}");
    uint64_t other = asker_mark(&a);
    buffer_append(&cursor, buffer_bytes(&kept));
    read_page(other, "", &cursor);
    asker_expect_failure(&a, STATUS_bad_request, "in a read at another version");
    marks_expire(a.marks, UINT64_MAX, 0);
    buffer_append(&cursor, buffer_bytes(&kept));
    read_page(version, "", &cursor);
    asker_expect_failure(&a, STATUS_too_old, "version");
}

Test(query_read, cursor_that_is_damaged_or_made_up_is_refused)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    add_birds();
    uint64_t version = asker_mark(&a);
    read_page(version, ", \"limit\": 2", &cursor);
    cursor.data[cursor.size / 2] ^= 1;
    read_page(version, "", &cursor);
    asker_expect_failure(&a, STATUS_bad_request, "damaged or is none");
    struct operation find = {.collection = bytes_from_text("birds")};
    struct find_cursor forged = {.version = version,
                                 .query = find_cursor_query(&find),
                                 .position = bytes_from_text("\x01\x00\x00\x00\x01nonsense")};
    buffer_clear(&cursor);
    find_cursor_encode(&forged, &cursor);
    read_page(version, "", &cursor);
    asker_expect_failure(&a, STATUS_bad_request, "position that isn't of this find");
}

Test(query_read, page_has_a_hundred_documents_unless_it_is_told)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    for (int i = 0; i < PAGE_ROWS_DEFAULT + 1; i++) {
        asker_write(
            &a, "{\"op\": \"put\", \"collection\": \"birds\", \"id\": %d, \"document\": {}}", i);
    }
    uint64_t version = asker_mark(&a);
    read_page(version, "", &cursor);
    read_page(version, "", &cursor);
    cr_assert(bytes_equal(buffer_bytes(&cursor), bytes_from_text("null")));
    cr_assert_not_null(strstr((const char *)a.json.data, "\"documents\":[{\"id\":100,"));
    asker_read(&a, &ANY, "[{\"op\": \"find\", \"collection\": \"birds\", \"limit\": 1001}]");
    asker_expect_failure(&a, STATUS_too_large, "\"limit\" of 1001");
}

static void put_sized(const char *id, size_t size)
{
    AUTO(buffer_release) struct buffer json = {0};
    buffer_append(&json,
                  bytes_from_text("[{\"op\": \"put\", \"collection\": \"birds\", \"id\": \""));
    buffer_append(&json, bytes_from_text(id));
    buffer_append(&json, bytes_from_text("\", \"document\": {\"text\": \""));
    memset(buffer_extend(&json, size), 'x', size);
    buffer_append(&json, bytes_from_text("\"}}]"));
    buffer_append_u8(&json, 0);
    asker_write_all(&a, (const char *)json.data);
}

static void put_large(const char *id)
{
    put_sized(id, 1000 * KIB);
}

Test(query_read, page_ends_when_the_answer_is_full)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    static const char *const IDS[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int i = 0; i < 8; i++) {
        put_large(IDS[i]);
    }
    uint64_t version = asker_mark(&a);
    read_page(version, "", &cursor);
    expect_ids("a b c d e f");
    read_page(version, "", &cursor);
    expect_ids("g h");
    cr_assert(bytes_equal(buffer_bytes(&cursor), bytes_from_text("null")));
    asker_read(&a, &ANY,
               "[{\"op\": \"find\", \"collection\": \"birds\"}, {\"op\": \"find\", "
               "\"collection\": \"birds\"}]");
    asker_expect_failure(&a, STATUS_too_large, "operation 1 (find) reads more than fits");
}

// Reads documents that leave little of an answer, and so many that aren't there.
static void read_full(int absent_count)
{
    AUTO(buffer_release) struct buffer json = {0};
    buffer_append_u8(&json, '[');
    for (int i = 0; i < 7 + absent_count; i++) {
        char text[80];
        snprintf(text, sizeof text,
                 "%s{\"op\": \"get\", \"collection\": \"birds\", \"id\": \"%c\"}", i > 0 ? "," : "",
                 i < 7 ? 'a' + i : 'z');
        buffer_append(&json, bytes_from_text(text));
    }
    buffer_append(&json, bytes_of("]", 2));
    asker_read(&a, &ANY, (const char *)json.data);
}

Test(query_read, what_is_not_there_fits_into_the_answer_too)
{
    static const char *const IDS[] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < 6; i++) {
        put_large(IDS[i]);
    }
    put_sized("g", RESULTS_SIZE_MAX - 6000 * KIB - KIB);
    int count = 0;
    do {
        read_full(count);
        cr_assert_leq(a.reply.results.size, RESULTS_SIZE_MAX);
        count++;
    } while (a.reply.status == STATUS_ok);
    asker_expect_failure(&a, STATUS_too_large, "(get) reads more than fits");
    cr_assert(count > 5 && count < 50);
}

Test(query_read, condition_that_is_none_is_refused)
{
    asker_read(&a, &ANY,
               "[{\"op\": \"find\", \"collection\": \"c\", \"where\": {\"a\": {\"$foo\": 1}}}]");
    asker_expect_failure(&a, STATUS_bad_request, "$foo");
    asker_read(&a, &ANY,
               "[{\"op\": \"get\", \"collection\": \"c\", \"id\": 1}, {\"op\": \"count\", "
               "\"collection\": \"c\", \"where\": {\"a\": {\"$in\": 1}}}]");
    asker_expect_failure(&a, STATUS_bad_request, "operation 1 (count) ");
}

Test(query_read, count_is_exact_with_and_without_a_condition)
{
    add_birds();
    asker_write(&a, "{\"op\": \"delete\", \"collection\": \"birds\", \"id\": \"gull\"}");
    asker_expect(&a, "{\"op\": \"count\", \"collection\": \"birds\"}", "{\"count\":4}");
    expect_field("stats", "{\"index\":null,\"examined\":0,\"sorted\":false}");
    asker_expect(&a, "{\"op\": \"count\", \"collection\": \"birds\", \"where\": {}}",
                 "{\"count\":4}");
    expect_field("stats", "{\"index\":null,\"examined\":0,\"sorted\":false}");
    asker_expect(&a, "{\"op\": \"count\", \"collection\": \"birds\", \"where\": {\"size\": 41}}",
                 "{\"count\":2}");
    expect_field("stats", "{\"index\":\"size\",\"examined\":2,\"sorted\":false}");
    asker_expect(&a, "{\"op\": \"count\", \"collection\": \"birds\", \"index\": \"size\"}",
                 "{\"count\":4}");
    asker_expect(&a, "{\"op\": \"count\", \"collection\": \"none\"}", "{\"count\":0}");
}

Test(query_read, writes_are_refused)
{
    asker_read(&a, &ANY,
               "[{\"op\": \"get\", \"collection\": \"c\", \"id\": 1}, {\"op\": "
               "\"delete\", \"collection\": \"c\", \"id\": 1}]");
    asker_expect_failure(&a, STATUS_bad_request, "operation 1 (delete) is no read");
}

Test(query_read, failures_of_the_state_are_told_by_all)
{
    static const char *const OPERATIONS[] = {
        "[{\"op\": \"find\", \"collection\": \"birds\"}]",
        "[{\"op\": \"count\", \"collection\": \"birds\"}]",
        "[{\"op\": \"history\", \"collection\": \"birds\", \"id\": \"auk\"}]",
        "[{\"op\": \"collections\"}]",
    };
    add_birds();
    uint64_t version = asker_mark(&a);
    state_memory_fail_reads(a.engine.state, STATUS_damaged);
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        struct message_read how = {.level = READ_snapshot, .at_version = version};
        asker_read(&a, &how, OPERATIONS[i]);
        asker_expect_failure(&a, STATUS_damaged, "damaged");
    }
    state_memory_fail_reads(a.engine.state, STATUS_ok);
}

Test(query_read, mark_answers_before_history_does)
{
    asker_write(&a,
                "{\"op\": \"put\", \"collection\": \"c\", \"id\": 1, \"document\": {\"n\": 1}}");
    uint64_t version = asker_mark(&a);
    asker_write(&a,
                "{\"op\": \"put\", \"collection\": \"c\", \"id\": 1, \"document\": {\"n\": 2}}");
    asker_expect_at(&a, version, "{\"op\": \"count\", \"collection\": \"c\"}", "{\"count\":1}");
}

Test(query_read, history_that_does_not_fit_is_not_complete)
{
    asker_write(&a, "{\"op\": \"create_collection\", \"collection\": \"birds\", \"settings\": "
                    "{\"history\": 100}}");
    for (int i = 0; i < 8; i++) {
        put_large("a");
    }
    asker_read(&a, &ANY, "[{\"op\": \"history\", \"collection\": \"birds\", \"id\": \"a\"}]");
    cr_assert_eq(a.reply.status, STATUS_ok);
    expect_field("complete", "false");
}
