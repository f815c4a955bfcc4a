/*
 * Publishing the topology.
 */
#ifndef SKEIN_ACTORS_COORDINATOR_PUBLISH_H
#define SKEIN_ACTORS_COORDINATOR_PUBLISH_H

#include "actors/coordinator/state.h"

// Renews our own record in the registry: a coordinator lists itself.
void publish_self(struct coordinator *self, uint64_t now_us);

// Sends the topology to every process that reports, if something changed since the last time: at
// once, or after a moment (TIMER_PUBLISH) when the last one left just now and the primary is the
// same.
void publish_changes(struct coordinator *self, uint64_t now_us, struct outbox *out);

// Answers a report: sends the topology if the member has not seen it for long, or saw an older one.
void publish_to_member(struct coordinator *self, struct registry_member *member, uint64_t now_us,
                       struct outbox *out);

// Answers topology_get.
void publish_to(struct coordinator *self, uint64_t to, struct outbox *out);

#endif
