/*
 * Clocks in seconds, to subtract.
 */
#ifndef SKEIN_TESTS_BENCH_BENCH_CLOCK_H
#define SKEIN_TESTS_BENCH_BENCH_CLOCK_H

#include "base/assert.h"

#include <time.h>

static inline double clock_s(clockid_t clock)
{
    struct timespec now;
    ASSERT(clock_gettime(clock, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
