/*
 * The journal thread and the maintenance thread of a storage process: they run the node's disk
 * requests while the node goes on.
 */
#ifndef SKEIN_ACTORS_RUNTIME_DISK_THREADS_H
#define SKEIN_ACTORS_RUNTIME_DISK_THREADS_H

#include "actors/runtime/logger.h"
#include "actors/storage/disk_worker.h"

struct disk_threads;

// Starts both. Everything is borrowed and outlives them; until they end the worker is theirs. When
// the disk fails they end the process at once (rule 21).
struct disk_threads *disk_threads_new(struct disk_worker *worker, struct state *state,
                                      struct logger *logger);

// Ends them, after everything that was asked is done; results are forgotten.
void disk_threads_destroy(struct disk_threads **take_threads);

// Hands on a request; its bytes are copied. `received` is the state that an INSTALL makes durable,
// NULL with other requests.
void disk_threads_ask(struct disk_threads *threads, const struct disk_request *request,
                      struct state *received);

// Whether so much is waiting for the disk that no more should be asked.
bool disk_threads_is_full(struct disk_threads *threads);

// Readable while there are results.
int disk_threads_fd(const struct disk_threads *threads);

// Calls `each` for every result there is, in the order in which they came.
void disk_threads_take(struct disk_threads *threads,
                       void (*each)(void *context, const struct disk_done *done), void *context);

#endif
