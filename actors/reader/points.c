/*
 *              points_gather                points_begin
 *   read ───────────────────► gathered ───────────────────► confirming ──► confirmed
 *                                                            │      ▲
 *                                        given up, primary    │      │ points_begin, with a new id
 *                                        changed, refused     └──────┘
 *
 * 1. A read joins no read point that is under way: its messages were sent before the read arrived.
 * 2. Every attempt has an id of its own, also one for the same reads. Ids of read points have the
 *    top bit set, ids of reads don't.
 * 3. The primary is asked together with as many voters, of the configuration that was named last,
 *    as make a majority, others each time. When that is not enough (another configuration is named,
 *    one does not answer), the next attempt asks all. One that did not answer is not counted on
 *    until it is heard again, but asked all the same.
 * 4. Whoever refused is asked again after a hold that doubles until a read point is confirmed.
 */
#include "actors/reader/points.h"

#include "base/bug.h"

enum {
    HOLD_US = 10 * 1000, // a primary that refused is asked again after this
    HOLD_US_MAX = 160 * 1000,
    PATIENCE_GROWTH_MAX = 32, // times the shortest patience
};

static const uint64_t ID_BIT = (uint64_t)1 << 63;

void points_init(struct points *points, uint64_t seed, uint64_t patience_us)
{
    *points = (struct points){
        .id = ID_BIT | seed >> 2, .patience_us = patience_us, .hold_us = HOLD_US};
    points->patience_us_min = patience_us;
}

void points_release(struct points *points)
{
    id_list_release(&points->gathered);
    id_list_release(&points->confirming);
}

bool points_is_own_id(uint64_t request)
{
    return request >= ID_BIT;
}

void points_gather(struct points *points, uint64_t id)
{
    bool joins = BUG(20) && read_point_is_under_way(&points->point);
    id_list_add(joins ? &points->confirming : &points->gathered, id);
}

void points_set_primary(struct points *points, uint64_t primary)
{
    points->primary = primary;
    points->hold_until_us = 0;
    points->hold_us = HOLD_US;
    points_abandon(points);
}

// Whether the node may be a voter, as far as is known.
static bool may_vote(const struct points *points, const struct replica_link *link)
{
    return !link->is_down && link->address != points->primary &&
           (points->configuration.voter_count == 0 ||
            configuration_find(&points->configuration, link->directory_id) != NULL);
}

// Asks the other voters: all of them, or one less than a majority and those that are silent.
static void ask_voters(struct points *points, struct replicas *replicas, bool asks_all,
                       struct outbox *out)
{
    struct message confirm = {.kind = MESSAGE_confirm, .confirm = {.request = points->id}};
    size_t voter_count = points->configuration.voter_count;
    size_t wanted = voter_count == 0 || asks_all ? SIZE_MAX : majority_of(voter_count) - 1;
    for (size_t i = 0; i < replicas->count; i++) {
        struct replica_link *link = &replicas->links[(points->id + i) % replicas->count];
        if (may_vote(points, link) && (wanted > 0 || link->is_silent)) {
            outbox_send(out, link->address, &confirm);
            link->asked = points->id;
            wanted -= !link->is_silent;
        }
    }
}

// Whether a read point is wanted and there is somebody to ask for one.
static bool may_begin(const struct points *points, const struct replicas *replicas)
{
    const struct replica_link *primary = replicas_find(replicas, points->primary);
    return points->gathered.count + points->confirming.count > 0 && primary != NULL &&
           !primary->is_down && !read_point_is_under_way(&points->point);
}

void points_begin(struct points *points, struct replicas *replicas, uint64_t now_us,
                  struct outbox *out)
{
    if (!may_begin(points, replicas) || points->hold_until_us > now_us) {
        return;
    }
    bool is_retry = points->confirming.count > 0;
    id_list_move(&points->confirming, &points->gathered);
    points->hold_until_us = 0;
    points->id = BUG(21) && is_retry ? points->id : (points->id + 1) | ID_BIT;
    read_point_begin(&points->point, points->id, now_us);
    struct message ask = {.kind = MESSAGE_read_point, .read_point = {.request = points->id}};
    outbox_send(out, points->primary, &ask);
    ask_voters(points, replicas, is_retry, out);
}

void points_abandon(struct points *points)
{
    read_point_abandon(&points->point);
}

void points_hold(struct points *points, uint64_t now_us)
{
    points_abandon(points);
    points->hold_until_us = now_us + points->hold_us;
    points->hold_us = points->hold_us < HOLD_US_MAX ? 2 * points->hold_us : HOLD_US_MAX;
}

static void check_confirmed(struct points *points, bool *ret_confirmed)
{
    *ret_confirmed = read_point_is_confirmed(&points->point);
    if (*ret_confirmed) {
        points->last_version = points->point.version;
        points->last_sent_us = points->point.started_us;
        points->hold_us = HOLD_US;
        points->patience_us = points->patience_us_min;
        read_point_abandon(&points->point);
    }
}

enum status points_take_primary(struct points *points, const struct message_read_point_reply *reply,
                                bool *ret_confirmed)
{
    *ret_confirmed = false;
    if (!read_point_is_under_way(&points->point) || reply->request != points->point.request) {
        return STATUS_ok;
    }
    TRY(read_point_take_primary(&points->point, reply));
    points->configuration = points->point.configuration;
    check_confirmed(points, ret_confirmed);
    return STATUS_ok;
}

void points_take_voter(struct points *points, const struct message_confirm_reply *reply,
                       bool *ret_confirmed)
{
    read_point_take_voter(&points->point, reply);
    check_confirmed(points, ret_confirmed);
}

void points_finish(struct points *points)
{
    points->confirming.count = 0;
}

uint64_t points_next_us(const struct points *points, const struct replicas *replicas,
                        uint64_t now_us)
{
    if (read_point_is_under_way(&points->point)) {
        return points->point.started_us + points->patience_us;
    }
    if (!may_begin(points, replicas)) {
        return 0;
    }
    return points->hold_until_us > now_us ? points->hold_until_us : now_us;
}

// Whether the node with this directory has answered the read point under way.
static bool has_answered(const struct points *points, uint64_t directory_id)
{
    for (size_t i = 0; i < points->point.answer_count; i++) {
        if (points->point.answers[i].directory_id == directory_id) {
            return true;
        }
    }
    return false;
}

void points_expire(struct points *points, struct replicas *replicas, uint64_t now_us)
{
    if (!read_point_is_under_way(&points->point) ||
        now_us < points->point.started_us + points->patience_us) {
        return;
    }
    for (size_t i = 0; i < replicas->count; i++) {
        struct replica_link *link = &replicas->links[i];
        if (link->asked == points->id && !has_answered(points, link->directory_id)) {
            link->is_silent = true;
        }
    }
    // A slow network must not be given up for ever: each attempt gets twice as long.
    bool may_grow = points->patience_us < PATIENCE_GROWTH_MAX * points->patience_us_min;
    points->patience_us *= may_grow ? 2 : 1;
    points_abandon(points);
}
