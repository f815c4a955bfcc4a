/*
 * Sessions: what a client sees never goes back. Each key is written by one client, with numbers
 * that grow and never shrink, also when one is written late; a session is all that one process did.
 *
 *   session-version  a read is of an older version than one that the session saw before
 *   session-back     a read has a smaller number than the session read or wrote before
 *   session-phantom  a number was read that nobody wrote, or only one who failed
 *   session-early    a number was read before anybody began to write it
 */
#ifndef SKEIN_TESTS_CHECK_SESSIONS_H
#define SKEIN_TESTS_CHECK_SESSIONS_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Checks the records of the kind. Fails with bad_request when one of them can't be of that kind, or
// what a process did overlaps in time.
MUST_CHECK enum status sessions_check(const struct history *history, struct report *report,
                                      struct history_fault *ret_fault);

#endif
