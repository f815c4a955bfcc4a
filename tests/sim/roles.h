/*
 * The roles of processes without a disk: coordinator, writer, reader.
 */
#ifndef SKEIN_TESTS_SIM_ROLES_H
#define SKEIN_TESTS_SIM_ROLES_H

#include "tests/sim/shell.h"

// The voters that the configuration file names; the owner of every coordinator's shell.
struct voter_list {
    struct voter_seed voters[VOTER_COUNT_MAX];
    size_t count;
};

// For shell->role. A coordinator's shell->owner is a struct voter_list.
const struct shell_role *role_coordinator(void);
const struct shell_role *role_writer(void);
const struct shell_role *role_reader(void);

#endif
