/*
 * The writer between one client and storage nodes that the test plays.
 */
#include "actors/writer/writer.h"

#include "tests/unit/fixture_script.h"
#include "wire/json.h"

#include <criterion/criterion.h>

static const uint64_t CLIENT = UINT64_C(1) << 63 | 1;

static const struct script_member MEMBERS[] = {
    {"s1", ROLE_primary, MEMBER_primary, 101},
    {"s2", ROLE_replica, MEMBER_replica, 102},
    {"s3", ROLE_replica, MEMBER_replica, 103},
};

struct stage {
    struct script script;
    struct writer *writer;
    struct buffer operations;
};

static void step(void *self, const struct event *event, struct outbox *out)
{
    writer_step(self, event, out);
}

static void pack_operations(struct stage *stage, const char *json)
{
    struct json_fault fault;
    buffer_clear(&stage->operations);
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &stage->operations, &fault), STATUS_ok);
}

static void stage_init(struct stage *stage)
{
    *stage = (struct stage){0};
    script_init(&stage->script, ROLE_writer);
    stage->writer = writer_new(&stage->script.process);
    stage->script.machine = (struct machine){.self = stage->writer, .step = step};
    script_start(&stage->script);
    pack_operations(stage, "[{\"op\": \"put\", \"collection\": \"c\", \"id\": \"x\", "
                           "\"document\": {\"a\": 1}}]");
}

static void stage_release(struct stage *stage)
{
    writer_destroy(&stage->writer);
    script_release(&stage->script);
    buffer_release(&stage->operations);
}

static void lead(struct stage *stage, uint64_t epoch, const char *primary)
{
    script_topology(&stage->script, epoch, primary, MEMBERS, 3);
}

static struct message transact_message(struct stage *stage, uint64_t request)
{
    return (struct message){.kind = MESSAGE_transact,
                            .transact = {.request = request,
                                         .session = bytes_from_text("me"),
                                         .sequence = request,
                                         .done_below = 1,
                                         .timeout_ms = 5000,
                                         .operations = buffer_bytes(&stage->operations)}};
}

static void transact(struct stage *stage, uint64_t request)
{
    struct message message = transact_message(stage, request);
    script_message(&stage->script, CLIENT, &message);
}

// What the primary `name` was sent last; its id is the writer's own.
static uint64_t expect_sent(struct stage *stage, const char *name)
{
    return script_expect(&stage->script, script_address(name), MESSAGE_transact).transact.request;
}

static void answer(struct stage *stage, const char *name, uint64_t request, enum status status)
{
    struct message outcome = {
        .kind = MESSAGE_outcome,
        .outcome = {.request = request, .status = status, .version = 7, .time_us = 8}};
    script_message(&stage->script, script_address(name), &outcome);
}

static void refuse(struct stage *stage, const char *name, uint64_t request, enum status status)
{
    struct message refusal = {.kind = MESSAGE_refusal,
                              .refusal = {.request = request, .status = status}};
    script_message(&stage->script, script_address(name), &refusal);
}

static void answer_claim(struct stage *stage, const char *name, enum status status)
{
    struct message asked = script_expect(&stage->script, script_address(name),
                                         MESSAGE_transact_status);
    struct message reply = {
        .kind = MESSAGE_transact_status_reply,
        .transact_status_reply = {.request = asked.transact_status.request, .status = status}};
    script_message(&stage->script, script_address(name), &reply);
}

static struct message_outcome expect_outcome(struct stage *stage, enum status status)
{
    struct message message = script_expect(&stage->script, CLIENT, MESSAGE_outcome);
    cr_assert_eq(message.outcome.status, status, "%s", status_name(message.outcome.status));
    return message.outcome;
}

static void expect_no_outcome(struct stage *stage)
{
    cr_assert_eq(script_count(&stage->script, CLIENT, MESSAGE_outcome), 0);
}

Test(writer, registers_as_ready)
{
    struct stage stage;
    stage_init(&stage);
    struct message member = script_expect(&stage.script, script_address("c1"), MESSAGE_member);
    cr_assert_eq(member.member.role, ROLE_writer);
    cr_assert_eq(member.member.state, MEMBER_ready);
    stage_release(&stage);
}

Test(writer, sends_to_the_primary_and_passes_the_outcome_on)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 5);
    uint64_t request = expect_sent(&stage, "s1");
    cr_assert_neq(request, 5);
    answer(&stage, "s1", request, STATUS_ok);
    struct message_outcome outcome = expect_outcome(&stage, STATUS_ok);
    cr_assert_eq(outcome.request, 5);
    cr_assert_eq(outcome.version, 7);
    answer(&stage, "s1", request, STATUS_ok);
    expect_no_outcome(&stage);
    stage_release(&stage);
}

Test(writer, sends_what_waited_for_a_primary_in_order)
{
    struct stage stage;
    stage_init(&stage);
    for (uint64_t i = 1; i <= 5; i++) {
        transact(&stage, i);
    }
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    lead(&stage, 1, "s1");
    for (uint64_t i = 1; i <= 5; i++) {
        struct message sent = script_expect(&stage.script, script_address("s1"), MESSAGE_transact);
        cr_assert_eq(sent.transact.sequence, i);
    }
    stage_release(&stage);
}

Test(writer, sends_again_to_the_next_primary)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    transact(&stage, 2);
    script_forget(&stage.script);
    lead(&stage, 2, "s2");
    struct message first = script_expect(&stage.script, script_address("s2"), MESSAGE_transact);
    struct message second = script_expect(&stage.script, script_address("s2"), MESSAGE_transact);
    cr_assert_eq(first.transact.sequence, 1);
    cr_assert_eq(second.transact.sequence, 2);
    answer(&stage, "s2", second.transact.request, STATUS_ok);
    cr_assert_eq(expect_outcome(&stage, STATUS_ok).request, 2);
    stage_release(&stage);
}

Test(writer, holds_back_from_one_that_is_no_primary_until_there_is_another)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    refuse(&stage, "s1", expect_sent(&stage, "s1"), STATUS_not_primary);
    transact(&stage, 2);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    expect_no_outcome(&stage);
    lead(&stage, 2, "s3");
    cr_assert_eq(script_count(&stage.script, script_address("s3"), MESSAGE_transact), 2);
    stage_release(&stage);
}

Test(writer, asks_a_primary_again_that_said_it_was_none)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    refuse(&stage, "s1", expect_sent(&stage, "s1"), STATUS_not_primary);
    script_pass(&stage.script, 30000);
    refuse(&stage, "s1", expect_sent(&stage, "s1"), STATUS_not_primary);
    script_pass(&stage.script, 30000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    script_pass(&stage.script, 30000);
    answer(&stage, "s1", expect_sent(&stage, "s1"), STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, waits_while_the_connection_is_refused_and_sends_when_it_stands)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    script_peer(&stage.script, "s1", EVENT_PEER_UP);
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    script_peer(&stage.script, "s1", EVENT_PEER_DOWN);
    transact(&stage, 2);
    script_pass(&stage.script, 1000000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    script_peer(&stage.script, "s1", EVENT_PEER_UP);
    cr_assert_eq(script_count(&stage.script, script_address("s1"), MESSAGE_transact), 2);
    stage_release(&stage);
}

Test(writer, sends_again_when_nothing_is_heard_with_the_time_that_is_left)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    script_pass(&stage.script, 600000);
    struct message again = script_expect(&stage.script, script_address("s1"), MESSAGE_transact);
    cr_assert_lt(again.transact.timeout_ms, 4600);
    script_pass(&stage.script, 600000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    script_pass(&stage.script, 600000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 1);
    stage_release(&stage);
}

Test(writer, ends_with_deadline_what_was_never_sent)
{
    struct stage stage;
    stage_init(&stage);
    transact(&stage, 1);
    script_pass(&stage.script, 4999000);
    expect_no_outcome(&stage);
    script_pass(&stage.script, 1000);
    expect_outcome(&stage, STATUS_deadline);
    stage_release(&stage);
}

Test(writer, ends_with_unknown_outcome_what_was_sent_and_names_session_and_sequence)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 42);
    script_pass(&stage.script, 5000000);
    struct message_outcome outcome = expect_outcome(&stage, STATUS_unknown_outcome);
    AUTO(buffer_release) struct buffer text = {0};
    buffer_append(&text, outcome.message);
    buffer_append_u8(&text, 0);
    cr_assert_not_null(strstr((char *)text.data, "session me, sequence 42"));
    stage_release(&stage);
}

Test(writer, ends_with_deadline_what_every_primary_refused)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    refuse(&stage, "s1", expect_sent(&stage, "s1"), STATUS_not_primary);
    lead(&stage, 2, NULL);
    script_pass(&stage.script, 5000000);
    expect_outcome(&stage, STATUS_deadline);
    stage_release(&stage);
}

Test(writer, passes_busy_on_if_it_sent_only_once)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    refuse(&stage, "s1", expect_sent(&stage, "s1"), STATUS_busy);
    expect_outcome(&stage, STATUS_busy);
    stage_release(&stage);
}

Test(writer, does_not_pass_busy_on_while_an_earlier_copy_may_run)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    lead(&stage, 2, "s2");
    refuse(&stage, "s2", expect_sent(&stage, "s2"), STATUS_busy);
    expect_no_outcome(&stage);
    script_pass(&stage.script, 30000);
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, believes_a_failure_at_once_if_it_sent_only_once)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    answer(&stage, "s1", expect_sent(&stage, "s1"), STATUS_refused);
    expect_outcome(&stage, STATUS_refused);
    stage_release(&stage);
}

Test(writer, claims_the_sequence_before_it_believes_a_failure_of_a_second_copy)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    lead(&stage, 2, "s2");
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_refused);
    expect_no_outcome(&stage);
    answer_claim(&stage, "s2", STATUS_absent);
    expect_outcome(&stage, STATUS_refused);
    stage_release(&stage);
}

Test(writer, fetches_the_recorded_outcome_if_the_first_copy_ran_after_all)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    lead(&stage, 2, "s2");
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_refused);
    answer_claim(&stage, "s2", STATUS_ok);
    expect_no_outcome(&stage);
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, sends_no_copy_while_it_claims)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    expect_sent(&stage, "s1");
    lead(&stage, 2, "s2");
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_refused);
    lead(&stage, 3, "s3");
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    answer_claim(&stage, "s3", STATUS_absent);
    expect_outcome(&stage, STATUS_refused);
    stage_release(&stage);
}

Test(writer, keeps_trying_after_unknown_outcome)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    answer(&stage, "s1", expect_sent(&stage, "s1"), STATUS_unknown_outcome);
    expect_no_outcome(&stage);
    lead(&stage, 2, "s2");
    answer(&stage, "s2", expect_sent(&stage, "s2"), STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, takes_a_late_outcome_from_a_deposed_primary)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    uint64_t request = expect_sent(&stage, "s1");
    lead(&stage, 2, "s2");
    answer(&stage, "s1", request, STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, refuses_what_is_malformed_and_names_the_operation)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    pack_operations(&stage, "[{\"op\": \"get\", \"collection\": \"c\", \"id\": 1}, "
                            "{\"op\": \"put\", \"collection\": \"c\", \"id\": 1}]");
    transact(&stage, 1);
    struct message_outcome outcome = expect_outcome(&stage, STATUS_bad_request);
    cr_assert_eq(outcome.operation, 2);
    cr_assert_gt(outcome.message.size, 10);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    stage_release(&stage);
}

static void check_bad_request(struct stage *stage, struct message message)
{
    script_message(&stage->script, CLIENT, &message);
    expect_outcome(stage, STATUS_bad_request);
}

Test(writer, refuses_fields_out_of_range)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    struct message message = transact_message(&stage, 1);
    message.transact.session = bytes_from_text("");
    check_bad_request(&stage, message);
    message = transact_message(&stage, 1);
    message.transact.sequence = 0;
    check_bad_request(&stage, message);
    message = transact_message(&stage, 1);
    message.transact.timeout_ms = 0;
    check_bad_request(&stage, message);
    message.transact.timeout_ms = DEADLINE_MS_MAX + 1;
    check_bad_request(&stage, message);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_transact), 0);
    stage_release(&stage);
}

Test(writer, is_busy_when_it_carries_as_many_as_it_can)
{
    struct stage stage;
    stage_init(&stage);
    for (uint64_t i = 1; i <= WRITER_PENDING_MAX; i++) {
        transact(&stage, i);
    }
    expect_no_outcome(&stage);
    transact(&stage, WRITER_PENDING_MAX + 1);
    cr_assert_gt(expect_outcome(&stage, STATUS_busy).retry_after_ms, 0);
    stage_release(&stage);
}

Test(writer, asks_the_primary_for_the_status_of_a_transaction)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    struct message ask = {
        .kind = MESSAGE_transact_status,
        .transact_status = {
            .request = 9, .session = bytes_from_text("me"), .sequence = 3, .timeout_ms = 1000}};
    script_message(&stage.script, CLIENT, &ask);
    answer_claim(&stage, "s1", STATUS_absent);
    struct message reply = script_expect(&stage.script, CLIENT, MESSAGE_transact_status_reply);
    cr_assert_eq(reply.transact_status_reply.request, 9);
    cr_assert_eq(reply.transact_status_reply.status, STATUS_absent);
    stage_release(&stage);
}

Test(writer, ignores_answers_of_strangers_and_tells_so)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    uint64_t request = expect_sent(&stage, "s1");
    struct message forged = {.kind = MESSAGE_outcome, .outcome = {.request = request}};
    script_message(&stage.script, UINT64_C(1) << 63 | 99, &forged);
    expect_no_outcome(&stage);
    cr_assert_eq(stage.script.warnings, 1);
    answer(&stage, "s1", request, STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(writer, survives_messages_that_are_not_for_it)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    struct message seal = {.kind = MESSAGE_seal, .seal = {.epoch = 9}};
    for (int i = 0; i < 100; i++) {
        script_message(&stage.script, CLIENT, &seal);
    }
    cr_assert_eq(stage.script.warnings, 7);
    stage_release(&stage);
}

Test(writer, finishes_what_is_pending_before_it_stops)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 1, "s1");
    transact(&stage, 1);
    uint64_t request = expect_sent(&stage, "s1");
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    cr_assert_not(stage.script.is_stopped);
    transact(&stage, 2);
    expect_outcome(&stage, STATUS_unavailable);
    answer(&stage, "s1", request, STATUS_ok);
    expect_outcome(&stage, STATUS_ok);
    cr_assert(stage.script.is_stopped);
    stage_release(&stage);
}

Test(writer, stops_after_a_while_whatever_is_pending)
{
    struct stage stage;
    stage_init(&stage);
    transact(&stage, 1);
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    script_pass(&stage.script, 2100000);
    cr_assert(stage.script.is_stopped);
    stage_release(&stage);
}
