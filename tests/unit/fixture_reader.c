/*
 * Messages of the client and of the storage nodes, and what the reader makes of them.
 */
#include "tests/unit/fixture_reader.h"

#include "cluster/configuration.h"
#include "wire/json.h"

#include <criterion/criterion.h>

const struct script_member READER_MEMBERS[READER_MEMBERS_COUNT] = {
    {"s1", ROLE_primary, MEMBER_primary, 101},
    {"s2", ROLE_replica, MEMBER_replica, 102},
    {"s3", ROLE_replica, MEMBER_replica, 103},
};

static void step(void *self, const struct event *event, struct outbox *out)
{
    reader_step(self, event, out);
}

void reader_pack_operations(struct reader_stage *stage, const char *json)
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

void reader_lead(struct reader_stage *stage, uint64_t epoch, const char *primary)
{
    script_topology(&stage->script, epoch, primary, READER_MEMBERS, 3);
}

void reader_stage_init(struct reader_stage *stage)
{
    *stage = (struct reader_stage){0};
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
    reader_pack_operations(stage, "[{\"op\": \"get\", \"collection\": \"c\", \"id\": \"x\"}]");
    script_start(&stage->script);
    reader_lead(stage, 1, "s1");
}

void reader_stage_release(struct reader_stage *stage)
{
    reader_destroy(&stage->reader);
    script_release(&stage->script);
    buffer_release(&stage->operations);
    buffer_release(&stage->configuration);
}

struct message reader_read_message(struct reader_stage *stage, uint64_t request,
                                   enum read_level level)
{
    return (struct message){.kind = MESSAGE_read,
                            .read = {.request = request,
                                     .level = (uint8_t)level,
                                     .timeout_ms = 5000,
                                     .operations = buffer_bytes(&stage->operations)}};
}

void reader_read(struct reader_stage *stage, uint64_t request, enum read_level level)
{
    struct message message = reader_read_message(stage, request, level);
    script_message(&stage->script, READER_CLIENT, &message);
}

void reader_read_linearizable(struct reader_stage *stage, uint64_t request)
{
    reader_read(stage, request, READ_linearizable);
}

void reader_turn(struct reader_stage *stage)
{
    script_event(&stage->script, (struct event){.kind = EVENT_TURN});
}

uint64_t reader_expect_point(struct reader_stage *stage, const char *primary)
{
    return script_expect(&stage->script, script_address(primary), MESSAGE_read_point)
        .read_point.request;
}

void reader_expect_no_point(struct reader_stage *stage)
{
    cr_assert_eq(script_count(&stage->script, 0, MESSAGE_read_point), 0);
}

void reader_answer_point(struct reader_stage *stage, uint64_t request, uint64_t epoch,
                         uint64_t version)
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

void reader_confirm(struct reader_stage *stage, const char *name, uint64_t request,
                    uint64_t promised)
{
    struct message reply = {.kind = MESSAGE_confirm_reply,
                            .confirm_reply = {.request = request,
                                              .directory_id = name[1] == '1'   ? 101
                                                              : name[1] == '2' ? 102
                                                                               : 103,
                                              .promised = promised}};
    script_message(&stage->script, script_address(name), &reply);
}

void reader_give_point(struct reader_stage *stage, uint64_t version)
{
    reader_turn(stage);
    uint64_t request = reader_expect_point(stage, "s1");
    reader_answer_point(stage, request, 1, version);
    reader_confirm(stage, "s2", request, 1);
}

struct message_read reader_expect_sent(struct reader_stage *stage, const char **ret_name)
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

void reader_expect_none_sent(struct reader_stage *stage)
{
    cr_assert_eq(script_count(&stage->script, 0, MESSAGE_read), 0);
}

void reader_answer_read(struct reader_stage *stage, const char *name, uint64_t request,
                        enum status status, uint64_t version)
{
    struct message reply = {.kind = MESSAGE_read_reply,
                            .read_reply = {.request = request,
                                           .status = status,
                                           .version = version,
                                           .results = bytes_from_text("results")}};
    script_message(&stage->script, script_address(name), &reply);
}

void reader_answer_results(struct reader_stage *stage, const char *name, uint64_t request,
                           uint64_t version, const char *json)
{
    AUTO(buffer_release) struct buffer results = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &results, &fault), STATUS_ok);
    struct message reply = {
        .kind = MESSAGE_read_reply,
        .read_reply = {.request = request, .version = version, .results = buffer_bytes(&results)}};
    script_message(&stage->script, script_address(name), &reply);
}

void reader_ask_mark(struct reader_stage *stage, uint64_t request)
{
    struct message ask = {.kind = MESSAGE_mark, .mark = {.request = request, .timeout_ms = 5000}};
    script_message(&stage->script, READER_CLIENT, &ask);
}

uint64_t reader_expect_mark(struct reader_stage *stage, const char *primary)
{
    return script_expect(&stage->script, script_address(primary), MESSAGE_mark).mark.request;
}

void reader_expect_no_mark(struct reader_stage *stage)
{
    cr_assert_eq(script_count(&stage->script, 0, MESSAGE_mark), 0);
}

void reader_answer_mark(struct reader_stage *stage, const char *name, uint64_t request,
                        uint64_t version)
{
    struct message reply = {
        .kind = MESSAGE_mark_reply,
        .mark_reply = {.request = request, .version = version, .position = 10 * version}};
    script_message(&stage->script, script_address(name), &reply);
}

void reader_refuse(struct reader_stage *stage, const char *name, uint64_t request,
                   enum status status)
{
    struct message refusal = {
        .kind = MESSAGE_refusal,
        .refusal = {.request = request, .status = status, .message = bytes_from_text("no")}};
    script_message(&stage->script, script_address(name), &refusal);
}

struct message_read_reply reader_expect_reply(struct reader_stage *stage, enum status status)
{
    struct message message = script_expect(&stage->script, READER_CLIENT, MESSAGE_read_reply);
    cr_assert_eq(message.read_reply.status, status, "%s", status_name(message.read_reply.status));
    return message.read_reply;
}

void reader_expect_no_reply(struct reader_stage *stage)
{
    cr_assert_eq(script_count(&stage->script, READER_CLIENT, MESSAGE_read_reply), 0);
}
