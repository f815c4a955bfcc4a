/*
 * A thin layer over sd_notify. Failures are ignored: a manager that doesn't listen is no reason to
 * stop. The watchdog is answered twice in each of its periods. A line end in a status would begin
 * another variable, so it is replaced.
 */
#include "actors/runtime/supervisor.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

enum { STATUS_SIZE_MAX = 200 };

void supervisor_ready(void)
{
    sd_notify(0, "READY=1");
}

void supervisor_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void supervisor_status(struct bytes text)
{
    char clean[STATUS_SIZE_MAX + 1];
    size_t size = text.size < STATUS_SIZE_MAX ? text.size : STATUS_SIZE_MAX;
    for (size_t i = 0; i < size; i++) {
        clean[i] = (char)(text.data[i] < 0x20 ? '?' : text.data[i]);
    }
    clean[size] = '\0';
    sd_notifyf(0, "STATUS=%s", clean);
}

void supervisor_extend(uint64_t more_us)
{
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, more_us);
}

uint64_t supervisor_watchdog_us(void)
{
    uint64_t period_us = 0;
    return sd_watchdog_enabled(0, &period_us) > 0 ? period_us / 2 : 0;
}

void supervisor_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
