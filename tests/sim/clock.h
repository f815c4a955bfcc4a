/*
 * The clocks of one simulated process: a monotonic one with an offset and a rate of its own, and a
 * wall clock that may jump.
 */
#ifndef SKEIN_TESTS_SIM_CLOCK_H
#define SKEIN_TESTS_SIM_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t base_world_us; // world time at which the rate was set
    uint64_t base_local_us; // what the monotonic clock showed then
    uint32_t rate_ppm;      // local microseconds per million of the world's
    int64_t wall_us;        // wall clock minus monotonic clock
};

// A clock that shows `local_us` when the world's shows `world_us`, right in rate and wall time.
void clock_init(struct clock *clock, uint64_t world_us, uint64_t local_us);

// From now on it goes at another rate.
void clock_set_rate(struct clock *clock, uint64_t world_us, uint32_t rate_ppm);

// The wall clock jumps by so much.
void clock_jump(struct clock *clock, int64_t by_us);

// What the two clocks show.
uint64_t clock_local(const struct clock *clock, uint64_t world_us);
uint64_t clock_wall(const struct clock *clock, uint64_t world_us);

// The first moment of the world at which the monotonic clock shows at least `local_us`.
uint64_t clock_world(const struct clock *clock, uint64_t local_us);

#endif
