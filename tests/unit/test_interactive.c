/*
 * Interactive transactions: what is checked when they commit, how long they live, when they are run
 * anew.
 */
#include "client/interactive.h"

#include "base/status.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

enum { SECOND = 1000000, BEGUN = 5 * SECOND };

static const struct operation FIND = {
    .kind = OPERATION_find, .collection = {(const uint8_t *)"c", 1}, .limit = 10};

static void init(struct interactive *self)
{
    interactive_init(self, BEGUN);
    self->version = 40;
}

// The transaction that commits, as JSON, with `operations`, JSON of `count` maps, as its writes.
static void expect_commit(const struct interactive *self, const char *writes, uint32_t count,
                          const char *json)
{
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct json_fault fault;
    uint32_t checks;
    cr_assert_eq(json_to_msgpack(bytes_from_text(writes), &packed, &fault), STATUS_ok);
    cr_assert_eq(interactive_pack(self, buffer_bytes(&packed), count, &out, &checks), STATUS_ok);
    struct cursor cursor = cursor_of(buffer_bytes(&out));
    cr_assert_eq(json_from_msgpack(&cursor, &text), STATUS_ok);
    cr_assert(cursor_at_end(&cursor));
    buffer_append_u8(&text, 0);
    cr_assert_str_eq((const char *)text.data, json);
}

static void add_read(struct interactive *self, const char *id, uint64_t version)
{
    struct document_id text = {.is_text = true, .text = bytes_from_text(id)};
    read_set_add(&self->reads, bytes_from_text("c"), &text, version);
}

static enum status use(struct interactive *self, uint64_t now_us)
{
    const char *sentence = NULL;
    enum status status = interactive_use(self, now_us, &sentence);
    cr_assert_eq(status == STATUS_ok, sentence == NULL);
    return status;
}

Test(interactive, commits_with_checks_of_what_it_read_before_its_writes)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    add_read(&self, "x", 12);
    add_read(&self, "y", 0);
    cr_assert_eq(interactive_add_find(&self, &FIND, 77, 3, false), STATUS_ok);
    expect_commit(&self, "{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\"}", 1,
                  "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",12],[\"y\",0]]},"
                  "{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{\"limit\":10},"
                  "\"digest\":77},"
                  "{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\"}]");
}

Test(interactive, checks_as_many_rows_as_a_find_gave_that_had_more)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    cr_assert_eq(interactive_add_find(&self, &FIND, 77, 4, true), STATUS_ok);
    expect_commit(&self, "{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\"}", 1,
                  "[{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{\"limit\":4},"
                  "\"digest\":77},"
                  "{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\"}]");
}

Test(interactive, can_t_check_a_find_that_gave_up_before_its_first_row)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    cr_assert_eq(interactive_add_find(&self, &FIND, 0, 0, true), STATUS_too_large);
    cr_assert_eq(interactive_add_find(&self, &FIND, 0, 0, false), STATUS_ok);
}

Test(interactive, refuses_more_operations_than_a_transaction_has)
{
    AUTO(interactive_release) struct interactive self;
    AUTO(buffer_release) struct buffer out = {0};
    uint32_t checks;
    init(&self);
    add_read(&self, "x", 12);
    struct bytes none = {0};
    cr_assert_eq(interactive_pack(&self, none, TRANSACTION_OPERATIONS_MAX, &out, &checks),
                 STATUS_too_large);
    cr_assert_eq(interactive_pack(&self, none, TRANSACTION_OPERATIONS_MAX - 1, &out, &checks),
                 STATUS_ok);
    cr_assert_eq(checks, 1);
}

Test(interactive, refuses_more_bytes_than_a_transaction_has)
{
    AUTO(interactive_release) struct interactive self;
    AUTO(buffer_release) struct buffer writes = {0};
    AUTO(buffer_release) struct buffer out = {0};
    uint32_t checks;
    init(&self);
    memset(buffer_extend(&writes, TRANSACTION_SIZE_MAX), 0, TRANSACTION_SIZE_MAX);
    cr_assert_eq(interactive_pack(&self, buffer_bytes(&writes), 1, &out, &checks),
                 STATUS_too_large);
}

Test(interactive, lives_on_while_it_is_used)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    for (uint64_t second = 0; second <= 30; second += 10) {
        cr_assert_eq(use(&self, BEGUN + second * SECOND), STATUS_ok);
    }
}

Test(interactive, ends_when_it_is_idle)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    cr_assert_eq(use(&self, BEGUN + SECOND), STATUS_ok);
    cr_assert_eq(use(&self, BEGUN + 11 * SECOND + 1), STATUS_expired);
    cr_assert_eq(use(&self, BEGUN + 11 * SECOND + 2), STATUS_bad_request);
}

Test(interactive, ends_with_the_horizon)
{
    AUTO(interactive_release) struct interactive self;
    init(&self);
    for (uint64_t second = 5; second <= 30; second += 5) {
        cr_assert_eq(use(&self, BEGUN + second * SECOND), STATUS_ok);
    }
    cr_assert_eq(use(&self, BEGUN + 30 * SECOND + 1), STATUS_too_old);
    cr_assert_eq(use(&self, BEGUN + 30 * SECOND + 2), STATUS_bad_request);
}

Test(interactive, is_run_anew_only_if_that_may_help)
{
    for (enum status status = STATUS_ok; (int)status < STATUS_COUNT; status++) {
        bool may_help = status == STATUS_conflict || status == STATUS_too_old;
        cr_assert_eq(interactive_may_retry(status), may_help, "%s", status_name(status));
    }
}

Test(interactive, pauses_longer_and_longer_up_to_a_bound)
{
    struct random random;
    random_init(&random, 3);
    uint64_t longest_us = 0;
    for (uint32_t attempt = 1; attempt < 60; attempt++) {
        uint64_t bound_ms = attempt < 10 ? (uint64_t)1 << attempt : INTERACTIVE_RETRY_MS_MAX;
        for (int i = 0; i < 20; i++) {
            uint64_t pause_us = interactive_retry_us(&random, attempt);
            cr_assert_leq(pause_us, bound_ms * 1000);
            longest_us = pause_us > longest_us ? pause_us : longest_us;
        }
    }
    cr_assert_gt(longest_us, 900 * 1000);
}
