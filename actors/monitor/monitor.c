/*
 * The monitor. As a machine it is no more than a registered process that knows the topology: the
 * agent does all of it. What makes it a monitor is its shell (actors/runtime/monitor_shell.c),
 * which passes on the traces of all actors while somebody watches.
 */
#include "actors/monitor/monitor.h"

#include "base/assert.h"
#include "cluster/agent.h"

#include <stdlib.h>

struct monitor {
    struct agent agent;
    uint64_t refused; // messages of no use here
};

struct monitor *monitor_new(const struct process *process)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    ASSERT(monitor != NULL);
    agent_init(&monitor->agent, process);
    return monitor;
}

void monitor_destroy(struct monitor **take_monitor)
{
    struct monitor *monitor = *take_monitor;
    if (monitor == NULL) {
        return;
    }
    agent_release(&monitor->agent);
    free(monitor);
    *take_monitor = NULL;
}

void monitor_step(struct monitor *self, const struct event *event, struct outbox *out)
{
    if (agent_step(&self->agent, event, out) != AGENT_PASSED) {
        return;
    }
    if (event->kind == EVENT_MESSAGE) {
        self->refused++;
    }
    if (event->kind == EVENT_STOP) {
        self->agent.self.state = MEMBER_unreachable;
        agent_report(&self->agent, event->now_us, out);
        outbox_stop(out, EXIT_CLEAN, "event=stopped");
    }
}
