/*
 * What the service manager is told (sd_notify(3)); nothing happens where there is none.
 */
#ifndef SKEIN_ACTORS_RUNTIME_SUPERVISOR_H
#define SKEIN_ACTORS_RUNTIME_SUPERVISOR_H

#include "base/bytes.h"

// The process serves from now on.
void supervisor_ready(void);

// The process ends in order.
void supervisor_stopping(void);

// A line for people, cut to 200 bytes.
void supervisor_status(struct bytes text);

// The start, or the end, may take this much longer.
void supervisor_extend(uint64_t more_us);

// How often the watchdog wants to hear from the process; 0 for not at all.
uint64_t supervisor_watchdog_us(void);

// The process is alive. Only ever called by the thread that is watched.
void supervisor_alive(void);

#endif
