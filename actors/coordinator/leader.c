/*
 * The leader.
 *
 *   primary of a newer epoch reports ......... CHANGED, it is the one
 *   follower of a newer epoch reports ........ CHANGED, its primary is not known yet
 *   the primary reports that it leads ........ HEARD
 *   the primary reports anything else ........ STOPPED, RESTARTED or RESIGNED: nobody leads
 *   primary of an older epoch reports ........ NOTHING: it was deposed and does not know yet
 *
 * Reports are hearsay: they decide whom to suspect and what is published, never who may lead.
 */
#include "actors/coordinator/leader.h"

static enum leader_news leader_take(struct leader *leader, const struct topology_member *record,
                                    uint64_t now_us)
{
    leader->epoch = record->epoch;
    leader->address = record->address;
    leader->directory_id = record->directory_id;
    leader->incarnation = record->incarnation;
    leader->heard_us = now_us;
    memcpy(leader->name, record->name, sizeof leader->name);
    memcpy(leader->last, record->name, sizeof leader->last);
    return LEADER_CHANGED;
}

static enum leader_news leader_hear_claim(struct leader *leader,
                                          const struct topology_member *record, uint64_t now_us)
{
    if (record->epoch < leader->epoch || record->epoch == 0) {
        return LEADER_NOTHING;
    }
    bool is_known = leader->name[0] != '\0' && record->epoch == leader->epoch;
    if (!is_known) {
        return leader_take(leader, record, now_us);
    }
    if (record->directory_id != leader->directory_id) {
        return LEADER_DOUBLE;
    }
    leader->heard_us = now_us;
    return LEADER_HEARD;
}

static enum leader_news leader_hear_end(struct leader *leader, const struct topology_member *record)
{
    leader_forget(leader);
    if (record->state == MEMBER_unreachable) {
        return LEADER_STOPPED;
    }
    return record->incarnation != leader->incarnation ? LEADER_RESTARTED : LEADER_RESIGNED;
}

enum leader_news leader_hear(struct leader *leader, const struct topology_member *record,
                             uint64_t now_us)
{
    if (record->state == MEMBER_primary) {
        return leader_hear_claim(leader, record, now_us);
    }
    if (record->epoch > leader->epoch) {
        leader_forget(leader);
        leader->epoch = record->epoch;
        leader->heard_us = now_us;
        return LEADER_CHANGED;
    }
    bool is_leader = leader->name[0] != '\0' && strcmp(leader->name, record->name) == 0;
    return is_leader ? leader_hear_end(leader, record) : LEADER_NOTHING;
}

void leader_forget(struct leader *leader)
{
    leader->name[0] = '\0';
}
