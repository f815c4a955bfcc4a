/*
 * Starting threads with a stack of a bounded size. Signals are blocked in them, as in the thread
 * that starts them.
 */
#ifndef SKEIN_ACTORS_RUNTIME_THREAD_H
#define SKEIN_ACTORS_RUNTIME_THREAD_H

#include <pthread.h>

// Starts run(context) under a name of at most 15 characters, which debuggers and top show. Running
// out of threads at the start of a process ends it.
void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *context),
                  void *context);

#endif
