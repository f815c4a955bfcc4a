/*
 * The agent: the part that every process but a coordinator has in common. It keeps connections to
 * the coordinators, registers by reporting a `member` record every beat_ms and whenever it changes,
 * takes in topologies, and answers topology_get and echo. A machine embeds one and hands it every
 * event first.
 */
#ifndef SKEIN_CLUSTER_AGENT_H
#define SKEIN_CLUSTER_AGENT_H

#include "cluster/machine.h"
#include "cluster/process.h"
#include "cluster/topology.h"

// The agent's timer; a machine's own timers are smaller numbers.
enum { AGENT_TIMER = 1000 };

struct agent {
    const struct process *process;
    struct topology *topology;
    struct message_member self;                   // what is reported; the machine keeps it true
    uint64_t coordinators[COORDINATOR_COUNT_MAX]; // their addresses
    uint64_t reported_us;                         // when it last reported
    uint64_t refused;                             // topologies and reports that were refused
};

// `process` is borrowed and outlives the agent. The report begins as that of a process that is
// ready; a machine changes in agent->self what is otherwise.
void agent_init(struct agent *agent, const struct process *process);
void agent_release(struct agent *agent);

enum agent_result {
    AGENT_PASSED,           // not for the agent: the machine handles the event
    AGENT_HANDLED,          // done
    AGENT_TOPOLOGY_CHANGED, // done, and the topology is another than before
};

// Handles EVENT_START (also passes it on), its timer, topology, topology_get and echo, refusals by
// coordinators, and whether these are reached. Topologies count only if they come from one of the
// coordinators. When the cluster's id becomes known the shell is told, but not by a storage node:
// that one belongs to the cluster in its log (rule 31).
enum agent_result agent_step(struct agent *agent, const struct event *event, struct outbox *out);

// Reports at once: something in agent->self changed that others wait for.
void agent_report(struct agent *agent, uint64_t now_us, struct outbox *out);

#endif
