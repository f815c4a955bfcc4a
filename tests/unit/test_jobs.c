/*
 * Jobs: indexes of collections with documents are built, and what was dropped is cleared, bit by
 * bit, while documents are written and primaries come and go. In the end an index must hold exactly
 * what the documents say, and nothing may be left of what was dropped.
 */
#include "storage/jobs.h"

#include "base/random.h"
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

TestSuite(jobs, .init = setup, .fini = teardown);

static enum status put(uint64_t id, uint64_t a)
{
    char json[160];
    snprintf(json, sizeof json,
             "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%llu,\"document\":{\"a\":%llu}}]",
             (unsigned long long)id, (unsigned long long)a);
    return engine_do(&p, json);
}

static void put_many(uint64_t count)
{
    for (uint64_t id = 0; id < count; id++) {
        cr_assert_eq(put(id, id), STATUS_ok);
    }
    engine_settle(&p);
}

static enum status create_index(bool unique)
{
    return engine_do(&p, unique ? "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\","
                                  "\"fields\":[\"a\"],\"unique\":true}]"
                                : "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\","
                                  "\"fields\":[\"a\"]}]");
}

static void drop_index(void)
{
    engine_expect(&p, "[{\"op\":\"drop_index\",\"collection\":\"c\",\"index\":\"i\"}]", "[{}]");
}

// One chunk of the primary's own work.
static void work(size_t cells)
{
    cr_assert(executor_has_work(p.executor, p.time_us));
    executor_work(p.executor, cells);
    engine_settle(&p);
}

// The index of the collection "c", as the state has it.
static struct index_record settled_index(struct collection_record *ret_record)
{
    struct buffer key = {0};
    struct buffer value = {0};
    engine_settle(&p);
    cell_key_collection(&key, bytes_from_text("c"));
    cr_assert_eq(state_get(p.state, NULL, buffer_bytes(&key), &value), STATUS_ok);
    cr_assert_eq(collection_record_decode(buffer_bytes(&value), ret_record), STATUS_ok);
    cr_assert_eq(ret_record->index_count, 1);
    buffer_release(&key);
    buffer_release(&value);
    return ret_record->indexes[0];
}

static enum index_state settled_state(void)
{
    struct collection_record record;
    enum index_state state = settled_index(&record).state;
    collection_record_release(&record);
    return state;
}

static void check_entry(const struct index_record *index, struct bytes key, struct bytes value)
{
    struct buffer entry = {0};
    struct buffer found = {0};
    struct stored_document stored;
    struct bytes id;
    bool is_shared;
    cr_assert_eq(cell_key_document_id(key, &id), STATUS_ok);
    cr_assert_eq(stored_document_decode(value, &stored), STATUS_ok);
    cr_assert_eq(index_entry_key_at(index, stored.document, id, &entry, &is_shared), STATUS_ok);
    cr_assert_eq(state_get(p.state, NULL, buffer_bytes(&entry), &found), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&found), id));
    buffer_release(&entry);
    buffer_release(&found);
}

// Each document has its entry in the index, and there are no others.
static void check_index(void)
{
    struct collection_record record;
    struct index_record index = settled_index(&record);
    struct buffer from = {0};
    struct buffer to = {0};
    struct state_cursor *cursor;
    struct bytes key;
    struct bytes value;
    cell_range(CELL_DOCUMENT, &from, &to);
    cr_assert_eq(state_cursor_new(p.state, NULL, buffer_bytes(&from), buffer_bytes(&to), &cursor),
                 STATUS_ok);
    while (state_cursor_next(cursor, p.state, &key, &value)) {
        check_entry(&index, key, value);
    }
    cr_assert_eq(state_cursor_destroy(p.state, &cursor), STATUS_ok);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), engine_cells(&p, CELL_DOCUMENT));
    buffer_release(&from);
    buffer_release(&to);
    collection_record_release(&record);
}

Test(jobs, index_is_built_chunk_by_chunk)
{
    put_many(25);
    cr_assert_eq(create_index(false), STATUS_ok);
    engine_settle(&p);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 0);
    work(10);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 10);
    cr_assert_eq(settled_state(), INDEX_BUILDING);
    engine_do(&p, "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"i\"}]");
    engine_expect_failure(&p, STATUS_absent, 1, "\"i\"");
    work(10);
    work(10);
    cr_assert_eq(settled_state(), INDEX_READY);
    cr_assert_not(executor_has_work(p.executor, p.time_us));
    cr_assert_eq(engine_cells(&p, CELL_JOB), 0);
    check_index();
}

Test(jobs, building_takes_no_version_until_the_index_serves)
{
    put_many(25);
    create_index(false);
    engine_settle(&p);
    uint64_t version = p.version;
    work(10);
    work(10);
    cr_assert_eq(p.version, version);
    work(10);
    cr_assert_eq(settled_state(), INDEX_READY);
    cr_assert_eq(p.version, version + 1, "readers see another collection");
}

Test(jobs, an_index_that_cannot_be_takes_a_version_and_clearing_it_none)
{
    put_many(20);
    put(30, 5);
    create_index(true);
    engine_settle(&p);
    uint64_t version = p.version;
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_FAILED);
    cr_assert_eq(p.version, version + 1);
    drop_index();
    engine_wait(&p, 0);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 0);
    cr_assert_eq(p.version, version + 2, "only dropping it was seen");
}

Test(jobs, a_new_primary_goes_on_where_the_last_one_stopped)
{
    put_many(25);
    create_index(false);
    work(10);
    executor_work(p.executor, 10);
    engine_depose(&p);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 10);
    work(10);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 20);
    executor_reset(p.executor);
    engine_open(&p);
    work(10);
    check_index();
}

Test(jobs, entries_of_pending_writes_are_not_overwritten_by_older_ones)
{
    put_many(20);
    create_index(false);
    engine_close(&p);
    engine_open(&p);
    put(3, 1000);
    engine_do(&p, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":5}]");
    put(100, 7);
    executor_work(p.executor, 8);
    put(3, 2000);
    put(15, 3000);
    engine_do(&p, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":16}]");
    executor_work(p.executor, 100);
    check_index();
    cr_assert_eq(settled_state(), INDEX_READY);
}

Test(jobs, unique_index_is_built_if_values_are)
{
    put_many(20);
    cr_assert_eq(create_index(true), STATUS_ok);
    cr_assert_eq(put(30, 5), STATUS_ok, "the document that has it has no entry yet");
    cr_assert_eq(put(31, 5), STATUS_unique);
    cr_assert_eq(put(5, 500), STATUS_ok, "which must leave the entry of document 30 alone");
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_READY);
    check_index();
    cr_assert_eq(put(40, 7), STATUS_unique);
}

Test(jobs, unique_index_fails_over_a_conflict)
{
    put_many(20);
    put(30, 7);
    create_index(true);
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_FAILED);
    cr_assert_eq(put(40, 8), STATUS_ok, "a failed index refuses nothing");
    engine_do(&p, "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"i\"}]");
    engine_expect_failure(&p, STATUS_absent, 1, "\"i\"");
    drop_index();
    engine_wait(&p, 0);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 0);
    cr_assert_eq(put(40, 9), STATUS_ok);
    put(30, 30);
    put(40, 40);
    create_index(true);
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_READY);
}

Test(jobs, value_that_is_too_large_fails_a_build)
{
    char json[4096];
    char text[INDEX_KEY_SIZE_MAX];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    put_many(3);
    snprintf(json, sizeof json,
             "[{\"op\":\"put\",\"collection\":\"c\",\"id\":9,\"document\":{\"a\":\"%s\"}}]", text);
    cr_assert_eq(engine_do(&p, json), STATUS_ok);
    create_index(false);
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_FAILED);
    drop_index();
    create_index(false);
    cr_assert_eq(put(9, 9), STATUS_ok, "a document without an entry gets a value that fits");
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_READY);
    check_index();
}

Test(jobs, index_dropped_while_it_is_built_leaves_nothing)
{
    put_many(25);
    create_index(false);
    work(10);
    drop_index();
    create_index(true);
    engine_wait(&p, 0);
    cr_assert_eq(settled_state(), INDEX_READY);
    check_index();
    cr_assert_eq(engine_cells(&p, CELL_JOB), 0);
}

Test(jobs, dropped_collection_is_cleared_with_all_that_was_its_own)
{
    engine_expect(&p,
                  "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":"
                  "{\"history\":10,\"ttl\":1000}}]",
                  "[{}]");
    create_index(false);
    put_many(25);
    put(1, 100);
    engine_do(&p, "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"j\","
                  "\"fields\":[\"a\"]}]");
    work(10);
    engine_expect(&p, "[{\"op\":\"drop_collection\",\"collection\":\"c\"}]", "[{}]");
    engine_do(&p, "[{\"op\":\"put\",\"collection\":\"d\",\"id\":1,\"document\":{}}]");
    work(10);
    cr_assert_eq(engine_cells(&p, CELL_DOCUMENT), 16);
    cr_assert_eq(engine_cells(&p, CELL_EXPIRY), 15);
    engine_wait(&p, 10);
    cr_assert_eq(engine_cells(&p, CELL_DOCUMENT), 1);
    cr_assert_eq(engine_cells(&p, CELL_INDEX) + engine_cells(&p, CELL_HISTORY), 0);
    cr_assert_eq(engine_cells(&p, CELL_EXPIRY) + engine_cells(&p, CELL_TRIMMING), 0);
    cr_assert_eq(engine_cells(&p, CELL_JOB), 0);
    cr_assert_eq(engine_cells(&p, CELL_STATISTICS), 1);
    cr_assert_eq(engine_cells(&p, CELL_COLLECTION), 1);
}

Test(jobs, jobs_take_turns)
{
    put_many(25);
    create_index(false);
    engine_do(&p, "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"j\","
                  "\"fields\":[\"b\"]}]");
    engine_settle(&p);
    work(5);
    work(5);
    work(5);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 15);
    cr_assert_eq(engine_cells(&p, CELL_JOB), 2);
    engine_wait(&p, 0);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 50);
}

Test(jobs, large_documents_make_short_chunks)
{
    static char json[1000000];
    for (uint64_t id = 0; id < 10; id++) {
        int size = snprintf(json, sizeof json,
                            "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%llu,\"document\":"
                            "{\"a\":%llu,\"b\":\"",
                            (unsigned long long)id, (unsigned long long)id);
        memset(json + size, 'x', 900000);
        snprintf(json + size + 900000, sizeof json - (size_t)size - 900000, "\"}}]");
        cr_assert_eq(engine_do(&p, json), STATUS_ok);
        engine_settle(&p);
    }
    create_index(false);
    work(1000);
    cr_assert_eq(engine_cells(&p, CELL_INDEX), 5);
    work(1000);
    check_index();
}

Test(jobs, state_that_can_not_be_read_changes_nothing)
{
    put_many(25);
    create_index(false);
    work(10);
    cr_assert(executor_has_work(p.executor, p.time_us));
    state_memory_fail_reads(p.state, STATUS_damaged);
    executor_work(p.executor, 10);
    cr_assert_eq(executor_open_size(p.executor), 0);
    cr_assert_not(executor_has_work(p.executor, p.time_us));
    state_memory_fail_reads(p.state, STATUS_ok);
    engine_wait(&p, 0);
    check_index();
}

static void do_something(struct random *random)
{
    uint64_t dice = random_below(random, 100);
    uint64_t id = random_below(random, 60);
    if (dice < 50) {
        enum status status = put(id, random_below(random, 200));
        cr_assert(status == STATUS_ok || status == STATUS_unique);
    } else if (dice < 60) {
        char json[100];
        snprintf(json, sizeof json, "[{\"op\":\"delete\",\"collection\":\"c\",\"id\":%llu}]",
                 (unsigned long long)id);
        engine_do(&p, json);
    } else if (dice < 75) {
        executor_work(p.executor, 1 + random_below(random, 8));
    } else if (dice < 85 && p.entry_count < PIPELINE_ENTRIES_MAX) {
        engine_close(&p);
        engine_open(&p);
    } else if (dice < 98 && p.entry_count > 0) {
        engine_apply(&p);
    } else if (dice == 99) {
        engine_depose(&p);
    }
}

Test(jobs, index_is_right_whatever_happens_while_it_is_built, .timeout = 120)
{
    struct random random;
    unsigned failed = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        random_init(&random, seed);
        engine_release(&p);
        engine_init(&p);
        put_many(40);
        cr_assert_eq(create_index(random_chance(&random, 500000)), STATUS_ok);
        engine_settle(&p);
        for (unsigned i = 0; i < 60; i++) {
            do_something(&random);
        }
        engine_wait(&p, 0);
        if (settled_state() == INDEX_READY) {
            check_index();
        } else {
            failed++;
        }
    }
    cr_assert(failed > 0 && failed < 100, "%u", failed);
}
