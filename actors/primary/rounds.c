/*
 * Rounds.
 *
 * 1. A round's number is told to the voters with appends; they answer at once with the epoch that
 *    they have promised, without waiting for their disks.
 * 2. An answer counts for this epoch if its promise is at most the epoch (rule 25). A higher one is
 *    the end of this primary's authority over that voter and counts for nothing.
 * 3. A round is confirmed when a majority of the latest configuration has answered it or a later
 *    one, the primary among them. A primary that the configuration does not name is not counted.
 * 4. What counts is when the round was begun: everything learned is at least that old.
 */
#include "actors/primary/rounds.h"

#include "cluster/majority.h"

void rounds_start(struct rounds *rounds, uint64_t now_us)
{
    *rounds = (struct rounds){.confirmed_us = now_us};
}

// The newest round that a majority of voters has answered, this node being one that answers at
// once.
static uint64_t rounds_majority(const struct rounds *rounds, const struct streaming *streaming)
{
    uint64_t answered[PEER_COUNT_MAX + 1];
    size_t count = 0;
    const struct core *core = streaming->core;
    if (core_is_voter(core, core->vote.directory_id)) {
        answered[count++] = rounds->round;
    }
    for (size_t i = 0; i < streaming->peer_count; i++) {
        if (streaming->peers[i].voter) {
            answered[count++] = streaming->peers[i].round;
        }
    }
    size_t majority = majority_of(core->configuration.voter_count);
    return majority_value(answered, count, majority);
}

static void rounds_count(struct rounds *rounds, const struct streaming *streaming)
{
    uint64_t confirmed = rounds_majority(rounds, streaming);
    if (confirmed == 0 || rounds->round - confirmed >= ROUNDS_REMEMBERED) {
        return;
    }
    uint64_t begun_us = rounds->sent_us[confirmed % ROUNDS_REMEMBERED];
    if (begun_us > rounds->confirmed_us) {
        rounds->confirmed_us = begun_us;
    }
}

uint64_t rounds_begin(struct rounds *rounds, const struct streaming *streaming, uint64_t now_us)
{
    rounds->round++;
    rounds->sent_us[rounds->round % ROUNDS_REMEMBERED] = now_us;
    rounds_count(rounds, streaming);
    return rounds->round;
}

void rounds_on_reply(struct rounds *rounds, struct streaming *streaming,
                     const struct message_round_reply *reply)
{
    struct peer *peer = streaming_find(streaming, reply->directory_id);
    bool counts = peer != NULL && reply->epoch == streaming->epoch &&
                  reply->promised <= streaming->epoch && reply->round > peer->round &&
                  reply->round <= rounds->round;
    if (counts) {
        peer->round = reply->round;
        rounds_count(rounds, streaming);
    }
}

bool rounds_are_fresh(const struct rounds *rounds, uint64_t now_us, uint64_t window_us)
{
    return now_us - rounds->confirmed_us <= window_us;
}
