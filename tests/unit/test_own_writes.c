/*
 * What a transaction's own writes make of a document, write by write.
 */
#include "client/own_writes.h"

#include "base/status.h"
#include "wire/document/document.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct stage {
    struct own_writes own;
    struct buffer operations; // written so far, one after another
    uint32_t count;
    struct buffer document; // what the gets of `x` in `c` see
    char sentence[ERROR_MESSAGE_SIZE_MAX];
};

static void stage_release(struct stage *stage)
{
    own_writes_release(&stage->own);
    buffer_release(&stage->operations);
    buffer_release(&stage->document);
}

// Adds an operation of the transaction.
static void write(struct stage *stage, const char *json)
{
    struct json_fault json_fault;
    struct operation_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &stage->operations, &json_fault),
                 STATUS_ok);
    stage->count++;
    cr_assert_eq(
        own_writes_update(&stage->own, buffer_bytes(&stage->operations), stage->count, &fault),
        STATUS_ok, "%s", fault.sentence);
}

static void key_of(const char *id, struct buffer *key)
{
    struct document_id text = {.is_text = true, .text = bytes_from_text(id)};
    key_of_document(bytes_from_text("c"), &text, key);
}

static enum own_kind kind_of(const struct stage *stage, const char *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_of(id, &key);
    return own_writes_kind(&stage->own, buffer_bytes(&key));
}

// What the writes make of document x, which is `json` in the database, NULL for none.
static enum status apply(struct stage *stage, const char *json)
{
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer key = {0};
    struct json_fault fault;
    buffer_clear(&stage->document);
    if (json != NULL) {
        const char *reason;
        cr_assert_eq(json_to_msgpack(bytes_from_text(json), &packed, &fault), STATUS_ok);
        cr_assert_eq(document_canonicalize(buffer_bytes(&packed), &stage->document, &reason),
                     STATUS_ok);
    }
    key_of("x", &key);
    return own_writes_apply(&stage->own, buffer_bytes(&key), 1000000, &stage->document,
                            stage->sentence);
}

// A get of x gives `json`, NULL for absent, when the database has `before`.
static void expect(struct stage *stage, const char *before, const char *json)
{
    cr_assert_eq(apply(stage, before), STATUS_ok, "%s", stage->sentence);
    cr_assert_eq(stage->document.size == 0, json == NULL);
    if (json != NULL) {
        AUTO(buffer_release) struct buffer text = {0};
        struct cursor cursor = cursor_of(buffer_bytes(&stage->document));
        cr_assert_eq(json_from_msgpack(&cursor, &text), STATUS_ok);
        buffer_append_u8(&text, 0);
        cr_assert_str_eq((const char *)text.data, json);
    }
}

static void expect_failure(struct stage *stage, const char *before, enum status status)
{
    cr_assert_eq(apply(stage, before), status);
    cr_assert_not_null(strstr(stage->sentence, "of the transaction itself"), "%s", stage->sentence);
}

static const char PUT[] = "{\"op\": \"put\", \"collection\": \"c\", \"id\": \"x\", "
                          "\"document\": {\"b\": 1, \"a\": 2}}";
static const char INSERT[] = "{\"op\": \"insert\", \"collection\": \"c\", \"id\": \"x\", "
                             "\"document\": {\"i\": 0}}";
static const char DELETE[] = "{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\"}";
static const char INCREMENT[] = "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"x\", "
                                "\"patch\": {\"n\": {\"$inc\": 2}}}";

Test(own_writes, know_what_they_are_about)
{
    AUTO(stage_release) struct stage stage = {0};
    cr_assert_eq(kind_of(&stage, "x"), OWN_nothing);
    write(&stage, INCREMENT);
    cr_assert_eq(kind_of(&stage, "x"), OWN_change);
    cr_assert_eq(kind_of(&stage, "y"), OWN_nothing);
    write(&stage, PUT);
    cr_assert_eq(kind_of(&stage, "x"), OWN_change);
    write(&stage, "{\"op\": \"put\", \"collection\": \"c\", \"id\": \"y\", \"document\": {}}");
    cr_assert_eq(kind_of(&stage, "y"), OWN_whole);
}

Test(own_writes, leave_other_documents_alone)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, "{\"op\": \"put\", \"collection\": \"c\", \"id\": \"y\", \"document\": {}}");
    write(&stage, "{\"op\": \"put\", \"collection\": \"d\", \"id\": \"x\", \"document\": {}}");
    write(&stage, "{\"op\": \"insert\", \"collection\": \"c\", \"document\": {}}");
    write(&stage, "{\"op\": \"get\", \"collection\": \"c\", \"id\": \"x\"}");
    cr_assert_eq(kind_of(&stage, "x"), OWN_nothing);
    expect(&stage, "{\"n\": 1}", "{\"n\":1}");
    expect(&stage, NULL, NULL);
}

Test(own_writes, show_a_put_in_canonical_form)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, PUT);
    expect(&stage, NULL, "{\"a\":2,\"b\":1}");
    expect(&stage, "{\"n\": 1}", "{\"a\":2,\"b\":1}");
}

Test(own_writes, change_a_document_one_after_another)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, INCREMENT);
    expect(&stage, "{\"n\": 5}", "{\"n\":7}");
    write(&stage, INCREMENT);
    expect(&stage, "{\"n\": 5}", "{\"n\":9}");
    write(&stage, DELETE);
    expect(&stage, "{\"n\": 5}", NULL);
    write(&stage, INSERT);
    expect(&stage, "{\"n\": 5}", "{\"i\":0}");
    write(&stage, INCREMENT);
    expect(&stage, "{\"n\": 5}", "{\"i\":0,\"n\":2}");
}

Test(own_writes, stay_apart_among_many)
{
    AUTO(stage_release) struct stage stage = {0};
    char json[128];
    for (int i = 0; i < 500; i++) {
        snprintf(json, sizeof json,
                 "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"%s\", "
                 "\"patch\": {\"n\": {\"$inc\": 1}}}",
                 i % 5 == 0 ? "x" : "y");
        write(&stage, json);
    }
    expect(&stage, "{\"n\": 0}", "{\"n\":100}");
}

Test(own_writes, start_an_upsert_from_nothing)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"x\", \"upsert\": true, "
                  "\"patch\": {\"a.b\": 3}}");
    expect(&stage, NULL, "{\"a\":{\"b\":3}}");
}

Test(own_writes, know_the_time_they_are_given)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"x\", "
                  "\"patch\": {\"t\": {\"$now\": true}}}");
    expect(&stage, "{}", "{\"t\":{\"$time\":\"1970-01-01T00:00:01Z\"}}");
}

Test(own_writes, fail_as_they_will)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, INCREMENT);
    expect_failure(&stage, NULL, STATUS_absent);
    expect_failure(&stage, "{\"n\": \"text\"}", STATUS_type);
    AUTO(stage_release) struct stage deleted = {0};
    write(&deleted, DELETE);
    expect_failure(&deleted, NULL, STATUS_absent);
    AUTO(stage_release) struct stage twice = {0};
    write(&twice, PUT);
    write(&twice, INSERT);
    expect_failure(&twice, NULL, STATUS_exists);
}

Test(own_writes, look_at_conditions)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"x\", "
                  "\"where\": {\"n\": {\"$gte\": 2}}, \"patch\": {\"n\": {\"$inc\": -2}}}");
    expect(&stage, "{\"n\": 2}", "{\"n\":0}");
    expect_failure(&stage, "{\"n\": 1}", STATUS_refused);
    AUTO(stage_release) struct stage deleted = {0};
    write(&deleted, "{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\", "
                    "\"where\": {\"n\": 2}}");
    expect(&deleted, "{\"n\": 2}", NULL);
    expect_failure(&deleted, "{\"n\": 1}", STATUS_refused);
}

Test(own_writes, refuse_what_is_no_patch_or_condition)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, "{\"op\": \"update\", \"collection\": \"c\", \"id\": \"x\", "
                  "\"patch\": {\"n\": {\"$frob\": 1}}}");
    expect_failure(&stage, "{}", STATUS_bad_request);
    AUTO(stage_release) struct stage condition = {0};
    write(&condition, "{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\", "
                      "\"where\": {\"n\": {\"$frob\": 1}}}");
    expect_failure(&condition, "{}", STATUS_bad_request);
}

Test(own_writes, say_which_operation_is_none)
{
    AUTO(stage_release) struct stage stage = {0};
    write(&stage, PUT);
    struct json_fault json_fault;
    struct operation_fault fault = {0};
    cr_assert_eq(
        json_to_msgpack(bytes_from_text("{\"op\": \"frob\"}"), &stage.operations, &json_fault),
        STATUS_ok);
    cr_assert_eq(own_writes_update(&stage.own, buffer_bytes(&stage.operations), 2, &fault),
                 STATUS_bad_request);
    cr_assert_eq(fault.operation, 2);
}
