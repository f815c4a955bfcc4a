/*
 * Counters: amounts above zero are added, each exactly once however often it was asked for, and the
 * sum is read.
 *
 *   counter-low   a read has less than what was certainly added before it began: something was lost
 *   counter-high  a read has more than all that may have been added before it ended: something was
 *                 added twice, or although it failed
 *   counter-back  a read has less than one that was over before it began
 */
#ifndef SKEIN_TESTS_CHECK_COUNTERS_H
#define SKEIN_TESTS_CHECK_COUNTERS_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Checks the records of the kind. Fails with bad_request when one of them can't be of that kind.
MUST_CHECK enum status counters_check(const struct history *history, struct report *report,
                                      struct history_fault *ret_fault);

#endif
