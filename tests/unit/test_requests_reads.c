/*
 * The request machine of a client: reads, questions for a status, calls, bounds and ends.
 */
#include "tests/unit/fixture_client.h"

#include <criterion/criterion.h>

Test(requests_reads, asks_for_the_topology_until_it_is_known)
{
    struct client_stage stage;
    client_stage_init(&stage);
    script_peer(&stage.script, "c1", EVENT_PEER_UP);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    script_pass(&stage.script, 100000);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    client_stage_learn(&stage);
    script_forget(&stage.script);
    script_pass(&stage.script, 1900000);
    client_stage_expect_none_sent(&stage, MESSAGE_topology_get);
    script_pass(&stage.script, 200000);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    client_stage_release(&stage);
}

Test(requests_reads, asks_another_one_when_nobody_answers)
{
    struct client_stage stage;
    client_stage_init(&stage);
    script_peer(&stage.script, "c1", EVENT_PEER_UP);
    client_stage_learn(&stage);
    script_peer(&stage.script, "w1", EVENT_PEER_UP);
    script_forget(&stage.script);
    script_pass(&stage.script, 2050000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_topology_get), 1);
    script_pass(&stage.script, 200000);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    script_expect(&stage.script, script_address("w1"), MESSAGE_topology_get);
    client_stage_learn(&stage);
    script_forget(&stage.script);
    script_pass(&stage.script, 1900000);
    client_stage_expect_none_sent(&stage, MESSAGE_topology_get);
    client_stage_release(&stage);
}

Test(requests_reads, asks_an_endpoint_that_is_there_late_what_it_knows)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_expect_none_sent(&stage, MESSAGE_topology_get);
    script_peer(&stage.script, "c1", EVENT_PEER_UP);
    script_expect(&stage.script, script_address("c1"), MESSAGE_topology_get);
    client_stage_release(&stage);
}

Test(requests_reads, reads_at_least_what_it_has_seen_in_its_session)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    const char *name;
    client_stage_transact(&stage);
    client_stage_answer(&stage, name, client_stage_expect_transact(&stage, &name).request,
                        STATUS_ok, 33);
    stage.ended_count = 0;
    client_stage_read(&stage, READ_session);
    struct message sent = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    cr_assert_eq(sent.read.after_version, 33);
    client_stage_answer_read(&stage, name, sent.read.request, STATUS_ok, 40);
    cr_assert_eq(client_version(stage.client), 40);
    client_stage_read(&stage, READ_linearizable);
    sent = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    cr_assert_eq(sent.read.after_version, 0);
    client_stage_release(&stage);
}

Test(requests_reads, never_forgets_a_version_that_it_has_seen)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_see_version(stage.client, 50);
    client_see_version(stage.client, 20);
    cr_assert_eq(client_version(stage.client), 50);
    client_stage_release(&stage);
}

Test(requests_reads, asks_another_reader_when_one_is_lost_or_busy)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_read(&stage, READ_any);
    const char *first;
    const char *second;
    client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    struct message again = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &second);
    cr_assert_neq(first, second);
    client_stage_answer_read(&stage, second, again.read.request, STATUS_busy, 0);
    client_stage_expect_none_ended(&stage);
    script_pass(&stage.script, 20000);
    again = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &second);
    client_stage_answer_read(&stage, second, again.read.request, STATUS_ok, 3);
    client_stage_expect_ended(&stage, STATUS_ok);
    client_stage_release(&stage);
}

Test(requests_reads, passes_a_read_failure_on)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_read(&stage, READ_snapshot);
    const char *name;
    struct message sent = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    client_stage_answer_read(&stage, name, sent.read.request, STATUS_too_old, 0);
    client_stage_expect_ended(&stage, STATUS_too_old);
    client_stage_release(&stage);
}

Test(requests_reads, asks_for_the_status_of_a_transaction)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    struct client_status ask = {
        .session = bytes_from_text("mine"), .sequence = 4, .timeout_ms = 1000, .tag = 6};
    uint64_t request;
    cr_assert_eq(
        client_status(stage.client, &ask, stage.script.now_us, &stage.script.out, &request),
        STATUS_ok);
    client_stage_keep_effects(&stage);
    const char *name;
    struct message sent = client_stage_expect_either(&stage, "w1", "w2", MESSAGE_transact_status,
                                                     &name);
    struct message reply = {
        .kind = MESSAGE_transact_status_reply,
        .transact_status_reply = {.request = sent.transact_status.request, .version = 9}};
    script_message(&stage.script, script_address(name), &reply);
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_ok);
    cr_assert_eq(ended.completion.tag, 6);
    cr_assert_eq(ended.completion.version, 9);
    cr_assert_str_eq(ended.session, "mine");
    client_stage_release(&stage);
}

static uint64_t mark(struct client_stage *stage)
{
    struct client_mark ask = {.timeout_ms = 1000, .tag = 8};
    uint64_t request;
    cr_assert_eq(
        client_mark(stage->client, &ask, stage->script.now_us, &stage->script.out, &request),
        STATUS_ok);
    client_stage_keep_effects(stage);
    return request;
}

Test(requests_reads, passes_on_what_a_snapshot_is_read_at)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    struct client_read ask = {.level = READ_snapshot,
                              .at_version = 5,
                              .at_position = 9,
                              .at_time_us = 13,
                              .timeout_ms = 1000};
    uint64_t request;
    cr_assert_eq(client_read(stage.client, &ask, stage.script.now_us, &stage.script.out, &request),
                 STATUS_ok);
    client_stage_keep_effects(&stage);
    const char *name;
    struct message sent = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_read, &name);
    cr_assert_eq(sent.read.at_version, 5);
    cr_assert_eq(sent.read.at_position, 9);
    cr_assert_eq(sent.read.at_time_us, 13);
    client_stage_release(&stage);
}

Test(requests_reads, marks_a_version_through_a_reader)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    mark(&stage);
    const char *name;
    struct message sent = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_mark, &name);
    cr_assert_gt(sent.mark.timeout_ms, 0);
    cr_assert_leq(sent.mark.timeout_ms, 1000);
    struct message reply = {
        .kind = MESSAGE_mark_reply,
        .mark_reply = {.request = sent.mark.request, .version = 70, .position = 44}};
    script_message(&stage.script, script_address(name), &reply);
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_ok);
    cr_assert_eq(ended.completion.kind, CLIENT_MARK);
    cr_assert_eq(ended.completion.tag, 8);
    cr_assert_eq(ended.completion.version, 70);
    cr_assert_eq(ended.completion.position, 44);
    cr_assert_eq(client_version(stage.client), 70);
    client_stage_release(&stage);
}

Test(requests_reads, asks_another_reader_for_a_mark_when_one_is_lost_or_has_no_primary)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    mark(&stage);
    const char *first;
    const char *second;
    client_stage_expect_either(&stage, "r1", "r2", MESSAGE_mark, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    struct message again = client_stage_expect_either(&stage, "r1", "r2", MESSAGE_mark, &second);
    cr_assert_neq(first, second);
    struct message refusal = {
        .kind = MESSAGE_refusal,
        .refusal = {.request = again.mark.request, .status = STATUS_unavailable}};
    script_message(&stage.script, script_address(second), &refusal);
    client_stage_expect_none_ended(&stage);
    script_pass(&stage.script, 1000000);
    client_stage_expect_ended(&stage, STATUS_unavailable);
    client_stage_release(&stage);
}

static enum status call(struct client_stage *stage, const char *to)
{
    struct client_call ask = {
        .message = {.kind = MESSAGE_mark}, .to = bytes_from_text(to), .timeout_ms = 1000};
    uint64_t request;
    enum status status = client_call(stage->client, &ask, stage->script.now_us, &stage->script.out,
                                     &request);
    client_stage_keep_effects(stage);
    return status;
}

Test(requests_reads, calls_a_process_by_its_name)
{
    struct client_stage stage;
    client_stage_init(&stage);
    cr_assert_eq(call(&stage, "s1"), STATUS_unavailable);
    client_stage_learn(&stage);
    cr_assert_eq(call(&stage, "nobody"), STATUS_unavailable);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    struct message sent = script_expect(&stage.script, script_address("s1"), MESSAGE_mark);
    struct message reply = {.kind = MESSAGE_mark_reply,
                            .mark_reply = {.request = sent.mark.request, .version = 4}};
    script_message(&stage.script, script_address("s1"), &reply);
    cr_assert_eq(client_stage_expect_ended(&stage, STATUS_ok).reply, MESSAGE_mark_reply);
    client_stage_release(&stage);
}

Test(requests_reads, makes_a_call_once_and_ends_it_when_the_process_is_lost)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    script_expect(&stage.script, script_address("s1"), MESSAGE_mark);
    script_pass(&stage.script, 900000);
    client_stage_expect_none_sent(&stage, MESSAGE_mark);
    script_peer(&stage.script, "s1", EVENT_PEER_DOWN);
    client_stage_expect_ended(&stage, STATUS_unavailable);
    cr_assert_eq(call(&stage, "s1"), STATUS_ok);
    script_pass(&stage.script, 1000000);
    client_stage_expect_ended(&stage, STATUS_deadline);
    client_stage_release(&stage);
}

Test(requests_reads, refuses_what_is_out_of_range_at_once)
{
    struct client_stage stage;
    client_stage_init(&stage);
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
    client_stage_release(&stage);
}

Test(requests_reads, is_busy_when_as_many_are_outstanding_as_may_be)
{
    struct client_stage stage;
    client_stage_init(&stage);
    struct client_read ask = {.level = READ_any, .timeout_ms = 1000};
    uint64_t request;
    for (int i = 0; i < CLIENT_OUTSTANDING_MAX; i++) {
        cr_assert_eq(client_read(stage.client, &ask, 1, &stage.script.out, &request), STATUS_ok);
    }
    cr_assert_eq(client_read(stage.client, &ask, 1, &stage.script.out, &request), STATUS_busy);
    client_stage_release(&stage);
}

Test(requests_reads, ignores_answers_of_strangers_and_late_ones)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    const char *name;
    uint64_t request = client_stage_expect_transact(&stage, &name).request;
    struct message forged = {.kind = MESSAGE_outcome, .outcome = {.request = request}};
    script_message(&stage.script, 12345, &forged);
    struct message other = {.kind = MESSAGE_read_reply, .read_reply = {.request = request}};
    script_message(&stage.script, script_address(name), &other);
    struct message seal = {.kind = MESSAGE_seal};
    script_message(&stage.script, script_address(name), &seal);
    client_stage_expect_none_ended(&stage);
    client_stage_answer(&stage, name, request, STATUS_ok, 1);
    client_stage_answer(&stage, name, request, STATUS_ok, 1);
    client_stage_expect_ended(&stage, STATUS_ok);
    client_stage_release(&stage);
}

Test(requests_reads, ends_everything_when_it_stops)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    client_stage_read(&stage, READ_any);
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    cr_assert_eq(stage.ended_count, 2);
    cr_assert_eq(stage.ended[0].completion.status, STATUS_unknown_outcome);
    cr_assert(stage.script.is_stopped);
    client_stage_release(&stage);
}

Test(requests_reads, gives_up_connections_to_processes_that_left)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    script_topology(&stage.script, 2, "s1", CLIENT_MEMBERS, 2);
    cr_assert_eq(stage.script.disconnects, 3);
    client_stage_transact(&stage);
    script_expect(&stage.script, script_address("w1"), MESSAGE_transact);
    client_stage_release(&stage);
}
