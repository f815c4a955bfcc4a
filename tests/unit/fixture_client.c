/*
 * Completions are copied as they come, since they borrow from the step.
 */
#include "tests/unit/fixture_client.h"

#include <criterion/criterion.h>

const struct script_member CLIENT_MEMBERS[CLIENT_MEMBERS_COUNT] = {
    {"s1", ROLE_primary, MEMBER_primary, 101}, {"w1", ROLE_writer, MEMBER_ready, 0},
    {"w2", ROLE_writer, MEMBER_ready, 0},      {"r1", ROLE_reader, MEMBER_ready, 0},
    {"r2", ROLE_reader, MEMBER_ready, 0},
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
    struct client_stage *stage = self;
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

void client_stage_init(struct client_stage *stage)
{
    *stage = (struct client_stage){0};
    script_init(&stage->script, ROLE_client);
    struct client_options options = {
        .endpoints = &stage->script.coordinator, .endpoint_count = 1, .seed = 9};
    stage->client = client_new(&options);
    stage->script.machine = (struct machine){.self = stage, .step = step};
    script_start(&stage->script);
}

void client_stage_learn(struct client_stage *stage)
{
    script_topology(&stage->script, 1, "s1", CLIENT_MEMBERS, 5);
}

void client_stage_release(struct client_stage *stage)
{
    client_destroy(&stage->client);
    script_release(&stage->script);
}

void client_stage_keep_effects(struct client_stage *stage)
{
    script_event(&stage->script, (struct event){.kind = EVENT_TURN});
}

uint64_t client_stage_transact(struct client_stage *stage)
{
    struct client_transaction ask = {.operations = bytes_from_text("operations"),
                                     .timeout_ms = 5000};
    uint64_t request = 0;
    cr_assert_eq(
        client_transact(stage->client, &ask, stage->script.now_us, &stage->script.out, &request),
        STATUS_ok);
    client_stage_keep_effects(stage);
    return request;
}

uint64_t client_stage_read(struct client_stage *stage, enum read_level level)
{
    struct client_read ask = {
        .operations = bytes_from_text("gets"), .level = level, .timeout_ms = 5000};
    uint64_t request = 0;
    cr_assert_eq(
        client_read(stage->client, &ask, stage->script.now_us, &stage->script.out, &request),
        STATUS_ok);
    client_stage_keep_effects(stage);
    return request;
}

struct message client_stage_expect_either(struct client_stage *stage, const char *a, const char *b,
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

struct message_transact client_stage_expect_transact(struct client_stage *stage,
                                                     const char **ret_name)
{
    return client_stage_expect_either(stage, "w1", "w2", MESSAGE_transact, ret_name).transact;
}

void client_stage_expect_none_sent(struct client_stage *stage, enum message_kind kind)
{
    cr_assert_eq(script_count(&stage->script, 0, kind), 0);
}

void client_stage_answer(struct client_stage *stage, const char *name, uint64_t request,
                         enum status status, uint64_t version)
{
    struct message outcome = {
        .kind = MESSAGE_outcome,
        .outcome = {.request = request, .status = status, .version = version, .time_us = 8}};
    script_message(&stage->script, script_address(name), &outcome);
}

void client_stage_answer_read(struct client_stage *stage, const char *name, uint64_t request,
                              enum status status, uint64_t version)
{
    struct message reply = {
        .kind = MESSAGE_read_reply,
        .read_reply = {.request = request, .status = status, .version = version}};
    script_message(&stage->script, script_address(name), &reply);
}

struct ended_request client_stage_expect_ended(struct client_stage *stage, enum status status)
{
    cr_assert_eq(stage->ended_count, 1, "%zu have ended", stage->ended_count);
    stage->ended_count = 0;
    cr_assert_eq(stage->ended[0].completion.status, status, "%s",
                 status_name(stage->ended[0].completion.status));
    return stage->ended[0];
}

void client_stage_expect_none_ended(struct client_stage *stage)
{
    cr_assert_eq(stage->ended_count, 0);
}
