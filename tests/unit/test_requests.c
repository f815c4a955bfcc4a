/*
 * The request machine of a client: transactions among writers that the test plays.
 */
#include "tests/unit/fixture_client.h"

#include <criterion/criterion.h>

Test(requests, sends_what_waited_once_a_writer_is_known)
{
    struct client_stage stage;
    client_stage_init(&stage);
    uint64_t request = client_stage_transact(&stage);
    client_stage_expect_none_sent(&stage, MESSAGE_transact);
    client_stage_learn(&stage);
    const char *name;
    struct message_transact sent = client_stage_expect_transact(&stage, &name);
    cr_assert_eq(sent.sequence, 1);
    client_stage_answer(&stage, name, sent.request, STATUS_ok, 7);
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_ok);
    cr_assert_eq(ended.completion.request, request);
    cr_assert_eq(ended.completion.version, 7);
    cr_assert_eq(client_outstanding(stage.client), 0);
    client_stage_release(&stage);
}

Test(requests, numbers_its_transactions_and_says_what_is_done)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    const char *name;
    client_stage_transact(&stage);
    struct message_transact first = client_stage_expect_transact(&stage, &name);
    cr_assert_gt(first.session.size, 8);
    client_stage_answer(&stage, name, first.request, STATUS_ok, 7);
    client_stage_transact(&stage);
    struct message_transact second = client_stage_expect_transact(&stage, &name);
    cr_assert(bytes_equal(second.session, first.session));
    cr_assert_eq(second.sequence, 2);
    cr_assert_eq(second.done_below, 2);
    client_stage_release(&stage);
}

Test(requests, sends_a_named_session_as_it_is)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    struct client_transaction ask = {.operations = bytes_from_text("x"),
                                     .session = bytes_from_text("mine"),
                                     .sequence = 12,
                                     .done_below = 10,
                                     .timeout_ms = 1000};
    uint64_t request;
    cr_assert_eq(
        client_transact(stage.client, &ask, stage.script.now_us, &stage.script.out, &request),
        STATUS_ok);
    client_stage_keep_effects(&stage);
    const char *name;
    struct message_transact sent = client_stage_expect_transact(&stage, &name);
    cr_assert(bytes_equal(sent.session, bytes_from_text("mine")));
    cr_assert_eq(sent.sequence, 12);
    cr_assert_eq(sent.done_below, 10);
    client_stage_release(&stage);
}

Test(requests, takes_no_session_that_no_message_can_carry)
{
    static const char *const NAMES[] = {
        "\xff", "a\xc3", "\xed\xa0\x80",
        "a name of more than 64 bytes, which is more than a session may have"};
    struct client_stage stage;
    uint64_t request;
    client_stage_init(&stage);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct client_transaction ask = {.operations = bytes_from_text("x"),
                                         .session = bytes_from_text(NAMES[i]),
                                         .sequence = 1,
                                         .timeout_ms = 1000};
        struct client_status status = {.session = ask.session, .sequence = 1, .timeout_ms = 1000};
        cr_assert_eq(client_transact(stage.client, &ask, 0, &stage.script.out, &request),
                     STATUS_bad_request);
        cr_assert_eq(client_status(stage.client, &status, 0, &stage.script.out, &request),
                     STATUS_bad_request);
    }
    client_stage_release(&stage);
}

Test(requests, spreads_over_writers_and_readers)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    for (int i = 0; i < 10; i++) {
        script_pass(&stage.script, 1);
        client_stage_transact(&stage);
        client_stage_read(&stage, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("w1"), MESSAGE_transact), 5);
    cr_assert_eq(script_count(&stage.script, script_address("w2"), MESSAGE_transact), 5);
    cr_assert_eq(script_count(&stage.script, script_address("r1"), MESSAGE_read), 5);
    cr_assert_eq(script_count(&stage.script, script_address("r2"), MESSAGE_read), 5);
    client_stage_release(&stage);
}

Test(requests, sends_requests_of_one_moment_in_batches)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    for (int i = 0; i < 16; i++) {
        client_stage_transact(&stage);
    }
    size_t first = script_count(&stage.script, script_address("w1"), MESSAGE_transact);
    cr_assert(first == 0 || first == 16);
    for (int i = 0; i < 16; i++) {
        client_stage_transact(&stage);
    }
    cr_assert_eq(script_count(&stage.script, script_address("w1"), MESSAGE_transact), 16);
    cr_assert_eq(script_count(&stage.script, script_address("w2"), MESSAGE_transact), 16);
    client_stage_release(&stage);
}

Test(requests, goes_through_gateways_only_if_it_was_given_one)
{
    struct client_stage stage;
    client_stage_init(&stage);
    struct script_member members[] = {{"c1", ROLE_gateway, MEMBER_ready, 0},
                                      {"r1", ROLE_reader, MEMBER_ready, 0},
                                      {"w1", ROLE_writer, MEMBER_ready, 0}};
    script_topology(&stage.script, 1, NULL, members, 3);
    client_stage_transact(&stage);
    client_stage_read(&stage, READ_any);
    script_expect(&stage.script, script_address("c1"), MESSAGE_transact);
    script_expect(&stage.script, script_address("c1"), MESSAGE_read);
    client_stage_release(&stage);
}

Test(requests, sends_a_transaction_to_another_writer_when_one_is_lost)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    const char *first;
    const char *second;
    struct message_transact sent = client_stage_expect_transact(&stage, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    struct message_transact again = client_stage_expect_transact(&stage, &second);
    cr_assert_neq(first, second);
    cr_assert_eq(again.sequence, sent.sequence);
    cr_assert(bytes_equal(again.session, sent.session));
    client_stage_answer(&stage, second, again.request, STATUS_ok, 7);
    client_stage_expect_ended(&stage, STATUS_ok);
    client_stage_release(&stage);
}

Test(requests, sends_again_elsewhere_when_nothing_is_heard)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    const char *first;
    const char *second;
    client_stage_expect_transact(&stage, &first);
    script_pass(&stage.script, 500000);
    struct message_transact again = client_stage_expect_transact(&stage, &second);
    cr_assert_neq(first, second);
    cr_assert_leq(again.timeout_ms, 4500);
    client_stage_release(&stage);
}

Test(requests, tries_again_after_busy_unavailable_and_not_primary)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    static const enum status STATUSES[] = {STATUS_busy, STATUS_unavailable, STATUS_not_primary};
    const char *name;
    for (size_t i = 0; i < 3; i++) {
        client_stage_answer(&stage, name, client_stage_expect_transact(&stage, &name).request,
                            STATUSES[i], 0);
        client_stage_expect_none_ended(&stage);
        client_stage_expect_none_sent(&stage, MESSAGE_transact);
        script_pass(&stage.script, 20000);
    }
    client_stage_answer(&stage, name, client_stage_expect_transact(&stage, &name).request,
                        STATUS_ok, 4);
    client_stage_expect_ended(&stage, STATUS_ok);
    client_stage_release(&stage);
}

Test(requests, ends_with_busy_if_nobody_took_it_until_the_deadline)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    struct message message;
    for (int i = 0; i < 600; i++) {
        while (script_take(&stage.script, 0, MESSAGE_transact, &message)) {
            struct message outcome = {.kind = MESSAGE_outcome,
                                      .outcome = {.request = message.transact.request,
                                                  .status = STATUS_busy,
                                                  .message = bytes_from_text("your session")}};
            script_message(&stage.script, script_address("w1"), &outcome);
        }
        script_pass(&stage.script, 10000);
    }
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_busy);
    cr_assert_not_null(strstr(ended.message, "busy until the time was over"));
    cr_assert_not_null(strstr(ended.message, "your session"));
    client_stage_release(&stage);
}

Test(requests, ends_with_unavailable_if_there_was_nobody_to_send_to)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_transact(&stage);
    client_stage_read(&stage, READ_any);
    script_pass(&stage.script, 5000000);
    cr_assert_eq(stage.ended_count, 2);
    cr_assert_eq(stage.ended[0].completion.status, STATUS_unavailable);
    cr_assert_eq(stage.ended[1].completion.status, STATUS_unavailable);
    client_stage_release(&stage);
}

Test(requests, ends_with_unknown_outcome_only_if_it_may_have_run)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    script_pass(&stage.script, 5000000);
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_unknown_outcome);
    cr_assert_eq(ended.completion.sequence, 1);
    cr_assert_gt(strlen(ended.session), 8);
    cr_assert_not_null(strstr(ended.message, ended.session));
    client_stage_release(&stage);
}

Test(requests, does_not_call_a_sequence_done_whose_outcome_is_unknown)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    const char *name;
    client_stage_transact(&stage);
    script_pass(&stage.script, 1000);
    client_stage_transact(&stage);
    script_forget(&stage.script);
    script_pass(&stage.script, 4999000);
    client_stage_expect_ended(&stage, STATUS_unknown_outcome);
    script_forget(&stage.script);
    client_stage_transact(&stage);
    struct message_transact sent = client_stage_expect_transact(&stage, &name);
    cr_assert_eq(sent.sequence, 3);
    cr_assert_eq(sent.done_below, 1);
    client_stage_release(&stage);
}

Test(requests, claims_before_it_believes_a_failure_when_a_copy_is_elsewhere)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    const char *first;
    const char *second;
    client_stage_expect_transact(&stage, &first);
    script_peer(&stage.script, first, EVENT_PEER_DOWN);
    client_stage_answer(&stage, second, client_stage_expect_transact(&stage, &second).request,
                        STATUS_exists, 0);
    client_stage_expect_none_ended(&stage);
    struct message claim = script_expect(&stage.script, script_address(second),
                                         MESSAGE_transact_status);
    struct message reply = {.kind = MESSAGE_transact_status_reply,
                            .transact_status_reply = {.request = claim.transact_status.request,
                                                      .status = STATUS_absent}};
    script_message(&stage.script, script_address(second), &reply);
    client_stage_expect_ended(&stage, STATUS_exists);
    client_stage_release(&stage);
}

Test(requests, passes_a_failure_on_with_all_that_it_says)
{
    struct client_stage stage;
    client_stage_init(&stage);
    client_stage_learn(&stage);
    client_stage_transact(&stage);
    const char *name;
    struct message outcome = {
        .kind = MESSAGE_outcome,
        .outcome = {.request = client_stage_expect_transact(&stage, &name).request,
                    .status = STATUS_refused,
                    .operation = 3,
                    .message = bytes_from_text("because")}};
    script_message(&stage.script, script_address(name), &outcome);
    struct ended_request ended = client_stage_expect_ended(&stage, STATUS_refused);
    cr_assert_eq(ended.completion.operation, 3);
    cr_assert_str_eq(ended.message, "because");
    client_stage_release(&stage);
}
