/*
 * What commands take from their words: times, consistencies, lines.
 */
#include "client/cli/input.h"

#include <criterion/criterion.h>

static enum status read_time(const char *text, uint64_t *ret_time_us)
{
    struct call call = {0};
    return input_time(&call, text, ret_time_us);
}

// Sorts the words into the options of reads and makes of them what is asked.
static enum status read_words(char **words, struct client_read *ret_ask)
{
    struct call call = {.timeout_ms = 500};
    TRY(arguments_parse(&call.arguments, READ_OPTIONS, words, &call.failure));
    *ret_ask = (struct client_read){0};
    return input_consistency(&call, ret_ask);
}

Test(input, takes_times_as_text_and_as_microseconds)
{
    uint64_t time_us = 0;
    cr_assert_eq(read_time("1970-01-01T00:00:01.5Z", &time_us), STATUS_ok);
    cr_assert_eq(time_us, 1500000);
    cr_assert_eq(read_time("1970-01-01T01:00:00+01:00", &time_us), STATUS_ok);
    cr_assert_eq(time_us, 0);
    cr_assert_eq(read_time("1795385692062501", &time_us), STATUS_ok);
    cr_assert_eq(time_us, 1795385692062501);
    const char *const bad[] = {
        "", "yesterday", "-1", "1.5", "1969-12-31T23:59:59Z", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(read_time(bad[i], &time_us), STATUS_bad_request, "%s", bad[i]);
    }
}

Test(input, reads_linearizably_unless_told_otherwise)
{
    struct client_read ask;
    cr_assert_eq(read_words((char *[]){NULL}, &ask), STATUS_ok);
    cr_assert_eq(ask.level, READ_linearizable);
    cr_assert_eq(ask.timeout_ms, 500);
    cr_assert_eq(read_words((char *[]){"--at-version", "7", NULL}, &ask), STATUS_ok);
    cr_assert_eq(ask.level, READ_snapshot);
    cr_assert_eq(ask.at_version, 7);
    cr_assert_eq(read_words((char *[]){"--at-time", "9", NULL}, &ask), STATUS_ok);
    cr_assert_eq(ask.level, READ_snapshot);
    cr_assert_eq(ask.at_time_us, 9);
    cr_assert_eq(read_words((char *[]){"--level", "session", "--after-version", "3", NULL}, &ask),
                 STATUS_ok);
    cr_assert_eq(ask.level, READ_session);
    cr_assert_eq(ask.after_version, 3);
}

Test(input, takes_bounds_on_the_lag)
{
    struct client_read ask;
    cr_assert_eq(
        read_words((char *[]){"--level=any", "--max-lag-versions=5", "--max-lag-ms=20", NULL},
                   &ask),
        STATUS_ok);
    cr_assert_eq(ask.level, READ_any);
    cr_assert_eq(ask.lag_versions_max, 5);
    cr_assert_eq(ask.lag_ms_max, 20);
    cr_assert_eq(read_words((char *[]){"--max-lag-ms", "4294967296", NULL}, &ask),
                 STATUS_bad_request);
    cr_assert_eq(read_words((char *[]){"--level", "high", NULL}, &ask), STATUS_bad_request);
    cr_assert_eq(read_words((char *[]){"--level", "snapshot", NULL}, &ask), STATUS_bad_request);
}
