/*
 * The reader's reads: levels, choice of a replica, bounds, mistakes and ends.
 */
#include "tests/unit/fixture_reader.h"

#include <criterion/criterion.h>

Test(reader_reads, sends_session_reads_without_a_read_point)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct message message = reader_read_message(&stage, 1, READ_session);
    message.read.after_version = 17;
    script_message(&stage.script, READER_CLIENT, &message);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_session);
    cr_assert_eq(sent.after_version, 17);
    reader_turn(&stage);
    reader_expect_no_point(&stage);
    reader_stage_release(&stage);
}

Test(reader_reads, sends_snapshot_reads_as_they_are)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct message message = reader_read_message(&stage, 1, READ_snapshot);
    message.read.at_version = 12;
    script_message(&stage.script, READER_CLIENT, &message);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_snapshot);
    cr_assert_eq(sent.at_version, 12);
    reader_stage_release(&stage);
}

Test(reader_reads, asks_every_replica_before_it_says_too_old)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_snapshot);
    const char *names[3];
    for (size_t i = 0; i < 3; i++) {
        reader_expect_no_reply(&stage);
        struct message_read sent = reader_expect_sent(&stage, &names[i]);
        reader_answer_read(&stage, names[i], sent.request, STATUS_too_old, 0);
    }
    cr_assert(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    reader_expect_reply(&stage, STATUS_too_old);
    reader_stage_release(&stage);
}

Test(reader_reads, passes_on_what_the_last_replica_says_about_an_old_version)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_snapshot);
    for (size_t i = 0; i < 3; i++) {
        const char *name;
        struct message reply = {
            .kind = MESSAGE_read_reply,
            .read_reply = {.request = reader_expect_sent(&stage, &name).request,
                           .status = STATUS_too_old,
                           .message = bytes_from_text(i < 2 ? "first" : "last")}};
        script_message(&stage.script, script_address(name), &reply);
    }
    struct message_read_reply reply = reader_expect_reply(&stage, STATUS_too_old);
    cr_assert_eq(reply.request, 1);
    cr_assert(bytes_equal(reply.message, bytes_from_text("last")));
    reader_stage_release(&stage);
}

Test(reader_reads, survives_a_refusal_for_an_old_version)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_snapshot);
    for (size_t i = 0; i < 3; i++) {
        const char *name;
        uint64_t request = reader_expect_sent(&stage, &name).request;
        reader_refuse(&stage, name, request, STATUS_too_old);
    }
    reader_expect_reply(&stage, STATUS_too_old);
    reader_stage_release(&stage);
}

Test(reader_reads, asks_another_replica_when_one_is_behind_lost_or_silent)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_any);
    const char *first;
    const char *second;
    const char *third;
    struct message_read sent = reader_expect_sent(&stage, &first);
    reader_answer_read(&stage, first, sent.request, STATUS_deadline, 0);
    reader_expect_sent(&stage, &second);
    script_peer(&stage.script, second, EVENT_PEER_DOWN);
    reader_expect_sent(&stage, &third);
    cr_assert(first != second && second != third && first != third);
    script_pass(&stage.script, 1000000);
    cr_assert_geq(script_count(&stage.script, 0, MESSAGE_read), 1);
    cr_assert_eq(script_count(&stage.script, script_address(second), MESSAGE_read), 0);
    reader_stage_release(&stage);
}

Test(reader_reads, prefers_followers_until_they_are_busy)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    for (uint64_t i = 1; i <= 16; i++) {
        script_pass(&stage.script, 1);
        reader_read(&stage, i, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("s1"), MESSAGE_read), 0);
    cr_assert_eq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 8);
    cr_assert_eq(script_count(&stage.script, script_address("s3"), MESSAGE_read), 8);
    for (uint64_t i = 17; i <= 22; i++) {
        script_pass(&stage.script, 1);
        reader_read(&stage, i, READ_any);
    }
    cr_assert_gt(script_count(&stage.script, script_address("s1"), MESSAGE_read), 0);
    reader_stage_release(&stage);
}

Test(reader_reads, sends_reads_of_one_moment_to_one_replica)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    for (uint64_t i = 1; i <= 64; i++) {
        reader_read(&stage, i, READ_any);
    }
    size_t second = script_count(&stage.script, script_address("s2"), MESSAGE_read);
    size_t third = script_count(&stage.script, script_address("s3"), MESSAGE_read);
    cr_assert((second == 64 && third == 0) || (second == 0 && third == 64));
    reader_read(&stage, 65, READ_any);
    cr_assert_leq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 64);
    cr_assert_leq(script_count(&stage.script, script_address("s3"), MESSAGE_read), 64);
    reader_stage_release(&stage);
}

Test(reader_reads, sends_nothing_to_a_node_that_catches_up)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct script_member members[3] = {READER_MEMBERS[0], READER_MEMBERS[1], READER_MEMBERS[2]};
    members[1].state = MEMBER_catching_up;
    script_topology(&stage.script, 1, "s1", members, 3);
    for (uint64_t i = 1; i <= 30; i++) {
        reader_read(&stage, i, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 0);
    reader_stage_release(&stage);
}

Test(reader_reads, does_not_pass_on_an_answer_older_than_was_asked_for)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read_linearizable(&stage, 1);
    reader_give_point(&stage, 40);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 39);
    reader_expect_no_reply(&stage);
    sent = reader_expect_sent(&stage, &name);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 40);
    reader_expect_reply(&stage, STATUS_ok);
    reader_stage_release(&stage);
}

Test(reader_reads, passes_a_failure_of_the_read_itself_on)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_any);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    reader_answer_read(&stage, name, sent.request, STATUS_type, 0);
    reader_expect_reply(&stage, STATUS_type);
    reader_stage_release(&stage);
}

Test(reader_reads, ends_with_deadline_and_forgets_the_read)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_lead(&stage, 2, NULL);
    reader_read_linearizable(&stage, 1);
    script_pass(&stage.script, 4999000);
    reader_expect_no_reply(&stage);
    script_pass(&stage.script, 1000);
    reader_expect_reply(&stage, STATUS_deadline);
    script_forget(&stage.script);
    reader_lead(&stage, 3, "s1");
    reader_turn(&stage);
    reader_give_point(&stage, 40);
    reader_expect_none_sent(&stage);
    reader_stage_release(&stage);
}

static void read_bounded(struct reader_stage *stage, uint64_t versions, uint32_t ms)
{
    struct message message = reader_read_message(stage, 1, READ_any);
    message.read.lag_versions_max = versions;
    message.read.lag_ms_max = ms;
    script_message(&stage->script, READER_CLIENT, &message);
}

Test(reader_reads, bounds_the_lag_in_versions)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    read_bounded(&stage, 10, 0);
    reader_give_point(&stage, 40);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 30);
    read_bounded(&stage, 10, 0);
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 30);
    reader_stage_release(&stage);
}

Test(reader_reads, bounds_the_lag_in_time_by_a_young_read_point)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    read_bounded(&stage, 0, 100);
    reader_give_point(&stage, 40);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 40);
    read_bounded(&stage, 0, 100);
    cr_assert_eq(reader_expect_sent(&stage, &name).after_version, 40);
    script_pass(&stage.script, 80000);
    script_forget(&stage.script);
    read_bounded(&stage, 0, 100);
    reader_turn(&stage);
    reader_expect_point(&stage, "s1");
    reader_stage_release(&stage);
}

Test(reader_reads, is_stale_when_a_bound_can_not_be_kept)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_lead(&stage, 2, NULL);
    read_bounded(&stage, 0, 100);
    script_pass(&stage.script, SUSPECT_AFTER_MS * 1000);
    reader_expect_reply(&stage, STATUS_stale);
    reader_stage_release(&stage);
}

Test(reader_reads, is_stale_when_the_answer_comes_too_late_for_its_bound)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    read_bounded(&stage, 0, 50);
    reader_give_point(&stage, 40);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    script_pass(&stage.script, 60000);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 40);
    reader_expect_reply(&stage, STATUS_stale);
    reader_stage_release(&stage);
}

static void check_bad_request(struct reader_stage *stage, struct message message)
{
    script_message(&stage->script, READER_CLIENT, &message);
    reader_expect_reply(stage, STATUS_bad_request);
}

Test(reader_reads, refuses_fields_out_of_range)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    check_bad_request(&stage, reader_read_message(&stage, 1, 0));
    check_bad_request(&stage, reader_read_message(&stage, 1, 5));
    struct message message = reader_read_message(&stage, 1, READ_any);
    message.read.timeout_ms = 0;
    check_bad_request(&stage, message);
    reader_pack_operations(&stage, "[]");
    check_bad_request(&stage, reader_read_message(&stage, 1, READ_any));
    reader_pack_operations(&stage, "[{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\"}]");
    check_bad_request(&stage, reader_read_message(&stage, 1, READ_any));
    reader_expect_none_sent(&stage);
    reader_stage_release(&stage);
}

Test(reader_reads, is_busy_when_it_carries_as_many_as_it_can)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_lead(&stage, 2, NULL);
    for (uint64_t i = 1; i <= READER_PENDING_MAX; i++) {
        reader_read_linearizable(&stage, i);
    }
    reader_expect_no_reply(&stage);
    reader_read_linearizable(&stage, READER_PENDING_MAX + 1);
    cr_assert_gt(reader_expect_reply(&stage, STATUS_busy).retry_after_ms, 0);
    reader_stage_release(&stage);
}

Test(reader_reads, finishes_what_is_pending_before_it_stops)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_read(&stage, 1, READ_any);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    reader_read(&stage, 2, READ_any);
    reader_expect_reply(&stage, STATUS_unavailable);
    cr_assert_not(stage.script.is_stopped);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 3);
    reader_expect_reply(&stage, STATUS_ok);
    cr_assert(stage.script.is_stopped);
    reader_stage_release(&stage);
}
