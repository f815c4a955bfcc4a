/*
 * A ring of the last failovers. Their encoding is that of the blob in why_reply: a failover
 * message, latest first, each followed by its phases. Texts are bounded, so that all of them fit
 * the reply. What another coordinator ran is in that one's log; whoever asks several puts them
 * together by epoch.
 */
#include "actors/coordinator/failover_log.h"

#include "wire/message.h"

static const char *const PHASE_NAMES[PHASE_COUNT] = {
    [PHASE_DETECT] = "detect",   [PHASE_POLL] = "poll",     [PHASE_SEAL] = "seal",
    [PHASE_APPOINT] = "appoint", [PHASE_COMMIT] = "commit", [PHASE_ANNOUNCE] = "announce",
};

enum { PHASE_SIZE_MAX = 24, FAILOVER_OVERHEAD = 64 };

static_assert(FAILOVERS_MAX * (FAILOVER_OVERHEAD + 2 * NAME_SIZE_MAX + CAUSE_SIZE_MAX +
                               PHASE_COUNT * PHASE_SIZE_MAX) <=
                  64 * KIB,
              "all failovers fit a why_reply");

uint64_t failover_total_us(const struct failover *failover)
{
    uint64_t total_us = 0;
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        total_us += failover->phases_us[i];
    }
    return total_us;
}

void failover_log_add(struct failover_log *log, const struct failover *failover)
{
    log->failovers[log->count++ % FAILOVERS_MAX] = *failover;
}

static void failover_encode(const struct failover *failover, struct buffer *out)
{
    struct message message = {
        .kind = MESSAGE_failover,
        .failover = {.epoch = failover->epoch,
                     .old_primary = bytes_from_text(failover->old_primary),
                     .new_primary = bytes_from_text(failover->new_primary),
                     .cause = bytes_from_text(failover->cause),
                     .started_us = failover->started_us,
                     .total_us = failover_total_us(failover),
                     .phases = PHASE_COUNT},
    };
    message_encode(&message, out);
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        struct message phase = {
            .kind = MESSAGE_phase,
            .phase = {.name = bytes_from_text(PHASE_NAMES[i]), .took_us = failover->phases_us[i]},
        };
        message_encode(&phase, out);
    }
}

void failover_log_encode(const struct failover_log *log, struct buffer *out)
{
    size_t count = log->count < FAILOVERS_MAX ? log->count : FAILOVERS_MAX;
    for (size_t i = 1; i <= count; i++) {
        failover_encode(&log->failovers[(log->count - i) % FAILOVERS_MAX], out);
    }
}
