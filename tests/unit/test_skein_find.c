/*
 * libskein's pages: what becomes of the results of finds and histories.
 */
#include "client/skein.h"

#include "base/buffer.h"
#include "base/status.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static enum skein_status page_of(const char *json, uint32_t operation, struct skein_page *page)
{
    AUTO(buffer_release) struct buffer packed = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &packed, &fault), STATUS_ok, "%s",
                 fault.sentence);
    struct skein_bytes results = {packed.data, packed.size};
    return skein_results_page(results, operation, page);
}

static void expect_document(const struct skein_row *row, const char *json)
{
    char *text;
    cr_assert_eq(skein_bytes_to_json(row->document, &text), SKEIN_ok);
    cr_assert_str_eq(text, json);
    free(text);
}

Test(skein_find, gives_rows_with_memory_of_their_own)
{
    struct skein_page page;
    cr_assert_eq(page_of("[{\"documents\": ["
                         "{\"id\": \"x\", \"document\": {\"a\": 1}, \"document_version\": 5, "
                         "\"time\": 6},"
                         "{\"id\": -7, \"document\": {}, \"document_version\": 8, \"time\": 9}],"
                         "\"stats\": {\"index\": \"by_a\", \"examined\": 11, \"sorted\": false},"
                         "\"cursor\": \"abc\"}]",
                         0, &page),
                 SKEIN_ok);
    cr_assert_eq(page.count, 2);
    cr_assert_str_eq(page.rows[0].id.text, "x");
    expect_document(&page.rows[0], "{\"a\":1}");
    cr_assert_eq(page.rows[0].document_version, 5);
    cr_assert_eq(page.rows[0].time_us, 6);
    cr_assert_null(page.rows[1].id.text);
    cr_assert_eq(page.rows[1].id.integer, -7);
    cr_assert_str_eq(page.cursor, "abc");
    cr_assert(page.has_more);
    cr_assert_str_eq(page.index, "by_a");
    cr_assert_eq(page.examined, 11);
    skein_page_release(&page);
    cr_assert_null(page.rows);
}

Test(skein_find, knows_the_last_page)
{
    struct skein_page page;
    cr_assert_eq(page_of("[{}, {\"documents\": [], \"stats\": {\"index\": null, \"examined\": 0, "
                         "\"sorted\": true}, \"cursor\": null}]",
                         1, &page),
                 SKEIN_ok);
    cr_assert_eq(page.count, 0);
    cr_assert_null(page.cursor);
    cr_assert_null(page.index);
    cr_assert_not(page.has_more);
    skein_page_release(&page);
}

Test(skein_find, reads_the_next_page_only_if_there_is_one)
{
    struct skein_page page = {0};
    struct skein_find find = {.collection = "c"};
    struct skein_call call = {0};
    cr_assert_eq(skein_find_next(NULL, &call, &find, &page), SKEIN_absent);
    cr_assert_eq(call.error.status, SKEIN_absent);
}

Test(skein_find, gives_the_versions_of_a_history)
{
    struct skein_page page;
    cr_assert_eq(page_of("[{\"versions\": [{\"document_version\": 9, \"document\": null, "
                         "\"time\": 4}, {\"document_version\": 5, \"document\": {\"a\": 1}, "
                         "\"time\": 3}], \"complete\": false}]",
                         0, &page),
                 SKEIN_ok);
    cr_assert_eq(page.count, 2);
    cr_assert_eq(page.rows[0].document.size, 0);
    cr_assert_eq(page.rows[0].document_version, 9);
    expect_document(&page.rows[1], "{\"a\":1}");
    cr_assert(page.has_more);
    cr_assert_null(page.cursor);
    skein_page_release(&page);
}

Test(skein_find, refuses_what_is_no_page)
{
    static const char *const RESULTS[] = {
        "[{\"document\": null}]",
        "[{\"documents\": 3}]",
        "[{\"documents\": [3]}]",
        "[{\"documents\": [{\"id\": {}}]}]",
        "[{\"documents\": [{\"document_version\": \"x\"}]}]",
        "[]",
        "{}",
    };
    for (size_t i = 0; i < sizeof RESULTS / sizeof *RESULTS; i++) {
        struct skein_page page;
        cr_assert_eq(page_of(RESULTS[i], 0, &page), SKEIN_bad_request, "%s", RESULTS[i]);
    }
}

Test(skein_find, has_room_for_fields_that_come_twice)
{
    static const uint8_t TWICE[] = "\x91\x81\xa9"
                                   "documents\x91\x82\xa2"
                                   "id\xa3"
                                   "abc\xa2"
                                   "id\xa3"
                                   "def";
    struct skein_page page;
    struct skein_bytes results = {TWICE, sizeof TWICE - 1};
    cr_assert_eq(skein_results_page(results, 0, &page), SKEIN_ok);
    cr_assert_str_eq(page.rows[0].id.text, "def");
    skein_page_release(&page);
}
