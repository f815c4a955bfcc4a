/*
 * The writer: takes transactions from clients, checks them, sends them to the current primary and
 * carries them across a failover exactly once. Holds nothing on disk.
 */
#ifndef SKEIN_ACTORS_WRITER_H
#define SKEIN_ACTORS_WRITER_H

#include "cluster/machine.h"
#include "cluster/process.h"

struct writer;

// `process` is borrowed and outlives the writer.
struct writer *writer_new(const struct process *process);
void writer_destroy(struct writer **take_writer);
void writer_step(struct writer *self, const struct event *event, struct outbox *out);

#endif
