/*
 * Planned switchovers (rule 36).
 */
#ifndef SKEIN_ACTORS_COORDINATOR_SWITCHOVER_H
#define SKEIN_ACTORS_COORDINATOR_SWITCHOVER_H

#include "actors/coordinator/state.h"

// An operator asks for one: passed to the primary, or refused.
void switchover_on_request(struct coordinator *self, const struct event *event, struct outbox *out);

// The primary asks for the election, or gave up.
void switchover_on_consent(struct coordinator *self, const struct event *event, struct outbox *out);

// The primary refuses: a switchover_reply or a refusal.
void switchover_on_refused(struct coordinator *self, const struct event *event, struct outbox *out);

// The primary known leads: answers if that ends the switchover.
void switchover_hear_primary(struct coordinator *self, uint64_t now_us, struct outbox *out);

// Answers that it failed; nothing if none is under way.
void switchover_fail(struct coordinator *self, enum status status, const char *why, uint64_t now_us,
                     struct outbox *out);

// Handles TIMER_SWITCHOVER.
void switchover_expire(struct coordinator *self, uint64_t now_us, struct outbox *out);

#endif
