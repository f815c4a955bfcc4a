/*
 * The request machine of a client among writers and readers that the test plays.
 */
#include "client/requests.h"

#include "tests/unit/fixture_script.h"

#include <criterion/criterion.h>

static const struct script_member MEMBERS[] = {
    {"s1", ROLE_primary, MEMBER_primary, 101}, {"w1", ROLE_writer, MEMBER_ready, 0},
    {"w2", ROLE_writer, MEMBER_ready, 0},      {"r1", ROLE_reader, MEMBER_ready, 0},
    {"r2", ROLE_reader, MEMBER_ready, 0},
};

enum { ENDED_MAX = 16, TEXT_SIZE_MAX = 512 };

// A completion with texts of its own.
struct ended_request {
    struct client_completion completion;
    char message[TEXT_SIZE_MAX];
    char session[SESSION_NAME_SIZE_MAX + 1];
    enum message_kind reply;
};

struct stage {
    struct script script;
    struct client *client;
    struct ended_request ended[ENDED_MAX];
    size_t ended_count;
};

static void copy_text(struct bytes text, char *copy, size_t room)
{
    size_t size = text.size < room ? text.size : room - 1;
    if (size > 0) {
        memcpy(copy, text.data, size);
    }
    copy[size] = '\0';
}

static void step(void *self, const struct event *event, struct outbox *out)
{
    struct stage *stage = self;
    client_step(stage->client, event, out);
    struct client_completion completion;
    while (client_next(stage->client, &completion)) {
        cr_assert_lt(stage->ended_count, ENDED_MAX);
        struct ended_request *ended = &stage->ended[stage->ended_count++];
        *ended = (struct ended_request){.completion = completion};
        copy_text(completion.message, ended->message, sizeof ended->message);
        copy_text(completion.session, ended->session, sizeof ended->session);
        ended->reply = completion.reply == NULL ? 0 : completion.reply->kind;
    }
}

// A client that was given the coordinator c1 and knows nothing yet.
static void stage_init(struct stage *stage)
{
    *stage = (struct stage){0};
    script_init(&stage->script, ROLE_client);
    struct client_options options = {
        .endpoints = &stage->script.coordinator, .endpoint_count = 1, .seed = 9};
    stage->client = client_new(&options);
    stage->script.machine = (struct machine){.self = stage, .step = step};
    script_start(&stage->script);
}

static void learn(struct stage *stage)
{
    script_topology(&stage->script, 1, "s1", MEMBERS, 5);
}

static void stage_release(struct stage *stage)
{
    client_destroy(&stage->client);
    script_release(&stage->script);
}

// What the client asks of its shell outside of a step counts as well.
static void keep_effects(struct stage *stage)
{
    script_event(&stage->script, (struct event){.kind = EVENT_TURN});
}

static uint64_t transact(struct stage *stage)
{
    struct client_transaction ask = {.operations = bytes_from_text("operations"),
                                     .timeout_ms = 5000};
    uint64_t request = 0;
    cr_assert_eq(
        client_transact(stage->client, &ask, stage->script.now_us, &stage->script.out, &request),
        STATUS_ok);
    keep_effects(stage);
    return request;
}

static uint64_t read(struct stage *stage, enum read_level level)
{
    struct client_read ask = {
        .operations = bytes_from_text("gets"), .level = level, .timeout_ms = 5000};
    uint64_t request = 0;
    cr_assert_eq(
        client_read(stage->client, &ask, stage->script.now_us, &stage->script.out, &request),
        STATUS_ok);
    keep_effects(stage);
    return request;
}

// Takes the message of this kind that one of two processes was sent, and says which.
static struct message expect_either(struct stage *stage, const char *a, const char *b,
                                    enum message_kind kind, const char **ret_name)
{
    struct message message;
    if (script_take(&stage->script, script_address(a), kind, &message)) {
        *ret_name = a;
        return message;
    }
    *ret_name = b;
    return script_expect(&stage->script, script_address(b), kind);
}

static struct message_transact expect_transact(struct stage *stage, const char **ret_name)
{
    return expect_either(stage, "w1", "w2", MESSAGE_transact, ret_name).transact;
}

static void expect_none_sent(struct stage *stage, enum message_kind kind)
{
    cr_assert_eq(script_count(&stage->script, 0, kind), 0);
}

static void answer(struct stage *stage, const char *name, uint64_t request, enum status status,
                   uint64_t version)
{
    struct message outcome = {
        .kind = MESSAGE_outcome,
        .outcome = {.request = request, .status = status, .version = version, .time_us = 8}};
    script_message(&stage->script, script_address(name), &outcome);
}

static void answer_read(struct stage *stage, const char *name, uint64_t request, enum status status,
                        uint64_t version)
{
    struct message reply = {
        .kind = MESSAGE_read_reply,
        .read_reply = {.request = request, .status = status, .version = version}};
    script_message(&stage->script, script_address(name), &reply);
}

// The only request that has ended since the last call.
static struct ended_request expect_ended(struct stage *stage, enum status status)
{
    cr_assert_eq(stage->ended_count, 1, "%zu have ended", stage->ended_count);
    stage->ended_count = 0;
    cr_assert_eq(stage->ended[0].completion.status, status, "%s",
                 status_name(stage->ended[0].completion.status));
    return stage->ended[0];
}

static void expect_none_ended(struct stage *stage)
{
    cr_assert_eq(stage->ended_count, 0);
}

Test(requests, asks_for_the_topology_until_it_is_known)
{
    struct stage stage;
    stage_init(&stage);
    script_peer(&stage.script, "c1", EVENT_PEER_UP);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    script_pass(&stage.script, 100000);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    learn(&stage);
    script_pass(&stage.script, 1000000);
    script_forget(&stage.script);
    script_pass(&stage.script, 2000000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_topology_get), 1);
    stage_release(&stage);
}

Test(requests, sends_what_waited_once_a_writer_is_known)
{
    struct stage stage;
    stage_init(&stage);
    uint64_t request = transact(&stage);
    expect_none_sent(&stage, MESSAGE_transact);
    learn(&stage);
    const char *name;
    struct message_transact sent = expect_transact(&stage, &name);
    cr_assert_eq(sent.sequence, 1);
    answer(&stage, name, sent.request, STATUS_ok, 7);
    struct ended_request ended = expect_ended(&stage, STATUS_ok);
    cr_assert_eq(ended.completion.request, request);
    cr_assert_eq(ended.completion.version, 7);
    cr_assert_eq(client_outstanding(stage.client), 0);
    stage_release(&stage);
}

Test(requests, numbers_its_transactions_and_says_what_is_done)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    const char *name;
    transact(&stage);
    struct message_transact first = expect_transact(&stage, &name);
    cr_assert_gt(first.session.size, 8);
    answer(&stage, name, first.request, STATUS_ok, 7);
    transact(&stage);
    struct message_transact second = expect_transact(&stage, &name);
    cr_assert(bytes_equal(second.session, first.session));
    cr_assert_eq(second.sequence, 2);
    cr_assert_eq(second.done_below, 2);
    stage_release(&stage);
}

Test(requests, sends_a_named_session_as_it_is)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    struct client_transaction ask = {.operations = bytes_from_text("x"),
                                     .session = bytes_from_text("mine"),
                                     .sequence = 12,
                                     .done_below = 10,
                                     .timeout_ms = 1000};
    uint64_t request;
    cr_assert_eq(
        client_transact(stage.client, &ask, stage.script.now_us, &stage.script.out, &request),
        STATUS_ok);
    keep_effects(&stage);
    const char *name;
    struct message_transact sent = expect_transact(&stage, &name);
    cr_assert(bytes_equal(sent.session, bytes_from_text("mine")));
    cr_assert_eq(sent.sequence, 12);
    cr_assert_eq(sent.done_below, 10);
    stage_release(&stage);
}

Test(requests, spreads_over_writers_and_readers)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    for (int i = 0; i < 10; i++) {
        script_pass(&stage.script, 1);
        transact(&stage);
        read(&stage, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("w1"), MESSAGE_transact), 5);
    cr_assert_eq(script_count(&stage.script, script_address("w2"), MESSAGE_transact), 5);
    cr_assert_eq(script_count(&stage.script, script_address("r1"), MESSAGE_read), 5);
    cr_assert_eq(script_count(&stage.script, script_address("r2"), MESSAGE_read), 5);
    stage_release(&stage);
}

Test(requests, sends_requests_of_one_moment_in_batches)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    for (int i = 0; i < 16; i++) {
        transact(&stage);
    }
    size_t first = script_count(&stage.script, script_address("w1"), MESSAGE_transact);
    cr_assert(first == 0 || first == 16);
    for (int i = 0; i < 16; i++) {
        transact(&stage);
    }
    cr_assert_eq(script_count(&stage.script, script_address("w1"), MESSAGE_transact), 16);
    cr_assert_eq(script_count(&stage.script, script_address("w2"), MESSAGE_transact), 16);
    stage_release(&stage);
}

Test(requests, goes_through_gateways_only_if_it_was_given_one)
{
    struct stage stage;
    stage_init(&stage);
    struct script_member members[] = {{"c1", ROLE_gateway, MEMBER_ready, 0},
                                      {"r1", ROLE_reader, MEMBER_ready, 0},
                                      {"w1", ROLE_writer, MEMBER_ready, 0}};
    script_topology(&stage.script, 1, NULL, members, 3);
    transact(&stage);
    read(&stage, READ_any);
    script_expect(&stage.script, script_address("c1"), MESSAGE_transact);
    script_expect(&stage.script, script_address("c1"), MESSAGE_read);
    stage_release(&stage);
}

Test(requests, sends_a_transaction_to_another_writer_when_one_is_lost)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    const char *first;
    const char *second;
    struct message_transact sent = expect_transact(&stage, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    struct message_transact again = expect_transact(&stage, &second);
    cr_assert_neq(first, second);
    cr_assert_eq(again.sequence, sent.sequence);
    cr_assert(bytes_equal(again.session, sent.session));
    answer(&stage, second, again.request, STATUS_ok, 7);
    expect_ended(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(requests, sends_again_elsewhere_when_nothing_is_heard)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    const char *first;
    const char *second;
    expect_transact(&stage, &first);
    script_pass(&stage.script, 500000);
    struct message_transact again = expect_transact(&stage, &second);
    cr_assert_neq(first, second);
    cr_assert_leq(again.timeout_ms, 4500);
    stage_release(&stage);
}

Test(requests, tries_again_after_busy_unavailable_and_not_primary)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    static const enum status STATUSES[] = {STATUS_busy, STATUS_unavailable, STATUS_not_primary};
    const char *name;
    for (size_t i = 0; i < 3; i++) {
        answer(&stage, name, expect_transact(&stage, &name).request, STATUSES[i], 0);
        expect_none_ended(&stage);
        expect_none_sent(&stage, MESSAGE_transact);
        script_pass(&stage.script, 20000);
    }
    answer(&stage, name, expect_transact(&stage, &name).request, STATUS_ok, 4);
    expect_ended(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(requests, ends_with_busy_if_nobody_took_it_until_the_deadline)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    struct message message;
    for (int i = 0; i < 600; i++) {
        while (script_take(&stage.script, 0, MESSAGE_transact, &message)) {
            answer(&stage, "w1", message.transact.request, STATUS_busy, 0);
        }
        script_pass(&stage.script, 10000);
    }
    expect_ended(&stage, STATUS_busy);
    stage_release(&stage);
}

Test(requests, ends_with_unavailable_if_there_was_nobody_to_send_to)
{
    struct stage stage;
    stage_init(&stage);
    transact(&stage);
    read(&stage, READ_any);
    script_pass(&stage.script, 5000000);
    cr_assert_eq(stage.ended_count, 2);
    cr_assert_eq(stage.ended[0].completion.status, STATUS_unavailable);
    cr_assert_eq(stage.ended[1].completion.status, STATUS_unavailable);
    stage_release(&stage);
}

Test(requests, ends_with_unknown_outcome_only_if_it_may_have_run)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    script_pass(&stage.script, 5000000);
    struct ended_request ended = expect_ended(&stage, STATUS_unknown_outcome);
    cr_assert_eq(ended.completion.sequence, 1);
    cr_assert_gt(strlen(ended.session), 8);
    cr_assert_not_null(strstr(ended.message, ended.session));
    stage_release(&stage);
}

Test(requests, does_not_call_a_sequence_done_whose_outcome_is_unknown)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    const char *name;
    transact(&stage);
    script_pass(&stage.script, 1000);
    transact(&stage);
    script_forget(&stage.script);
    script_pass(&stage.script, 4999000);
    expect_ended(&stage, STATUS_unknown_outcome);
    script_forget(&stage.script);
    transact(&stage);
    struct message_transact sent = expect_transact(&stage, &name);
    cr_assert_eq(sent.sequence, 3);
    cr_assert_eq(sent.done_below, 1);
    stage_release(&stage);
}

Test(requests, claims_before_it_believes_a_failure_when_a_copy_is_elsewhere)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    const char *first;
    const char *second;
    expect_transact(&stage, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    answer(&stage, second, expect_transact(&stage, &second).request, STATUS_exists, 0);
    expect_none_ended(&stage);
    struct message claim = script_expect(&stage.script, script_address(second),
                                         MESSAGE_transact_status);
    struct message reply = {.kind = MESSAGE_transact_status_reply,
                            .transact_status_reply = {.request = claim.transact_status.request,
                                                      .status = STATUS_absent}};
    script_message(&stage.script, script_address(second), &reply);
    expect_ended(&stage, STATUS_exists);
    stage_release(&stage);
}

Test(requests, passes_a_failure_on_with_all_that_it_says)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    const char *name;
    struct message outcome = {.kind = MESSAGE_outcome,
                              .outcome = {.request = expect_transact(&stage, &name).request,
                                          .status = STATUS_refused,
                                          .operation = 3,
                                          .message = bytes_from_text("because")}};
    script_message(&stage.script, script_address(name), &outcome);
    struct ended_request ended = expect_ended(&stage, STATUS_refused);
    cr_assert_eq(ended.completion.operation, 3);
    cr_assert_str_eq(ended.message, "because");
    stage_release(&stage);
}

Test(requests, reads_at_least_what_it_has_seen_in_its_session)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    const char *name;
    transact(&stage);
    answer(&stage, name, expect_transact(&stage, &name).request, STATUS_ok, 33);
    stage.ended_count = 0;
    read(&stage, READ_session);
    struct message sent = expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    cr_assert_eq(sent.read.after_version, 33);
    answer_read(&stage, name, sent.read.request, STATUS_ok, 40);
    cr_assert_eq(client_version(stage.client), 40);
    read(&stage, READ_linearizable);
    sent = expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    cr_assert_eq(sent.read.after_version, 0);
    stage_release(&stage);
}

Test(requests, never_forgets_a_version_that_it_has_seen)
{
    struct stage stage;
    stage_init(&stage);
    client_see_version(stage.client, 50);
    client_see_version(stage.client, 20);
    cr_assert_eq(client_version(stage.client), 50);
    stage_release(&stage);
}

Test(requests, asks_another_reader_when_one_is_lost_or_busy)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    read(&stage, READ_any);
    const char *first;
    const char *second;
    expect_either(&stage, "r1", "r2", MESSAGE_read, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    struct message again = expect_either(&stage, "r1", "r2", MESSAGE_read, &second);
    cr_assert_neq(first, second);
    answer_read(&stage, second, again.read.request, STATUS_busy, 0);
    expect_none_ended(&stage);
    script_pass(&stage.script, 20000);
    again = expect_either(&stage, "r1", "r2", MESSAGE_read, &second);
    answer_read(&stage, second, again.read.request, STATUS_ok, 3);
    expect_ended(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(requests, passes_a_read_failure_on)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    read(&stage, READ_snapshot);
    const char *name;
    struct message sent = expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    answer_read(&stage, name, sent.read.request, STATUS_too_old, 0);
    expect_ended(&stage, STATUS_too_old);
    stage_release(&stage);
}

Test(requests, asks_for_the_status_of_a_transaction)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    struct client_status ask = {
        .session = bytes_from_text("mine"), .sequence = 4, .timeout_ms = 1000, .tag = 6};
    uint64_t request;
    cr_assert_eq(
        client_status(stage.client, &ask, stage.script.now_us, &stage.script.out, &request),
        STATUS_ok);
    keep_effects(&stage);
    const char *name;
    struct message sent = expect_either(&stage, "w1", "w2", MESSAGE_transact_status, &name);
    struct message reply = {
        .kind = MESSAGE_transact_status_reply,
        .transact_status_reply = {.request = sent.transact_status.request, .version = 9}};
    script_message(&stage.script, script_address(name), &reply);
    struct ended_request ended = expect_ended(&stage, STATUS_ok);
    cr_assert_eq(ended.completion.tag, 6);
    cr_assert_eq(ended.completion.version, 9);
    cr_assert_str_eq(ended.session, "mine");
    stage_release(&stage);
}

static enum status call(struct stage *stage, const char *to)
{
    struct client_call ask = {
        .message = {.kind = MESSAGE_mark}, .to = bytes_from_text(to), .timeout_ms = 1000};
    uint64_t request;
    enum status status = client_call(stage->client, &ask, stage->script.now_us, &stage->script.out,
                                     &request);
    keep_effects(stage);
    return status;
}

Test(requests, calls_a_process_by_its_name)
{
    struct stage stage;
    stage_init(&stage);
    cr_assert_eq(call(&stage, "s1"), STATUS_unavailable);
    learn(&stage);
    cr_assert_eq(call(&stage, "nobody"), STATUS_unavailable);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    struct message sent = script_expect(&stage.script, script_address("s1"), MESSAGE_mark);
    struct message reply = {.kind = MESSAGE_mark_reply,
                            .mark_reply = {.request = sent.mark.request, .version = 4}};
    script_message(&stage.script, script_address("s1"), &reply);
    cr_assert_eq(expect_ended(&stage, STATUS_ok).reply, MESSAGE_mark_reply);
    stage_release(&stage);
}

Test(requests, makes_a_call_once_and_ends_it_when_the_process_is_lost)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    script_expect(&stage.script, script_address("s1"), MESSAGE_mark);
    script_pass(&stage.script, 900000);
    expect_none_sent(&stage, MESSAGE_mark);
    script_peer(&stage.script, "s1", EVENT_PEER_DOWN);
    expect_ended(&stage, STATUS_unavailable);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    script_pass(&stage.script, 1000000);
    expect_ended(&stage, STATUS_deadline);
    stage_release(&stage);
}

Test(requests, refuses_what_is_out_of_range_at_once)
{
    struct stage stage;
    stage_init(&stage);
    uint64_t request;
    struct client_transaction ask = {.timeout_ms = 0};
    cr_assert_eq(client_transact(stage.client, &ask, 1, &stage.script.out, &request),
                 STATUS_bad_request);
    ask.timeout_ms = DEADLINE_MS_MAX + 1;
    cr_assert_eq(client_transact(stage.client, &ask, 1, &stage.script.out, &request),
                 STATUS_bad_request);
    ask = (struct client_transaction){.timeout_ms = 1, .session = bytes_from_text("s")};
    cr_assert_eq(client_transact(stage.client, &ask, 1, &stage.script.out, &request),
                 STATUS_bad_request);
    struct client_read read_ask = {.timeout_ms = 1};
    cr_assert_eq(client_read(stage.client, &read_ask, 1, &stage.script.out, &request),
                 STATUS_bad_request);
    cr_assert_eq(client_outstanding(stage.client), 0);
    stage_release(&stage);
}

Test(requests, is_busy_when_as_many_are_outstanding_as_may_be)
{
    struct stage stage;
    stage_init(&stage);
    struct client_read ask = {.level = READ_any, .timeout_ms = 1000};
    uint64_t request;
    for (int i = 0; i < CLIENT_OUTSTANDING_MAX; i++) {
        cr_assert_eq(client_read(stage.client, &ask, 1, &stage.script.out, &request), STATUS_ok);
    }
    cr_assert_eq(client_read(stage.client, &ask, 1, &stage.script.out, &request), STATUS_busy);
    stage_release(&stage);
}

Test(requests, ignores_answers_of_strangers_and_late_ones)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    const char *name;
    uint64_t request = expect_transact(&stage, &name).request;
    struct message forged = {.kind = MESSAGE_outcome, .outcome = {.request = request}};
    script_message(&stage.script, 12345, &forged);
    struct message other = {.kind = MESSAGE_read_reply, .read_reply = {.request = request}};
    script_message(&stage.script, script_address(name), &other);
    struct message seal = {.kind = MESSAGE_seal};
    script_message(&stage.script, script_address(name), &seal);
    expect_none_ended(&stage);
    answer(&stage, name, request, STATUS_ok, 1);
    answer(&stage, name, request, STATUS_ok, 1);
    expect_ended(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(requests, ends_everything_when_it_stops)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    transact(&stage);
    read(&stage, READ_any);
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    cr_assert_eq(stage.ended_count, 2);
    cr_assert_eq(stage.ended[0].completion.status, STATUS_unknown_outcome);
    cr_assert(stage.script.is_stopped);
    stage_release(&stage);
}

Test(requests, gives_up_connections_to_processes_that_left)
{
    struct stage stage;
    stage_init(&stage);
    learn(&stage);
    script_topology(&stage.script, 2, "s1", MEMBERS, 2);
    cr_assert_eq(stage.script.disconnects, 3);
    transact(&stage);
    script_expect(&stage.script, script_address("w1"), MESSAGE_transact);
    stage_release(&stage);
}
