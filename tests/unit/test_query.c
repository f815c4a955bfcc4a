/*
 * Reads and digests as a reader meets them, encoded and decoded. The state is made by an executor,
 * so what it writes and what a query reads can't drift apart.
 */
#include "storage/query.h"

#include "storage/cells.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct engine p;
static struct marks *marks;
static struct buffer operations; // packed, of the next read
static uint32_t operation_count;
static struct buffer answer;

static void setup(void)
{
    engine_init(&p);
    marks = marks_new(p.state);
}

static void teardown(void)
{
    marks_destroy(&marks);
    cr_assert_eq(state_memory_open_count(p.state), 0, "a snapshot was forgotten");
    engine_release(&p);
    buffer_release(&operations);
    buffer_release(&answer);
}

TestSuite(query, .init = setup, .fini = teardown);

static void write_n(uint64_t sequence, const char *id, uint64_t n)
{
    engine_put(&p, "c", id, n);
    cr_assert_eq(engine_run(&p, "s", sequence, 0), STATUS_ok);
    engine_settle(&p);
}

static void add(enum operation_kind kind, const char *collection, const char *id)
{
    struct operation operation = operation_on(kind, collection, id);
    operation_pack(&operation, &operations);
    operation_count++;
}

static struct message ask(const struct message *question)
{
    struct message reply;
    buffer_clear(&answer);
    query_run(p.state, marks, question, &answer);
    struct bytes rest = buffer_bytes(&answer);
    cr_assert_eq(message_decode(&rest, &reply), STATUS_ok);
    cr_assert_eq(rest.size, 0);
    return reply;
}

static struct message_read_reply read_packed(enum read_level level, uint64_t at_version,
                                             struct bytes packed)
{
    struct message question = {.kind = MESSAGE_read};
    question.read.request = 77;
    question.read.level = (uint8_t)level;
    question.read.at_version = at_version;
    question.read.operations = packed;
    struct message reply = ask(&question);
    cr_assert_eq(reply.kind, MESSAGE_read_reply);
    cr_assert_eq(reply.read_reply.request, 77);
    cr_assert_eq(reply.read_reply.status == STATUS_ok, reply.read_reply.message.size == 0);
    // The fixture looks into results where an executor leaves them.
    p.outcome.results = reply.read_reply.results;
    return reply.read_reply;
}

// Reads with the operations gathered.
static struct message_read_reply read_at(enum read_level level, uint64_t at_version)
{
    struct buffer packed = {0};
    pack_array(&packed, operation_count);
    buffer_append(&packed, buffer_bytes(&operations));
    struct message_read_reply reply = read_packed(level, at_version, buffer_bytes(&packed));
    buffer_release(&packed);
    buffer_clear(&operations);
    operation_count = 0;
    return reply;
}

static void expect_failure(struct message_read_reply reply, enum status status, const char *words)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    memcpy(sentence, reply.message.data, reply.message.size);
    cr_assert_eq(reply.status, status, "%s: %s", status_name((enum status)reply.status), sentence);
    cr_assert_eq(reply.results.size, 0);
    cr_assert_not_null(strstr(sentence, words), "\"%s\" doesn't name \"%s\"", sentence, words);
}

Test(query, read_answers_every_get_in_order)
{
    write_n(1, "x", 1);
    write_n(2, "y", 2);
    add(OPERATION_get, "c", "y");
    add(OPERATION_get, "c", "none");
    add(OPERATION_get, "nowhere", "x");
    add(OPERATION_get, "c", "x");
    struct message_read_reply reply = read_at(READ_any, 0);
    cr_assert_eq(reply.status, STATUS_ok);
    cr_assert_eq(reply.version, 2);
    cr_assert_eq(engine_result_n(&p, 0), 2);
    cr_assert_eq(engine_result_n(&p, 1), 0);
    cr_assert_eq(engine_result_n(&p, 2), 0);
    cr_assert_eq(engine_result_n(&p, 3), 1);
}

Test(query, read_results_are_those_of_a_transaction)
{
    write_n(1, "x", 1);
    engine_get(&p, "c", "x");
    engine_get(&p, "c", "none");
    cr_assert_eq(engine_run(&p, "reader", 1, 0), STATUS_ok);
    struct buffer wanted = {0};
    buffer_append(&wanted, p.outcome.results);
    add(OPERATION_get, "c", "x");
    add(OPERATION_get, "c", "none");
    cr_assert(bytes_equal(read_at(READ_session, 0).results, buffer_bytes(&wanted)));
    buffer_release(&wanted);
}

Test(query, empty_state_has_version_zero)
{
    add(OPERATION_get, "c", "x");
    struct message_read_reply reply = read_at(READ_linearizable, 0);
    cr_assert_eq(reply.status, STATUS_ok);
    cr_assert_eq(reply.version, 0);
    cr_assert_eq(engine_result_n(&p, 0), 0);
}

Test(query, read_at_a_mark_sees_that_version)
{
    write_n(1, "x", 1);
    cr_assert_eq(marks_add(marks, 1, 0), STATUS_ok);
    write_n(2, "x", 2);
    add(OPERATION_get, "c", "x");
    struct message_read_reply reply = read_at(READ_snapshot, 1);
    cr_assert_eq(reply.status, STATUS_ok);
    cr_assert_eq(reply.version, 1);
    cr_assert_eq(engine_result_n(&p, 0), 1);
    add(OPERATION_get, "c", "x");
    cr_assert_eq(read_at(READ_any, 1).version, 2, "other levels don't look at at_version");
    marks_expire(marks, UINT64_MAX, 0);
    cr_assert_eq(marks_count(marks), 0, "the mark was given back");
}

Test(query, read_at_a_version_without_a_mark_is_too_old)
{
    write_n(1, "x", 1);
    add(OPERATION_get, "c", "x");
    expect_failure(read_at(READ_snapshot, 1), STATUS_too_old, "version 1");
}

Test(query, read_takes_gets_only)
{
    add(OPERATION_get, "c", "x");
    add(OPERATION_delete, "c", "x");
    expect_failure(read_at(READ_any, 0), STATUS_bad_request, "operation 1 (delete)");
}

Test(query, malformed_operations_are_a_bad_request)
{
    expect_failure(read_packed(READ_any, 0, bytes_from_text("\xc1")), STATUS_bad_request, "");
    expect_failure(read_packed(READ_any, 0, (struct bytes){0}), STATUS_bad_request, "");
    expect_failure(read_packed(READ_any, 0, bytes_from_text("\x91\x80")), STATUS_bad_request,
                   "operation 0");
}

Test(query, too_many_gets_are_refused)
{
    for (unsigned i = 0; i < READ_OPERATIONS_MAX; i++) {
        add(OPERATION_get, "c", "x");
    }
    cr_assert_eq(read_at(READ_any, 0).status, STATUS_ok);
    for (unsigned i = 0; i <= READ_OPERATIONS_MAX; i++) {
        add(OPERATION_get, "c", "x");
    }
    expect_failure(read_at(READ_any, 0), STATUS_too_large, "1001");
}

Test(query, answer_that_would_be_too_large_is_refused)
{
    struct buffer document = {0};
    struct buffer filler = {0};
    pack_map(&document, 1);
    pack_text_literal(&document, "b");
    memset(buffer_extend(&filler, 1000 * KIB), 'x', 1000 * KIB);
    pack_text(&document, buffer_bytes(&filler));
    struct operation operation = operation_on(OPERATION_put, "c", "x");
    operation.document = buffer_bytes(&document);
    engine_operation(&p, &operation);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_settle(&p);
    for (int i = 0; i < 6; i++) {
        add(OPERATION_get, "c", "x");
    }
    cr_assert_eq(read_at(READ_any, 0).status, STATUS_ok);
    for (int i = 0; i < 7; i++) {
        add(OPERATION_get, "c", "x");
    }
    expect_failure(read_at(READ_any, 0), STATUS_too_large, "operation 6 (get)");
    buffer_release(&document);
    buffer_release(&filler);
}

Test(query, damaged_state_is_told)
{
    write_n(1, "x", 1);
    cr_assert_eq(marks_add(marks, 1, 0), STATUS_ok);
    state_memory_fail_reads(p.state, STATUS_damaged);
    add(OPERATION_get, "c", "x");
    expect_failure(read_at(READ_any, 0), STATUS_damaged, "damaged");
    add(OPERATION_get, "c", "x");
    expect_failure(read_at(READ_snapshot, 1), STATUS_damaged, "damaged");
}

// Overwrites a cell with what can't be decoded.
static void ruin(const struct buffer *key)
{
    struct state_batch batch = {0};
    state_batch_put(&batch, buffer_bytes(key), bytes_from_text("\xc1"));
    cr_assert_eq(state_write(p.state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

Test(query, cells_that_can_not_be_decoded_are_damage)
{
    write_n(1, "x", 1);
    struct buffer key = {0};
    struct document_id id = {.is_text = true, .text = bytes_from_text("x")};
    cell_key_document(&key, 1, &id);
    ruin(&key);
    add(OPERATION_get, "c", "x");
    expect_failure(read_at(READ_any, 0), STATUS_damaged, "damaged");
    buffer_clear(&key);
    cell_key_collection(&key, bytes_from_text("c"));
    ruin(&key);
    add(OPERATION_get, "c", "y");
    expect_failure(read_at(READ_any, 0), STATUS_damaged, "damaged");
    buffer_clear(&key);
    cell_key_applied(&key);
    ruin(&key);
    add(OPERATION_get, "other", "x");
    expect_failure(read_at(READ_any, 0), STATUS_damaged, "damaged");
    buffer_release(&key);
}

static struct message_digest_reply digest_of(uint64_t version)
{
    struct message question = {.kind = MESSAGE_digest};
    question.digest.request = 78;
    question.digest.version = version;
    struct message reply = ask(&question);
    cr_assert_eq(reply.kind, MESSAGE_digest_reply);
    cr_assert_eq(reply.digest_reply.request, 78);
    cr_assert_eq(reply.digest_reply.version, version);
    return reply.digest_reply;
}

Test(query, digest_is_that_of_the_marked_version)
{
    write_n(1, "x", 1);
    cr_assert_eq(marks_add(marks, 1, 0), STATUS_ok);
    struct message_digest_reply first = digest_of(1);
    cr_assert_eq(first.status, STATUS_ok);
    cr_assert_eq(first.chain, p.applied.chain);
    cr_assert_eq(first.position, p.applied.place.position);
    write_n(2, "x", 2);
    cr_assert_eq(marks_add(marks, 2, 0), STATUS_ok);
    struct message_digest_reply second = digest_of(2);
    cr_assert_neq(second.digest, first.digest);
    cr_assert_neq(second.chain, first.chain);
    cr_assert_eq(digest_of(1).digest, first.digest);
    cr_assert_eq(digest_of(1).chain, first.chain);
}

// The digest of a state that was written so: pairs of key and value, the last key NULL.
static uint64_t digest_of_cells(const char *const *cells)
{
    struct state *state = state_memory_new();
    struct marks *own = marks_new(state);
    struct state_batch batch = {0};
    for (; cells[0] != NULL; cells += 2) {
        state_batch_put(&batch, bytes_from_text(cells[0]), bytes_from_text(cells[1]));
    }
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    cr_assert_eq(marks_add(own, 5, 0), STATUS_ok);
    struct message question = {.kind = MESSAGE_digest};
    question.digest.version = 5;
    buffer_clear(&answer);
    query_run(state, own, &question, &answer);
    struct bytes rest = buffer_bytes(&answer);
    struct message reply;
    cr_assert_eq(message_decode(&rest, &reply), STATUS_ok);
    cr_assert_eq(reply.digest_reply.status, STATUS_ok);
    state_batch_release(&batch);
    marks_destroy(&own);
    state_destroy(&state);
    return reply.digest_reply.digest;
}

Test(query, digest_of_equal_states_is_equal_whatever_their_past)
{
    uint64_t digest = digest_of_cells((const char *[]){"k", "1", "l", "2", NULL});
    cr_assert_eq(digest, digest_of_cells((const char *[]){"l", "0", "k", "1", "l", "2", NULL}));
    cr_assert_neq(digest, digest_of_cells((const char *[]){"k", "1", "l", "3", NULL}));
    cr_assert_neq(digest, digest_of_cells((const char *[]){"k", "1", NULL}));
    cr_assert_neq(digest, digest_of_cells((const char *[]){"k", "1l2", NULL}));
    cr_assert_neq(digest, digest_of_cells((const char *[]){"k", "1l", "l", "2", NULL}));
}

Test(query, digest_knows_where_a_key_ends)
{
    cr_assert_neq(digest_of_cells((const char *[]){"ka", "bc", NULL}),
                  digest_of_cells((const char *[]){"kab", "c", NULL}));
}

Test(query, digest_of_a_version_without_a_mark_is_too_old)
{
    cr_assert_eq(digest_of(5).status, STATUS_too_old);
}

// Patience that is over when it has been looked at so many times.
static bool is_over(void *context)
{
    int *looks_left = context;
    return --*looks_left < 0;
}

static struct message ask_patiently(const struct message *question, int looks)
{
    struct patience patience = {.is_over = is_over, .context = &looks};
    struct message reply;
    buffer_clear(&answer);
    query_run_patiently(p.state, marks, question, &patience, &answer);
    struct bytes rest = buffer_bytes(&answer);
    cr_assert_eq(message_decode(&rest, &reply), STATUS_ok);
    return reply;
}

static enum status scan_patiently(enum operation_kind kind, const char *order, int looks)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation operation = operation_on(kind, "c", NULL);
    operation.where = bytes_of("\x81\xa1n\x81\xa4$gte\x00", 10);
    operation.order = bytes_from_text(order);
    pack_array(&blob, 1);
    operation_pack(&operation, &blob);
    struct message question = {
        .kind = MESSAGE_read,
        .read = {.request = 1, .level = READ_session, .operations = buffer_bytes(&blob)}};
    return (enum status)ask_patiently(&question, looks).read_reply.status;
}

Test(query, what_looks_at_much_ends_with_the_patience)
{
    enum { DOCUMENTS = 40, LOOKS = 3 };
    for (uint64_t i = 0; i < DOCUMENTS; i++) {
        char id[24];
        snprintf(id, sizeof id, "d%llu", (unsigned long long)i);
        write_n(i + 1, id, i);
    }
    cr_assert_eq(scan_patiently(OPERATION_count, "", LOOKS), STATUS_ok);
    cr_assert_eq(scan_patiently(OPERATION_count, "", LOOKS - 1), STATUS_deadline);
    cr_assert_eq(scan_patiently(OPERATION_find, "", LOOKS), STATUS_ok);
    cr_assert_eq(scan_patiently(OPERATION_find, "", 0), STATUS_deadline);
    cr_assert_eq(scan_patiently(OPERATION_find, "n", LOOKS), STATUS_ok);
    cr_assert_eq(scan_patiently(OPERATION_find, "n", LOOKS - 1), STATUS_deadline);
    cr_assert_eq(marks_add(marks, p.version, 0), STATUS_ok);
    struct message digest = {.kind = MESSAGE_digest,
                             .digest = {.request = 1, .version = p.version}};
    cr_assert_eq(ask_patiently(&digest, 1).digest_reply.status, STATUS_ok);
    cr_assert_eq(ask_patiently(&digest, 0).digest_reply.status, STATUS_deadline);
}

Test(query, digest_of_a_damaged_state_is_told)
{
    write_n(1, "x", 1);
    cr_assert_eq(marks_add(marks, 1, 0), STATUS_ok);
    state_memory_fail_reads(p.state, STATUS_damaged);
    cr_assert_eq(digest_of(1).status, STATUS_damaged);
}
