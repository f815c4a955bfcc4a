/*
 * What transactions do: results, effects, errors and their sentences. Exactly once is in
 * test_executor_sessions.c, random histories are in test_executor_model.c. Each test begins with an
 * empty state and an open entry.
 */
#include "storage/executor.h"

#include "storage/generated_id.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"
#include "wire/pack.h"

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

TestSuite(executor, .init = setup, .fini = teardown);

// Reads a document in a transaction of its own; 0 if it is not there.
static uint64_t read_n(const char *collection, const char *id)
{
    engine_get(&p, collection, id);
    cr_assert_eq(engine_run(&p, "reader", 1, 0), STATUS_ok);
    return engine_result_n(&p, 0);
}

// A put in a transaction of its own.
static void write_n(uint64_t sequence, const char *id, uint64_t n)
{
    engine_put(&p, "c", id, n);
    cr_assert_eq(engine_run(&p, "s", sequence, 0), STATUS_ok);
}

Test(executor, put_is_seen_by_the_next_transaction)
{
    cr_assert_eq(read_n("c", "x"), 0);
    write_n(1, "x", 7);
    cr_assert_eq(p.outcome.version, 1);
    cr_assert_eq(p.outcome.time_us, 1000000);
    cr_assert_not(p.outcome.replayed);
    cr_assert_eq(read_n("c", "x"), 7);
    cr_assert_eq(p.outcome.version, 1, "a read sees the version, and takes none");
}

Test(executor, effects_are_seen_while_open_closed_and_applied)
{
    write_n(1, "x", 7);
    engine_close(&p);
    engine_open(&p);
    cr_assert_eq(read_n("c", "x"), 7);
    write_n(2, "x", 8);
    engine_apply(&p);
    cr_assert_eq(read_n("c", "x"), 8, "the applied entry must not hide the open one");
    engine_settle(&p);
    cr_assert_eq(read_n("c", "x"), 8);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(read_n("c", "x"), 8);
}

Test(executor, operations_see_the_ones_before_them)
{
    engine_put(&p, "c", "x", 1);
    engine_get(&p, "c", "x");
    engine_check(&p, "c", "x", 1);
    engine_delete(&p, "c", "x");
    engine_get(&p, "c", "x");
    engine_insert(&p, "c", "x", 2);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    cr_assert_eq(engine_result_n(&p, 1), 1);
    cr_assert_eq(engine_result_n(&p, 4), 0);
    cr_assert_eq(engine_result_n(&p, 6), 2);
}

Test(executor, get_tells_version_and_time)
{
    write_n(1, "x", 7);
    p.time_us = 5000000;
    engine_settle(&p);
    write_n(2, "y", 8);
    engine_get(&p, "c", "x");
    engine_get(&p, "c", "none");
    cr_assert_eq(engine_run(&p, "s", 3, 0), STATUS_ok);
    struct buffer wanted = {0};
    pack_array(&wanted, 2);
    pack_map(&wanted, 3);
    pack_text_literal(&wanted, "document");
    pack_map(&wanted, 1);
    pack_text_literal(&wanted, "n");
    pack_u64(&wanted, 7);
    pack_text_literal(&wanted, "document_version");
    pack_u64(&wanted, 1);
    pack_text_literal(&wanted, "time");
    pack_u64(&wanted, 1000000);
    pack_map(&wanted, 3);
    pack_text_literal(&wanted, "document");
    pack_nil(&wanted);
    pack_text_literal(&wanted, "document_version");
    pack_nil(&wanted);
    pack_text_literal(&wanted, "time");
    pack_nil(&wanted);
    cr_assert(bytes_equal(p.outcome.results, buffer_bytes(&wanted)));
    buffer_release(&wanted);
}

Test(executor, failing_operation_undoes_all_before_it)
{
    write_n(1, "x", 1);
    engine_put(&p, "c", "x", 2);
    engine_put(&p, "c", "y", 2);
    engine_put(&p, "new", "z", 2);
    engine_insert(&p, "c", "x", 3);
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_exists);
    engine_expect_failure(&p, STATUS_exists, 4, "\"x\" in collection \"c\"");
    cr_assert_eq(read_n("c", "x"), 1);
    cr_assert_eq(read_n("c", "y"), 0);
    cr_assert_eq(read_n("new", "z"), 0);
    cr_assert_eq(executor_open_transactions(p.executor), 1);
}

Test(executor, failed_transaction_leaves_no_byte_in_the_entry)
{
    engine_put(&p, "c", "x", 2);
    engine_delete(&p, "c", "none");
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_absent);
    engine_expect_failure(&p, STATUS_absent, 2, "operation 1 (delete) on \"none\"");
    cr_assert_eq(executor_open_size(p.executor), 0);
    engine_close(&p);
    cr_assert_eq(p.entries[0].payload.size, 1);
    engine_open(&p);
    engine_put(&p, "c", "x", 2);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok, "its sequence is still free");
    cr_assert_eq(p.outcome.version, 1);
}

Test(executor, collection_of_a_failed_transaction_is_made_anew_with_the_same_id)
{
    engine_put(&p, "a", "x", 1);
    engine_check_absent(&p, "a", "x");
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_refused);
    engine_put(&p, "b", "x", 2);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_put(&p, "a", "x", 3);
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_ok);
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(read_n("a", "x"), 3);
    cr_assert_eq(read_n("b", "x"), 2);
}

Test(executor, insert_makes_an_id_and_gives_it_back)
{
    engine_insert(&p, "c", NULL, 1);
    engine_insert(&p, "c", NULL, 2);
    engine_insert(&p, "c", "own", 3);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    char first[32] = "";
    char second[32] = "";
    struct bytes id = engine_result_id(&p, 0);
    cr_assert_eq(id.size, 26);
    memcpy(first, id.data, id.size);
    id = engine_result_id(&p, 1);
    memcpy(second, id.data, id.size);
    cr_assert(bytes_equal(engine_result_id(&p, 2), bytes_from_text("own")));
    cr_assert_lt(strcmp(first, second), 0);
    cr_assert_eq(read_n("c", first), 1);
    cr_assert_eq(read_n("c", second), 2);
}

Test(executor, insert_never_takes_the_place_of_a_document)
{
    uint8_t id[GENERATED_ID_SIZE + 1] = {0};
    generated_id(2, 1000000, 0, id);
    write_n(1, (const char *)id, 5);
    engine_insert(&p, "c", NULL, 6);
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_exists);
    engine_expect_failure(&p, STATUS_exists, 1, (const char *)id);
    cr_assert_eq(read_n("c", (const char *)id), 5);
}

Test(executor, check_compares_versions)
{
    write_n(1, "x", 1);
    engine_check(&p, "c", "x", 1);
    engine_check(&p, "c", "none", 0);
    engine_check_absent(&p, "c", "none");
    engine_check_absent(&p, "nowhere", "none");
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_ok);
    cr_assert_eq(p.outcome.version, 1, "checks alone take no version");
    engine_check(&p, "c", "x", 2);
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_refused);
    engine_expect_failure(&p, STATUS_refused, 1, "version is 1, not 2");
    engine_check_absent(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_refused);
    engine_expect_failure(&p, STATUS_refused, 1, "\"x\" in collection \"c\"");
    engine_check(&p, "c", "none", 1);
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_refused);
}

Test(executor, ids_of_both_kinds_are_different)
{
    engine_put(&p, "c", "42", 1);
    struct operation operation = operation_on(OPERATION_delete, "c", NULL);
    operation.has_id = true;
    operation.id.integer = 42;
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_absent);
    engine_expect_failure(&p, STATUS_absent, 2, "\"i:42\"");
}

Test(executor, document_that_is_not_canonical_is_stored_canonical)
{
    static const uint8_t loose[] = {0xde, 0x00, 0x01, 0xa1, 'n', 0xcd, 0x00, 0x07};
    static const uint8_t strict[] = {0x81, 0xa1, 'n', 0x07};
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    operation.document = bytes_of(loose, sizeof loose);
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_ok);
    bool found = memmem(p.outcome.results.data, p.outcome.results.size, strict, sizeof strict);
    cr_assert(found);
}

Test(executor, document_that_can_not_be_stored_is_refused_with_its_reason)
{
    static const uint8_t twice[] = {0x82, 0xa1, 'n', 0x07, 0xa1, 'n', 0x08};
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    operation.document = bytes_of(twice, sizeof twice);
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_bad_request);
    engine_expect_failure(&p, STATUS_bad_request, 1, "operation 0 (put) has a document that");
}

Test(executor, operations_for_reads_are_refused)
{
    struct operation operation = operation_on(OPERATION_history, "c", "x");
    engine_get(&p, "c", "x");
    engine_operation(&p, &operation);
    engine_run(&p, "s", 1, 0);
    engine_expect_failure(&p, STATUS_bad_request, 2, "operation 1 (history) is an operation for");
    operation = (struct operation){.kind = OPERATION_collections};
    engine_operation(&p, &operation);
    engine_run(&p, "s", 1, 0);
    engine_expect_failure(&p, STATUS_bad_request, 1, "operation 0 (collections)");
}

Test(executor, malformed_operations_are_a_bad_request)
{
    static const uint8_t garbage[] = {0x92, 0x80};
    cr_assert_eq(engine_run_packed(&p, "s", 1, bytes_of(garbage, sizeof garbage)),
                 STATUS_bad_request);
    cr_assert_gt(p.outcome.message.size, 0);
    cr_assert_eq(engine_run_packed(&p, "s", 1, (struct bytes){0}), STATUS_bad_request);
    cr_assert_gt(p.outcome.message.size, 0);
}

Test(executor, malformed_operation_behind_a_good_one_undoes_it)
{
    struct buffer operations = {0};
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    static const uint8_t empty_map = 0x80;
    operation.document = bytes_of(&empty_map, 1);
    pack_array(&operations, 2);
    operation_pack(&operation, &operations);
    pack_map(&operations, 0);
    cr_assert_eq(engine_run_packed(&p, "s", 1, buffer_bytes(&operations)), STATUS_bad_request);
    cr_assert_eq(p.outcome.operation, 2);
    cr_assert_eq(read_n("c", "x"), 0);
    cr_assert_eq(executor_open_size(p.executor), 0);
    buffer_release(&operations);
}

Test(executor, names_of_sessions_and_sequences_are_checked)
{
    char long_name[SESSION_NAME_SIZE_MAX + 2];
    memset(long_name, 'x', sizeof long_name);
    long_name[SESSION_NAME_SIZE_MAX + 1] = 0;
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "", 1, 0), STATUS_bad_request);
    engine_expect_failure(&p, STATUS_bad_request, 0, "session");
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, long_name, 1, 0), STATUS_bad_request);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "\xff", 1, 0), STATUS_bad_request);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, long_name + 1, 0, 0), STATUS_bad_request);
    engine_expect_failure(&p, STATUS_bad_request, 0, "sequence 0");
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, long_name + 1, 1, 0), STATUS_ok);
}

Test(executor, too_many_collections_are_refused)
{
    for (unsigned i = 0; i < COLLECTION_COUNT_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        engine_put(&p, name, "x", 1);
        cr_assert_eq(engine_run(&p, "s", i + 1, i), STATUS_ok);
    }
    engine_put(&p, "one more", "x", 1);
    cr_assert_eq(engine_run(&p, "s", COLLECTION_COUNT_MAX + 1, COLLECTION_COUNT_MAX),
                 STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 1, "\"one more\"");
    engine_settle(&p);
    executor_reset(p.executor);
    engine_open(&p);
    cr_assert_eq(read_n("c1023", "x"), 1);
}

Test(executor, answer_that_would_be_too_large_is_refused)
{
    struct buffer document = {0};
    pack_map(&document, 1);
    pack_text_literal(&document, "b");
    struct buffer filler = {0};
    memset(buffer_extend(&filler, 1000 * KIB), 'x', 1000 * KIB);
    pack_text(&document, buffer_bytes(&filler));
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    operation.document = buffer_bytes(&document);
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    for (int i = 0; i < 7; i++) {
        engine_get(&p, "c", "x");
    }
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_too_large);
    engine_expect_failure(&p, STATUS_too_large, 7, "operation 6 (get)");
    buffer_release(&document);
    buffer_release(&filler);
}

Test(executor, damaged_state_fails_transactions_and_names_itself)
{
    write_n(1, "x", 1);
    engine_settle(&p);
    state_memory_fail_reads(p.state, STATUS_damaged);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_damaged);
    engine_expect_failure(&p, STATUS_damaged, 1, "damaged");
    cr_assert_eq(executor_fault(p.executor), STATUS_damaged);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "another session", 1, 0), STATUS_damaged);
    engine_expect_failure(&p, STATUS_damaged, 0, "damaged");
    executor_reset(p.executor);
    engine_open(&p);
    engine_get(&p, "c", "x");
    cr_assert_eq(engine_run(&p, "s", 2, 0), STATUS_damaged);
    engine_expect_failure(&p, STATUS_damaged, 0, "damaged");
    state_memory_fail_reads(p.state, STATUS_ok);
    cr_assert_eq(read_n("c", "x"), 1);
}

Test(executor, put_that_can_not_see_what_it_replaces_fails)
{
    write_n(1, "x", 1);
    engine_settle(&p);
    state_memory_fail_reads(p.state, STATUS_damaged);
    engine_put(&p, "c", "x", 2);
    engine_run(&p, "s", 2, 0);
    engine_expect_failure(&p, STATUS_damaged, 1, "operation 0 (put) met a state");
    state_memory_fail_reads(p.state, STATUS_ok);
    cr_assert_eq(read_n("c", "x"), 1);
}

Test(executor, reset_forgets_what_was_not_applied)
{
    write_n(1, "x", 1);
    engine_settle(&p);
    write_n(2, "x", 2);
    engine_put(&p, "new", "x", 2);
    cr_assert_eq(engine_run(&p, "s", 3, 0), STATUS_ok);
    engine_close(&p);
    engine_open(&p);
    write_n(4, "x", 4);
    engine_depose(&p);
    cr_assert_eq(read_n("c", "x"), 1);
    cr_assert_eq(read_n("new", "x"), 0);
    cr_assert_eq(executor_open_size(p.executor), 0);
    write_n(2, "x", 5);
    cr_assert_not(p.outcome.replayed, "what was lost never ran");
    cr_assert_eq(p.outcome.version, 2);
}

Test(executor, collection_that_was_lost_is_made_again)
{
    engine_put(&p, "lost", "x", 1);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_close(&p);
    engine_depose(&p);
    engine_put(&p, "lost", "x", 2);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_settle(&p);
    executor_destroy(&p.executor);
    p.executor = executor_new(p.state);
    engine_open(&p);
    cr_assert_eq(read_n("lost", "x"), 2);
}
