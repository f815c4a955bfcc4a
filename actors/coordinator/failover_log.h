/*
 * The last failovers that this coordinator ran, step by step, for `skein why`.
 */
#ifndef SKEIN_ACTORS_COORDINATOR_FAILOVER_LOG_H
#define SKEIN_ACTORS_COORDINATOR_FAILOVER_LOG_H

#include "base/buffer.h"
#include "base/limits.h"

enum { FAILOVERS_MAX = 32, CAUSE_SIZE_MAX = 120 };

// The steps, in the order in which they happen; each begins where the one before ended.
enum failover_phase {
    PHASE_DETECT,   // from the last sign of life to the first poll
    PHASE_POLL,     // polls, and attempts that failed
    PHASE_SEAL,     // of the attempt that won
    PHASE_APPOINT,  // until the first entry of the epoch is durable on the new primary
    PHASE_COMMIT,   // until that primary reports it committed
    PHASE_ANNOUNCE, // until the topology with it is on its way
};
enum { PHASE_COUNT = 6 };

struct failover {
    uint64_t epoch;                      // that it led to
    char old_primary[NAME_SIZE_MAX + 1]; // empty for none
    char new_primary[NAME_SIZE_MAX + 1]; // who leads now
    char cause[CAUSE_SIZE_MAX + 1];      // what the coordinator saw
    uint64_t started_us;                 // when it was seen, since 1970
    uint64_t phases_us[PHASE_COUNT];     // how long each took
};

// A plain value; all zero is empty.
struct failover_log {
    struct failover failovers[FAILOVERS_MAX]; // ring
    size_t count;                             // ever recorded
};

// From the last sign of life to the announcement.
uint64_t failover_total_us(const struct failover *failover);

// Keeps a copy; the oldest gives way.
void failover_log_add(struct failover_log *log, const struct failover *failover);

// Appends all of them as why_reply carries them, latest first.
void failover_log_encode(const struct failover_log *log, struct buffer *out);

#endif
