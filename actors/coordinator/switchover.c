/*
 * Planned switchovers.
 *
 *   request --> switchover to the primary --> consent --> election --> a new primary is heard: done
 *                        |                       `-- gave up: failed
 *                        `-- refused, or no consent within SWITCHOVER_MS_MAX: failed
 *
 * A primary that stops cleanly sends its consent without being asked; then nobody waits for an
 * answer. Once the primary has consented and nobody is heard in time, nobody can say how it will
 * end: unknown_outcome. Consent is taken from the primary only; the voters are safe either way.
 */
#include "actors/coordinator/switchover.h"

#include "base/assert.h"
#include "cluster/word.h"

#include <stdio.h>

static bool is_active(const struct coordinator *self)
{
    return self->switchover.client != 0;
}

// Whether this storage node votes, as far as is known here.
static bool is_voter(const struct coordinator *self, const struct registry_member *member)
{
    const struct configuration *configuration = &self->election.electorate.configuration;
    if (configuration->voter_count > 0) {
        return configuration_find(configuration, member->record.directory_id) != NULL;
    }
    return member->is_named;
}

// Why this node can't be the target; NULL if it can.
static const char *target_fault(struct coordinator *self, struct bytes target,
                                enum status *ret_status)
{
    const struct registry_member *member = registry_find(&self->registry, target);
    *ret_status = STATUS_absent;
    if (member == NULL) {
        return "no process of this name is known";
    }
    *ret_status = STATUS_refused;
    if (!role_is_storage(member->record.role) || !is_voter(self, member)) {
        return "that process is no voter";
    }
    if (word_is(self->primary.name, target)) {
        return "that node leads already";
    }
    *ret_status = STATUS_unavailable;
    return member->record.state == MEMBER_unreachable ? "that node is not reached" : NULL;
}

// Why a switchover can't be tried; NULL if it can.
static const char *request_fault(struct coordinator *self, struct bytes target,
                                 enum status *ret_status)
{
    if (self->primary.name[0] == '\0') {
        *ret_status = STATUS_unavailable;
        return "no primary is known that could hand over";
    }
    if (is_active(self)) {
        *ret_status = STATUS_busy;
        return "another switchover is under way";
    }
    return target.size == 0 ? NULL : target_fault(self, target, ret_status);
}

void switchover_on_request(struct coordinator *self, const struct event *event, struct outbox *out)
{
    const struct message_switchover *asked = &event->message->switchover;
    enum status status = STATUS_bad_request;
    struct switchover switchover = {
        .client = event->from,
        .client_request = asked->request,
        .request = self->request + 1,
        .epoch = self->primary.epoch,
        .started_us = event->now_us,
    };
    const char *fault = "the name is malformed";
    if (word_copy(asked->target, switchover.target, sizeof switchover.target) == STATUS_ok) {
        fault = request_fault(self, asked->target, &status);
    }
    if (fault != NULL) {
        outbox_refuse(out, event->from, asked->request, status, fault);
        return;
    }
    memcpy(switchover.old_primary, self->primary.name, sizeof switchover.old_primary);
    self->switchover = switchover;
    self->request = switchover.request;
    struct message message = {
        .kind = MESSAGE_switchover,
        .switchover = {.request = switchover.request, .target = asked->target},
    };
    outbox_send(out, self->primary.address, &message);
    outbox_timer(out, TIMER_SWITCHOVER, event->now_us + ms_to_us(SWITCHOVER_MS_MAX));
}

// Whether a message comes from the primary known, over either connection between us.
static bool is_from_primary(struct coordinator *self, const struct event *event)
{
    const struct known_primary *primary = &self->primary;
    if (primary->name[0] == '\0') {
        return false;
    }
    const struct registry_member *member = registry_find(&self->registry,
                                                         bytes_from_text(primary->name));
    return event->from == primary->address || (member != NULL && event->from == member->from);
}

void switchover_on_consent(struct coordinator *self, const struct event *event, struct outbox *out)
{
    const struct message_consent *consent = &event->message->consent;
    if (!is_from_primary(self, event) || consent->epoch != self->primary.epoch) {
        coordinator_count_refused(self, event, "not_from_the_primary", out);
        return;
    }
    if (consent->target == 0) {
        switchover_fail(self, STATUS_unavailable,
                        "the primary gave up: no other voter has the whole log", event->now_us,
                        out);
        return;
    }
    if (election_consent(&self->election, consent->epoch, consent->target, event->now_us, out)) {
        self->switchover.has_consent = is_active(self);
        self->suspicion = (struct suspicion){
            .cause = "switchover", .wall_us = event->wall_us, .last_sign_us = event->now_us};
    }
}

void switchover_on_refused(struct coordinator *self, const struct event *event, struct outbox *out)
{
    const struct message *message = event->message;
    bool is_reply = message->kind == MESSAGE_switchover_reply;
    uint32_t status = is_reply ? message->switchover_reply.status : message->refusal.status;
    struct bytes why = is_reply ? message->switchover_reply.message : message->refusal.message;
    bool is_asked = is_active(self) && message_request(message) == self->switchover.request;
    if (!is_asked || !is_from_primary(self, event) || status == STATUS_ok) {
        coordinator_count_refused(self, event, "not_asked_for", out);
        return;
    }
    char sentence[ERROR_MESSAGE_SIZE_MAX + 1];
    snprintf(sentence, sizeof sentence, "%.*s", (int)why.size, (const char *)why.data);
    switchover_fail(self, (enum status)status, sentence, event->now_us, out);
}

// Answers whoever asked; `new_primary` is empty when there is none.
static void answer(struct coordinator *self, struct message_switchover_reply reply, uint64_t now_us,
                   struct outbox *out)
{
    const struct switchover *switchover = &self->switchover;
    reply.request = switchover->client_request;
    reply.old_primary = bytes_from_text(switchover->old_primary);
    reply.elapsed_us = now_us - switchover->started_us;
    struct message message = {.kind = MESSAGE_switchover_reply, .switchover_reply = reply};
    outbox_send(out, switchover->client, &message);
    outbox_timer(out, TIMER_SWITCHOVER, 0);
    self->switchover = (struct switchover){0};
}

void switchover_hear_primary(struct coordinator *self, uint64_t now_us, struct outbox *out)
{
    const struct switchover *switchover = &self->switchover;
    if (!is_active(self) || self->primary.epoch <= switchover->epoch) {
        return;
    }
    char why[ERROR_MESSAGE_SIZE_MAX] = "";
    struct message_switchover_reply reply = {
        .status = STATUS_ok,
        .new_primary = bytes_from_text(self->primary.name),
        .epoch = self->primary.epoch,
    };
    if (switchover->target[0] != '\0' && strcmp(switchover->target, self->primary.name) != 0) {
        reply.status = STATUS_refused;
        snprintf(why, sizeof why, "%s leads now, and not %s", self->primary.name,
                 switchover->target);
    }
    reply.message = bytes_from_text(why);
    answer(self, reply, now_us, out);
}

void switchover_fail(struct coordinator *self, enum status status, const char *why, uint64_t now_us,
                     struct outbox *out)
{
    if (is_active(self)) {
        struct message_switchover_reply reply = {.status = status, .message = bytes_from_text(why)};
        answer(self, reply, now_us, out);
    }
}

void switchover_expire(struct coordinator *self, uint64_t now_us, struct outbox *out)
{
    char why[ERROR_MESSAGE_SIZE_MAX];
    const struct switchover *switchover = &self->switchover;
    const char *what = switchover->has_consent
                           ? "%s handed over, but no new primary was heard within %d ms"
                           : "%s did not hand over within %d ms";
    snprintf(why, sizeof why, what, switchover->old_primary, SWITCHOVER_MS_MAX);
    switchover_fail(self, switchover->has_consent ? STATUS_unknown_outcome : STATUS_unavailable,
                    why, now_us, out);
}
