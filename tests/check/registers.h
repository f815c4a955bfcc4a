/*
 * Registers with compare-and-set, each by itself: linearizability is a matter of each register
 * alone.
 *
 *   register  the operations on a register are not linearizable
 */
#ifndef SKEIN_TESTS_CHECK_REGISTERS_H
#define SKEIN_TESTS_CHECK_REGISTERS_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Configurations that the search for an order of one register looks at, at most.
enum { REGISTER_CONFIGURATIONS_MAX = 2000000 };

// Checks the records of the kind. Fails with bad_request when one of them can't be of that kind.
MUST_CHECK enum status registers_check(const struct history *history, struct report *report,
                                       struct history_fault *ret_fault);

#endif
