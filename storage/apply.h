/*
 * Applying committed entries to the state: a function of the log alone (rule 23). An entry's
 * effects and the record of where the state stands go into one batch (rule 22).
 */
#ifndef SKEIN_STORAGE_APPLY_H
#define SKEIN_STORAGE_APPLY_H

#include "base/status.h"
#include "storage/state.h"
#include "wire/entry.h"

// Where a state stands: the applied_record, decoded.
struct applied {
    uint64_t cluster_id; // 0 while nothing was applied
    struct entry_place place;
    uint64_t time_us;            // of the last entry applied
    uint64_t chain;              // chained digest of all applied effects
    struct buffer configuration; // latest configuration applied, encoded; owned; empty for none
};

void applied_init(struct applied *applied);
void applied_release(struct applied *applied);

// Reads where the state stands; an empty state gives a zeroed one. damaged: the record can't be
// read. version_mismatch: another format.
MUST_CHECK enum status applied_load(struct state *state, const struct state_snapshot *snapshot,
                                    struct applied *applied);

// Applies `entry`, which comes right after applied->place, and updates `applied`. version_mismatch:
// the kind or format of the entry is unknown, nothing was written and the node must stop (rule 38).
MUST_CHECK enum status apply_entry(struct state *state, uint64_t cluster_id,
                                   const struct entry *entry, struct applied *applied);

#endif
