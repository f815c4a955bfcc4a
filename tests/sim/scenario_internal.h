/*
 * The inside of the interpreter of scenarios, shared by its files.
 */
#ifndef SKEIN_TESTS_SIM_SCENARIO_INTERNAL_H
#define SKEIN_TESTS_SIM_SCENARIO_INTERNAL_H

#include "tests/sim/simulation.h"

enum { SCENARIO_WORDS_MAX = 16, SCENARIO_ALIASES_MAX = 8 };

// A name that the script gave to a process.
struct scenario_alias {
    char name[SHELL_NAME_MAX];
    struct shell *shell; // borrowed
};

struct scenario {
    struct simulation *simulation;
    const char *step;                // name of the step at hand
    char *words[SCENARIO_WORDS_MAX]; // behind it
    unsigned count;
    unsigned line;   // its number
    bool is_started; // the cluster runs
    uint64_t marked; // committed position when it was marked
    struct scenario_alias aliases[SCENARIO_ALIASES_MAX];
    unsigned alias_count;
};

// The step fails: a violation of the run.
void scenario_fail(struct scenario *scenario, const char *what);

// A word of the line at hand; "" beyond the last one.
const char *scenario_word(const struct scenario *scenario, unsigned number);

// Runs the step at hand; false when it makes no sense.
bool scenario_step(struct scenario *scenario);

#endif
