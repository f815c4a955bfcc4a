/*
 * Rounds: exchanges with a majority of voters that confirm who leads (rules 25, 34).
 */
#ifndef SKEIN_ACTORS_PRIMARY_ROUNDS_H
#define SKEIN_ACTORS_PRIMARY_ROUNDS_H

#include "actors/primary/streaming.h"

enum { ROUNDS_REMEMBERED = 64 };

struct rounds {
    uint64_t round;                      // of the newest one begun; grows within an epoch
    uint64_t sent_us[ROUNDS_REMEMBERED]; // when each was begun, by round modulo the size
    uint64_t confirmed_us;               // when the newest confirmed one was begun
};

// Authority is fresh when an epoch starts: a majority has just sealed for it.
void rounds_start(struct rounds *rounds, uint64_t now_us);

// Begins a round and returns its number. A primary that is a majority by itself has confirmed it.
uint64_t rounds_begin(struct rounds *rounds, const struct streaming *streaming, uint64_t now_us);

// A voter answered: counts which rounds a majority has answered.
void rounds_on_reply(struct rounds *rounds, struct streaming *streaming,
                     const struct message_round_reply *reply);

// Whether a round begun within the last `window_us` is confirmed.
bool rounds_are_fresh(const struct rounds *rounds, uint64_t now_us, uint64_t window_us);

#endif
