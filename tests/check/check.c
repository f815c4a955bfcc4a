/*
 * Each kind of record by itself.
 */
#include "tests/check/check.h"

#include "tests/check/bank.h"
#include "tests/check/counters.h"
#include "tests/check/cycles.h"
#include "tests/check/reads.h"
#include "tests/check/registers.h"
#include "tests/check/sessions.h"
#include "tests/check/sets.h"

static enum status check_lists(const struct history *history, struct report *report,
                               struct history_fault *ret_fault)
{
    AUTO(lists_release) struct lists lists;
    TRY(lists_init(&lists, history, ret_fault));
    reads_check(&lists, report);
    cycles_check(&lists, report);
    return STATUS_ok;
}

enum status check_history(const struct history *history, struct report *report,
                          struct history_fault *ret_fault)
{
    TRY(check_lists(history, report, ret_fault));
    TRY(bank_check(history, report, ret_fault));
    TRY(registers_check(history, report, ret_fault));
    TRY(sets_check(history, report, ret_fault));
    TRY(counters_check(history, report, ret_fault));
    return sessions_check(history, report, ret_fault);
}
