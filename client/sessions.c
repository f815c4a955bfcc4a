/*
 * A lane is one session with a window of sequences: from done_below to SESSION_OUTCOMES_MAX beyond.
 * A sequence that ends sets its bit, and done_below moves over all that are set. A lane whose
 * window is used up is passed over; a lane with a sequence whose outcome is unknown never moves
 * beyond it and is replaced by a new session once it is idle.
 *
 * A session that the cluster does not know may not begin with a sequence above the window (rule
 * 29), and transactions that only read or fail leave no record of it. So a lane with nothing but
 * those ends with its first window and is replaced, too.
 */
#include "client/sessions.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SUFFIX_SIZE_MAX = 20, LANES_AT_FIRST = 4 };

void sessions_init(struct sessions *sessions, struct bytes base)
{
    *sessions = (struct sessions){0};
    struct bytes kept = utf8_prefix(base, SESSION_NAME_SIZE_MAX - SUFFIX_SIZE_MAX);
    memcpy(sessions->base, kept.data, kept.size);
}

void sessions_release(struct sessions *sessions)
{
    free(sessions->lanes);
    *sessions = (struct sessions){0};
}

static void renew_lane(struct sessions *sessions, struct session_lane *lane)
{
    *lane = (struct session_lane){
        .number = sessions->numbers++, .next_sequence = 1, .done_below = 1};
}

static struct session_lane *add_lane(struct sessions *sessions)
{
    size_t capacity = sessions->count;
    bool is_full = capacity == 0 ||
                   (capacity >= LANES_AT_FIRST && (capacity & (capacity - 1)) == 0);
    if (is_full) {
        size_t larger = capacity == 0 ? LANES_AT_FIRST : 2 * capacity;
        sessions->lanes = reallocarray(sessions->lanes, larger, sizeof *sessions->lanes);
        ASSERT(sessions->lanes != NULL);
    }
    struct session_lane *lane = &sessions->lanes[sessions->count++];
    renew_lane(sessions, lane);
    return lane;
}

static bool lane_is_full(const struct session_lane *lane)
{
    uint64_t first = lane->is_recorded ? lane->done_below : 1;
    return lane->next_sequence - first >= SESSION_OUTCOMES_MAX;
}

void sessions_take(struct sessions *sessions, struct session_place *ret_place)
{
    while (sessions->first_free < sessions->count &&
           lane_is_full(&sessions->lanes[sessions->first_free])) {
        sessions->first_free++;
    }
    struct session_lane *lane = sessions->first_free < sessions->count
                                    ? &sessions->lanes[sessions->first_free]
                                    : add_lane(sessions);
    lane->outstanding++;
    *ret_place = (struct session_place){
        .lane = (size_t)(lane - sessions->lanes),
        .number = lane->number,
        .sequence = lane->next_sequence++,
        .done_below = lane->done_below,
    };
}

static uint64_t *word_of(struct session_lane *lane, uint64_t sequence)
{
    return &lane->done[sequence % SESSION_OUTCOMES_MAX / 64];
}

static void set_done(struct session_lane *lane, uint64_t sequence)
{
    *word_of(lane, sequence) |= (uint64_t)1 << sequence % 64;
    while (lane->done_below < lane->next_sequence) {
        uint64_t bit = (uint64_t)1 << lane->done_below % 64;
        uint64_t *word = word_of(lane, lane->done_below);
        if ((*word & bit) == 0) {
            break;
        }
        *word &= ~bit;
        lane->done_below++;
    }
}

void sessions_end(struct sessions *sessions, const struct session_place *place,
                  enum session_end how)
{
    struct session_lane *lane = &sessions->lanes[place->lane];
    if (lane->number != place->number) {
        return;
    }
    lane->outstanding--;
    if (how == SESSION_END_unknown) {
        lane->has_unknown = true;
    } else {
        lane->is_recorded = lane->is_recorded || how == SESSION_END_recorded;
        set_done(lane, place->sequence);
    }
    if (lane->outstanding == 0 && (lane->has_unknown || lane_is_full(lane))) {
        renew_lane(sessions, lane);
    }
    if (place->lane < sessions->first_free && !lane_is_full(lane)) {
        sessions->first_free = place->lane;
    }
}

void sessions_expire(struct sessions *sessions, const struct session_place *place)
{
    struct session_lane *lane = &sessions->lanes[place->lane];
    if (lane->number == place->number) {
        renew_lane(sessions, lane);
    }
}

size_t sessions_name(const struct sessions *sessions, uint64_t number,
                     char ret_name[SESSION_NAME_SIZE_MAX + 1])
{
    size_t size = strlen(sessions->base);
    memcpy(ret_name, sessions->base, size + 1);
    if (number > 0) {
        size_t room = SESSION_NAME_SIZE_MAX + 1 - size;
        size += (size_t)snprintf(ret_name + size, room, ".%" PRIx64, number);
    }
    return size;
}
