/*
 * Answers about the past: documents at earlier versions and times, and their histories.
 */
#ifndef SKEIN_TESTS_SIM_HISTORY_PAST_H
#define SKEIN_TESTS_SIM_HISTORY_PAST_H

#include "tests/sim/history.h"

// Checks the gets of a read of the past against the model.
void history_check_past(struct history *history, const struct question *question,
                        const struct answer *answer);

// Takes the next result off the cursor, which is that of a history, and checks it.
void history_check_versions(struct history *history, const struct step *step, uint64_t version,
                            struct cursor *results);

#endif
