/*
 * The ledger: every entry that any node ever wrote to its journal, and the committed log, as seen
 * from above. It is the truth that nodes and clients are compared with.
 */
#ifndef SKEIN_TESTS_SIM_LEDGER_H
#define SKEIN_TESTS_SIM_LEDGER_H

#include "tests/sim/world.h"
#include "wire/entry.h"

// The entries made under one epoch.
struct ledger_epoch {
    uint64_t epoch;
    unsigned creator;      // number of the process that made them
    uint64_t first;        // position of the first one
    struct entry *entries; // owned; payloads are owned, too
    size_t count;
    size_t capacity;
};

struct ledger {
    struct world *world;         // told about violations
    struct ledger_epoch *epochs; // owned, in the order in which they began
    size_t epoch_count;
    size_t epoch_capacity;
    uint64_t *committed;    // owned; epoch of the entry at each position, from position 1
    size_t committed_count; // = highest position known to be committed
    size_t committed_capacity;
};

void ledger_init(struct ledger *ledger, struct world *world);
void ledger_release(struct ledger *ledger);

// A process writes an entry to its journal. The first to write one has made it; everything that
// contradicts what was seen before is a violation (rule 10).
void ledger_write(struct ledger *ledger, unsigned process, const struct entry *entry);

// The entry of this epoch at this position, NULL when nobody made one.
const struct entry *ledger_find(const struct ledger *ledger, uint64_t epoch, uint64_t position);

// The entry committed at a position, at most committed_count.
const struct entry *ledger_committed(const struct ledger *ledger, uint64_t position);

// The entry of this epoch is the next one of the committed log.
void ledger_commit(struct ledger *ledger, uint64_t epoch);

// Version and time of the committed log's end; 0 while it is empty.
uint64_t ledger_version(const struct ledger *ledger);

#endif
