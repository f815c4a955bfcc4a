/*
 * Documents as they were, at a version or a time that no mark keeps, and how they came to be what
 * they are.
 */
#include "storage/past.h"

#include "tests/unit/fixture_query.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct asker a;

static void setup(void)
{
    asker_init(&a);
}

static void teardown(void)
{
    asker_release(&a);
}

TestSuite(past, .init = setup, .fini = teardown);

// The next entry is of this time.
static void set_time(uint64_t time_us)
{
    a.engine.time_us = time_us;
    engine_settle(&a.engine);
}

static void put_at(uint64_t time_us, const char *collection, const char *id, int n)
{
    set_time(time_us);
    asker_write(&a,
                "{\"op\": \"put\", \"collection\": \"%s\", \"id\": \"%s\", \"document\": {\"n\": "
                "%d}}",
                collection, id, n);
}

static void delete_at(uint64_t time_us, const char *id)
{
    set_time(time_us);
    asker_write(&a, "{\"op\": \"delete\", \"collection\": \"kept\", \"id\": \"%s\"}", id);
}

enum { START_S = 1000, KEPT_S = 100 };

// x is put in versions 2 and 3, deleted in 4, put in 5; a second between them.
static void live(int kept_s)
{
    set_time(START_S * 1000000);
    asker_write(&a,
                "{\"op\": \"create_collection\", \"collection\": \"kept\", \"settings\": "
                "{\"history\": %d}}",
                kept_s);
    put_at((START_S + 1) * 1000000, "kept", "x", 1);
    put_at((START_S + 2) * 1000000, "kept", "x", 2);
    delete_at((START_S + 3) * 1000000, "x");
    put_at((START_S + 4) * 1000000, "kept", "x", 3);
}

static void expect_get(const struct message_read *how, const char *n)
{
    asker_read(&a, how, "[{\"op\": \"get\", \"collection\": \"kept\", \"id\": \"x\"}]");
    AUTO(buffer_release) struct buffer document = {0};
    cr_assert_eq(a.reply.status, STATUS_ok, "%.*s", (int)a.reply.message.size,
                 (const char *)a.reply.message.data);
    asker_field(&a, "document", &document);
    cr_assert(bytes_equal(buffer_bytes(&document), bytes_from_text(n)), "%.*s is not %s",
              (int)document.size, (const char *)document.data, n);
    AUTO(buffer_release) struct buffer version = {0};
    asker_field(&a, "document_version", &version);
    cr_assert_eq(bytes_equal(buffer_bytes(&version), bytes_from_text("null")), n[0] == 'n');
}

static void expect_get_at(uint64_t version, const char *n)
{
    struct message_read how = {.level = READ_snapshot, .at_version = version};
    expect_get(&how, n);
    cr_assert_eq(a.reply.version, version);
}

static void expect_get_at_time(uint64_t time_us, const char *n)
{
    struct message_read how = {.level = READ_snapshot, .at_time_us = time_us};
    expect_get(&how, n);
}

Test(past, get_finds_any_version_that_history_has)
{
    live(KEPT_S);
    uint64_t first = a.engine.applied.place.version - 3;
    expect_get_at(first, "{\"n\":1}");
    expect_get_at(first + 1, "{\"n\":2}");
    expect_get_at(first + 2, "null");
    expect_get_at(first + 3, "{\"n\":3}");
    put_at((START_S + 5) * 1000000, "kept", "y", 3);
    expect_get_at(first + 4, "{\"n\":3}");
}

Test(past, get_finds_any_time_that_history_has)
{
    live(KEPT_S);
    expect_get_at_time((START_S + 1) * 1000000 - 1, "null");
    expect_get_at_time((START_S + 1) * 1000000, "{\"n\":1}");
    expect_get_at_time((START_S + 2) * 1000000 - 1, "{\"n\":1}");
    expect_get_at_time((START_S + 2) * 1000000, "{\"n\":2}");
    expect_get_at_time((START_S + 3) * 1000000, "null");
    expect_get_at_time((START_S + 9) * 1000000, "{\"n\":3}");
}

static void expect_too_old(const struct message_read *how, const char *operation, const char *words)
{
    asker_read(&a, how, operation);
    asker_expect_failure(&a, STATUS_too_old, words);
}

static const char *const GET = "[{\"op\": \"get\", \"collection\": \"kept\", \"id\": \"x\"}]";

Test(past, version_before_all_that_is_kept_is_too_old_however_young)
{
    struct message_read how = {.level = READ_snapshot, .at_version = 1};
    live(100 * START_S);
    expect_too_old(&how, GET, "version 1 that isn't kept");
}

Test(past, version_that_is_not_there_yet_is_too_old)
{
    struct message_read how = {.level = READ_snapshot, .at_version = 6};
    live(KEPT_S);
    expect_too_old(&how, GET, "version 6");
    how.at_version = 0;
    expect_too_old(&how, GET, "version 0");
}

Test(past, time_before_all_that_is_kept_is_too_old)
{
    struct message_read how = {.level = READ_snapshot};
    live(KEPT_S);
    put_at((START_S + 50 + KEPT_S) * 1000000, "other", "x", 1);
    how.at_time_us = (START_S + 50) * 1000000 - 1;
    expect_too_old(&how, "[{\"op\": \"get\", \"collection\": \"kept\", \"id\": \"y\"}]",
                   "a time that isn't kept");
    expect_get_at_time(how.at_time_us, "{\"n\":3}");
    how.at_time_us++;
    asker_read(&a, &how, "[{\"op\": \"get\", \"collection\": \"kept\", \"id\": \"y\"}]");
    cr_assert_eq(a.reply.status, STATUS_ok);
}

Test(past, collection_without_history_has_none)
{
    struct message_read how = {.level = READ_snapshot};
    put_at(START_S * 1000000, "other", "x", 1);
    how.at_time_us = a.engine.applied.time_us;
    expect_too_old(&how, "[{\"op\": \"get\", \"collection\": \"other\", \"id\": \"x\"}]",
                   "\"history\" of its collection");
    expect_too_old(&how, GET, "\"history\" of its collection");
}

Test(past, takes_gets_only)
{
    struct message_read how = {.level = READ_snapshot, .at_version = 4};
    live(KEPT_S);
    expect_too_old(&how, "[{\"op\": \"count\", \"collection\": \"kept\"}]", "operation 0 (count)");
    expect_too_old(&how, "[{\"op\": \"history\", \"collection\": \"kept\", \"id\": \"x\"}]",
                   "operation 0 (history)");
}

// What is due at this time is trimmed.
static void trim_at(uint64_t time_us)
{
    set_time(time_us);
    executor_work(a.engine.executor, 100);
    engine_settle(&a.engine);
}

Test(past, what_was_trimmed_is_too_old_and_the_rest_is_as_it_was)
{
    struct message_read how = {.level = READ_snapshot, .at_version = 2};
    live(KEPT_S);
    trim_at((START_S + 2 + KEPT_S) * 1000000);
    expect_too_old(&how, GET, "version 2");
    expect_get_at(3, "{\"n\":2}");
    expect_get_at(4, "null");
    trim_at((START_S + 3 + KEPT_S) * 1000000);
    how.at_version = 4;
    expect_too_old(&how, GET, "version 4");
    expect_get_at(5, "{\"n\":3}");
}

Test(past, history_tells_all_versions_from_the_newest_on)
{
    live(KEPT_S);
    char wanted[1024];
    snprintf(wanted, sizeof wanted,
             "{\"versions\":[{\"document\":{\"n\":3},\"document_version\":%llu,\"time\":1004000000}"
             ",{\"document\":null,\"document_version\":%llu,\"time\":1003000000}"
             ",{\"document\":{\"n\":2},\"document_version\":%llu,\"time\":1002000000}"
             ",{\"document\":{\"n\":1},\"document_version\":%llu,\"time\":1001000000}],"
             "\"complete\":true}",
             (unsigned long long)a.engine.applied.place.version,
             (unsigned long long)a.engine.applied.place.version - 1,
             (unsigned long long)a.engine.applied.place.version - 2,
             (unsigned long long)a.engine.applied.place.version - 3);
    asker_expect(&a, "{\"op\": \"history\", \"collection\": \"kept\", \"id\": \"x\"}", wanted);
    asker_expect(&a, "{\"op\": \"history\", \"collection\": \"kept\", \"id\": \"y\"}",
                 "{\"versions\":[],\"complete\":true}");
    asker_expect(&a, "{\"op\": \"history\", \"collection\": \"none\", \"id\": \"y\"}",
                 "{\"versions\":[],\"complete\":true}");
}
