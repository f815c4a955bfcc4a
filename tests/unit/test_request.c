/*
 * Lines of `skein pipe`: what they become, and that a refusal still knows its tag.
 */
#include "client/cli/request.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdio.h>

// What a line became.
struct parsed {
    struct request request; // released
    enum request_kind kind;
    struct failure failure;
    enum status status;
    char tag[64];         // as JSON
    char operations[256]; // as JSON
};

static void print_json(struct bytes value, char *ret_text, size_t room)
{
    struct buffer text = {0};
    struct cursor cursor = cursor_of(value);
    if (value.size > 0 && json_from_msgpack(&cursor, &text) == STATUS_ok && text.size < room) {
        memcpy(ret_text, text.data, text.size);
    }
    buffer_release(&text);
}

static struct parsed parse(const char *line)
{
    struct parsed parsed = {0};
    request_init(&parsed.request);
    parsed.status = request_parse(&parsed.request, bytes_from_text(line), &parsed.failure);
    parsed.kind = parsed.request.kind;
    print_json(parsed.request.tag, parsed.tag, sizeof parsed.tag - 1);
    print_json(parsed.request.operations, parsed.operations, sizeof parsed.operations - 1);
    request_release(&parsed.request);
    return parsed;
}

static void assert_refused(const char *line, const char *tag, const char *sentence)
{
    struct parsed parsed = parse(line);
    cr_assert_eq(parsed.status, STATUS_bad_request, "%s", line);
    cr_assert_str_eq(parsed.tag, tag);
    cr_assert_neq(strstr(parsed.failure.message, sentence), NULL, "%s", parsed.failure.message);
}

Test(request, takes_a_transaction)
{
    struct parsed parsed = parse("{\"tag\": [1], \"do\": \"txn\", \"timeout_ms\": 50, "
                                 "\"session\": \"s\", \"sequence\": 3, \"done_below\": 2, "
                                 "\"operations\": [{\"op\": \"get\"}]}");
    cr_assert_eq(parsed.status, STATUS_ok, "%s", parsed.failure.message);
    cr_assert_eq(parsed.kind, REQUEST_txn);
    cr_assert_str_eq(parsed.tag, "[1]");
    cr_assert_str_eq(parsed.operations, "[{\"op\":\"get\"}]");
}

Test(request, makes_the_operation_of_a_get)
{
    struct parsed parsed = parse("{\"do\": \"get\", \"collection\": \"c\", \"id\": 7}");
    cr_assert_eq(parsed.status, STATUS_ok, "%s", parsed.failure.message);
    cr_assert_str_eq(parsed.operations, "[{\"op\":\"get\",\"collection\":\"c\",\"id\":7}]");
    cr_assert_str_eq(parsed.tag, "");
}

Test(request, makes_the_operation_of_a_find)
{
    struct parsed parsed = parse("{\"do\": \"find\", \"collection\": \"c\", \"limit\": 3, "
                                 "\"where\": {\"n\": {\"$gt\": 1}}, \"order\": \"-n\", "
                                 "\"index\": \"by_n\", \"cursor\": \"x\"}");
    cr_assert_eq(parsed.status, STATUS_ok, "%s", parsed.failure.message);
    cr_assert_eq(parsed.kind, REQUEST_find);
    cr_assert_str_eq(parsed.operations,
                     "[{\"op\":\"find\",\"collection\":\"c\",\"where\":{\"n\":{\"$gt\":1}},"
                     "\"index\":\"by_n\",\"order\":\"-n\",\"limit\":3,\"cursor\":\"x\"}]");
}

Test(request, takes_null_for_a_field_that_may_be_left_out)
{
    struct parsed parsed = parse("{\"tag\": null, \"do\": \"find\", \"collection\": \"c\", "
                                 "\"where\": null, \"cursor\": null, \"limit\": null}");
    cr_assert_eq(parsed.status, STATUS_ok, "%s", parsed.failure.message);
    cr_assert_str_eq(parsed.operations, "[{\"op\":\"find\",\"collection\":\"c\"}]");
    cr_assert_str_eq(parsed.tag, "null");
    assert_refused("{\"do\": \"find\", \"collection\": null}", "", "\"collection\" is missing");
}

Test(request, leaves_a_condition_that_is_none_to_the_servers)
{
    struct parsed parsed = parse("{\"do\": \"find\", \"collection\": \"c\", \"where\": [1]}");
    cr_assert_eq(parsed.status, STATUS_ok, "%s", parsed.failure.message);
    cr_assert_str_eq(parsed.operations, "[{\"op\":\"find\",\"collection\":\"c\",\"where\":[1]}]");
}

Test(request, refuses_what_is_no_request_and_keeps_the_tag)
{
    assert_refused("nonsense", "", "line 1");
    assert_refused("[1]", "", "object");
    assert_refused("{\"tag\": 5}", "5", "\"do\" is missing");
    assert_refused("{\"tag\": 5, \"do\": \"dance\"}", "5", "\"get\" or \"find\"");
    assert_refused("{\"afterversion\": 1, \"tag\": 5, \"do\": \"get\"}", "5", "afterversion");
    assert_refused("{\"tag\": 5, \"do\": 3}", "5", "is a string");
}

Test(request, refuses_fields_out_of_place)
{
    assert_refused("{\"do\": \"txn\"}", "", "\"operations\" is missing");
    assert_refused("{\"do\": \"txn\", \"operations\": {}}", "", "is an array");
    assert_refused("{\"do\": \"txn\", \"operations\": [], \"level\": \"any\"}", "", "\"level\"");
    assert_refused("{\"do\": \"txn\", \"operations\": [], \"session\": \"s\"}", "", "together");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\"}", "", "\"id\" is missing");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\", \"id\": 1.5}", "", "\"id\"");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\", \"id\": 1, \"level\": \"x\"}", "",
                   "linearizable");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\", \"id\": 1, \"timeout_ms\": 0}", "",
                   "timeout_ms");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\", \"id\": 1, \"at_version\": -1}", "",
                   "at_version");
    assert_refused("{\"do\": \"get\", \"collection\": \"c\", \"id\": 1, \"where\": {}}", "",
                   "\"where\" has no place");
}

Test(request, refuses_fields_of_a_find_that_say_nothing)
{
    assert_refused("{\"do\": \"find\"}", "", "\"collection\" is missing");
    assert_refused("{\"do\": \"find\", \"collection\": \"c\", \"level\": \"snapshot\"}", "",
                   "no version");
    assert_refused("{\"do\": \"find\", \"collection\": \"c\", \"limit\": 0}", "", "from 1");
    assert_refused("{\"do\": \"find\", \"collection\": \"c\", \"order\": \"\"}", "", "is empty");
    assert_refused("{\"do\": \"find\", \"collection\": \"c\", \"cursor\": \"\"}", "", "is empty");
    assert_refused("{\"do\": \"find\", \"collection\": \"c\", \"explain\": 1}", "",
                   "true or false");
}

Test(request, reads_linearizably_unless_told_otherwise)
{
    const struct {
        const char *fields;
        enum read_level level;
    } cases[] = {{"", READ_linearizable},
                 {", \"after_version\": 4", READ_linearizable},
                 {", \"at_version\": 4", READ_snapshot},
                 {", \"at_time\": 4", READ_snapshot},
                 {", \"level\": \"session\", \"after_version\": 4", READ_session},
                 {", \"level\": \"any\"", READ_any}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"do\": \"get\", \"collection\": \"c\", \"id\": 1%s}",
                 cases[i].fields);
        struct request request;
        struct failure failure = {0};
        request_init(&request);
        cr_assert_eq(request_parse(&request, bytes_from_text(line), &failure), STATUS_ok);
        cr_assert_eq(request.level, cases[i].level, "%s", line);
        request_release(&request);
    }
}
