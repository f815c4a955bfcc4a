/*
 * Stacks take memory only where they are used, but a small bound keeps a bug small, too.
 */
#include "actors/runtime/thread.h"

#include "base/assert.h"
#include "base/limits.h"

enum { STACK_SIZE = 1 * MIB };

void thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *context),
                  void *context)
{
    pthread_attr_t attributes;
    ASSERT(pthread_attr_init(&attributes) == 0);
    ASSERT(pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0);
    ASSERT(pthread_create(ret_thread, &attributes, run, context) == 0);
    ASSERT(pthread_setname_np(*ret_thread, name) == 0);
    pthread_attr_destroy(&attributes);
}
