/*
 * The primary, as reports tell.
 *
 *   primary of a newer epoch reports ......... CHANGED, it is the one
 *   follower of a newer epoch reports ........ CHANGED, its primary is not known yet
 *   the primary reports that it leads ........ HEARD
 *   the primary reports anything else ........ STOPPED, RESTARTED or RESIGNED: nobody leads
 *   primary of an older epoch reports ........ NOTHING: it was deposed and does not know yet
 *
 * Reports are hearsay: they decide whom to suspect and what is published, never who may lead.
 */
#include "actors/coordinator/known_primary.h"

static enum primary_news take(struct known_primary *primary, const struct topology_member *record,
                              uint64_t now_us)
{
    primary->epoch = record->epoch;
    primary->address = record->address;
    primary->directory_id = record->directory_id;
    primary->incarnation = record->incarnation;
    primary->heard_us = now_us;
    memcpy(primary->name, record->name, sizeof primary->name);
    memcpy(primary->last, record->name, sizeof primary->last);
    return PRIMARY_CHANGED;
}

static enum primary_news hear_claim(struct known_primary *primary,
                                    const struct topology_member *record, uint64_t now_us)
{
    if (record->epoch < primary->epoch || record->epoch == 0) {
        return PRIMARY_NOTHING;
    }
    bool is_known = primary->name[0] != '\0' && record->epoch == primary->epoch;
    if (!is_known) {
        return take(primary, record, now_us);
    }
    if (record->directory_id != primary->directory_id) {
        return PRIMARY_DOUBLE;
    }
    primary->heard_us = now_us;
    return PRIMARY_HEARD;
}

static enum primary_news hear_end(struct known_primary *primary,
                                  const struct topology_member *record)
{
    known_primary_forget(primary);
    if (record->state == MEMBER_unreachable) {
        return PRIMARY_STOPPED;
    }
    return record->incarnation != primary->incarnation ? PRIMARY_RESTARTED : PRIMARY_RESIGNED;
}

enum primary_news known_primary_hear(struct known_primary *primary,
                                     const struct topology_member *record, uint64_t now_us)
{
    if (record->state == MEMBER_primary) {
        return hear_claim(primary, record, now_us);
    }
    if (record->epoch > primary->epoch) {
        known_primary_forget(primary);
        primary->epoch = record->epoch;
        primary->heard_us = now_us;
        return PRIMARY_CHANGED;
    }
    bool is_primary = primary->name[0] != '\0' && strcmp(primary->name, record->name) == 0;
    return is_primary ? hear_end(primary, record) : PRIMARY_NOTHING;
}

void known_primary_forget(struct known_primary *primary)
{
    primary->name[0] = '\0';
}
