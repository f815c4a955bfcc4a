/*
 * The reader: takes reads from clients and answers them from storage nodes at the consistency asked
 * for; linearizable reads share read points (rule 26). Holds nothing on disk.
 */
#ifndef SKEIN_ACTORS_READER_H
#define SKEIN_ACTORS_READER_H

#include "cluster/machine.h"
#include "cluster/process.h"

struct reader;

// `process` is borrowed and outlives the reader.
struct reader *reader_new(const struct process *process);
void reader_destroy(struct reader **take_reader);
void reader_step(struct reader *self, const struct event *event, struct outbox *out);

#endif
