/*
 * Spreading requests over equal processes: round robin or to the one with the fewest requests
 * outstanding, never to one that is marked down.
 */
#ifndef SKEIN_CLUSTER_BALANCE_H
#define SKEIN_CLUSTER_BALANCE_H

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum balance_policy {
    BALANCE_ROUND_ROBIN,       // each in turn
    BALANCE_LEAST_OUTSTANDING, // the one with the fewest requests; in turn among equals
};

struct balance_candidate {
    uint64_t address;     // where it takes messages
    uint32_t outstanding; // requests sent and not answered
    bool is_down;         // not to be picked
};

// A plain value; all zero has no candidates and picks nobody.
struct balance {
    struct balance_candidate candidates[MEMBER_COUNT_MAX];
    size_t count;
    size_t next; // whose turn it is
};

// Makes these addresses the candidates, at most MEMBER_COUNT_MAX of them, each once. One that was
// a candidate before keeps its requests and its mark.
void balance_set(struct balance *balance, const uint64_t *addresses, size_t count);

// The address to send the next request to; 0 when nobody is up.
uint64_t balance_pick(struct balance *balance, enum balance_policy policy);

// A request was sent, or is over. Addresses that are no candidates any more are ignored.
void balance_sent(struct balance *balance, uint64_t address);
void balance_done(struct balance *balance, uint64_t address);

// Marks a candidate, or takes the mark back. A mark also forgets its requests: they are over.
void balance_mark(struct balance *balance, uint64_t address, bool is_down);

#endif
