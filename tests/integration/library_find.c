/*
 * Finds, counts, histories and indexes through libskein.
 */
#include "tests/integration/library_claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DOCUMENTS = 95, PAGE = 20 };

static void insert_many(const struct stage *stage, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"n\": %d}", (int)i);
        stage_insert(stage, stage->skein, i, json);
    }
}

// Writes all over the find while it is under way.
static void disturb(const struct stage *stage, int64_t round)
{
    char json[64];
    snprintf(json, sizeof json, "{\"n\": %d}", (int)(DOCUMENTS - round));
    stage_insert(stage, stage->other, DOCUMENTS + round, json);
    struct skein_call call = stage_call(stage);
    struct skein_key key = {.collection = stage->collection,
                            .id = skein_integer_id(DOCUMENTS - 1 - round)};
    expect_status(skein_delete(stage->other, &call, &key), SKEIN_ok, &call.error, "a delete");
}

static void pages_show_one_version(struct stage *stage)
{
    struct skein_find find = {.collection = stage->collection, .order = "n", .limit = PAGE};
    struct skein_call call = stage_call(stage);
    struct skein_page page;
    int64_t next = 0;
    int64_t round = 0;
    insert_many(stage, 0, DOCUMENTS);
    enum skein_status status = skein_find(stage->skein, &call, &find, &page);
    uint64_t version = call.version;
    for (; status == SKEIN_ok; status = skein_find_next(stage->skein, &call, &find, &page)) {
        EXPECT(call.version == version);
        for (size_t i = 0; i < page.count; i++) {
            EXPECT(page.rows[i].id.text == NULL && page.rows[i].id.integer == next);
            EXPECT(page.rows[i].document_version <= version);
            next++;
        }
        disturb(stage, round++);
    }
    expect_status(status, SKEIN_absent, &call.error, "the last page");
    EXPECT(next == DOCUMENTS);
    EXPECT(round == 5);
    skein_page_release(&page);
}

static void counts_what_there_is(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_document where;
    struct skein_bytes all = {0};
    uint64_t count = 99;
    expect_status(skein_count(stage->skein, &call, stage->collection, all, &count), SKEIN_ok,
                  &call.error, "a count of nothing");
    EXPECT(count == 0);
    insert_many(stage, 0, 10);
    EXPECT(skein_count(stage->skein, &call, stage->collection, all, &count) == SKEIN_ok);
    EXPECT(count == 10);
    EXPECT(skein_document_from_json("{\"n\": {\"$gte\": 7}}", &where, NULL) == SKEIN_ok);
    struct skein_bytes some = skein_document_bytes(&where);
    EXPECT(skein_count(stage->skein, &call, stage->collection, some, &count) == SKEIN_ok);
    EXPECT(count == 3);
    skein_document_release(&where);
}

static void tells_what_is_wrong_with_a_find(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_find find = {.collection = stage->collection, .index = "none"};
    struct skein_document where;
    struct skein_page page;
    insert_many(stage, 0, 1);
    EXPECT(skein_find(stage->skein, &call, &find, &page) == SKEIN_absent);
    EXPECT(strstr(call.error.message, "none") != NULL);
    find.index = NULL;
    find.cursor = "forged";
    EXPECT(skein_find(stage->skein, &call, &find, &page) == SKEIN_bad_request);
    find.cursor = NULL;
    find.limit = 1001;
    EXPECT(skein_find(stage->skein, &call, &find, &page) == SKEIN_too_large);
    EXPECT(skein_document_from_json("{\"n\": {\"$frob\": 7}}", &where, NULL) == SKEIN_ok);
    find.limit = 0;
    find.where = skein_document_bytes(&where);
    EXPECT(skein_find(stage->skein, &call, &find, &page) == SKEIN_bad_request);
    EXPECT(strstr(call.error.message, "$frob") != NULL);
    EXPECT(page.rows == NULL);
    skein_document_release(&where);
}

static void an_index_serves_when_it_is_made(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_index index = {.collection = stage->collection, .name = "by_n", .fields = "n"};
    struct skein_find find = {.collection = stage->collection, .order = "-n", .limit = 3};
    struct skein_page page;
    insert_many(stage, 0, 30);
    expect_status(skein_create_index(stage->skein, &call, &index), SKEIN_ok, &call.error,
                  "an index");
    expect_status(skein_find(stage->skein, &call, &find, &page), SKEIN_ok, &call.error, "a find");
    EXPECT(page.count == 3 && page.rows[0].id.integer == 29 && page.rows[2].id.integer == 27);
    EXPECT(page.index != NULL && strcmp(page.index, "by_n") == 0);
    EXPECT(page.examined < 10);
    skein_page_release(&page);
    EXPECT(skein_create_index(stage->skein, &call, &index) == SKEIN_exists);
    EXPECT(skein_drop_index(stage->skein, &call, stage->collection, "by_n") == SKEIN_ok);
    find.index = "by_n";
    EXPECT(skein_find(stage->skein, &call, &find, &page) == SKEIN_absent);
    EXPECT(skein_drop_index(stage->skein, &call, stage->collection, "by_n") == SKEIN_absent);
}

static void a_unique_index_fails_on_equal_values(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_index index = {
        .collection = stage->collection, .name = "by_n", .fields = "n", .unique = true};
    stage_put(stage, stage->skein, "a", "{\"n\": 1}");
    stage_put(stage, stage->skein, "b", "{\"n\": 1}");
    expect_status(skein_create_index(stage->skein, &call, &index), SKEIN_unique, &call.error,
                  "a unique index");
}

static void collections_come_and_go(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_results results;
    struct skein_bytes none = {0};
    char *json;
    EXPECT(skein_create_collection(stage->skein, &call, stage->collection, none) == SKEIN_ok);
    EXPECT(skein_create_collection(stage->skein, &call, stage->collection, none) == SKEIN_exists);
    expect_status(skein_collections(stage->skein, &call, &results), SKEIN_ok, &call.error,
                  "the collections");
    struct skein_bytes listed = {results.data, results.size};
    EXPECT(skein_bytes_to_json(listed, &json) == SKEIN_ok);
    EXPECT(json[0] == '[' && strstr(json, stage->collection) != NULL);
    free(json);
    skein_results_release(&results);
    EXPECT(skein_drop_collection(stage->skein, &call, stage->collection) == SKEIN_ok);
    EXPECT(skein_drop_collection(stage->skein, &call, stage->collection) == SKEIN_absent);
}

// The number in field `n` of document x at a version or time; -1 if it was not there.
static int64_t number_then(const struct stage *stage, uint64_t version, uint64_t time_us)
{
    struct skein_call call = stage_call(stage);
    struct skein_key key = stage_key(stage, "x");
    struct skein_document document;
    call.level = SKEIN_snapshot;
    call.at_version = version;
    call.at_time_us = time_us;
    enum skein_status status = skein_get(stage->skein, &call, &key, &document);
    if (status != SKEIN_absent) {
        expect_status(status, SKEIN_ok, &call.error, "a get of the past");
    }
    int64_t number = number_of(&document);
    skein_document_release(&document);
    return number;
}

static void history_keeps_what_was(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_key key = stage_key(stage, "x");
    struct skein_document settings;
    struct skein_page page;
    EXPECT(skein_document_from_json("{\"history\": 600}", &settings, NULL) == SKEIN_ok);
    struct skein_bytes bytes = skein_document_bytes(&settings);
    expect_status(skein_create_collection(stage->skein, &call, stage->collection, bytes), SKEIN_ok,
                  &call.error, "a collection");
    stage_put(stage, stage->skein, "x", "{\"n\": 1}");
    stage_put(stage, stage->skein, "x", "{\"n\": 2}");
    EXPECT(skein_delete(stage->skein, &call, &key) == SKEIN_ok);
    stage_put(stage, stage->skein, "x", "{\"n\": 4}");
    expect_status(skein_history(stage->skein, &call, &key, &page), SKEIN_ok, &call.error,
                  "a history");
    EXPECT(page.count == 4 && !page.has_more);
    EXPECT(page.rows[1].document.size == 0 && page.rows[0].document.size > 0);
    static const int64_t NUMBERS[] = {4, -1, 2, 1};
    for (size_t i = 0; i < 4; i++) {
        EXPECT(number_then(stage, page.rows[i].document_version, 0) == NUMBERS[i]);
        EXPECT(number_then(stage, 0, page.rows[i].time_us) == NUMBERS[i]);
        EXPECT(i == 0 || page.rows[i].document_version < page.rows[i - 1].document_version);
    }
    EXPECT(number_then(stage, 0, page.rows[3].time_us - 1) == -1);
    skein_page_release(&page);
    skein_document_release(&settings);
}

static void keep_outcome(void *context, const struct skein_outcome *outcome)
{
    struct skein_page page;
    int *count = context;
    EXPECT(outcome->status == SKEIN_ok);
    EXPECT(skein_results_page(outcome->results, 0, &page) == SKEIN_ok);
    __atomic_store_n(count, (int)page.count, __ATOMIC_RELEASE);
    skein_page_release(&page);
}

static void a_find_can_be_submitted(struct stage *stage)
{
    struct skein_find find = {.collection = stage->collection, .limit = 7};
    struct skein_call call = stage_call(stage);
    int count = -1;
    insert_many(stage, 0, 10);
    EXPECT(skein_submit_find(stage->skein, &call, &find, keep_outcome, &count) == SKEIN_ok);
    while (__atomic_load_n(&count, __ATOMIC_ACQUIRE) < 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    EXPECT(count == 7);
}

static void an_update_changes_fields(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_key key = stage_key(stage, "x");
    struct skein_document patch;
    struct skein_condition condition = {.upsert = true};
    EXPECT(skein_document_from_json("{\"n\": {\"$inc\": 3, \"max\": 6}}", &patch, NULL) ==
           SKEIN_ok);
    struct skein_bytes bytes = skein_document_bytes(&patch);
    EXPECT(skein_update(stage->skein, &call, &key, bytes, NULL) == SKEIN_absent);
    EXPECT(skein_update(stage->skein, &call, &key, bytes, &condition) == SKEIN_ok);
    EXPECT(skein_update(stage->skein, &call, &key, bytes, NULL) == SKEIN_ok);
    EXPECT(skein_update(stage->skein, &call, &key, bytes, NULL) == SKEIN_refused);
    EXPECT(stage_number(stage, stage->other, "x") == 6);
    skein_document_release(&patch);
}

const struct claim FIND_CLAIMS[] = {
    {"pages_show_one_version", pages_show_one_version},
    {"counts_what_there_is", counts_what_there_is},
    {"tells_what_is_wrong_with_a_find", tells_what_is_wrong_with_a_find},
    {"an_index_serves_when_it_is_made", an_index_serves_when_it_is_made},
    {"a_unique_index_fails_on_equal_values", a_unique_index_fails_on_equal_values},
    {"collections_come_and_go", collections_come_and_go},
    {"history_keeps_what_was", history_keeps_what_was},
    {"a_find_can_be_submitted", a_find_can_be_submitted},
    {"an_update_changes_fields", an_update_changes_fields},
    {0},
};
