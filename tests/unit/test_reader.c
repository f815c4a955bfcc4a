/*
 * The reader's read points: when they begin, whom they ask, what counts (rule 26).
 */
#include "tests/unit/fixture_reader.h"

#include <criterion/criterion.h>

Test(reader, answers_a_linearizable_read_at_its_read_point)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 5);
    reader_give_point(&stage, 40);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_session);
    cr_assert_eq(sent.after_version, 40);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 41);
    struct message_read_reply reply = reader_expect_reply(&stage, STATUS_ok);
    cr_assert_eq(reply.request, 5);
    cr_assert_eq(reply.version, 41);
    reader_stage_release(&stage);
}

Test(reader, asks_primary_and_voters_under_one_id)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 5);
    reader_turn(&stage);
    uint64_t request = reader_expect_point(&stage, "s1");
    cr_assert_eq(
        script_expect(&stage.script, script_address("s2"), MESSAGE_confirm).confirm.request,
        request);
    cr_assert_eq(
        script_expect(&stage.script, script_address("s3"), MESSAGE_confirm).confirm.request,
        request);
    cr_assert_eq(script_count(&stage.script, script_address("s1"), MESSAGE_confirm), 0);
    reader_stage_release(&stage);
}

Test(reader, shares_a_read_point_among_the_reads_of_a_turn)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    for (uint64_t i = 1; i <= 10; i++) {
        reader_read_linearizable(&stage, i);
    }
    reader_expect_no_point(&stage);
    reader_give_point(&stage, 40);
    reader_expect_no_point(&stage);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 10);
    reader_stage_release(&stage);
}

Test(reader, begins_a_read_point_by_timer_if_no_turn_comes)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    script_pass(&stage.script, 0);
    reader_expect_point(&stage, "s1");
    reader_stage_release(&stage);
}

Test(reader, lets_no_read_join_a_read_point_under_way)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    uint64_t request = reader_expect_point(&stage, "s1");
    reader_read_linearizable(&stage, 2);
    reader_turn(&stage);
    reader_expect_no_point(&stage);
    reader_answer_point(&stage, request, 1, 40);
    reader_confirm(&stage, "s2", request, 1);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 1);
    cr_assert_neq(reader_expect_point(&stage, "s1"), request);
    reader_stage_release(&stage);
}

Test(reader, does_not_count_voters_of_a_later_epoch)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    uint64_t request = reader_expect_point(&stage, "s1");
    reader_answer_point(&stage, request, 1, 40);
    reader_confirm(&stage, "s2", request, 2);
    reader_confirm(&stage, "s3", request, 2);
    reader_expect_none_sent(&stage);
    reader_stage_release(&stage);
}

Test(reader, tries_again_with_a_new_id_when_a_heartbeat_passes)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    uint64_t first = reader_expect_point(&stage, "s1");
    reader_answer_point(&stage, first, 1, 40);
    script_pass(&stage.script, HEARTBEAT_MS * 1000);
    uint64_t second = reader_expect_point(&stage, "s1");
    cr_assert_neq(second, first);
    reader_confirm(&stage, "s2", first, 1);
    reader_confirm(&stage, "s3", first, 1);
    reader_expect_none_sent(&stage);
    reader_answer_point(&stage, second, 1, 41);
    reader_confirm(&stage, "s2", second, 1);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 41);
    reader_stage_release(&stage);
}

Test(reader, tries_again_at_once_when_the_primary_changes)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    uint64_t first = reader_expect_point(&stage, "s1");
    reader_answer_point(&stage, first, 1, 40);
    reader_lead(&stage, 2, "s2");
    uint64_t second = reader_expect_point(&stage, "s2");
    reader_confirm(&stage, "s3", first, 1);
    reader_expect_none_sent(&stage);
    reader_answer_point(&stage, second, 2, 50);
    reader_confirm(&stage, "s3", second, 2);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 50);
    reader_stage_release(&stage);
}

Test(reader, pauses_after_not_primary_and_less_often_each_time)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    for (int i = 0; i < 4; i++) {
        struct message refusal = {.kind = MESSAGE_refusal,
                                  .refusal = {.request = reader_expect_point(&stage, "s1"),
                                              .status = STATUS_not_primary}};
        script_message(&stage.script, script_address("s1"), &refusal);
        reader_turn(&stage);
        reader_expect_no_point(&stage);
        script_pass(&stage.script, (uint64_t)10000 << i);
    }
    reader_expect_point(&stage, "s1");
    reader_stage_release(&stage);
}

Test(reader, waits_without_spinning_while_the_primary_is_not_connected)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    script_peer(&stage.script, "s1", EVENT_PEER_DOWN);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    script_pass(&stage.script, 1000000);
    reader_expect_no_point(&stage);
    script_peer(&stage.script, "s1", EVENT_PEER_UP);
    reader_expect_point(&stage, "s1");
    reader_stage_release(&stage);
}

Test(reader, asks_no_more_voters_than_it_needs_once_it_knows_them)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_give_point(&stage, 40);
    script_forget(&stage.script);
    reader_read_linearizable(&stage, 2);
    reader_turn(&stage);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_confirm), 1);
    reader_stage_release(&stage);
}

Test(reader, asks_all_voters_when_one_did_not_answer_and_counts_on_others_then)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_give_point(&stage, 40);
    script_forget(&stage.script);
    reader_read_linearizable(&stage, 2);
    reader_turn(&stage);
    reader_answer_point(&stage, reader_expect_point(&stage, "s1"), 1, 41);
    script_forget(&stage.script);
    script_pass(&stage.script, HEARTBEAT_MS * 1000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_confirm), 2);
    uint64_t request = reader_expect_point(&stage, "s1");
    reader_answer_point(&stage, request, 1, 42);
    reader_confirm(&stage, "s3", request, 1);
    script_forget(&stage.script);
    for (uint64_t i = 3; i <= 6; i++) {
        reader_read_linearizable(&stage, i);
        reader_turn(&stage);
        cr_assert_eq(script_count(&stage.script, script_address("s3"), MESSAGE_confirm), 1);
        request = reader_expect_point(&stage, "s1");
        reader_answer_point(&stage, request, 1, 42);
        reader_confirm(&stage, "s3", request, 1);
        script_forget(&stage.script);
    }
    reader_stage_release(&stage);
}

Test(reader, survives_strangers_and_messages_that_are_not_for_it)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_turn(&stage);
    uint64_t request = reader_expect_point(&stage, "s1");
    reader_answer_point(&stage, request, 1, 40);
    struct message forged = {
        .kind = MESSAGE_confirm_reply,
        .confirm_reply = {.request = request, .directory_id = 102, .promised = 1}};
    script_message(&stage.script, READER_CLIENT, &forged);
    reader_expect_none_sent(&stage);
    struct message garbage = {
        .kind = MESSAGE_read_point_reply,
        .read_point_reply = {.request = request, .epoch = 1, .configuration = {0}}};
    script_message(&stage.script, script_address("s1"), &garbage);
    struct message seal = {.kind = MESSAGE_seal};
    script_message(&stage.script, script_address("s1"), &seal);
    cr_assert_gt(stage.script.warnings, 0);
    reader_confirm(&stage, "s2", request, 1);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 1);
    reader_stage_release(&stage);
}
