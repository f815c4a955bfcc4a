/*
 *             marking_add            marking_begin
 *   request ─────────────► wanted ────────────────► asked ──► answered: they go on
 *                                                    │  ▲
 *                                given up, primary   │  │ marking_begin, with a new id
 *                                changed, refused    └──┘
 *
 * 1. Whoever wants a mark joins none that is under way: it may have been made before, and must see
 *    everything that was acknowledged until now. The primary asks once each MARK_INTERVAL_MS_MIN at
 *    most, so one at a time is as good as many.
 * 2. Every attempt has an id of its own. Ids of marks have the top two bits set; ids of read points
 *    have only the first of them, ids of reads neither.
 * 3. One that is not answered in time is asked for again, each time with twice the patience: a
 *    primary whose disk is slow must not be given up for ever.
 */
#include "actors/reader/marking.h"

enum {
    HOLD_US = 20 * 1000,     // a primary that refused is asked again after this
    PATIENCE_GROWTH_MAX = 32 // times the shortest patience
};

static const uint64_t ID_BITS = (uint64_t)3 << 62;

void marking_init(struct marking *marking, uint64_t seed, uint64_t patience_us)
{
    *marking = (struct marking){
        .id = ID_BITS | seed >> 2, .patience_us = patience_us, .patience_us_min = patience_us};
}

void marking_release(struct marking *marking)
{
    id_list_release(&marking->wanted);
    id_list_release(&marking->asked);
}

bool marking_is_own_id(uint64_t request)
{
    return request >= ID_BITS;
}

void marking_add(struct marking *marking, uint64_t id)
{
    id_list_add(&marking->wanted, id);
}

void marking_set_primary(struct marking *marking, uint64_t primary)
{
    marking->primary = primary;
    marking->hold_until_us = 0;
    marking_abandon(marking);
}

// Whether a mark is wanted and there is somebody to ask for one.
static bool may_begin(const struct marking *marking, const struct replicas *replicas)
{
    if (marking->wanted.count + marking->asked.count == 0 || marking->asked_us != 0) {
        return false;
    }
    const struct replica_link *primary = replicas_find(replicas, marking->primary);
    return primary != NULL && !primary->is_down;
}

void marking_begin(struct marking *marking, const struct replicas *replicas, uint64_t now_us,
                   struct outbox *out)
{
    if (!may_begin(marking, replicas) || marking->hold_until_us > now_us) {
        return;
    }
    id_list_move(&marking->asked, &marking->wanted);
    marking->hold_until_us = 0;
    marking->asked_us = now_us;
    marking->id = (marking->id + 1) | ID_BITS;
    struct message ask = {.kind = MESSAGE_mark, .mark = {.request = marking->id}};
    outbox_send(out, marking->primary, &ask);
}

void marking_abandon(struct marking *marking)
{
    marking->asked_us = 0;
}

void marking_hold(struct marking *marking, uint64_t now_us)
{
    marking_abandon(marking);
    marking->hold_until_us = now_us + HOLD_US;
}

bool marking_take(const struct marking *marking, const struct message_mark_reply *reply)
{
    return marking->asked_us != 0 && reply->request == marking->id;
}

void marking_finish(struct marking *marking)
{
    marking_abandon(marking);
    marking->asked.count = 0;
    marking->patience_us = marking->patience_us_min;
}

uint64_t marking_next_us(const struct marking *marking, const struct replicas *replicas,
                         uint64_t now_us)
{
    if (marking->asked_us != 0) {
        return marking->asked_us + marking->patience_us;
    }
    if (!may_begin(marking, replicas)) {
        return 0;
    }
    return marking->hold_until_us > now_us ? marking->hold_until_us : now_us;
}

void marking_expire(struct marking *marking, uint64_t now_us)
{
    if (marking->asked_us == 0 || now_us < marking->asked_us + marking->patience_us) {
        return;
    }
    bool may_grow = marking->patience_us < PATIENCE_GROWTH_MAX * marking->patience_us_min;
    marking->patience_us *= may_grow ? 2 : 1;
    marking_abandon(marking);
}
