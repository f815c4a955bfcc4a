/*
 * Interactive transactions through libskein, one at a time.
 */
#include "tests/integration/library_claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void sees_what_was_acknowledged_before(struct stage *stage)
{
    for (int i = 0; i < 50; i++) {
        char json[32];
        snprintf(json, sizeof json, "{\"n\": %d}", i);
        stage_put(stage, stage->other, "x", json);
        struct skein_interactive *interactive = stage_begin(stage);
        EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == i);
        skein_interactive_destroy(&interactive);
    }
}

static void reads_one_version_whatever_happens(struct stage *stage)
{
    stage_put(stage, stage->other, "x", "{\"n\": 1}");
    stage_put(stage, stage->other, "y", "{\"n\": 1}");
    struct skein_interactive *interactive = stage_begin(stage);
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 1);
    stage_put(stage, stage->other, "x", "{\"n\": 2}");
    stage_put(stage, stage->other, "y", "{\"n\": 2}");
    stage_put(stage, stage->other, "z", "{\"n\": 2}");
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 1);
    EXPECT(interactive_number(stage, interactive, "y", SKEIN_ok) == 1);
    EXPECT(interactive_number(stage, interactive, "z", SKEIN_absent) == -1);
    struct skein_call call = stage_call(stage);
    uint64_t version = skein_interactive_version(interactive);
    EXPECT(skein_interactive_commit(interactive, &call, NULL) == SKEIN_ok);
    EXPECT(call.version == version);
    skein_interactive_destroy(&interactive);
}

static void sees_its_own_writes(struct stage *stage)
{
    stage_put(stage, stage->other, "x", "{\"n\": 5}");
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_write(stage, interactive, "update", "x", "\"patch\": {\"n\": {\"$inc\": 2}}");
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 7);
    interactive_write(stage, interactive, "put", "y", "\"document\": {\"n\": 1}");
    EXPECT(interactive_number(stage, interactive, "y", SKEIN_ok) == 1);
    interactive_write(stage, interactive, "delete", "x", "");
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_absent) == -1);
    interactive_write(stage, interactive, "insert", "x", "\"document\": {\"n\": 9}");
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 9);
    EXPECT(stage_number(stage, stage->other, "x") == 5);
    interactive_end(stage, &interactive, SKEIN_ok);
    EXPECT(stage_number(stage, stage->other, "x") == 9);
    EXPECT(stage_number(stage, stage->other, "y") == 1);
}

static void a_read_document_that_changed_is_a_conflict(struct stage *stage)
{
    stage_put(stage, stage->other, "calm", "{\"n\": 1}");
    stage_put(stage, stage->other, "stormy", "{\"n\": 1}");
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_number(stage, interactive, "calm", SKEIN_ok);
    interactive_number(stage, interactive, "stormy", SKEIN_ok);
    interactive_write(stage, interactive, "put", "y", "\"document\": {\"n\": 2}");
    stage_put(stage, stage->other, "stormy", "{\"n\": 1}");
    struct skein_error error = interactive_end(stage, &interactive, SKEIN_conflict);
    EXPECT(strstr(error.message, "stormy") != NULL && strstr(error.message, "calm") == NULL);
    EXPECT(error.operation == 0);
    EXPECT(stage_number(stage, stage->other, "y") == -1);
}

static void a_document_that_came_is_a_conflict(struct stage *stage)
{
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_number(stage, interactive, "x", SKEIN_absent);
    interactive_write(stage, interactive, "put", "y", "\"document\": {\"n\": 2}");
    stage_put(stage, stage->other, "x", "{\"n\": 1}");
    interactive_end(stage, &interactive, SKEIN_conflict);
}

static void what_was_not_read_is_no_conflict(struct stage *stage)
{
    stage_put(stage, stage->other, "x", "{\"n\": 1}");
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_number(stage, interactive, "x", SKEIN_ok);
    interactive_write(stage, interactive, "update", "y",
                      "\"patch\": {\"n\": {\"$inc\": 1}}, \"upsert\": true");
    stage_put(stage, stage->other, "y", "{\"n\": 5}");
    interactive_end(stage, &interactive, SKEIN_ok);
    EXPECT(stage_number(stage, stage->other, "y") == 6);
}

// Finds the documents with at least 5 in field n, up to `limit`; how many there must be.
static void find_large(const struct stage *stage, struct skein_interactive *interactive,
                       uint32_t limit, size_t expected)
{
    struct skein_document where;
    struct skein_page page;
    EXPECT(skein_document_from_json("{\"n\": {\"$gte\": 5}}", &where, NULL) == SKEIN_ok);
    struct skein_find find = {.collection = stage->collection,
                              .where = skein_document_bytes(&where),
                              .order = "n",
                              .limit = limit};
    enum skein_status status = skein_interactive_find(interactive, &find, &page);
    expect_status(status, SKEIN_ok, skein_interactive_error(interactive), "a find");
    EXPECT(page.count == expected);
    skein_page_release(&page);
    skein_document_release(&where);
}

// A transaction that finds, while somebody else puts a document with `n`.
static void find_while(struct stage *stage, uint32_t limit, size_t count, const char *document,
                       enum skein_status expected)
{
    struct skein_interactive *interactive = stage_begin(stage);
    find_large(stage, interactive, limit, count);
    interactive_write(stage, interactive, "put", "result", "\"document\": {\"n\": 0}");
    stage_put(stage, stage->other, "new", document);
    find_large(stage, interactive, limit, count);
    interactive_end(stage, &interactive, expected);
}

static void a_phantom_is_a_conflict(struct stage *stage)
{
    find_while(stage, 0, 0, "{\"n\": 5}", SKEIN_conflict);
    find_while(stage, 0, 1, "{\"n\": 6}", SKEIN_conflict);
    find_while(stage, 0, 1, "{\"n\": 1}", SKEIN_conflict);
}

static void what_a_find_passes_over_is_no_conflict(struct stage *stage)
{
    stage_put(stage, stage->other, "a", "{\"n\": 7}");
    stage_put(stage, stage->other, "b", "{\"n\": 8}");
    find_while(stage, 0, 2, "{\"n\": 1}", SKEIN_ok);
    find_while(stage, 1, 1, "{\"n\": 9}", SKEIN_ok);
    find_while(stage, 1, 1, "{\"n\": 6}", SKEIN_conflict);
}

static void a_write_that_fails_is_named(struct stage *stage)
{
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_number(stage, interactive, "x", SKEIN_absent);
    interactive_write(stage, interactive, "put", "y", "\"document\": {\"n\": 2}");
    interactive_write(stage, interactive, "delete", "x", "");
    interactive_number(stage, interactive, "x", SKEIN_absent);
    struct skein_error error = interactive_end(stage, &interactive, SKEIN_absent);
    EXPECT(error.operation == 2);
    EXPECT(stage_number(stage, stage->other, "y") == -1);
}

static void a_mistake_is_told(struct stage *stage)
{
    struct skein_interactive *interactive = stage_begin(stage);
    skein_transaction_json(skein_interactive_writes(interactive), "{\"op\": \"frob\"}");
    interactive_number(stage, interactive, "x", SKEIN_bad_request);
    skein_transaction_clear(skein_interactive_writes(interactive));
    interactive_number(stage, interactive, "x", SKEIN_absent);
    interactive_write(stage, interactive, "put", "x", "\"document\": {\"n\": 2}");
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 2);
    interactive_end(stage, &interactive, SKEIN_ok);
    EXPECT(stage_number(stage, stage->other, "x") == 2);
}

static void results_are_those_of_the_writes(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_results results;
    struct skein_document document;
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_number(stage, interactive, "x", SKEIN_absent);
    interactive_write(stage, interactive, "put", "x", "\"document\": {\"n\": 2}");
    interactive_write(stage, interactive, "get", "x", "");
    expect_status(skein_interactive_commit(interactive, &call, &results), SKEIN_ok, &call.error,
                  "a commit");
    struct skein_bytes bytes = {results.data, results.size};
    EXPECT(skein_results_get(bytes, 1, &document) == SKEIN_ok);
    EXPECT(number_of(&document) == 2 && document.document_version == call.version);
    EXPECT(skein_results_get(bytes, 2, &document) == SKEIN_bad_request);
    skein_document_release(&document);
    skein_results_release(&results);
    EXPECT(skein_interactive_commit(interactive, &call, NULL) == SKEIN_bad_request);
    skein_interactive_destroy(&interactive);
}

static void nothing_is_done_unless_it_is_committed(struct stage *stage)
{
    struct skein_interactive *interactive = stage_begin(stage);
    interactive_write(stage, interactive, "put", "x", "\"document\": {\"n\": 2}");
    skein_interactive_destroy(&interactive);
    EXPECT(stage_number(stage, stage->other, "x") == -1);
}

static void ends_when_it_is_idle_for_10_seconds(struct stage *stage)
{
    stage_put(stage, stage->other, "x", "{\"n\": 1}");
    struct skein_interactive *interactive = stage_begin(stage);
    nanosleep(&(struct timespec){.tv_sec = 9}, NULL);
    EXPECT(interactive_number(stage, interactive, "x", SKEIN_ok) == 1);
    nanosleep(&(struct timespec){.tv_sec = 10, .tv_nsec = 100000000}, NULL);
    interactive_number(stage, interactive, "x", SKEIN_expired);
    interactive_end(stage, &interactive, SKEIN_bad_request);
}

const struct claim INTERACTIVE_CLAIMS[] = {
    {"sees_what_was_acknowledged_before", sees_what_was_acknowledged_before},
    {"reads_one_version_whatever_happens", reads_one_version_whatever_happens},
    {"sees_its_own_writes", sees_its_own_writes},
    {"a_read_document_that_changed_is_a_conflict", a_read_document_that_changed_is_a_conflict},
    {"a_document_that_came_is_a_conflict", a_document_that_came_is_a_conflict},
    {"what_was_not_read_is_no_conflict", what_was_not_read_is_no_conflict},
    {"a_phantom_is_a_conflict", a_phantom_is_a_conflict},
    {"what_a_find_passes_over_is_no_conflict", what_a_find_passes_over_is_no_conflict},
    {"a_write_that_fails_is_named", a_write_that_fails_is_named},
    {"a_mistake_is_told", a_mistake_is_told},
    {"results_are_those_of_the_writes", results_are_those_of_the_writes},
    {"nothing_is_done_unless_it_is_committed", nothing_is_done_unless_it_is_committed},
    {"ends_when_it_is_idle_for_10_seconds", ends_when_it_is_idle_for_10_seconds},
    {0},
};
