/*
 * Faults: begun at random moments, each for a random while, kinds and rates as the options say; and
 * the atlas that keeps them from destroying what a majority must keep.
 */
#ifndef SKEIN_TESTS_SIM_FAULTS_H
#define SKEIN_TESTS_SIM_FAULTS_H

#include "tests/sim/options.h"

struct simulation;

struct faults {
    struct simulation *simulation; // borrowed
    struct random plan;            // when faults begin, and of which kinds
    struct random random;          // all else; of its own for each fault
    bool is_active;                // new ones begin
    uint64_t number;               // of the last one, whether it came to something or not
    uint64_t begun;                // so far
};

void faults_init(struct faults *faults, struct simulation *simulation);

// From now on faults begin.
void faults_start(struct faults *faults);

// No new faults; what lasts goes on. What is drawn from now on depends on the seed alone.
void faults_stop(struct faults *faults);

// Ends every fault; but the processes in `frozen` (bits by number) stay dead or paused if they are.
void faults_heal(struct faults *faults, uint32_t frozen);

// The clock of the process goes too fast or too slow.
void faults_set_clock(struct faults *faults, struct shell *shell);

// A process ended by itself, or couldn't start: it comes back after a while if it may.
void faults_on_end(struct faults *faults, struct shell *shell, uint32_t exit_code);

// Begins one fault of this kind now; false when there is nothing that it could happen to.
bool faults_begin(struct faults *faults, enum fault_kind kind);

#endif
