/*
 * The query threads of a storage process: they answer reads and digests from the state while the
 * node goes on. Gets and what may take long have threads of their own.
 */
#ifndef SKEIN_ACTORS_RUNTIME_QUERY_THREADS_H
#define SKEIN_ACTORS_RUNTIME_QUERY_THREADS_H

#include "actors/runtime/mailbox.h"
#include "storage/marks.h"
#include "storage/state.h"

struct query_threads;

// Starts `count` threads for gets, and as many for everything else. State and marks are borrowed
// and outlive them.
struct query_threads *query_threads_new(struct state *state, struct marks *marks, size_t count);

// Ends them; what is asked and not answered yet is forgotten, but for what is being run.
void query_threads_destroy(struct query_threads **take_threads);

// Hands an encoded message of `from` to one of them. False when all are busy beyond their bound.
bool query_threads_ask(struct query_threads *threads, uint64_t from, struct bytes encoded);

// Readable while there are answers.
int query_threads_fd(const struct query_threads *threads);

// Calls `each` for every answer there is, encoded, in the order in which they came.
void query_threads_take(struct query_threads *threads,
                        void (*each)(void *context, uint64_t to, struct bytes encoded),
                        void *context);

#endif
