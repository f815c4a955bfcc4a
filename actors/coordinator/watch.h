/*
 * Watching the cluster: reports of processes, what they tell about who leads, and suspicion.
 */
#ifndef SKEIN_ACTORS_COORDINATOR_WATCH_H
#define SKEIN_ACTORS_COORDINATOR_WATCH_H

#include "actors/coordinator/state.h"

// Begins to wait for a primary.
void watch_start(struct coordinator *self, const struct event *event, struct outbox *out);

// Takes a `member` report.
void watch_report(struct coordinator *self, const struct event *event, struct outbox *out);

// A connection to a storage node came or went.
void watch_peer(struct coordinator *self, const struct event *event, struct outbox *out);

// Suspects a primary that is silent, and sets TIMER_SUSPECT to look again.
void watch_silence(struct coordinator *self, const struct event *event, struct outbox *out);

// Once a beat: marks and drops the members that are silent.
void watch_expiry(struct coordinator *self, uint64_t now_us);

#endif
