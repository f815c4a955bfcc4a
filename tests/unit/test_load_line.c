/*
 * Lines of a file to load: what they hold, what is bad about them, and the ids that are made.
 */
#include "client/cli/load_line.h"
#include "wire/cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void assert_bad(const char *text, enum status status, const char *sentence)
{
    struct load_line line = {0};
    struct failure failure = {0};
    cr_assert_eq(load_line_parse(&line, bytes_from_text(text), &failure), status, "%s", text);
    cr_assert_neq(strstr(failure.message, sentence), NULL, "%s: %s", text, failure.message);
    load_line_release(&line);
}

static void parse(struct load_line *line, const char *text)
{
    struct failure failure = {0};
    enum status status = load_line_parse(line, bytes_from_text(text), &failure);
    cr_assert_eq(status, STATUS_ok, "%s", failure.message);
}

Test(load_line, has_a_document_and_perhaps_an_id)
{
    struct load_line line = {0};
    parse(&line, "{\"id\": \"x\", \"document\": {\"b\": 1, \"a\": 2}}");
    cr_assert(line.has_id);
    cr_assert(bytes_equal(line.id.text, bytes_from_text("x")));
    cr_assert(bytes_equal(buffer_bytes(&line.document), bytes_from_text("\x82\xa1"
                                                                        "a\x02\xa1"
                                                                        "b\x01")));
    parse(&line, "{\"document\": {}, \"id\": -7}");
    cr_assert_eq(line.id.integer, -7);
    parse(&line, " {\"document\": {}}\r");
    cr_assert_not(line.has_id);
    load_line_release(&line);
}

Test(load_line, is_bad_with_a_reason)
{
    assert_bad("nonsense", STATUS_bad_request, "column");
    assert_bad("[]", STATUS_bad_request, "no JSON object");
    assert_bad("{\"id\": 1}", STATUS_bad_request, "\"document\" is missing");
    assert_bad("{\"document\": {}, \"id\": \"\"}", STATUS_bad_request, "\"id\"");
    assert_bad("{\"document\": {}, \"id\": null}", STATUS_bad_request, "\"id\"");
    assert_bad("{\"document\": {}, \"version\": 3}", STATUS_bad_request, "no others");
    assert_bad("{\"document\": 5}", STATUS_type, "the document");
    assert_bad("{\"document\": {\"a\": 1, \"a\": 2}}", STATUS_bad_request, "column");
    assert_bad("{\"document\": {\"a\": 99999999999999999999}}", STATUS_bad_request, "");
}

Test(load_line, does_not_name_the_line_of_its_own_json)
{
    struct load_line line = {0};
    struct failure failure = {0};
    cr_assert_neq(load_line_parse(&line, bytes_from_text("{"), &failure), STATUS_ok);
    cr_assert_eq(strstr(failure.message, "line 1"), NULL, "%s", failure.message);
    load_line_release(&line);
}

Test(load_line, may_be_blank)
{
    cr_assert(load_line_is_blank(bytes_from_text("")));
    cr_assert(load_line_is_blank(bytes_from_text(" \t\r")));
    cr_assert_not(load_line_is_blank(bytes_from_text(" {}")));
    cr_assert_not(load_line_is_blank(bytes_of("\0", 1)));
}

Test(load_line, gets_the_same_id_for_the_same_place_of_the_same_file_only)
{
    char first[LOAD_ID_SIZE], again[LOAD_ID_SIZE], next[LOAD_ID_SIZE], other[LOAD_ID_SIZE];
    uint64_t file = load_digest_add(load_digest_add(0, bytes_from_text("a")), bytes_from_text("b"));
    uint64_t another = load_digest_add(load_digest_add(0, bytes_from_text("ab")), bytes_of("", 0));
    load_line_make_id(file, 1, first);
    load_line_make_id(file, 1, again);
    load_line_make_id(file, 2, next);
    load_line_make_id(another, 1, other);
    cr_assert_str_eq(first, again);
    cr_assert_str_neq(first, next);
    cr_assert_str_neq(first, other);
    cr_assert_lt(strcmp(first, next), 0);
}

Test(load_line, gets_an_id_that_fits_whatever_its_number)
{
    char id[LOAD_ID_SIZE];
    load_line_make_id(UINT64_MAX, UINT64_MAX, id);
    cr_assert_str_eq(id, "ffffffffffffffff-18446744073709551615");
}
