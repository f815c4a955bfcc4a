/*
 * Banks: accounts with balances, transfers between them. Transfers keep the sum, so every read of
 * all accounts must have it, too, and no balance may be negative. Each balance must be one that the
 * transfers can have made: those that were over before the read began count, those that began after
 * it was over don't, the others may.
 *
 *   bank-total     a read has another sum than the accounts were opened with
 *   bank-negative  a balance is negative
 *   bank-balance   a balance that no choice of the transfers that may count explains
 *   bank-accounts  a read has other accounts than were opened
 */
#ifndef SKEIN_TESTS_CHECK_BANK_H
#define SKEIN_TESTS_CHECK_BANK_H

#include "tests/check/history.h"
#include "tests/check/report.h"

// Checks the records of the kind. Fails with bad_request when one of them can't be of that kind, or
// accounts were opened twice, or not before they were used.
MUST_CHECK enum status bank_check(const struct history *history, struct report *report,
                                  struct history_fault *ret_fault);

#endif
