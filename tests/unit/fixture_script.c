/*
 * Effects are sorted out after each step: messages into a list, timers into a table.
 */
#include "tests/unit/fixture_script.h"

#include "base/assert.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const char COORDINATOR[] = "tcp://c1";

void script_init(struct script *script, enum role role)
{
    *script = (struct script){.now_us = 1000000};
    script->coordinator = bytes_from_text(COORDINATOR);
    script->process = (struct process){.name = bytes_from_text("me"),
                                       .role = role,
                                       .endpoint = bytes_from_text("tcp://me"),
                                       .cluster_name = bytes_from_text("test"),
                                       .incarnation = 77,
                                       .seed = 5,
                                       .pid = 1,
                                       .coordinators = &script->coordinator,
                                       .coordinator_count = 1,
                                       .timings = timings_default()};
    outbox_init(&script->out);
}

void script_release(struct script *script)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        buffer_release(&script->sent[i].bytes);
    }
    free(script->sent);
    outbox_release(&script->out);
}

uint64_t script_address(const char *name)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://%s", name);
    return address_of_endpoint(bytes_from_text(endpoint));
}

static void keep_sent(struct script *script, uint64_t to, struct bytes bytes)
{
    if (script->sent_count == script->sent_capacity) {
        script->sent_capacity = script->sent_capacity == 0 ? 64 : 2 * script->sent_capacity;
        script->sent = reallocarray(script->sent, script->sent_capacity, sizeof *script->sent);
        ASSERT(script->sent != NULL);
    }
    struct script_sent *sent = &script->sent[script->sent_count++];
    *sent = (struct script_sent){.to = to};
    buffer_append(&sent->bytes, bytes);
}

static void keep_effects(struct script *script)
{
    for (size_t i = 0; i < script->out.count; i++) {
        const struct effect *effect = &script->out.effects[i];
        switch (effect->kind) {
        case EFFECT_SEND:
            keep_sent(script, effect->to, outbox_effect_bytes(&script->out, effect));
            break;
        case EFFECT_TIMER: script->timers[effect->timer] = effect->at_us; break;
        case EFFECT_CONNECT: script->connects++; break;
        case EFFECT_DISCONNECT: script->disconnects++; break;
        case EFFECT_LOG: script->warnings += effect->timer >= LOG_WARNING; break;
        case EFFECT_STOP: script->is_stopped = true; break;
        default: break;
        }
    }
    outbox_clear(&script->out);
}

void script_event(struct script *script, struct event event)
{
    event.now_us = script->now_us;
    script->machine.step(script->machine.self, &event, &script->out);
    keep_effects(script);
}

void script_start(struct script *script)
{
    script_event(script, (struct event){.kind = EVENT_START});
}

void script_message(struct script *script, uint64_t from, const struct message *message)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    message_encode(message, &encoded);
    struct bytes rest = buffer_bytes(&encoded);
    struct message decoded;
    cr_assert_eq(message_decode(&rest, &decoded), STATUS_ok);
    script_event(script, (struct event){.kind = EVENT_MESSAGE,
                                        .from = from,
                                        .from_cluster_id = SCRIPT_CLUSTER,
                                        .message = &decoded,
                                        .encoded = buffer_bytes(&encoded)});
}

void script_peer(struct script *script, const char *name, enum event_kind kind)
{
    script_event(script, (struct event){.kind = kind, .from = script_address(name)});
}

void script_pass(struct script *script, uint64_t us)
{
    uint64_t end_us = script->now_us + us;
    for (;;) {
        uint32_t first = 0;
        uint64_t due_us = UINT64_MAX;
        for (uint32_t i = 0; i < SCRIPT_TIMERS_MAX; i++) {
            if (script->timers[i] != 0 && script->timers[i] < due_us) {
                due_us = script->timers[i];
                first = i;
            }
        }
        if (due_us > end_us) {
            break;
        }
        script->now_us = due_us > script->now_us ? due_us : script->now_us;
        script->timers[first] = 0;
        script_event(script, (struct event){.kind = EVENT_TIMER, .timer = first});
    }
    script->now_us = end_us;
}

void script_topology(struct script *script, uint64_t epoch, const char *primary,
                     const struct script_member *members, size_t count)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    for (size_t i = 0; i < count; i++) {
        char endpoint[64];
        snprintf(endpoint, sizeof endpoint, "tcp://%s", members[i].name);
        struct message member = {.kind = MESSAGE_member,
                                 .member = {.name = bytes_from_text(members[i].name),
                                            .role = (uint8_t)members[i].role,
                                            .endpoint = bytes_from_text(endpoint),
                                            .incarnation = 500 + i,
                                            .directory_id = members[i].directory_id,
                                            .state = (uint8_t)members[i].state,
                                            .epoch = epoch,
                                            .beat = 1}};
        message_encode(&member, &encoded);
    }
    script->topology_sequence++;
    struct message topology = {
        .kind = MESSAGE_topology,
        .topology = {.cluster_id = SCRIPT_CLUSTER,
                     .epoch = epoch,
                     .primary = bytes_from_text(primary == NULL ? "" : primary),
                     .coordinator = 900,
                     .sequence = script->topology_sequence,
                     .cluster_name = bytes_from_text("test"),
                     .members = buffer_bytes(&encoded)}};
    script_message(script, address_of_endpoint(script->coordinator), &topology);
}

static bool is_wanted(const struct script_sent *sent, uint64_t to, enum message_kind kind,
                      struct message *ret_message)
{
    struct bytes rest = buffer_bytes(&sent->bytes);
    if (sent->is_taken || (to != 0 && sent->to != to)) {
        return false;
    }
    cr_assert_eq(message_decode(&rest, ret_message), STATUS_ok);
    cr_assert_eq(rest.size, 0);
    return ret_message->kind == kind;
}

bool script_take(struct script *script, uint64_t to, enum message_kind kind,
                 struct message *ret_message)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        struct message message;
        if (is_wanted(&script->sent[i], to, kind, &message)) {
            script->sent[i].is_taken = true;
            *ret_message = message;
            return true;
        }
    }
    return false;
}

struct message script_expect(struct script *script, uint64_t to, enum message_kind kind)
{
    struct message message = {0};
    cr_assert(script_take(script, to, kind, &message), "no %s was sent to %llx",
              message_kind_name(kind), (unsigned long long)to);
    return message;
}

size_t script_count(const struct script *script, uint64_t to, enum message_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < script->sent_count; i++) {
        struct message message;
        count += is_wanted(&script->sent[i], to, kind, &message);
    }
    return count;
}

void script_forget(struct script *script)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        script->sent[i].is_taken = true;
    }
}
