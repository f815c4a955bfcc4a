/*
 * Which ways to recover a run has taken. What no run takes is not tested, however many seeds pass.
 */
#ifndef SKEIN_TESTS_SIM_COVERAGE_H
#define SKEIN_TESTS_SIM_COVERAGE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

// BRANCH(name, event that the operator is told when it is taken, or "", "what happens").
#define BRANCH_LIST(BRANCH)                                                                        \
    BRANCH(torn_tail, "", "the torn end of a journal is cut off")                                  \
    BRANCH(damaged_journal, "journal_damaged", "a damaged journal is given up down to the state")  \
    BRANCH(repaired, "repaired", "a damaged node is refilled and votes again")                     \
    BRANCH(lost_entries, "lost_entries", "a node lost what it had acknowledged, and gets it anew") \
    BRANCH(other_copy, "", "two copies of a vote file differ, and one replaces the other")         \
    BRANCH(lost_vote_file, "", "a vote file is beyond repair: the node gets an empty disk")        \
    BRANCH(replaced, "replaced", "a node comes back with another directory")                       \
    BRANCH(read_back, "", "a node that starts reads its journal back, behind its state")           \
    BRANCH(catch_up, "", "a primary reads its journal for a node that is far behind")              \
    BRANCH(read_back_failed, "read_back_failed", "the journal can't be read for another node")     \
    BRANCH(entries_removed, "entries_removed", "entries that conflict with the primary's go")      \
    BRANCH(dropped_segments, "", "segments behind the state are dropped from a journal")           \
    BRANCH(transfer, "transfer_complete", "a state is received whole")                             \
    BRANCH(transfer_refused, "transfer_refused", "a chunk of a state is refused")                  \
    BRANCH(transfer_given_up, "transfer_given_up", "a transfer of a state is given up")            \
    BRANCH(steps_down, "steps_down", "a primary that hears no majority steps down")                \
    BRANCH(deposed, "deposed", "a primary meets a newer epoch")                                    \
    BRANCH(poll_failed, "poll_failed", "a coordinator finds no majority that would elect")         \
    BRANCH(seal_failed, "seal_failed", "no majority promises in time")                             \
    BRANCH(appointment_failed, "appointment_failed", "an appointee doesn't take the epoch")        \
    BRANCH(handover, "handover_started", "a primary hands over to another one")                    \
    BRANCH(handover_given_up, "handover_given_up", "a handover comes to nothing")                  \
    BRANCH(disk_full, "disk_full", "a node runs out of space")                                     \
    BRANCH(disk_has_space_again, "disk_has_space_again", "it has space again, and goes on")        \
    BRANCH(disk_failed, "", "a write fails, and the process ends")                                 \
    BRANCH(resumed_job, "", "a primary goes on with a job that another one began")                 \
    BRANCH(failed_index, "", "a unique index turns out to be impossible")                          \
    BRANCH(replayed, "", "a transaction is sent again, and gets its first outcome")                \
    BRANCH(claimed, "", "a question for the status of a transaction forbids it to run")            \
    BRANCH(unknown_outcome, "", "a client is told that an outcome is unknown")                     \
    BRANCH(too_old, "", "a version that is read is kept no longer")

enum branch {
#define BRANCH_ENUM(name, event, doc) BRANCH_##name,
    BRANCH_LIST(BRANCH_ENUM)
#undef BRANCH_ENUM
        BRANCH_COUNT
};

struct coverage {
    uint64_t taken[BRANCH_COUNT]; // how often, by branch
    uint64_t seeds[BRANCH_COUNT]; // in how many runs; of one that goes on 0
};

// The branch was taken.
void coverage_take(struct coverage *coverage, enum branch branch);

// An operator was told this line: takes the branch that it tells of, if any.
void coverage_take_line(struct coverage *coverage, struct bytes line);

// The run is over: makes it one seed.
void coverage_end(struct coverage *coverage);

// Adds up what was taken.
void coverage_add(struct coverage *sum, const struct coverage *coverage);

// Whether every branch was taken.
bool coverage_is_whole(const struct coverage *coverage);

// Tells one line a branch on standard output.
void coverage_print(const struct coverage *coverage);

#endif
