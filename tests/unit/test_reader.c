/*
 * The reader between one client and three storage nodes that the test plays.
 */
#include "actors/reader/reader.h"

#include "cluster/configuration.h"
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
    struct reader *reader;
    struct buffer operations;
    struct buffer configuration;
};

static void step(void *self, const struct event *event, struct outbox *out)
{
    reader_step(self, event, out);
}

static void pack_operations(struct stage *stage, const char *json)
{
    struct json_fault fault;
    buffer_clear(&stage->operations);
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &stage->operations, &fault), STATUS_ok);
}

static void add_voter(struct configuration *configuration, uint64_t directory_id, const char *name)
{
    cr_assert_eq(configuration_add(configuration, directory_id, bytes_from_text(name),
                                   bytes_from_text(name)),
                 STATUS_ok);
}

static void lead(struct stage *stage, uint64_t epoch, const char *primary)
{
    script_topology(&stage->script, epoch, primary, MEMBERS, 3);
}

// A reader that knows of s1 leading epoch 1.
static void stage_init(struct stage *stage)
{
    *stage = (struct stage){0};
    script_init(&stage->script, ROLE_reader);
    stage->reader = reader_new(&stage->script.process);
    stage->script.machine = (struct machine){.self = stage->reader, .step = step};
    struct configuration configuration = {0};
    cr_assert_eq(configuration_set_cluster(&configuration, SCRIPT_CLUSTER, bytes_from_text("test")),
                 STATUS_ok);
    add_voter(&configuration, 101, "s1");
    add_voter(&configuration, 102, "s2");
    add_voter(&configuration, 103, "s3");
    configuration_encode(&configuration, &stage->configuration);
    pack_operations(stage, "[{\"op\": \"get\", \"collection\": \"c\", \"id\": \"x\"}]");
    script_start(&stage->script);
    lead(stage, 1, "s1");
}

static void stage_release(struct stage *stage)
{
    reader_destroy(&stage->reader);
    script_release(&stage->script);
    buffer_release(&stage->operations);
    buffer_release(&stage->configuration);
}

static struct message read_message(struct stage *stage, uint64_t request, enum read_level level)
{
    return (struct message){.kind = MESSAGE_read,
                            .read = {.request = request,
                                     .level = (uint8_t)level,
                                     .timeout_ms = 5000,
                                     .operations = buffer_bytes(&stage->operations)}};
}

static void read(struct stage *stage, uint64_t request, enum read_level level)
{
    struct message message = read_message(stage, request, level);
    script_message(&stage->script, CLIENT, &message);
}

static void read_linearizable(struct stage *stage, uint64_t request)
{
    read(stage, request, READ_linearizable);
}

// The messages at hand have all been handed in.
static void turn(struct stage *stage)
{
    script_event(&stage->script, (struct event){.kind = EVENT_TURN});
}

// The id of the read point that `primary` was asked for.
static uint64_t expect_point(struct stage *stage, const char *primary)
{
    return script_expect(&stage->script, script_address(primary), MESSAGE_read_point)
        .read_point.request;
}

static void expect_no_point(struct stage *stage)
{
    cr_assert_eq(script_count(&stage->script, 0, MESSAGE_read_point), 0);
}

static void answer_point(struct stage *stage, uint64_t request, uint64_t epoch, uint64_t version)
{
    const char *primary = epoch == 2 ? "s2" : "s1";
    struct message reply = {
        .kind = MESSAGE_read_point_reply,
        .read_point_reply = {.request = request,
                             .epoch = epoch,
                             .directory_id = epoch == 2 ? 102 : 101,
                             .version = version,
                             .promised = epoch,
                             .configuration = buffer_bytes(&stage->configuration)}};
    script_message(&stage->script, script_address(primary), &reply);
}

static void confirm(struct stage *stage, const char *name, uint64_t request, uint64_t promised)
{
    struct message reply = {.kind = MESSAGE_confirm_reply,
                            .confirm_reply = {.request = request,
                                              .directory_id = name[1] == '1'   ? 101
                                                              : name[1] == '2' ? 102
                                                                               : 103,
                                              .promised = promised}};
    script_message(&stage->script, script_address(name), &reply);
}

// A whole read point of epoch 1 with this version.
static void give_point(struct stage *stage, uint64_t version)
{
    turn(stage);
    uint64_t request = expect_point(stage, "s1");
    answer_point(stage, request, 1, version);
    confirm(stage, "s2", request, 1);
}

// Takes the read that some node was sent, and which it was.
static struct message_read expect_sent(struct stage *stage, const char **ret_name)
{
    static const char *const NAMES[] = {"s1", "s2", "s3"};
    for (size_t i = 0; i < 3; i++) {
        struct message message;
        if (script_take(&stage->script, script_address(NAMES[i]), MESSAGE_read, &message)) {
            *ret_name = NAMES[i];
            return message.read;
        }
    }
    cr_assert_fail("no node was sent a read");
    return (struct message_read){0};
}

static void expect_none_sent(struct stage *stage)
{
    cr_assert_eq(script_count(&stage->script, 0, MESSAGE_read), 0);
}

static void answer_read(struct stage *stage, const char *name, uint64_t request, enum status status,
                        uint64_t version)
{
    struct message reply = {.kind = MESSAGE_read_reply,
                            .read_reply = {.request = request,
                                           .status = status,
                                           .version = version,
                                           .results = bytes_from_text("results")}};
    script_message(&stage->script, script_address(name), &reply);
}

static struct message_read_reply expect_reply(struct stage *stage, enum status status)
{
    struct message message = script_expect(&stage->script, CLIENT, MESSAGE_read_reply);
    cr_assert_eq(message.read_reply.status, status, "%s", status_name(message.read_reply.status));
    return message.read_reply;
}

static void expect_no_reply(struct stage *stage)
{
    cr_assert_eq(script_count(&stage->script, CLIENT, MESSAGE_read_reply), 0);
}

Test(reader, answers_a_linearizable_read_at_its_read_point)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 5);
    give_point(&stage, 40);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_session);
    cr_assert_eq(sent.after_version, 40);
    answer_read(&stage, name, sent.request, STATUS_ok, 41);
    struct message_read_reply reply = expect_reply(&stage, STATUS_ok);
    cr_assert_eq(reply.request, 5);
    cr_assert_eq(reply.version, 41);
    stage_release(&stage);
}

Test(reader, asks_primary_and_voters_under_one_id)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 5);
    turn(&stage);
    uint64_t request = expect_point(&stage, "s1");
    cr_assert_eq(
        script_expect(&stage.script, script_address("s2"), MESSAGE_confirm).confirm.request,
        request);
    cr_assert_eq(
        script_expect(&stage.script, script_address("s3"), MESSAGE_confirm).confirm.request,
        request);
    cr_assert_eq(script_count(&stage.script, script_address("s1"), MESSAGE_confirm), 0);
    stage_release(&stage);
}

Test(reader, shares_a_read_point_among_the_reads_of_a_turn)
{
    struct stage stage;
    stage_init(&stage);
    for (uint64_t i = 1; i <= 10; i++) {
        read_linearizable(&stage, i);
    }
    expect_no_point(&stage);
    give_point(&stage, 40);
    expect_no_point(&stage);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 10);
    stage_release(&stage);
}

Test(reader, begins_a_read_point_by_timer_if_no_turn_comes)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    script_pass(&stage.script, 0);
    expect_point(&stage, "s1");
    stage_release(&stage);
}

Test(reader, lets_no_read_join_a_read_point_under_way)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    uint64_t request = expect_point(&stage, "s1");
    read_linearizable(&stage, 2);
    turn(&stage);
    expect_no_point(&stage);
    answer_point(&stage, request, 1, 40);
    confirm(&stage, "s2", request, 1);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 1);
    cr_assert_neq(expect_point(&stage, "s1"), request);
    stage_release(&stage);
}

Test(reader, does_not_count_voters_of_a_later_epoch)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    uint64_t request = expect_point(&stage, "s1");
    answer_point(&stage, request, 1, 40);
    confirm(&stage, "s2", request, 2);
    confirm(&stage, "s3", request, 2);
    expect_none_sent(&stage);
    stage_release(&stage);
}

Test(reader, tries_again_with_a_new_id_when_a_heartbeat_passes)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    uint64_t first = expect_point(&stage, "s1");
    answer_point(&stage, first, 1, 40);
    script_pass(&stage.script, HEARTBEAT_MS * 1000);
    uint64_t second = expect_point(&stage, "s1");
    cr_assert_neq(second, first);
    confirm(&stage, "s2", first, 1);
    confirm(&stage, "s3", first, 1);
    expect_none_sent(&stage);
    answer_point(&stage, second, 1, 41);
    confirm(&stage, "s2", second, 1);
    const char *name;
    cr_assert_eq(expect_sent(&stage, &name).after_version, 41);
    stage_release(&stage);
}

Test(reader, tries_again_at_once_when_the_primary_changes)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    uint64_t first = expect_point(&stage, "s1");
    answer_point(&stage, first, 1, 40);
    lead(&stage, 2, "s2");
    uint64_t second = expect_point(&stage, "s2");
    confirm(&stage, "s3", first, 1);
    expect_none_sent(&stage);
    answer_point(&stage, second, 2, 50);
    confirm(&stage, "s3", second, 2);
    const char *name;
    cr_assert_eq(expect_sent(&stage, &name).after_version, 50);
    stage_release(&stage);
}

Test(reader, pauses_after_not_primary_and_less_often_each_time)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    for (int i = 0; i < 4; i++) {
        struct message refusal = {
            .kind = MESSAGE_refusal,
            .refusal = {.request = expect_point(&stage, "s1"), .status = STATUS_not_primary}};
        script_message(&stage.script, script_address("s1"), &refusal);
        turn(&stage);
        expect_no_point(&stage);
        script_pass(&stage.script, (uint64_t)10000 << i);
    }
    expect_point(&stage, "s1");
    stage_release(&stage);
}

Test(reader, waits_without_spinning_while_the_primary_is_not_connected)
{
    struct stage stage;
    stage_init(&stage);
    script_peer(&stage.script, "s1", EVENT_PEER_DOWN);
    read_linearizable(&stage, 1);
    turn(&stage);
    script_pass(&stage.script, 1000000);
    expect_no_point(&stage);
    script_peer(&stage.script, "s1", EVENT_PEER_UP);
    expect_point(&stage, "s1");
    stage_release(&stage);
}

Test(reader, sends_session_reads_without_a_read_point)
{
    struct stage stage;
    stage_init(&stage);
    struct message message = read_message(&stage, 1, READ_session);
    message.read.after_version = 17;
    script_message(&stage.script, CLIENT, &message);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_session);
    cr_assert_eq(sent.after_version, 17);
    turn(&stage);
    expect_no_point(&stage);
    stage_release(&stage);
}

Test(reader, sends_snapshot_reads_as_they_are)
{
    struct stage stage;
    stage_init(&stage);
    struct message message = read_message(&stage, 1, READ_snapshot);
    message.read.at_version = 12;
    script_message(&stage.script, CLIENT, &message);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_snapshot);
    cr_assert_eq(sent.at_version, 12);
    stage_release(&stage);
}

Test(reader, asks_every_replica_before_it_says_too_old)
{
    struct stage stage;
    stage_init(&stage);
    read(&stage, 1, READ_snapshot);
    const char *names[3];
    for (size_t i = 0; i < 3; i++) {
        expect_no_reply(&stage);
        struct message_read sent = expect_sent(&stage, &names[i]);
        answer_read(&stage, names[i], sent.request, STATUS_too_old, 0);
    }
    cr_assert(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
    expect_reply(&stage, STATUS_too_old);
    stage_release(&stage);
}

Test(reader, asks_another_replica_when_one_is_behind_lost_or_silent)
{
    struct stage stage;
    stage_init(&stage);
    read(&stage, 1, READ_any);
    const char *first;
    const char *second;
    const char *third;
    struct message_read sent = expect_sent(&stage, &first);
    answer_read(&stage, first, sent.request, STATUS_deadline, 0);
    expect_sent(&stage, &second);
    script_peer(&stage.script, second, EVENT_PEER_DOWN);
    expect_sent(&stage, &third);
    cr_assert(first != second && second != third && first != third);
    script_pass(&stage.script, 1000000);
    cr_assert_geq(script_count(&stage.script, 0, MESSAGE_read), 1);
    cr_assert_eq(script_count(&stage.script, script_address(second), MESSAGE_read), 0);
    stage_release(&stage);
}

Test(reader, prefers_followers_until_they_are_busy)
{
    struct stage stage;
    stage_init(&stage);
    for (uint64_t i = 1; i <= 16; i++) {
        script_pass(&stage.script, 1);
        read(&stage, i, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("s1"), MESSAGE_read), 0);
    cr_assert_eq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 8);
    cr_assert_eq(script_count(&stage.script, script_address("s3"), MESSAGE_read), 8);
    for (uint64_t i = 17; i <= 22; i++) {
        script_pass(&stage.script, 1);
        read(&stage, i, READ_any);
    }
    cr_assert_gt(script_count(&stage.script, script_address("s1"), MESSAGE_read), 0);
    stage_release(&stage);
}

Test(reader, sends_reads_of_one_moment_to_one_replica)
{
    struct stage stage;
    stage_init(&stage);
    for (uint64_t i = 1; i <= 64; i++) {
        read(&stage, i, READ_any);
    }
    size_t second = script_count(&stage.script, script_address("s2"), MESSAGE_read);
    size_t third = script_count(&stage.script, script_address("s3"), MESSAGE_read);
    cr_assert((second == 64 && third == 0) || (second == 0 && third == 64));
    read(&stage, 65, READ_any);
    cr_assert_leq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 64);
    cr_assert_leq(script_count(&stage.script, script_address("s3"), MESSAGE_read), 64);
    stage_release(&stage);
}

Test(reader, asks_no_more_voters_than_it_needs_once_it_knows_them)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    give_point(&stage, 40);
    script_forget(&stage.script);
    read_linearizable(&stage, 2);
    turn(&stage);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_confirm), 1);
    stage_release(&stage);
}

Test(reader, asks_all_voters_when_one_did_not_answer_and_counts_on_others_then)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    give_point(&stage, 40);
    script_forget(&stage.script);
    read_linearizable(&stage, 2);
    turn(&stage);
    answer_point(&stage, expect_point(&stage, "s1"), 1, 41);
    script_forget(&stage.script);
    script_pass(&stage.script, HEARTBEAT_MS * 1000);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_confirm), 2);
    uint64_t request = expect_point(&stage, "s1");
    answer_point(&stage, request, 1, 42);
    confirm(&stage, "s3", request, 1);
    script_forget(&stage.script);
    for (uint64_t i = 3; i <= 6; i++) {
        read_linearizable(&stage, i);
        turn(&stage);
        cr_assert_eq(script_count(&stage.script, script_address("s3"), MESSAGE_confirm), 1);
        request = expect_point(&stage, "s1");
        answer_point(&stage, request, 1, 42);
        confirm(&stage, "s3", request, 1);
        script_forget(&stage.script);
    }
    stage_release(&stage);
}

Test(reader, sends_nothing_to_a_node_that_catches_up)
{
    struct stage stage;
    stage_init(&stage);
    struct script_member members[3] = {MEMBERS[0], MEMBERS[1], MEMBERS[2]};
    members[1].state = MEMBER_catching_up;
    script_topology(&stage.script, 1, "s1", members, 3);
    for (uint64_t i = 1; i <= 30; i++) {
        read(&stage, i, READ_any);
    }
    cr_assert_eq(script_count(&stage.script, script_address("s2"), MESSAGE_read), 0);
    stage_release(&stage);
}

Test(reader, does_not_pass_on_an_answer_older_than_was_asked_for)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    give_point(&stage, 40);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    answer_read(&stage, name, sent.request, STATUS_ok, 39);
    expect_no_reply(&stage);
    sent = expect_sent(&stage, &name);
    answer_read(&stage, name, sent.request, STATUS_ok, 40);
    expect_reply(&stage, STATUS_ok);
    stage_release(&stage);
}

Test(reader, passes_a_failure_of_the_read_itself_on)
{
    struct stage stage;
    stage_init(&stage);
    read(&stage, 1, READ_any);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    answer_read(&stage, name, sent.request, STATUS_type, 0);
    expect_reply(&stage, STATUS_type);
    stage_release(&stage);
}

Test(reader, ends_with_deadline_and_forgets_the_read)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 2, NULL);
    read_linearizable(&stage, 1);
    script_pass(&stage.script, 4999000);
    expect_no_reply(&stage);
    script_pass(&stage.script, 1000);
    expect_reply(&stage, STATUS_deadline);
    script_forget(&stage.script);
    lead(&stage, 3, "s1");
    turn(&stage);
    give_point(&stage, 40);
    expect_none_sent(&stage);
    stage_release(&stage);
}

static void read_bounded(struct stage *stage, uint64_t versions, uint32_t ms)
{
    struct message message = read_message(stage, 1, READ_any);
    message.read.lag_versions_max = versions;
    message.read.lag_ms_max = ms;
    script_message(&stage->script, CLIENT, &message);
}

Test(reader, bounds_the_lag_in_versions)
{
    struct stage stage;
    stage_init(&stage);
    read_bounded(&stage, 10, 0);
    give_point(&stage, 40);
    const char *name;
    cr_assert_eq(expect_sent(&stage, &name).after_version, 30);
    read_bounded(&stage, 10, 0);
    cr_assert_eq(expect_sent(&stage, &name).after_version, 30);
    stage_release(&stage);
}

Test(reader, bounds_the_lag_in_time_by_a_young_read_point)
{
    struct stage stage;
    stage_init(&stage);
    read_bounded(&stage, 0, 100);
    give_point(&stage, 40);
    const char *name;
    cr_assert_eq(expect_sent(&stage, &name).after_version, 40);
    read_bounded(&stage, 0, 100);
    cr_assert_eq(expect_sent(&stage, &name).after_version, 40);
    script_pass(&stage.script, 80000);
    script_forget(&stage.script);
    read_bounded(&stage, 0, 100);
    turn(&stage);
    expect_point(&stage, "s1");
    stage_release(&stage);
}

Test(reader, is_stale_when_a_bound_can_not_be_kept)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 2, NULL);
    read_bounded(&stage, 0, 100);
    script_pass(&stage.script, SUSPECT_AFTER_MS * 1000);
    expect_reply(&stage, STATUS_stale);
    stage_release(&stage);
}

Test(reader, is_stale_when_the_answer_comes_too_late_for_its_bound)
{
    struct stage stage;
    stage_init(&stage);
    read_bounded(&stage, 0, 50);
    give_point(&stage, 40);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    script_pass(&stage.script, 60000);
    answer_read(&stage, name, sent.request, STATUS_ok, 40);
    expect_reply(&stage, STATUS_stale);
    stage_release(&stage);
}

static void check_bad_request(struct stage *stage, struct message message)
{
    script_message(&stage->script, CLIENT, &message);
    expect_reply(stage, STATUS_bad_request);
}

Test(reader, refuses_fields_out_of_range)
{
    struct stage stage;
    stage_init(&stage);
    check_bad_request(&stage, read_message(&stage, 1, 0));
    check_bad_request(&stage, read_message(&stage, 1, 5));
    struct message message = read_message(&stage, 1, READ_any);
    message.read.timeout_ms = 0;
    check_bad_request(&stage, message);
    pack_operations(&stage, "[]");
    check_bad_request(&stage, read_message(&stage, 1, READ_any));
    pack_operations(&stage, "[{\"op\": \"delete\", \"collection\": \"c\", \"id\": \"x\"}]");
    check_bad_request(&stage, read_message(&stage, 1, READ_any));
    expect_none_sent(&stage);
    stage_release(&stage);
}

Test(reader, is_busy_when_it_carries_as_many_as_it_can)
{
    struct stage stage;
    stage_init(&stage);
    lead(&stage, 2, NULL);
    for (uint64_t i = 1; i <= READER_PENDING_MAX; i++) {
        read_linearizable(&stage, i);
    }
    expect_no_reply(&stage);
    read_linearizable(&stage, READER_PENDING_MAX + 1);
    cr_assert_gt(expect_reply(&stage, STATUS_busy).retry_after_ms, 0);
    stage_release(&stage);
}

Test(reader, survives_strangers_and_messages_that_are_not_for_it)
{
    struct stage stage;
    stage_init(&stage);
    read_linearizable(&stage, 1);
    turn(&stage);
    uint64_t request = expect_point(&stage, "s1");
    answer_point(&stage, request, 1, 40);
    struct message forged = {
        .kind = MESSAGE_confirm_reply,
        .confirm_reply = {.request = request, .directory_id = 102, .promised = 1}};
    script_message(&stage.script, CLIENT, &forged);
    expect_none_sent(&stage);
    struct message garbage = {
        .kind = MESSAGE_read_point_reply,
        .read_point_reply = {.request = request, .epoch = 1, .configuration = {0}}};
    script_message(&stage.script, script_address("s1"), &garbage);
    struct message seal = {.kind = MESSAGE_seal};
    script_message(&stage.script, script_address("s1"), &seal);
    cr_assert_gt(stage.script.warnings, 0);
    confirm(&stage, "s2", request, 1);
    cr_assert_eq(script_count(&stage.script, 0, MESSAGE_read), 1);
    stage_release(&stage);
}

Test(reader, finishes_what_is_pending_before_it_stops)
{
    struct stage stage;
    stage_init(&stage);
    read(&stage, 1, READ_any);
    const char *name;
    struct message_read sent = expect_sent(&stage, &name);
    script_event(&stage.script, (struct event){.kind = EVENT_STOP});
    read(&stage, 2, READ_any);
    expect_reply(&stage, STATUS_unavailable);
    cr_assert_not(stage.script.is_stopped);
    answer_read(&stage, name, sent.request, STATUS_ok, 3);
    expect_reply(&stage, STATUS_ok);
    cr_assert(stage.script.is_stopped);
    stage_release(&stage);
}
