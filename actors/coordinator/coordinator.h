/*
 * The coordinator: watches the storage nodes, runs failover elections, keeps the registry of live
 * processes, publishes the topology. Holds nothing on disk and needs no agreement with the other
 * coordinators: safety is kept by the voters (cluster/election.h).
 */
#ifndef SKEIN_ACTORS_COORDINATOR_H
#define SKEIN_ACTORS_COORDINATOR_H

#include "cluster/machine.h"
#include "cluster/process.h"

struct coordinator;

// `process` and `voters` (named in the configuration file; at most VOTER_COUNT_MAX) are borrowed
// and outlive the coordinator.
struct coordinator *coordinator_new(const struct process *process, const struct voter_seed *voters,
                                    size_t voter_count);
void coordinator_destroy(struct coordinator **take_coordinator);
void coordinator_step(struct coordinator *self, const struct event *event, struct outbox *out);

#endif
