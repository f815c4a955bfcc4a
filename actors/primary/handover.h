/*
 * Handover: a planned change of the primary (rule 36). It takes no new transactions, drains, brings
 * the target to the end of its log, and then asks a coordinator for an election with its consent.
 */
#ifndef SKEIN_ACTORS_PRIMARY_HANDOVER_H
#define SKEIN_ACTORS_PRIMARY_HANDOVER_H

#include "actors/primary/streaming.h"
#include "cluster/machine.h"

struct handover {
    bool active;          // transactions are refused
    bool consented;       // the coordinator was asked
    uint64_t target;      // directory id of the node that shall lead
    uint64_t coordinator; // address that the consent goes to
    uint64_t deadline_us; // given up then
};

// Chooses the target: the voter `name`, or with an empty name the one with the longest log that is
// reachable. 0: there is none.
uint64_t handover_target(const struct streaming *streaming, struct bytes name);

void handover_start(struct handover *handover, uint64_t target, uint64_t coordinator,
                    uint64_t now_us);

// Sends the consent once everything is drained and the target has it all.
void handover_advance(struct handover *handover, struct streaming *streaming, bool drained,
                      struct outbox *out);

// Gives up when it took too long: the primary takes transactions again. True if it did.
bool handover_end_if_late(struct handover *handover, uint64_t now_us, struct outbox *out);

#endif
