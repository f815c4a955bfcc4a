/*
 * Sets: values are added, each once, and all of a set is read. A read must have what was there when
 * it began and nothing that can't have been there when it ended.
 *
 *   set-lost       a value that was there before a read began, as told to whoever added it or read
 *                  by another, is missing
 *   set-phantom    a value is read that nobody has added, or only one who failed
 *   set-early      a value is read before anybody began to add it
 *   set-duplicate  a value is read twice in one read
 */
#ifndef SKEIN_TESTS_CHECK_SETS_H
#define SKEIN_TESTS_CHECK_SETS_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Checks the records of the kind. Fails with bad_request when one of them can't be of that kind, or
// adds what another one has added.
MUST_CHECK enum status sets_check(const struct history *history, struct report *report,
                                  struct history_fault *ret_fault);

#endif
