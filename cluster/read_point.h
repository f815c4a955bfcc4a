/*
 * A read point: the version that a linearizable read must reach (rule 26). One attempt to get one,
 * from its request until a majority has confirmed it or it is given up.
 *
 * The asker sends `read_point` to the primary and `confirm` to the other voters, all with the id of
 * this attempt and all after every read of the batch arrived, and hands each answer in. The version
 * counts once a majority of the voters of the configuration that the primary's answer names, the
 * primary among them, have answered this very id with a promise of at most the primary's epoch.
 */
#ifndef SKEIN_CLUSTER_READ_POINT_H
#define SKEIN_CLUSTER_READ_POINT_H

#include "cluster/configuration.h"
#include "wire/message.h"

enum { READ_POINT_ANSWERS_MAX = 2 * VOTER_COUNT_MAX };

// What one storage node said about its promise.
struct read_point_answer {
    uint64_t directory_id;
    uint64_t promised;
};

struct read_point {
    uint64_t request;                   // id of the attempt; 0 while none is under way
    uint64_t started_us;                // when its messages were sent
    uint64_t epoch;                     // of the primary that answered; 0 while none has
    uint64_t primary;                   // directory id of that primary
    uint64_t version;                   // that it named as committed
    struct configuration configuration; // that it named
    struct read_point_answer answers[READ_POINT_ANSWERS_MAX];
    size_t answer_count;
};

// Begins an attempt, forgetting the one before. `request` was never used before, not for an attempt
// that was given up either.
void read_point_begin(struct read_point *point, uint64_t request, uint64_t now_us);

// Gives the attempt up: its answers mean nothing any more.
void read_point_abandon(struct read_point *point);

static inline bool read_point_is_under_way(const struct read_point *point)
{
    return point->request != 0;
}

// Takes in an answer of the primary or of a voter. Answers to other ids are ignored, so are further
// ones of the same node. Fails with bad_request or version_mismatch for a configuration that can't
// be read.
MUST_CHECK enum status read_point_take_primary(struct read_point *point,
                                               const struct message_read_point_reply *reply);
void read_point_take_voter(struct read_point *point, const struct message_confirm_reply *reply);

// Whether the version counts.
bool read_point_is_confirmed(const struct read_point *point);

#endif
