/*
 * Whether the cells of a state fit together: what is derived from documents is as they say.
 */
#ifndef SKEIN_TESTS_SIM_CELLS_CHECK_H
#define SKEIN_TESTS_SIM_CELLS_CHECK_H

#include "storage/state.h"

// What is wrong with the cells of a state in which no jobs are left; NULL for nothing: every index
// that serves has one entry for every document of its collection, and no other; nothing is there of
// indexes and collections that were dropped; statistics and times of expiry are right.
const char *cells_check(struct state *state);

// Whether something is still built or cleared.
bool cells_have_jobs(struct state *state);

#endif
