/*
 * What goes with a document when it is written: checks, index entries, uniqueness, statistics,
 * expiry, history. Written through transactions, looked at in the cells of the state.
 */
#include "storage/document_write.h"

#include "storage/executor.h"
#include "tests/unit/fixture_engine.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct engine p;

static void setup(void)
{
    engine_init(&p);
}

static void teardown(void)
{
    engine_release(&p);
}

TestSuite(document_write, .init = setup, .fini = teardown);

static void create_collection(const char *settings)
{
    char json[512];
    snprintf(json, sizeof json,
             "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":%s}]", settings);
    cr_assert_eq(engine_do(&p, json), STATUS_ok);
}

static void create_index(const char *fields, bool unique)
{
    char json[512];
    snprintf(json, sizeof json,
             "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":%s,"
             "\"unique\":%s}]",
             fields, unique ? "true" : "false");
    cr_assert_eq(engine_do(&p, json), STATUS_ok);
}

static enum status put(int id, const char *document)
{
    char json[512];
    snprintf(json, sizeof json, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%d,\"document\":%s}]",
             id, document);
    return engine_do(&p, json);
}

static enum status update(int id, const char *patch)
{
    char json[512];
    snprintf(json, sizeof json, "[{\"op\":\"update\",\"collection\":\"c\",\"id\":%d,\"patch\":%s}]",
             id, patch);
    return engine_do(&p, json);
}

static enum status remove_document(int id)
{
    char json[128];
    snprintf(json, sizeof json, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":%d}]", id);
    return engine_do(&p, json);
}

static void expect_count(uint64_t count)
{
    char json[64];
    snprintf(json, sizeof json, "[{\"count\":%llu}]", (unsigned long long)count);
    engine_expect(&p, "[{\"op\":\"count\",\"collection\":\"c\"}]", json);
}

// Ids of the documents in the order of the index.
static void expect_order(const char *ids)
{
    char text[256] = "";
    struct buffer id = {0};
    cr_assert_eq(engine_do(&p, "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"i\"}]"),
                 STATUS_ok);
    struct cursor cursor = cursor_of(p.outcome.results);
    uint32_t count;
    struct bytes name;
    cr_assert(cursor_array(&cursor, &count) == STATUS_ok &&
              cursor_map(&cursor, &count) == STATUS_ok && cursor_text(&cursor, &name) == STATUS_ok);
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_ok);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pairs;
        uint64_t number;
        cr_assert(cursor_map(&cursor, &pairs) == STATUS_ok &&
                  cursor_text(&cursor, &name) == STATUS_ok &&
                  cursor_u64(&cursor, &number) == STATUS_ok);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%llu", i > 0 ? " " : "",
                 (unsigned long long)number);
        for (uint32_t pair = 1; pair < pairs; pair++) {
            cr_assert(cursor_skip(&cursor, NULL) == STATUS_ok &&
                      cursor_skip(&cursor, NULL) == STATUS_ok);
        }
    }
    cr_assert_str_eq(text, ids);
    buffer_release(&id);
}

static size_t settled_cells(enum cell_kind kind)
{
    engine_settle(&p);
    return engine_cells(&p, kind);
}

// The statistics of the collection with id 1, as a reader would see them.
static struct collection_statistics settled_statistics(void)
{
    struct buffer key = {0};
    struct buffer value = {0};
    struct collection_statistics statistics = {0};
    engine_settle(&p);
    cell_key_statistics(&key, 1);
    cr_assert_eq(state_get(p.state, NULL, buffer_bytes(&key), &value), STATUS_ok);
    cr_assert_eq(collection_statistics_decode(buffer_bytes(&value), &statistics), STATUS_ok);
    buffer_release(&key);
    buffer_release(&value);
    return statistics;
}

Test(document_write, entries_follow_their_documents)
{
    create_index("[\"a\"]", false);
    put(1, "{\"a\":5}");
    put(2, "{\"a\":3}");
    put(3, "{\"b\":1}");
    expect_order("3 2 1");
    update(2, "{\"a\":9}");
    expect_order("3 1 2");
    update(3, "{\"a\":7}");
    expect_order("1 3 2");
    put(1, "{}");
    remove_document(3);
    expect_order("1 2");
    cr_assert_eq(settled_cells(CELL_INDEX), 2);
}

Test(document_write, entry_whose_fields_did_not_change_is_left_alone)
{
    create_index("[\"a\"]", false);
    put(1, "{\"a\":5,\"b\":1}");
    engine_settle(&p);
    size_t before = executor_open_size(p.executor);
    update(1, "{\"b\":2}");
    size_t unchanged = executor_open_size(p.executor) - before;
    engine_settle(&p);
    update(1, "{\"a\":6}");
    cr_assert_gt(executor_open_size(p.executor) - before, unchanged);
}

Test(document_write, index_of_several_fields_has_one_entry_for_each_document)
{
    create_index("[\"a\",\"b.c\"]", false);
    put(1, "{\"a\":1,\"b\":{\"c\":2}}");
    put(2, "{\"a\":1,\"b\":{\"c\":1}}");
    put(3, "{\"a\":1}");
    put(4, "{\"a\":0,\"b\":{\"c\":[1,2]}}");
    expect_order("4 3 2 1");
    cr_assert_eq(settled_cells(CELL_INDEX), 4);
}

Test(document_write, unique_values_are_unique)
{
    create_index("[\"a\"]", true);
    cr_assert_eq(put(1, "{\"a\":\"x\"}"), STATUS_ok);
    cr_assert_eq(put(2, "{\"a\":\"x\"}"), STATUS_unique);
    engine_expect_failure(&p, STATUS_unique, 1,
                          "on \"i:2\" in collection \"c\": would break the unique index \"i\": "
                          "document \"i:1\" has the same value");
    cr_assert_eq(put(1, "{\"a\":\"x\",\"b\":1}"), STATUS_ok, "its own value");
    cr_assert_eq(put(2, "{\"a\":\"y\"}"), STATUS_ok);
    cr_assert_eq(update(2, "{\"a\":\"x\"}"), STATUS_unique);
    engine_settle(&p);
    cr_assert_eq(update(2, "{\"a\":\"x\"}"), STATUS_unique);
    cr_assert_eq(remove_document(1), STATUS_ok);
    cr_assert_eq(update(2, "{\"a\":\"x\"}"), STATUS_ok);
    cr_assert_eq(put(1, "{\"a\":\"y\"}"), STATUS_ok);
    cr_assert_eq(settled_cells(CELL_INDEX), 2);
}

Test(document_write, documents_without_a_field_are_not_held_unique)
{
    create_index("[\"a\",\"b\"]", true);
    cr_assert_eq(put(1, "{\"a\":1}"), STATUS_ok);
    cr_assert_eq(put(2, "{\"a\":1}"), STATUS_ok);
    cr_assert_eq(put(3, "{}"), STATUS_ok);
    cr_assert_eq(put(4, "{}"), STATUS_ok);
    cr_assert_eq(put(5, "{\"a\":1,\"b\":null}"), STATUS_ok);
    cr_assert_eq(put(6, "{\"a\":1,\"b\":null}"), STATUS_unique, "null is a value");
    cr_assert_eq(put(7, "{\"a\":1.0,\"b\":1}"), STATUS_ok);
    cr_assert_eq(put(8, "{\"a\":1,\"b\":1}"), STATUS_unique, "equal numbers are equal");
    cr_assert_eq(settled_cells(CELL_INDEX), 6);
}

Test(document_write, values_move_between_documents_in_one_transaction)
{
    create_index("[\"a\"]", true);
    put(1, "{\"a\":1}");
    put(2, "{\"a\":2}");
    engine_expect(&p,
                  "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"update\",\"collection\":\"c\",\"id\":2,\"patch\":{\"a\":1}},"
                  "{\"op\":\"insert\",\"collection\":\"c\",\"id\":1,\"document\":{\"a\":2}}]",
                  "[{},{},{\"id\":1}]");
    expect_order("2 1");
    engine_do(&p, "[{\"op\":\"update\",\"collection\":\"c\",\"id\":2,\"patch\":{\"a\":3}},"
                  "{\"op\":\"update\",\"collection\":\"c\",\"id\":1,\"patch\":{\"a\":1}},"
                  "{\"op\":\"update\",\"collection\":\"c\",\"id\":2,\"patch\":{\"a\":1}}]");
    engine_expect_failure(&p, STATUS_unique, 3, "\"i:2\"");
    expect_order("2 1");
}

static enum status put_text(size_t size)
{
    struct buffer document = {0};
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    pack_map(&document, 1);
    pack_text_literal(&document, "a");
    char *text = calloc(1, size);
    memset(text, 'x', size);
    pack_text(&document, bytes_of(text, size));
    operation.document = buffer_bytes(&document);
    engine_operation(&p, &operation);
    enum status status = engine_run(&p, "s", ++p.sequence, 0);
    buffer_release(&document);
    free(text);
    return status;
}

Test(document_write, values_fit_an_index_up_to_its_limit)
{
    create_index("[\"a\"]", false);
    cr_assert_eq(put_text(INDEX_KEY_SIZE_MAX - 2), STATUS_ok);
    cr_assert_eq(put_text(INDEX_KEY_SIZE_MAX - 1), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1, "more than 1024 bytes for the index \"i\"");
    engine_do(&p, "[{\"op\":\"drop_index\",\"collection\":\"c\",\"index\":\"i\"}]");
    cr_assert_eq(put_text(INDEX_KEY_SIZE_MAX - 1), STATUS_ok);
    cr_assert_eq(put_text(DOCUMENT_SIZE_MAX - 8), STATUS_ok);
    cr_assert_eq(put_text(DOCUMENT_SIZE_MAX - 7), STATUS_too_large);
}

Test(document_write, checks_hold_for_every_document)
{
    create_collection("{\"check\":[{\"n\":{\"$gte\":0}},{\"n\":{\"$lt\":10}}]}");
    cr_assert_eq(put(1, "{\"n\":0}"), STATUS_ok);
    cr_assert_eq(put(1, "{\"n\":-1}"), STATUS_refused);
    engine_expect_failure(&p, STATUS_refused, 1, "would break check 0 of the collection");
    cr_assert_eq(update(1, "{\"n\":{\"$inc\":9}}"), STATUS_ok);
    cr_assert_eq(update(1, "{\"n\":{\"$inc\":1}}"), STATUS_refused);
    engine_expect_failure(&p, STATUS_refused, 1, "would break check 1");
    cr_assert_eq(put(2, "{}"), STATUS_refused);
    expect_count(1);
}

Test(document_write, statistics_are_exact)
{
    put(1, "{\"a\":1}");
    put(2, "{}");
    struct collection_statistics statistics = settled_statistics();
    cr_assert(statistics.documents == 2 && statistics.bytes == 5);
    put(2, "{\"ab\":1}");
    update(1, "{\"b\":1}");
    put(3, "{}");
    remove_document(3);
    remove_document(9);
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":4,\"document\":{}},"
                  "{\"op\":\"delete\",\"collection\":\"c\",\"id\":9}]");
    expect_count(2);
    statistics = settled_statistics();
    cr_assert(statistics.documents == 2 && statistics.bytes == 12);
    executor_reset(p.executor);
    engine_open(&p);
    expect_count(2);
}

Test(document_write, documents_expire_seconds_after_their_last_write)
{
    create_collection("{\"ttl\":10}");
    put(1, "{}");
    put(2, "{}");
    engine_wait(&p, 5);
    put(2, "{}");
    cr_assert_eq(settled_cells(CELL_EXPIRY), 2);
    uint64_t version = p.version;
    engine_wait(&p, 4);
    expect_count(2);
    cr_assert_eq(p.version, version);
    engine_wait(&p, 1);
    expect_count(1);
    cr_assert_eq(p.version, version + 1, "an expiry is a change like any other");
    remove_document(2);
    cr_assert_eq(settled_cells(CELL_EXPIRY), 0);
    cr_assert_eq(engine_cells(&p, CELL_DOCUMENT), 0);
}

Test(document_write, documents_expire_at_the_time_in_their_field)
{
    create_collection("{\"ttl\":\"at.time\"}");
    create_index("[\"a\"]", true);
    put(1, "{\"a\":1,\"at\":{\"time\":{\"$time\":\"1970-01-01T00:00:20Z\"}}}");
    put(2, "{\"a\":2,\"at\":{\"time\":\"1970-01-01T00:00:20Z\"}}");
    put(3, "{\"a\":3}");
    put(4, "{\"a\":4,\"at\":{\"time\":{\"$time\":\"1960-01-01T00:00:00Z\"}}}");
    put(5, "{\"a\":5,\"at\":{\"time\":{\"$time\":\"1970-01-01T00:00:20Z\"}}}");
    put(5, "{\"a\":5,\"at\":{\"time\":{\"$time\":\"9999-01-01T00:00:00Z\"}}}");
    engine_wait(&p, 0);
    expect_order("1 2 3 5");
    engine_wait(&p, 18);
    expect_order("1 2 3 5");
    engine_wait(&p, 1);
    expect_order("2 3 5");
    put(6, "{\"a\":1,\"at\":{\"time\":{\"$time\":\"1970-01-01T00:00:01Z\"}}}");
    engine_wait(&p, 0);
    expect_order("2 3 5");
    cr_assert_eq(settled_cells(CELL_EXPIRY), 1);
}

Test(document_write, nothing_is_due_before_its_time)
{
    create_collection("{\"ttl\":10}");
    engine_wait(&p, 0);
    cr_assert_not(executor_has_work(p.executor, UINT64_MAX - 1));
    put(1, "{}");
    cr_assert_not(executor_has_work(p.executor, p.time_us + 9999999));
    cr_assert(executor_has_work(p.executor, p.time_us + 10000000));
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_not(executor_has_work(p.executor, p.time_us + 9999999));
    cr_assert(executor_has_work(p.executor, p.time_us + 10000000));
}

// The versions that history has of document 1, and "-" behind those that are deletions.
static void expect_history(const char *versions)
{
    struct document_id id = {.integer = 1};
    struct buffer id_key = {0};
    struct buffer from = {0};
    struct buffer to = {0};
    struct state_cursor *cursor;
    struct bytes key;
    struct bytes value;
    char text[256] = "";
    engine_settle(&p);
    document_id_append_key(&id, &id_key);
    cell_range_history(1, buffer_bytes(&id_key), &from, &to);
    cr_assert_eq(state_cursor_new(p.state, NULL, buffer_bytes(&from), buffer_bytes(&to), &cursor),
                 STATUS_ok);
    while (state_cursor_next(cursor, p.state, &key, &value)) {
        struct stored_document stored;
        cr_assert_eq(stored_document_decode(value, &stored), STATUS_ok);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%llu%s",
                 text[0] != 0 ? " " : "", (unsigned long long)stored.version,
                 stored.document.size == 0 ? "-" : "");
    }
    cr_assert_eq(state_cursor_destroy(p.state, &cursor), STATUS_ok);
    cr_assert_str_eq(text, versions);
    buffer_release(&id_key);
    buffer_release(&from);
    buffer_release(&to);
}

Test(document_write, history_keeps_what_is_superseded)
{
    create_collection("{\"history\":10}");
    put(1, "{\"n\":2}");
    expect_history("");
    put(1, "{\"n\":3}");
    expect_history("2");
    update(1, "{\"n\":4}");
    remove_document(1);
    expect_history("5- 4 3 2");
    put(1, "{\"n\":6}");
    expect_history("5- 4 3 2");
}

Test(document_write, history_has_one_version_of_a_transaction)
{
    create_collection("{\"history\":10}");
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":1}},"
                  "{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":2}}]");
    expect_history("");
    engine_do(&p, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"insert\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":3}},"
                  "{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":4}}]");
    expect_history("2");
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":5}},"
                  "{\"op\":\"delete\",\"collection\":\"c\",\"id\":1}]");
    expect_history("4- 3 2");
}

Test(document_write, deletion_that_is_taken_back_trims_nothing)
{
    create_collection("{\"history\":10}");
    put(1, "{\"n\":2}");
    engine_do(&p, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"insert\",\"collection\":\"c\",\"id\":1,\"document\":{\"n\":3}}]");
    engine_wait(&p, 4);
    put(1, "{\"n\":4}");
    expect_history("3 2");
    engine_wait(&p, 6);
    expect_history("3");
    engine_wait(&p, 4);
    expect_history("");
    cr_assert_eq(engine_cells(&p, CELL_TRIMMING), 0);
}

Test(document_write, history_is_trimmed_in_time)
{
    create_collection("{\"history\":10}");
    put(1, "{\"n\":2}");
    put(1, "{\"n\":3}");
    engine_wait(&p, 4);
    remove_document(1);
    engine_wait(&p, 5);
    expect_history("4- 3 2");
    engine_wait(&p, 1);
    expect_history("4- 3");
    uint64_t version = p.version;
    engine_wait(&p, 4);
    expect_history("");
    cr_assert_eq(p.version, version, "trimming is no change that anybody sees");
    cr_assert_eq(engine_cells(&p, CELL_TRIMMING), 0);
}

Test(document_write, expiry_leaves_its_document_in_history)
{
    create_collection("{\"history\":10,\"ttl\":3}");
    put(1, "{\"n\":2}");
    engine_wait(&p, 3);
    expect_history("3- 2");
    engine_wait(&p, 10);
    expect_history("");
}

Test(document_write, due_work_is_done_bit_by_bit)
{
    create_collection("{\"ttl\":1}");
    for (int id = 0; id < 250; id++) {
        put(id, "{}");
    }
    engine_settle(&p);
    p.time_us += 1000000;
    engine_settle(&p);
    unsigned rounds = 0;
    while (executor_has_work(p.executor, p.time_us)) {
        executor_work(p.executor, 100);
        engine_settle(&p);
        rounds++;
    }
    cr_assert_eq(rounds, 3);
    expect_count(0);
}
