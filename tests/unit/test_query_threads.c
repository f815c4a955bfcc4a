/*
 * The two lanes of query threads, over a state whose scans wait until the test lets them go on.
 */
#include "actors/runtime/query_threads.h"

#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"
#include "wire/message.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <semaphore.h>

enum { ASKER = 7 };

static struct engine p;
static struct marks *marks;
static struct query_threads *threads;
static const struct state_operations *usual; // of the state
static struct state_operations slow;         // the same, but cursors wait
static sem_t may_scan;                       // once for each cursor
static sem_t is_scanning;                    // a cursor waits
static uint64_t answered[8];                 // requests, in the order of their answers
static enum status statuses[8];              // how they went
static size_t answer_count;

static enum status slow_cursor(struct state *state, const struct state_snapshot *snapshot,
                               const struct state_range *range, struct state_cursor **ret_cursor)
{
    sem_post(&is_scanning);
    while (sem_wait(&may_scan) != 0) {
    }
    return usual->cursor(state, snapshot, range, ret_cursor);
}

static void setup(void)
{
    engine_init(&p);
    engine_put(&p, "c", "x", 1);
    cr_assert_eq(engine_run(&p, "s", 1, 0), STATUS_ok);
    engine_settle(&p);
    sem_init(&may_scan, 0, 0);
    sem_init(&is_scanning, 0, 0);
    usual = p.state->operations;
    slow = *usual;
    slow.cursor = slow_cursor;
    p.state->operations = &slow;
    marks = marks_new(p.state);
    threads = query_threads_new(p.state, marks, 1);
    answer_count = 0;
}

static void teardown(void)
{
    query_threads_destroy(&threads);
    marks_destroy(&marks);
    p.state->operations = usual;
    engine_release(&p);
    sem_destroy(&may_scan);
    sem_destroy(&is_scanning);
}

TestSuite(query_threads, .init = setup, .fini = teardown);

static void ask(uint64_t request, enum operation_kind kind, uint32_t timeout_ms)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer encoded = {0};
    bool is_get = kind == OPERATION_get;
    struct operation operation = operation_on(kind, "c", is_get ? "x" : NULL);
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    struct message read = {.kind = MESSAGE_read,
                           .read = {.request = request,
                                    .level = READ_session,
                                    .timeout_ms = timeout_ms,
                                    .operations = buffer_bytes(&operations)}};
    message_encode(&read, &encoded);
    cr_assert(query_threads_ask(threads, ASKER, buffer_bytes(&encoded)));
}

static void note(void *context, uint64_t to, struct bytes encoded)
{
    struct message reply;
    (void)context;
    cr_assert_eq(to, ASKER);
    cr_assert_eq(message_decode(&encoded, &reply), STATUS_ok);
    cr_assert_eq(reply.kind, MESSAGE_read_reply);
    cr_assert_lt(answer_count, sizeof answered / sizeof answered[0]);
    statuses[answer_count] = (enum status)reply.read_reply.status;
    answered[answer_count++] = reply.read_reply.request;
}

static void await_answers(size_t count)
{
    while (answer_count < count) {
        struct pollfd ready = {.fd = query_threads_fd(threads), .events = POLLIN};
        cr_assert_geq(poll(&ready, 1, -1), 0);
        query_threads_take(threads, note, NULL);
    }
}

static void await_scan(void)
{
    while (sem_wait(&is_scanning) != 0) {
    }
}

Test(query_threads, gets_do_not_wait_for_scans)
{
    ask(1, OPERATION_find, 600000);
    await_scan();
    ask(2, OPERATION_find, 600000);
    ask(3, OPERATION_get, 600000);
    await_answers(1);
    cr_assert_eq(answered[0], 3);
    sem_post(&may_scan);
    sem_post(&may_scan);
    await_answers(3);
    cr_assert(answered[1] == 1 && answered[2] == 2);
    cr_assert(statuses[0] == STATUS_ok && statuses[1] == STATUS_ok && statuses[2] == STATUS_ok);
}

Test(query_threads, scan_whose_time_is_over_ends)
{
    ask(1, OPERATION_find, 0);
    sem_post(&may_scan);
    await_answers(1);
    cr_assert_eq(statuses[0], STATUS_deadline);
    ask(2, OPERATION_get, 0);
    await_answers(2);
    cr_assert_eq(statuses[1], STATUS_ok, "a get is done sooner than given up");
}

Test(query_threads, what_is_asked_and_not_begun_is_forgotten_at_the_end)
{
    ask(1, OPERATION_find, 600000);
    await_scan();
    ask(2, OPERATION_find, 600000);
    sem_post(&may_scan);
    await_answers(1);
    sem_post(&may_scan); // for the second one, if it was begun meanwhile
}
