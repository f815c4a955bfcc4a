/*
 * The list of statuses and what the data model and the interfaces promise about it.
 */
#include "base/status.h"

#include <criterion/criterion.h>

Test(status, every_name_leads_back_to_its_number)
{
    for (unsigned number = 0; number < STATUS_COUNT; number++) {
        enum status status;
        cr_assert_str_neq(status_name((enum status)number), "unknown");
        cr_assert(status_from_name(status_name((enum status)number), &status));
        cr_assert_eq(status, number);
    }
}

Test(status, an_unknown_number_is_an_internal_failure)
{
    enum status beyond = (enum status)STATUS_COUNT;
    enum status status;
    cr_assert_str_eq(status_name(beyond), "unknown");
    cr_assert_eq(status_http(beyond), 500);
    cr_assert_eq(status_exit_code(beyond), 6);
    cr_assert_not(status_may_retry(beyond));
    cr_assert_not(status_from_name("unknown", &status));
}

Test(status, exit_codes_follow_the_http_statuses)
{
    for (unsigned number = 1; number < STATUS_COUNT; number++) {
        enum status status = (enum status)number;
        unsigned http = status_http(status);
        unsigned code = status_exit_code(status);
        cr_assert(http >= 400 && http < 600);
        cr_assert_eq(code == 3, http == 401 || http == 403);
        cr_assert_eq(code == 6, http == 500);
    }
    cr_assert_eq(status_exit_code(STATUS_ok), 0);
    cr_assert_eq(status_exit_code(STATUS_unknown_outcome), 5);
}

Test(status, only_passing_failures_invite_a_retry)
{
    cr_assert(status_may_retry(STATUS_busy));
    cr_assert(status_may_retry(STATUS_unknown_outcome));
    cr_assert(status_may_retry(STATUS_conflict));
    cr_assert_not(status_may_retry(STATUS_refused));
    cr_assert_not(status_may_retry(STATUS_bad_request));
}
