/*
 * Collections and indexes made and dropped by transactions, and what they are good for afterwards:
 * settings, uniqueness, finds. Building and clearing bit by bit is in test_jobs.c.
 */
#include "storage/executor.h"

#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct engine p;

static void setup(void)
{
    engine_init(&p);
}

static void teardown(void)
{
    engine_release(&p);
}

TestSuite(executor_schema, .init = setup, .fini = teardown);

static void expect_failure(const char *json, enum status status, const char *words)
{
    engine_do(&p, json);
    engine_expect_failure(&p, status, 1, words);
}

Test(executor_schema, collection_is_made_once)
{
    engine_expect(&p, "[{\"op\":\"create_collection\",\"collection\":\"c\"}]", "[{}]");
    expect_failure("[{\"op\":\"create_collection\",\"collection\":\"c\"}]", STATUS_exists,
                   "\"c\": it exists already");
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    expect_failure("[{\"op\":\"create_collection\",\"collection\":\"c\"}]", STATUS_exists, "\"c\"");
    cr_assert_eq(engine_cells(&p, CELL_COLLECTION), 1);
    cr_assert_eq(engine_cells(&p, CELL_STATISTICS), 1);
}

Test(executor_schema, first_write_makes_the_collection_and_no_other_operation_does)
{
    engine_expect(&p,
                  "[{\"op\":\"get\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"find\",\"collection\":\"c\"},{\"op\":\"count\",\"collection\":\"c\"},"
                  "{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"absent\":true},"
                  "{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[1,0]]}]",
                  "[{\"document\":null,\"document_version\":null,\"time\":null},"
                  "{\"documents\":[]},{\"count\":0},{},{}]");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_COLLECTION), 0);
    engine_expect(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{}}]", "[{}]");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_COLLECTION), 1);
}

Test(executor_schema, failed_transaction_makes_no_collection)
{
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{}},"
                  "{\"op\":\"delete\",\"collection\":\"c\",\"id\":2}]");
    engine_expect_failure(&p, STATUS_absent, 2, "\"i:2\" in collection \"c\"");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_COLLECTION), 0);
    cr_assert_eq(engine_cells(&p, CELL_STATISTICS), 0);
    cr_assert_eq(engine_cells(&p, CELL_COUNTERS), 0);
}

Test(executor_schema, collections_have_a_limit)
{
    char json[128];
    for (unsigned i = 0; i < COLLECTION_COUNT_MAX; i++) {
        snprintf(json, sizeof json, "[{\"op\":\"create_collection\",\"collection\":\"c%u\"}]", i);
        cr_assert_eq(engine_do(&p, json), STATUS_ok);
    }
    expect_failure("[{\"op\":\"create_collection\",\"collection\":\"more\"}]", STATUS_too_large,
                   "there are 1024 already");
    expect_failure("[{\"op\":\"put\",\"collection\":\"more\",\"id\":1,\"document\":{}}]",
                   STATUS_too_large, "\"more\"");
    cr_assert_eq(engine_do(&p, "[{\"op\":\"drop_collection\",\"collection\":\"c7\"}]"), STATUS_ok);
    cr_assert_eq(engine_do(&p, "[{\"op\":\"create_collection\",\"collection\":\"more\"}]"),
                 STATUS_ok);
}

Test(executor_schema, dropped_collection_is_empty_and_gone_at_once)
{
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"a\":1}}]");
    engine_expect(&p, "[{\"op\":\"drop_collection\",\"collection\":\"c\"}]", "[{}]");
    expect_failure("[{\"op\":\"drop_collection\",\"collection\":\"c\"}]", STATUS_absent,
                   "no such collection");
    engine_expect(&p,
                  "[{\"op\":\"get\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"count\",\"collection\":\"c\"}]",
                  "[{\"document\":null,\"document_version\":null,\"time\":null},{\"count\":0}]");
    engine_expect(&p, "[{\"op\":\"insert\",\"collection\":\"c\",\"id\":1,\"document\":{\"b\":1}}]",
                  "[{\"id\":1}]");
    engine_wait(&p, 0);
    engine_expect(&p, "[{\"op\":\"find\",\"collection\":\"c\"}]",
                  "[{\"documents\":[{\"id\":1,\"document\":{\"b\":1},\"document_version\":3,"
                  "\"time\":1000000}]}]");
    cr_assert_eq(engine_cells(&p, CELL_DOCUMENT), 1);
}

Test(executor_schema, operations_on_schemas_come_alone)
{
    engine_do(&p, "[{\"op\":\"create_collection\",\"collection\":\"c\"},"
                  "{\"op\":\"get\",\"collection\":\"c\",\"id\":1}]");
    engine_expect_failure(&p, STATUS_bad_request, 1, "alone");
    engine_do(&p, "[{\"op\":\"get\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"drop_index\",\"collection\":\"c\",\"index\":\"i\"}]");
    engine_expect_failure(&p, STATUS_bad_request, 2, "alone");
}

Test(executor_schema, index_on_an_empty_collection_serves_at_once)
{
    engine_expect(&p,
                  "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\","
                  "\"fields\":[\"a\"]}]",
                  "[{}]");
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"a\":2}},"
                  "{\"op\":\"put\",\"collection\":\"c\",\"id\":2,\"document\":{\"a\":1}},"
                  "{\"op\":\"put\",\"collection\":\"c\",\"id\":3,\"document\":{}}]");
    engine_expect(&p,
                  "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"i\",\"order\":\"a\"},"
                  "{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"a\":1}}]",
                  "[{\"documents\":["
                  "{\"id\":3,\"document\":{},\"document_version\":2,\"time\":1000000},"
                  "{\"id\":2,\"document\":{\"a\":1},\"document_version\":2,\"time\":1000000},"
                  "{\"id\":1,\"document\":{\"a\":2},\"document_version\":2,\"time\":1000000}]},"
                  "{\"count\":1}]");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_JOB), 0);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 3);
}

Test(executor_schema, index_that_is_there_or_is_not_is_told)
{
    static const char create[] = "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\","
                                 "\"fields\":[\"a\"]}]";
    static const char drop[] = "[{\"op\":\"drop_index\",\"collection\":\"c\",\"index\":\"i\"}]";
    expect_failure(drop, STATUS_absent, "no such collection");
    engine_do(&p, "[{\"op\":\"create_collection\",\"collection\":\"c\"}]");
    expect_failure(drop, STATUS_absent, "no index \"i\"");
    engine_expect(&p, create, "[{}]");
    expect_failure(create, STATUS_exists, "an index \"i\" already");
    engine_expect(&p, drop, "[{}]");
    engine_expect(&p, create, "[{}]");
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"j\"}]", STATUS_absent,
                   "\"j\"");
    expect_failure("[{\"op\":\"find\",\"collection\":\"d\",\"index\":\"j\"}]", STATUS_absent,
                   "no collection \"d\"");
}

Test(executor_schema, indexes_have_a_limit)
{
    char json[160];
    for (unsigned i = 0; i < INDEX_COUNT_MAX; i++) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i%u\","
                 "\"fields\":[\"f%u\"]}]",
                 i, i);
        cr_assert_eq(engine_do(&p, json), STATUS_ok);
    }
    expect_failure("[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"more\","
                   "\"fields\":[\"f\"]}]",
                   STATUS_too_large, "64 indexes");
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"f3\":1}}]");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), INDEX_COUNT_MAX);
    engine_do(&p, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":1}]");
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 0);
}

Test(executor_schema, schema_of_a_failed_transaction_is_undone)
{
    for (uint64_t i = 1; i <= SESSION_OUTCOMES_MAX; i++) {
        engine_put(&p, "c", "x", i);
        cr_assert_eq(engine_run(&p, "full", i, 0), STATUS_ok);
    }
    struct operation drop = operation_on(OPERATION_drop_collection, "c", NULL);
    engine_operation(&p, &drop);
    cr_assert_eq(engine_run(&p, "full", SESSION_OUTCOMES_MAX + 1, 0), STATUS_busy);
    engine_expect(&p, "[{\"op\":\"count\",\"collection\":\"c\"}]", "[{\"count\":1}]");
    engine_wait(&p, 0);
    cr_assert_eq(engine_cells(&p, CELL_DOCUMENT), 1);
}

Test(executor_schema, settings_that_are_none_are_told)
{
    static const struct {
        const char *settings;
        enum status status;
        const char *words;
    } CASES[] = {
        {"{\"tll\":5}", STATUS_bad_request, "\"tll\""},
        {"{\"ttl\":0}", STATUS_bad_request, "\"ttl\""},
        {"{\"ttl\":4294967296}", STATUS_bad_request, "\"ttl\""},
        {"{\"ttl\":\"a..b\"}", STATUS_bad_request, "\"ttl\""},
        {"{\"ttl\":true}", STATUS_bad_request, "\"ttl\""},
        {"{\"history\":\"a\"}", STATUS_bad_request, "\"history\""},
        {"{\"check\":{}}", STATUS_bad_request, "\"check\""},
        {"{\"check\":[5]}", STATUS_type, "predicate 0"},
        {"{\"check\":[{},{\"a\":{\"$foo\":1}}]}", STATUS_bad_request, "predicate 1"},
        {"{\"check\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", STATUS_too_large,
         "17 predicates"},
        {"[]", STATUS_type, "\"settings\""},
    };
    char json[512];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":%s}]",
                 CASES[i].settings);
        expect_failure(json, CASES[i].status, CASES[i].words);
    }
    cr_assert_eq(engine_do(&p, "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":"
                               "{\"check\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],"
                               "\"history\":4294967295,\"ttl\":4294967295}}]"),
                 STATUS_ok);
}

Test(executor_schema, replayed_schema_changes_are_done_once)
{
    static const char create[] = "[{\"op\":\"create_collection\",\"collection\":\"c\"}]";
    engine_expect(&p, create, "[{}]");
    p.sequence--;
    engine_expect(&p, create, "[{}]");
    cr_assert(p.outcome.replayed);
    engine_settle(&p);
    p.sequence--;
    engine_expect(&p, create, "[{}]");
    cr_assert(p.outcome.replayed);
}
