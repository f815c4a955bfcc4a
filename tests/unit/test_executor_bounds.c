/*
 * What one transaction may look at and write, so that the executor is never busy with one for long:
 * each bound on both of its sides. What rows a find looks at is in test_executor_documents.c.
 */
#include "storage/executor.h"

#include "storage/results.h"
#include "tests/unit/fixture_engine.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
    TEXT_HEAD_SIZE = 8,     // of a document {"a": text} that has a long text, without it
    SIZED_TEXT_MIN = 65536, // from here on the head of a text has the same size
};

static struct engine p;

static void setup(void)
{
    engine_init(&p);
}

static void teardown(void)
{
    engine_release(&p);
}

TestSuite(executor_bounds, .init = setup, .fini = teardown);

static enum status run(void)
{
    p.sequence++;
    return engine_run(&p, "s", p.sequence, p.sequence);
}

// Adds a put of a document {"a": text} that has `size` bytes.
static void add_put(const char *id, size_t size)
{
    AUTO(buffer_release) struct buffer document = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct operation operation = operation_on(OPERATION_put, "c", id);
    cr_assert_geq(size, SIZED_TEXT_MIN + TEXT_HEAD_SIZE);
    memset(buffer_extend(&text, size - TEXT_HEAD_SIZE), 'x', size - TEXT_HEAD_SIZE);
    pack_map(&document, 1);
    pack_text_literal(&document, "a");
    pack_text(&document, buffer_bytes(&text));
    cr_assert_eq(document.size, size);
    operation.document = buffer_bytes(&document);
    engine_operation(&p, &operation);
}

static void put(const char *id, size_t size)
{
    add_put(id, size);
    cr_assert_eq(run(), STATUS_ok);
    engine_settle(&p);
}

// Adds an update that changes nothing of the document, and still writes it.
static void add_update(const char *id)
{
    static const uint8_t empty_map = 0x80;
    struct operation operation = operation_on(OPERATION_update, "c", id);
    operation.patch = bytes_of(&empty_map, 1);
    engine_operation(&p, &operation);
}

// A condition that looks up a field so many times, and holds for a document {"a": text}.
static void pack_condition(struct buffer *where, uint32_t field_count)
{
    pack_map(where, 1);
    pack_text_literal(where, "$and");
    pack_array(where, field_count);
    for (uint32_t i = 0; i < field_count; i++) {
        pack_map(where, 1);
        pack_text_literal(where, "a");
        pack_map(where, 1);
        pack_text_literal(where, "$exists");
        pack_flag(where, true);
    }
}

// Adds an operation with such a condition.
static void add_condition(struct operation operation, uint32_t field_count)
{
    AUTO(buffer_release) struct buffer where = {0};
    pack_condition(&where, field_count);
    operation.where = buffer_bytes(&where);
    engine_operation(&p, &operation);
}

static void add_check(const char *id, uint32_t field_count)
{
    add_condition(operation_on(OPERATION_check, "c", id), field_count);
}

static void add_find(enum operation_kind kind, uint32_t field_count)
{
    add_condition(operation_on(kind, "c", NULL), field_count);
}

// Effects of a transaction that updates a document of a MiB four times and puts one of this size.
static size_t measure_effects(size_t size)
{
    engine_settle(&p);
    add_put("filler", size);
    cr_assert_eq(run(), STATUS_ok);
    size_t before = executor_open_size(p.executor);
    for (int i = 0; i < 4; i++) {
        add_update("large");
    }
    add_put("filler", size);
    cr_assert_eq(run(), STATUS_ok);
    return executor_open_size(p.executor) - before;
}

Test(executor_bounds, effects_have_a_size)
{
    put("large", DOCUMENT_SIZE_MAX);
    size_t effects = measure_effects(100000);
    size_t size = 100000 + TRANSACTION_EFFECTS_SIZE_MAX - effects;
    cr_assert_eq(measure_effects(size), TRANSACTION_EFFECTS_SIZE_MAX);
    engine_settle(&p);
    for (int i = 0; i < 4; i++) {
        add_update("large");
    }
    add_put("filler", size + 1);
    add_put("never", size);
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 5,
                          "operation 4 (put) writes more than the 4608 KiB that a transaction may, "
                          "indexes and history included: make it two");
    cr_assert_eq(executor_open_size(p.executor), 0);
}

Test(executor_bounds, effects_end_a_transaction_with_the_operation_that_is_too_much)
{
    put("large", DOCUMENT_SIZE_MAX);
    for (int i = 0; i < TRANSACTION_OPERATIONS_MAX; i++) {
        add_update("large");
    }
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 5, "operation 4 (update)");
}

Test(executor_bounds, history_counts_among_the_effects)
{
    engine_do(&p, "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":"
                  "{\"history\":60}}]");
    static const char *const IDS[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++) {
        put(IDS[i], DOCUMENT_SIZE_MAX);
    }
    add_update("1");
    add_update("2");
    cr_assert_eq(run(), STATUS_ok);
    engine_settle(&p);
    for (int i = 0; i < 3; i++) {
        add_update(IDS[i]);
    }
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 3, "history included");
}

Test(executor_bounds, effects_of_others_in_the_entry_do_not_count)
{
    put("large", DOCUMENT_SIZE_MAX);
    size_t size = ENTRY_FILL_SIZE - 1000;
    add_put("first", size);
    cr_assert_eq(run(), STATUS_ok);
    cr_assert_lt(executor_open_size(p.executor), ENTRY_FILL_SIZE);
    for (int i = 0; i < 4; i++) {
        add_update("large");
    }
    add_put("last", 400000);
    cr_assert_eq(run(), STATUS_ok);
    engine_close(&p);
    cr_assert_leq(p.entries[0].payload.size, ENTRY_PAYLOAD_SIZE_MAX);
    engine_open(&p);
}

Test(executor_bounds, documents_looked_at_have_a_size)
{
    put("just", TRANSACTION_EXAMINED_SIZE_MAX / PREDICATE_FIELDS_MAX);
    put("more", TRANSACTION_EXAMINED_SIZE_MAX / PREDICATE_FIELDS_MAX + 1);
    add_check("just", PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_ok);
    add_check("more", PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1,
                          "operation 0 (check) would look at more than 48 MiB of documents in one "
                          "transaction");
    add_check("just", PREDICATE_FIELDS_MAX / 2);
    add_check("just", PREDICATE_FIELDS_MAX / 2);
    cr_assert_eq(run(), STATUS_ok, "each transaction has its own account");
    add_check("just", PREDICATE_FIELDS_MAX);
    engine_get(&p, "c", "nothing");
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 2, "operation 1 (get) would look at more");
}

Test(executor_bounds, finds_look_at_so_many_bytes)
{
    put("just", TRANSACTION_EXAMINED_SIZE_MAX / PREDICATE_FIELDS_MAX);
    add_find(OPERATION_find, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_ok);
    add_find(OPERATION_count, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_ok);
    add_check("just", 1);
    add_find(OPERATION_count, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 2,
                          "operation 1 (count) would look at more than 48 MiB of documents in one "
                          "transaction: an index on collection \"c\" would help, or a limit");
    struct operation sorted = operation_on(OPERATION_find, "c", NULL);
    sorted.order = bytes_from_text("a");
    add_condition(sorted, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_ok);
    put("more", SIZED_TEXT_MIN + TEXT_HEAD_SIZE);
    add_find(OPERATION_find, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_too_large);
    add_condition(sorted, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1,
                          "operation 0 (find) would have to sort more bytes of documents than it "
                          "may look at: an index on \"a\" would help");
    sorted.order = (struct bytes){0};
    sorted.limit = 1;
    add_condition(sorted, PREDICATE_FIELDS_MAX);
    cr_assert_eq(run(), STATUS_ok, "a limit that is reached before");
}

// Counts with a condition of so many bytes, which holds for no document.
static enum status count_with(size_t condition_size)
{
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct operation operation = operation_on(OPERATION_count, "c", NULL);
    memset(buffer_extend(&text, condition_size - TEXT_HEAD_SIZE), 'y',
           condition_size - TEXT_HEAD_SIZE);
    pack_map(&where, 1);
    pack_text_literal(&where, "a");
    pack_text(&where, buffer_bytes(&text));
    operation.where = buffer_bytes(&where);
    cr_assert_eq(where.size, condition_size);
    engine_operation(&p, &operation);
    return run();
}

Test(executor_bounds, long_condition_is_held_against_few_documents)
{
    enum { DOCUMENTS = TRANSACTION_EXAMINED_SIZE_MAX / EXAMINED_CONDITION_WEIGHT / MIB };
    for (int i = 0; i < DOCUMENTS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        put(id, SIZED_TEXT_MIN + TEXT_HEAD_SIZE);
    }
    cr_assert_eq(count_with(MIB), STATUS_ok);
    put("more", SIZED_TEXT_MIN + TEXT_HEAD_SIZE);
    cr_assert_eq(count_with(MIB), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1, "operation 0 (count) would look at more");
    cr_assert_eq(count_with(MIB * DOCUMENTS / (DOCUMENTS + 1)), STATUS_ok);
}

Test(executor_bounds, long_condition_is_held_against_few_indexes)
{
    enum { INDEXES = TRANSACTION_EXAMINED_SIZE_MAX / EXAMINED_CONDITION_WEIGHT / MIB };
    for (int i = 0; i <= INDEXES; i++) {
        char json[128];
        snprintf(json, sizeof json,
                 "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i%d\","
                 "\"fields\":[\"f%d\"]}]",
                 i, i);
        cr_assert_eq(engine_do(&p, json), STATUS_ok);
    }
    cr_assert_eq(count_with(MIB / 2), STATUS_ok);
    cr_assert_eq(count_with(MIB), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1,
                          "operation 0 (count) has a condition of 1048576");
}

// Runs an `unchanged` of so many documents that aren't there.
static enum status run_unchanged(uint32_t count)
{
    AUTO(buffer_release) struct buffer ids = {0};
    struct operation operation = operation_on(OPERATION_unchanged, "c", NULL);
    pack_array(&ids, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_array(&ids, 2);
        pack_u64(&ids, i);
        pack_u64(&ids, 0);
    }
    operation.ids = buffer_bytes(&ids);
    engine_operation(&p, &operation);
    return run();
}

Test(executor_bounds, documents_looked_at_have_a_number)
{
    uint32_t count = TRANSACTION_EXAMINED_SIZE_MAX / EXAMINED_SIZE_MIN;
    cr_assert_eq(run_unchanged(count), STATUS_ok);
    cr_assert_eq(run_unchanged(count + 1), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1, "operation 0 (unchanged) would look at more");
}

Test(executor_bounds, what_the_transactions_of_an_entry_look_at_adds_up)
{
    cr_assert_eq(run_unchanged(3), STATUS_ok);
    engine_get(&p, "c", "x");
    cr_assert_eq(run(), STATUS_ok);
    engine_delete(&p, "c", "x");
    cr_assert_eq(run(), STATUS_absent);
    cr_assert_eq(executor_open_examined_size(p.executor), 5 * EXAMINED_SIZE_MIN);
    engine_settle(&p);
    cr_assert_eq(executor_open_examined_size(p.executor), 0);
}

// Makes the collection, whose documents have to pass a check that looks up a field so many times.
static void make_checked(uint32_t field_count)
{
    AUTO(buffer_release) struct buffer settings = {0};
    struct operation operation = operation_on(OPERATION_create_collection, "c", NULL);
    pack_map(&settings, 1);
    pack_text_literal(&settings, "check");
    pack_array(&settings, 1);
    pack_condition(&settings, field_count);
    operation.settings = buffer_bytes(&settings);
    engine_operation(&p, &operation);
    cr_assert_eq(run(), STATUS_ok);
}

Test(executor_bounds, checks_of_collections_look_at_documents_too)
{
    make_checked(PREDICATE_FIELDS_MAX);
    size_t size = (TRANSACTION_EXAMINED_SIZE_MAX - EXAMINED_SIZE_MIN) / PREDICATE_FIELDS_MAX;
    add_put("just", size); // which is EXAMINED_SIZE_MIN for what was there before
    cr_assert_eq(run(), STATUS_ok);
    add_put("more", size + 1);
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1,
                          "operation 0 (put) on \"more\" in collection \"c\": would look at more "
                          "than 48 MiB of documents");
}

// Gets documents that leave 8 KiB of an answer, and so many that aren't there.
static enum status run_gets(int absent_count)
{
    static const char *const IDS[] = {"1", "2", "3", "4", "5", "rest"};
    for (size_t i = 0; i < sizeof IDS / sizeof IDS[0]; i++) {
        engine_get(&p, "c", IDS[i]);
    }
    for (int i = 0; i < absent_count; i++) {
        engine_get(&p, "c", "none");
    }
    return run();
}

Test(executor_bounds, results_fit_into_an_answer)
{
    static const char *const IDS[] = {"1", "2", "3", "4", "5"};
    for (size_t i = 0; i < sizeof IDS / sizeof IDS[0]; i++) {
        put(IDS[i], DOCUMENT_SIZE_MAX);
    }
    put("rest", DOCUMENT_SIZE_MAX - 8 * KIB);
    int count = 0;
    while (run_gets(count) == STATUS_ok) {
        cr_assert_leq(p.outcome.results.size, RESULTS_SIZE_MAX);
        count++;
    }
    engine_expect_failure(&p, STATUS_too_large, (uint32_t)count + 6,
                          "(get) makes more than fits into an answer");
    cr_assert_geq(count, 100);
}

Test(executor_bounds, list_of_operations_is_so_long_at_most)
{
    for (int i = 0; i < TRANSACTION_OPERATIONS_MAX; i++) {
        engine_get(&p, "c", "x");
    }
    cr_assert_eq(run(), STATUS_ok);
    for (int i = 0; i <= TRANSACTION_OPERATIONS_MAX; i++) {
        engine_get(&p, "c", "x");
    }
    cr_assert_eq(run(), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 0,
                          "the list of operations holds 4097 operations, 4096 are allowed");
}

// Runs puts whose list has this size.
static enum status run_sized(size_t size)
{
    enum { HEAD_SIZE = 1 };
    for (int i = 0; i < 3; i++) {
        add_put("x", DOCUMENT_SIZE_MAX);
    }
    size_t before = p.operations.size;
    add_put("y", SIZED_TEXT_MIN + TEXT_HEAD_SIZE);
    size_t operation_size = p.operations.size - before - SIZED_TEXT_MIN - TEXT_HEAD_SIZE;
    buffer_truncate(&p.operations, before);
    p.operation_count--;
    add_put("y", size - HEAD_SIZE - before - operation_size);
    return run();
}

Test(executor_bounds, list_of_operations_has_a_size)
{
    cr_assert_eq(run_sized(TRANSACTION_SIZE_MAX), STATUS_ok);
    engine_settle(&p);
    cr_assert_eq(run_sized(TRANSACTION_SIZE_MAX + 1), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 0,
                          "the list of operations is larger than 4194304 bytes");
}
