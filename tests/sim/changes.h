/*
 * What is changed about a run after it was drawn: some of its options, and which of its faults
 * happen. The command line names it and a shrunk run is made of it:
 *
 *     --set clients=1 --only 3,7-9
 */
#ifndef SKEIN_TESTS_SIM_CHANGES_H
#define SKEIN_TESTS_SIM_CHANGES_H

#include "tests/sim/options.h"

// SETTING(name, member of struct options, least value, highest value); a run with a lower value is
// the simpler one.
#define SETTING_LIST(SETTING)                                                                      \
    SETTING(commits, commits_min, 0, 100000)                                                       \
    SETTING(safety_us, safety_us, 1000, 1000000000)                                                \
    SETTING(clients, clients, 1, 4)                                                                \
    SETTING(replicas, replicas, 0, 2)                                                              \
    SETTING(readers, readers, 1, 2)                                                                \
    SETTING(writers, writers, 1, 2)                                                                \
    SETTING(coordinators, coordinators, 1, 3)                                                      \
    SETTING(voters, voters, 1, 5)                                                                  \
    SETTING(outstanding, outstanding, 1, 6)                                                        \
    SETTING(keys, keys, 2, 40)                                                                     \
    SETTING(outlives, network.outlives, 0, 1)                                                      \
    SETTING(loss, network.loss_ppm, 0, 1000000)                                                    \
    SETTING(duplicate, network.duplicate_ppm, 0, 1000000)                                          \
    SETTING(straggler, network.straggler_ppm, 0, 1000000)                                          \
    SETTING(stall, stall_ppm, 0, 1000000)                                                          \
    SETTING(self_flush, flush_writes, 0, 1000000)                                                  \
    SETTING(freezes, freezes, 0, 1)

enum setting {
#define SETTING_ENUM(name, member, least, most) SETTING_##name,
    SETTING_LIST(SETTING_ENUM)
#undef SETTING_ENUM
        SETTING_COUNT
};

struct changes {
    bool is_set[SETTING_COUNT];
    uint64_t values[SETTING_COUNT]; // is_set
    bool chooses;                   // only the faults that are chosen happen
    struct fault_set chosen;        // chooses
};

// Reads "clients=1"; false if it is no setting, or out of its range.
bool changes_set(struct changes *changes, const char *text);

// Reads "3,7-9", or "none"; false if it can't be.
bool changes_choose(struct changes *changes, const char *text);

void changes_apply(const struct changes *changes, struct options *options);

// Appends them as they are said on the command line, each with a space before it.
void changes_print(const struct changes *changes, struct buffer *out);

// The value that the options have, and the least that there is.
uint64_t setting_value(enum setting setting, const struct options *options);
uint64_t setting_least(enum setting setting);

#endif
