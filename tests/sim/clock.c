/*
 * A monotonic clock is a line: local = base + (world - base) * rate. Setting a rate begins a new
 * line where the old one is. The wall clock is the monotonic one and a difference that may jump, so
 * it drifts along; it never shows a time before 1970.
 */
#include "tests/sim/clock.h"

static const int64_t WALL_BEGIN_US = 1750000000000000; // in 2025
static const uint32_t RATE_RIGHT_PPM = 1000000;

void clock_init(struct clock *clock, uint64_t world_us, uint64_t local_us)
{
    *clock = (struct clock){.base_world_us = world_us,
                            .base_local_us = local_us,
                            .rate_ppm = RATE_RIGHT_PPM,
                            .wall_us = WALL_BEGIN_US + (int64_t)world_us - (int64_t)local_us};
}

void clock_set_rate(struct clock *clock, uint64_t world_us, uint32_t rate_ppm)
{
    clock->base_local_us = clock_local(clock, world_us);
    clock->base_world_us = world_us;
    clock->rate_ppm = rate_ppm;
}

void clock_jump(struct clock *clock, int64_t by_us)
{
    clock->wall_us += by_us;
}

uint64_t clock_local(const struct clock *clock, uint64_t world_us)
{
    uint64_t passed_us = world_us - clock->base_world_us;
    return clock->base_local_us + passed_us * clock->rate_ppm / RATE_RIGHT_PPM;
}

uint64_t clock_wall(const struct clock *clock, uint64_t world_us)
{
    int64_t wall_us = (int64_t)clock_local(clock, world_us) + clock->wall_us;
    return wall_us < 0 ? 0 : (uint64_t)wall_us;
}

uint64_t clock_world(const struct clock *clock, uint64_t local_us)
{
    if (local_us <= clock->base_local_us) {
        return clock->base_world_us;
    }
    uint64_t wait_us = local_us - clock->base_local_us;
    return clock->base_world_us +
           (wait_us * RATE_RIGHT_PPM + clock->rate_ppm - 1) / clock->rate_ppm;
}
