/*
 * The timers of a machine: one time for each timer number.
 */
#ifndef SKEIN_ACTORS_RUNTIME_TIMERS_H
#define SKEIN_ACTORS_RUNTIME_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A machine uses a handful of timers; asking for more is a bug.
enum { TIMERS_COUNT_MAX = 64 };

struct timer {
    uint32_t number; // the machine's own
    uint64_t at_us;  // when it is due
};

struct timers {
    struct timer timers[TIMERS_COUNT_MAX]; // those that are set, in no order
    size_t count;
    uint64_t next_us; // earliest at_us; UINT64_MAX when none is set
};

void timers_init(struct timers *timers);

// Sets the one time of this timer; 0 takes it back.
void timers_set(struct timers *timers, uint32_t number, uint64_t at_us);

// When the next one is due; UINT64_MAX for never.
static inline uint64_t timers_next_us(const struct timers *timers)
{
    return timers->next_us;
}

// Takes the timer that has been due for longest; false when none is due.
bool timers_take(struct timers *timers, uint64_t now_us, uint32_t *ret_number);

#endif
