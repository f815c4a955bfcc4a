/*
 * A plain array: a machine has a handful of timers and sets the same ones again and again, so a
 * walk over all of them costs less than keeping them in order. The earliest time is kept beside,
 * since every turn of the loop asks for it.
 */
#include "actors/runtime/timers.h"

#include "base/assert.h"

void timers_init(struct timers *timers)
{
    timers->count = 0;
    timers->next_us = UINT64_MAX;
}

static struct timer *find_timer(struct timers *timers, uint32_t number)
{
    for (size_t i = 0; i < timers->count; i++) {
        if (timers->timers[i].number == number) {
            return &timers->timers[i];
        }
    }
    return NULL;
}

// The one with the earliest time, of equal ones that with the smallest number; NULL for none.
static struct timer *find_earliest(struct timers *timers)
{
    struct timer *earliest = NULL;
    for (size_t i = 0; i < timers->count; i++) {
        struct timer *timer = &timers->timers[i];
        if (earliest == NULL || timer->at_us < earliest->at_us ||
            (timer->at_us == earliest->at_us && timer->number < earliest->number)) {
            earliest = timer;
        }
    }
    return earliest;
}

static void note_next(struct timers *timers)
{
    const struct timer *earliest = find_earliest(timers);
    timers->next_us = earliest == NULL ? UINT64_MAX : earliest->at_us;
}

static void remove_timer(struct timers *timers, struct timer *timer)
{
    *timer = timers->timers[--timers->count];
    note_next(timers);
}

void timers_set(struct timers *timers, uint32_t number, uint64_t at_us)
{
    struct timer *timer = find_timer(timers, number);
    if (at_us == 0) {
        if (timer != NULL) {
            remove_timer(timers, timer);
        }
        return;
    }
    if (timer == NULL) {
        ASSERT(timers->count < TIMERS_COUNT_MAX);
        timer = &timers->timers[timers->count++];
        timer->number = number;
    }
    timer->at_us = at_us;
    note_next(timers);
}

bool timers_take(struct timers *timers, uint64_t now_us, uint32_t *ret_number)
{
    if (timers->next_us > now_us) {
        return false;
    }
    struct timer *timer = find_earliest(timers);
    *ret_number = timer->number;
    remove_timer(timers, timer);
    return true;
}
