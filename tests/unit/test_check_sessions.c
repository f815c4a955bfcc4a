/*
 * Sessions: what one client sees goes forward.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct told_history told;

// A line of process 2 (others tell as process 1), with the version of its answer.
static void told_version(unsigned times, unsigned version, const char *operation,
                         const char *result)
{
    char line[256];
    int size = snprintf(line, sizeof line,
                        "{\"process\": 2, \"kind\": \"session\", \"invoke\": %u, \"complete\": %u, "
                        "\"outcome\": \"ok\", \"operations\": [%s], \"results\": [%s], "
                        "\"version\": %u}\n",
                        times, times + 1, operation, result, version);
    buffer_append(&told.text, bytes_of((const uint8_t *)line, (size_t)size));
}

static void ok(const char *times, const char *operation, const char *result)
{
    told_ok(&told, "session", times, operation, result);
}

static void setup(void)
{
    told_history_init(&told);
    ok("10-20", "[['write', 'k', 1]]", "[null]");
    ok("30-40", "[['write', 'k', 2]]", "[null]");
}

static void teardown(void)
{
    told_history_release(&told);
}

TestSuite(check_sessions, .init = setup, .fini = teardown);

Test(check_sessions, accepts_a_session_that_is_behind_and_goes_forward)
{
    told_version(50, 5, "[\"read\", \"k\"]", "null");
    told_version(60, 6, "[\"read\", \"k\"]", "1");
    told_version(70, 6, "[\"read\", \"k\"]", "1");
    told_version(80, 7, "[\"read\", \"k\"]", "2");
    told_expect_good(&told);
}

Test(check_sessions, accepts_an_unknown_write_that_was_done)
{
    told_not_ok(&told, "session", "unknown", "50-60", "[['write', 'k', 3]]");
    ok("70-80", "[['read', 'k']]", "[3]");
    told_expect_good(&told);
}

Test(check_sessions, finds_a_version_that_went_back)
{
    told_version(50, 6, "[\"read\", \"k\"]", "1");
    told_version(60, 5, "[\"read\", \"other\"]", "null");
    told_expect(&told, "session-version");
}

Test(check_sessions, finds_a_number_that_went_back)
{
    told_version(50, 6, "[\"read\", \"k\"]", "2");
    told_version(60, 6, "[\"read\", \"k\"]", "1");
    told_expect(&told, "session-back");
}

Test(check_sessions, finds_a_session_that_does_not_see_its_own_write)
{
    ok("50-60", "[['read', 'k']]", "[1]");
    told_expect(&told, "session-back");
}

Test(check_sessions, finds_a_number_that_nobody_wrote)
{
    ok("50-60", "[['read', 'k']]", "[7]");
    told_expect(&told, "session-phantom");
}

Test(check_sessions, finds_a_failed_write_that_was_done)
{
    told_not_ok(&told, "session", "fail", "50-60", "[['write', 'k', 3]]");
    ok("70-80", "[['read', 'k']]", "[3]");
    told_expect(&told, "session-phantom");
}

Test(check_sessions, finds_a_number_read_before_it_was_written)
{
    told_version(25, 6, "[\"read\", \"k\"]", "2");
    told_expect(&told, "session-early");
}

Test(check_sessions, keeps_sessions_apart)
{
    told_version(50, 6, "[\"read\", \"k\"]", "1");
    ok("60-70", "[['read', 'k']]", "[2]");
    told_version(80, 6, "[\"read\", \"k\"]", "1");
    told_expect_good(&told);
}

Test(check_sessions, refuses_a_session_that_does_two_things_at_once)
{
    ok("35-50", "[['read', 'k']]", "[2]");
    told_expect_unreadable(&told, 3);
}

Test(check_sessions, refuses_what_is_no_operation_of_a_session)
{
    ok("50-60", "[['write', 'k', 'x']]", "[null]");
    told_expect_unreadable(&told, 3);
}
