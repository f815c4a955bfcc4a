/*
 * The monitor: a process of the cluster through which people watch its traffic. The machine keeps
 * the topology; its shell subscribes to the traces of all actors while somebody watches.
 */
#ifndef SKEIN_ACTORS_MONITOR_H
#define SKEIN_ACTORS_MONITOR_H

#include "cluster/machine.h"
#include "cluster/process.h"

struct monitor;

// `process` is borrowed and outlives the monitor.
struct monitor *monitor_new(const struct process *process);
void monitor_destroy(struct monitor **take_monitor);
void monitor_step(struct monitor *self, const struct event *event, struct outbox *out);

#endif
