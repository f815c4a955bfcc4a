/*
 * Counting for one read point. Voters may answer before the primary, when neither its epoch nor the
 * voters are known: answers are kept as they come and counted when asked.
 *
 * 1. Only answers to the id of this attempt are kept (rule 26), the first of each node.
 * 2. An answer counts for the epoch of the primary's answer only, and only if its promise is at
 *    most that (rule 25); answers of different epochs never combine.
 * 3. The primary must be a voter of the configuration that it names and counts like the others, by
 *    the promise in its own answer.
 */
#include "cluster/read_point.h"

#include "base/bug.h"

void read_point_begin(struct read_point *point, uint64_t request, uint64_t now_us)
{
    point->request = request;
    point->started_us = now_us;
    point->epoch = 0;
    point->answer_count = 0;
}

void read_point_abandon(struct read_point *point)
{
    point->request = 0;
}

// Keeps the first answer of a node.
static void keep_answer(struct read_point *point, uint64_t directory_id, uint64_t promised)
{
    for (size_t i = 0; i < point->answer_count; i++) {
        if (point->answers[i].directory_id == directory_id) {
            return;
        }
    }
    if (point->answer_count < READ_POINT_ANSWERS_MAX) {
        point->answers[point->answer_count++] = (struct read_point_answer){
            .directory_id = directory_id, .promised = promised};
    }
}

enum status read_point_take_primary(struct read_point *point,
                                    const struct message_read_point_reply *reply)
{
    if (point->request == 0 || reply->request != point->request || point->epoch != 0) {
        return STATUS_ok;
    }
    if (reply->epoch == 0) {
        return STATUS_bad_request;
    }
    TRY(configuration_decode(reply->configuration, &point->configuration));
    point->epoch = reply->epoch;
    point->primary = reply->directory_id;
    point->version = reply->version;
    keep_answer(point, reply->directory_id, reply->promised);
    return STATUS_ok;
}

void read_point_take_voter(struct read_point *point, const struct message_confirm_reply *reply)
{
    if (point->request != 0 && reply->request == point->request) {
        keep_answer(point, reply->directory_id, reply->promised);
    }
}

static bool answer_counts(const struct read_point *point, const struct read_point_answer *answer)
{
    return BUG(30) ? true : answer->promised <= point->epoch;
}

bool read_point_is_confirmed(const struct read_point *point)
{
    if (point->request == 0 || point->epoch == 0) {
        return false;
    }
    uint64_t confirmed[READ_POINT_ANSWERS_MAX];
    size_t count = 0;
    bool has_primary = false;
    for (size_t i = 0; i < point->answer_count; i++) {
        const struct read_point_answer *answer = &point->answers[i];
        if (answer_counts(point, answer)) {
            confirmed[count++] = answer->directory_id;
            has_primary = has_primary || answer->directory_id == point->primary;
        }
    }
    return has_primary && configuration_find(&point->configuration, point->primary) != NULL &&
           configuration_has_majority(&point->configuration, confirmed, count);
}
