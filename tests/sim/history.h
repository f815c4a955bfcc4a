/*
 * The history: what clients asked and what they were told, checked against the model. Strict
 * serializability is checked by versions: every answer names one, the committed log gives them an
 * order, and nobody may see an order that contradicts the order of time.
 */
#ifndef SKEIN_TESTS_SIM_HISTORY_H
#define SKEIN_TESTS_SIM_HISTORY_H

#include "tests/sim/paging.h"

// What a client is told. Bytes are borrowed for the call.
struct answer {
    enum status status;
    uint64_t version;
    bool replayed;        // transaction: results are null
    uint32_t operation;   // transaction: 1 + number of the operation that failed
    struct bytes results; // array of result maps
};

// A transaction that certainly wasn't done and never will be.
struct ruined {
    unsigned session;
    uint64_t sequence;
};

// A version that somebody had been told by then.
struct told_version {
    uint64_t time_us; // of the world
    uint64_t version;
};

struct history {
    struct world *world;
    const struct ledger *ledger;
    const struct model *model;
    uint64_t floor_version;    // highest version in any answer
    struct told_version *told; // owned; the floors there have been, oldest first
    size_t told_count;
    size_t told_capacity;
    struct ruined *ruined; // owned; transactions that certainly weren't done
    size_t ruined_count;
    size_t ruined_capacity;
    uint64_t acknowledged; // transactions answered ok
    uint64_t answered;     // all answers
    uint64_t failed;       // answers that were no result
};

void history_init(struct history *history, const struct model *model);
void history_release(struct history *history);

// The client asks now: sets the floors.
void history_ask(const struct history *history, struct question *question);

// It is answered now. A page goes into the question's paging.
void history_answer(struct history *history, const struct question *question,
                    const struct answer *answer);

// At the end of a run: what was said to be certainly not done is not in the log.
void history_check_end(struct history *history);

#endif
