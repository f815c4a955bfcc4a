/*
 * All that can be checked of a history: lists for strict serializability, banks, registers, sets,
 * counters, sessions.
 */
#ifndef SKEIN_TESTS_CHECK_CHECK_H
#define SKEIN_TESTS_CHECK_CHECK_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Checks a history; what is wrong with the database goes to `report`. Fails with bad_request when
// something is wrong with the history itself.
MUST_CHECK enum status check_history(const struct history *history, struct report *report,
                                     struct history_fault *ret_fault);

#endif
