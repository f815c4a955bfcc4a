/*
 * Handover.
 *
 *   start ──► transactions refused ──► drained, target has the whole log ──► consent ──► sealed
 *                     └────────────── SWITCHOVER_MS_MAX ──────────────► given up, takes them again
 *
 * Refused transactions are not lost: their writers keep them and send them to the next primary.
 */
#include "actors/primary/handover.h"

uint64_t handover_target(const struct streaming *streaming, struct bytes name)
{
    const struct peer *best = NULL;
    for (size_t i = 0; i < streaming->peer_count; i++) {
        const struct peer *peer = &streaming->peers[i];
        bool wanted = name.size == 0 || bytes_equal(name, bytes_from_text(peer->name));
        bool able = peer->voter && !peer->down && !peer->replaced && !peer->damaged &&
                    !peer->disk_full;
        if (wanted && able && (best == NULL || peer->match_position > best->match_position)) {
            best = peer;
        }
    }
    return best == NULL ? 0 : best->directory_id;
}

void handover_start(struct handover *handover, uint64_t target, uint64_t coordinator,
                    uint64_t now_us)
{
    *handover = (struct handover){.active = true,
                                  .target = target,
                                  .coordinator = coordinator,
                                  .deadline_us = now_us + (uint64_t)SWITCHOVER_MS_MAX * 1000};
}

void handover_advance(struct handover *handover, struct streaming *streaming, bool drained,
                      struct outbox *out)
{
    const struct core *core = streaming->core;
    const struct peer *peer = streaming_find(streaming, handover->target);
    uint64_t last = core->log.last.position;
    if (!handover->active || handover->consented || !drained || peer == NULL ||
        core->commit_position != last || peer->match_position != last) {
        return;
    }
    handover->consented = true;
    struct message_consent consent = {
        .epoch = streaming->epoch, .target = handover->target, .last_position = last};
    outbox_send(out, handover->coordinator,
                &(struct message){.kind = MESSAGE_consent, .consent = consent});
}

bool handover_end_if_late(struct handover *handover, uint64_t now_us, struct outbox *out)
{
    if (!handover->active || now_us < handover->deadline_us) {
        return false;
    }
    outbox_log(out, LOG_WARNING, "event=handover_given_up consented=%d", handover->consented);
    *handover = (struct handover){0};
    return true;
}
