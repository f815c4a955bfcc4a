/*
 * The clocks, for shells only: machines are told the time in their events.
 */
#ifndef SKEIN_ACTORS_RUNTIME_CLOCK_H
#define SKEIN_ACTORS_RUNTIME_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

// Microseconds since some moment before the start; never goes backwards.
static inline uint64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

// Microseconds since 1970; may jump.
static inline uint64_t clock_wall_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

#endif
