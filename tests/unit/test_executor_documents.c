/*
 * What operations on documents do that look into them: update with patches, conditions, finds and
 * counts in transactions, `unchanged`. Plain reads and writes are in test_executor.c.
 */
#include "storage/executor.h"

#include "tests/unit/fixture_engine.h"
#include "wire/document/find_digest.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct engine p;
static uint64_t last_version; // of the last transaction that was run()

static void setup(void)
{
    engine_init(&p);
}

static void teardown(void)
{
    engine_release(&p);
}

TestSuite(executor_documents, .init = setup, .fini = teardown);

static void run(const char *json)
{
    enum status status = engine_do(&p, json);
    cr_assert_eq(status, STATUS_ok, "%s: %.*s", json, (int)p.outcome.message.size,
                 (const char *)p.outcome.message.data);
    last_version = p.outcome.version;
}

static void expect_failure(const char *json, enum status status, const char *words)
{
    engine_do(&p, json);
    engine_expect_failure(&p, status, 1, words);
}

static void expect_document(const char *json)
{
    char results[512];
    snprintf(results, sizeof results,
             "[{\"document\":%s,\"document_version\":%llu,\"time\":1000000}]", json,
             (unsigned long long)last_version);
    engine_expect(&p, "[{\"op\":\"get\",\"collection\":\"c\",\"id\":\"x\"}]", results);
}

Test(executor_documents, update_changes_what_the_patch_names)
{
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"a\":1,\"b\":{\"c\":2}}}"
        "]");
    run("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":"
        "{\"a\":{\"$inc\":4},\"b.d\":[1],\"b.c\":{\"$unset\":true},\"t\":{\"$now\":true}}}]");
    engine_expect_results(&p, "[{}]");
    expect_document("{\"a\":5,\"b\":{\"d\":[1]},\"t\":{\"$time\":\"1970-01-01T00:00:01Z\"}}");
}

Test(executor_documents, updates_see_the_ones_before_them)
{
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"n\":1}},"
        "{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"n\":{\"$inc\":1}}},"
        "{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"n\":{\"$mul\":10}},"
        "\"where\":{\"n\":2}}]");
    expect_document("{\"n\":20}");
}

Test(executor_documents, update_of_nothing_is_absent_unless_it_upserts)
{
    expect_failure("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"a\":1}}]",
                   STATUS_absent, "\"x\" in collection \"c\": there is no such document");
    run("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"a\":1},\"upsert\":true}"
        "]");
    expect_document("{\"a\":1}");
    run("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"a\":{\"$inc\":1}},"
        "\"upsert\":true,\"where\":{\"a\":1}}]");
    expect_document("{\"a\":2}");
    expect_failure("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":{\"a\":1},"
                   "\"upsert\":true,\"where\":{\"a\":1}}]",
                   STATUS_refused, "\"where\" doesn't hold");
}

Test(executor_documents, patch_that_can_not_be_done_is_told)
{
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"n\":1,\"s\":\"t\"}}]");
    expect_failure("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":"
                   "{\"s\":{\"$inc\":1}}}]",
                   STATUS_type, "\"x\" in collection \"c\": ");
    expect_failure("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":"
                   "{\"n\":{\"$inc\":-2,\"min\":0}}}]",
                   STATUS_refused, "\"n\"");
    expect_failure("[{\"op\":\"update\",\"collection\":\"c\",\"id\":\"x\",\"patch\":"
                   "{\"n\":{\"$foo\":1}}}]",
                   STATUS_bad_request, "operation 0 has a field \"patch\" that");
    expect_document("{\"n\":1,\"s\":\"t\"}");
}

Test(executor_documents, conditions_decide)
{
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"n\":1}}]");
    run("[{\"op\":\"check\",\"collection\":\"c\",\"id\":\"x\",\"where\":{\"n\":{\"$lt\":2}}}]");
    expect_failure("[{\"op\":\"check\",\"collection\":\"c\",\"id\":\"x\",\"where\":{\"n\":2}}]",
                   STATUS_refused, "\"where\" doesn't hold");
    expect_failure("[{\"op\":\"check\",\"collection\":\"c\",\"id\":\"y\",\"where\":{}}]",
                   STATUS_refused, "no such document");
    expect_failure("[{\"op\":\"check\",\"collection\":\"c\",\"id\":\"x\",\"where\":{\"$not\":1}}]",
                   STATUS_bad_request, "\"where\"");
    expect_failure("[{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\",\"where\":{\"n\":2}}]",
                   STATUS_refused, "\"where\" doesn't hold");
    expect_failure("[{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"y\",\"where\":{\"n\":2}}]",
                   STATUS_absent, "no such document");
    run("[{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\",\"where\":{\"n\":1}}]");
}

static void put_numbered(unsigned count)
{
    char json[160];
    for (unsigned i = 0; i < count; i++) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%u,\"document\":{\"n\":%u}}]", i, i);
        run(json);
    }
}

Test(executor_documents, find_sees_what_the_transaction_wrote)
{
    put_numbered(3);
    engine_settle(&p);
    engine_expect(&p,
                  "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":1},"
                  "{\"op\":\"put\",\"collection\":\"c\",\"id\":7,\"document\":{\"n\":7}},"
                  "{\"op\":\"find\",\"collection\":\"c\",\"where\":{\"n\":{\"$gte\":1}}},"
                  "{\"op\":\"count\",\"collection\":\"c\"},"
                  "{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"n\":{\"$gte\":1}}},"
                  "{\"op\":\"find\",\"collection\":\"c\",\"order\":\"-n\",\"limit\":1}]",
                  "[{},{},{\"documents\":["
                  "{\"id\":2,\"document\":{\"n\":2},\"document_version\":3,\"time\":1000000},"
                  "{\"id\":7,\"document\":{\"n\":7},\"document_version\":4,\"time\":1000000}]},"
                  "{\"count\":3},{\"count\":2},{\"documents\":["
                  "{\"id\":7,\"document\":{\"n\":7},\"document_version\":4,\"time\":1000000}]}]");
}

Test(executor_documents, find_gives_all_or_fails)
{
    put_numbered(PAGE_ROWS_MAX);
    run("[{\"op\":\"find\",\"collection\":\"c\"}]");
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"more\",\"document\":{}}]");
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\"}]", STATUS_too_large,
                   "more than 1000 documents in collection \"c\": give a limit");
    run("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":1000}]");
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":1001}]", STATUS_too_large,
                   "\"limit\"");
}

Test(executor_documents, what_a_transaction_looks_at_is_bounded, .timeout = 60)
{
    put_numbered(FIND_EXAMINED_MAX);
    engine_settle(&p);
    engine_expect(&p, "[{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"n\":{\"$gte\":1}}}]",
                  "[{\"count\":9999}]");
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"more\",\"document\":{}}]");
    expect_failure("[{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"n\":{\"$gte\":1}}}]",
                   STATUS_too_large, "more than 10000 documents in collection \"c\": an index");
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\",\"where\":{\"n\":-1}}]",
                   STATUS_too_large, "index would help");
    engine_expect(&p, "[{\"op\":\"count\",\"collection\":\"c\"}]", "[{\"count\":10001}]");
    run("[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":[\"n\"]}]");
    engine_wait(&p, 0);
    engine_expect(&p, "[{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"n\":{\"$gt\":9990}}}]",
                  "[{\"count\":9}]");
}

// Puts a document that a condition of PREDICATE_FIELDS_MAX fields may just be held against.
static void put_costly(void)
{
    enum { SIZE = TRANSACTION_EXAMINED_SIZE_MAX / PREDICATE_FIELDS_MAX, HEAD_SIZE = 8 };
    AUTO(buffer_release) struct buffer json = {0};
    buffer_append(&json, bytes_from_text("[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\","
                                         "\"document\":{\"a\":\""));
    memset(buffer_extend(&json, SIZE - HEAD_SIZE), 'x', SIZE - HEAD_SIZE);
    buffer_append(&json, bytes_of("\"}}]", sizeof "\"}}]"));
    run((const char *)json.data);
}

// Runs a find that costs all that a transaction may look at, and what comes behind it.
static enum status find_costly(const char *behind)
{
    AUTO(buffer_release) struct buffer json = {0};
    buffer_append(&json,
                  bytes_from_text("[{\"op\":\"find\",\"collection\":\"c\",\"where\":{\"$and\":["));
    for (int i = 0; i < PREDICATE_FIELDS_MAX; i++) {
        buffer_append(&json, bytes_from_text(i > 0 ? "," : ""));
        buffer_append(&json, bytes_from_text("{\"a\":{\"$exists\":true}}"));
    }
    buffer_append(&json, bytes_from_text("]}}"));
    buffer_append(&json, bytes_from_text(behind));
    buffer_append(&json, bytes_of("]", 2));
    return engine_do(&p, (const char *)json.data);
}

Test(executor_documents, finds_and_documents_are_on_one_account)
{
    put_costly();
    cr_assert_eq(find_costly(""), STATUS_ok);
    find_costly(",{\"op\":\"get\",\"collection\":\"c\",\"id\":\"y\"}");
    engine_expect_failure(&p, STATUS_too_large, 2, "operation 1 (get) would look at more than");
    find_costly(",{\"op\":\"count\",\"collection\":\"c\",\"where\":{\"a\":1}}");
    engine_expect_failure(&p, STATUS_too_large, 2, "operation 1 (count) would look at more than");
    cr_assert_eq(find_costly(",{\"op\":\"count\",\"collection\":\"c\"}"), STATUS_ok);
}

Test(executor_documents, answer_that_is_too_large_is_told)
{
    static char json[1000100];
    for (unsigned i = 0; i < 7; i++) {
        int size = snprintf(json, sizeof json,
                            "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%u,\"document\":"
                            "{\"a\":\"",
                            i);
        memset(json + size, 'x', 1000000);
        snprintf(json + size + 1000000, sizeof json - (size_t)size - 1000000, "\"}}]");
        run(json);
        engine_settle(&p);
    }
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\"}]", STATUS_too_large,
                   "more than fits into an answer");
    run("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":6}]");
}

Test(executor_documents, what_is_for_reads_is_refused)
{
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\",\"cursor\":\"x\"}]", STATUS_bad_request,
                   "for reads");
    expect_failure("[{\"op\":\"find\",\"collection\":\"c\",\"explain\":true}]", STATUS_bad_request,
                   "for reads");
}

Test(executor_documents, unchanged_documents_are_those_with_the_version_that_was_read)
{
    put_numbered(2);
    run("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[0,1],[1,2],[7,0],[\"x\",0]]}]");
    run("[{\"op\":\"unchanged\",\"collection\":\"none\",\"ids\":[[0,0]]}]");
    expect_failure("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[0,1],[1,1]]}]",
                   STATUS_conflict,
                   "on \"i:1\" in collection \"c\": it was read at version 1 and is at 2 now");
    expect_failure("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[1,0]]}]", STATUS_conflict,
                   "\"i:1\"");
    expect_failure("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"y\",3]]}]",
                   STATUS_conflict, "\"y\"");
}

// What a find of all with an `n` from 1 on has to be for the digest of these documents.
static void expect_unchanged(const char *order, uint64_t limit, uint64_t digest, enum status status)
{
    struct operation operation = {.kind = OPERATION_unchanged,
                                  .collection = bytes_from_text("c"),
                                  .has_find = true,
                                  .where = bytes_from_text("\x81\xa1n\x81\xa4$gte\x01"),
                                  .order = bytes_from_text(order),
                                  .limit = limit,
                                  .digest = digest};
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), status, "%.*s", (int)p.outcome.message.size,
                 (const char *)p.outcome.message.data);
}

Test(executor_documents, unchanged_find_has_the_same_documents_in_the_same_order)
{
    struct document_id ids[] = {{.integer = 1}, {.integer = 2}};
    uint64_t none = find_digest_empty();
    expect_unchanged("", 0, none, STATUS_ok);
    put_numbered(3);
    expect_unchanged("", 0, none, STATUS_conflict);
    engine_expect_failure(&p, STATUS_conflict, 1, "collection \"c\"");
    uint64_t one = find_digest_add(none, &ids[0], 2);
    uint64_t both = find_digest_add(one, &ids[1], 3);
    uint64_t back = find_digest_add(find_digest_add(none, &ids[1], 3), &ids[0], 2);
    expect_unchanged("", 0, both, STATUS_ok);
    expect_unchanged("", 0, one, STATUS_conflict);
    expect_unchanged("", 1, one, STATUS_ok);
    expect_unchanged("-n", 0, both, STATUS_conflict);
    expect_unchanged("-n", 0, back, STATUS_ok);
    run("[{\"op\":\"put\",\"collection\":\"c\",\"id\":2,\"document\":{\"n\":2}}]");
    expect_unchanged("", 0, both, STATUS_conflict);
}

Test(executor_documents, replayed_reads_are_null)
{
    static const char mixed[] = "[{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":{}},"
                                "{\"op\":\"find\",\"collection\":\"c\"},"
                                "{\"op\":\"count\",\"collection\":\"c\"},"
                                "{\"op\":\"get\",\"collection\":\"c\",\"id\":1},"
                                "{\"op\":\"update\",\"collection\":\"c\",\"id\":1,\"patch\":{}},"
                                "{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[]}]";
    run(mixed);
    p.sequence--;
    engine_expect(&p, mixed,
                  "[{},{\"documents\":null},{\"count\":null},"
                  "{\"document\":null,\"document_version\":null,\"time\":null},{},{}]");
    cr_assert(p.outcome.replayed);
}

// Makes a name of so many bytes of characters that have three.
static const char *wide_name(char *room, size_t size)
{
    for (size_t i = 0; i + 3 <= size; i += 3) {
        memcpy(room + i, "\xe2\x82\xac", 3);
    }
    memset(room + size / 3 * 3, 'x', size % 3);
    room[size] = 0;
    return room;
}

Test(executor_documents, sentence_that_is_cut_ends_with_a_whole_character)
{
    char collection[COLLECTION_NAME_SIZE_MAX + 1];
    char index[INDEX_NAME_SIZE_MAX + 1];
    char id[DOCUMENT_ID_SIZE_MAX + 1];
    static char json[4096];
    wide_name(collection, COLLECTION_NAME_SIZE_MAX);
    snprintf(json, sizeof json,
             "[{\"op\":\"create_index\",\"collection\":\"%s\",\"index\":\"%s\","
             "\"fields\":[\"a\"],\"unique\":true}]",
             collection, wide_name(index, INDEX_NAME_SIZE_MAX));
    run(json);
    for (size_t size = DOCUMENT_ID_SIZE_MAX; size > DOCUMENT_ID_SIZE_MAX - 4; size--) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"put\",\"collection\":\"%s\",\"id\":\"x\",\"document\":{\"a\":1}},"
                 "{\"op\":\"put\",\"collection\":\"%s\",\"id\":\"%s\",\"document\":{\"a\":1}}]",
                 collection, collection, wide_name(id, size));
        engine_do(&p, json);
        engine_expect_failure(&p, STATUS_unique, 2, "would break the unique index");
        cr_assert_geq(p.outcome.message.size, ERROR_MESSAGE_SIZE_MAX - 4);
    }
}

Test(executor_documents, patches_and_conditions_are_checked_whoever_sends_them)
{
    static const char loose[] = "\x82\xa1n\xcd\x00\x07\xa1m\x01";
    struct operation operation = operation_on(OPERATION_update, "c", "x");
    operation.patch = bytes_of(loose, sizeof loose - 1);
    engine_operation(&p, &operation);
    engine_run(&p, "s", 1, 0);
    engine_expect_failure(&p, STATUS_bad_request, 1, "\"patch\" that is not in canonical form");
    operation = operation_on(OPERATION_delete, "c", "x");
    operation.where = bytes_of(loose, sizeof loose - 1);
    engine_operation(&p, &operation);
    engine_run(&p, "s", 1, 0);
    engine_expect_failure(&p, STATUS_bad_request, 1, "\"where\" that is not in canonical form");
}
