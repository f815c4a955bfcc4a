/*
 * A campaign: many seeds, or scenarios, in worker processes, with the sum of what came of them.
 */
#ifndef SKEIN_TESTS_SIM_CAMPAIGN_H
#define SKEIN_TESTS_SIM_CAMPAIGN_H

#include "tests/sim/changes.h"
#include "tests/sim/simulation.h"

struct campaign_options {
    uint64_t seed;          // the first one
    uint64_t count;         // seeds
    unsigned bug;           // deviation switched on, 0 for none
    unsigned jobs;          // worker processes
    bool must_fail;         // only violations count that aren't there without the deviation
    bool is_tracing;        // tell every step
    bool goes_on;           // after a violation, too
    bool is_twice;          // every seed is run twice and must go the same way
    bool is_quiet;          // tells nothing
    const char *scenario;   // file to run instead of random faults; NULL for none
    struct changes changes; // to every run
};

struct campaign_result {
    uint64_t seeds;      // run
    uint64_t violations; // seeds that had one
    uint64_t virtual_us;
    uint64_t commits;
    uint64_t faults;
    uint64_t digest; // of all, whatever the order
    struct coverage coverage;
    uint64_t violated_seed;             // the first one, if there is one
    char violation[VIOLATION_SIZE_MAX]; // of it
    uint64_t fault_number;              // of its last fault; 0: not known
};

// Runs it and tells violations, each with the command that repeats it, and progress on stderr.
void campaign_run(const struct campaign_options *options, struct campaign_result *ret_result);

// Adds up what came of campaigns.
void campaign_add(struct campaign_result *sum, const struct campaign_result *result);

#endif
