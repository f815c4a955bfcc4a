/*
 * Times as text against the C library's calendar.
 */
#include "base/rfc3339.h"

#include "base/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

static void check_printed(int64_t seconds, uint32_t nanoseconds, const char *expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    rfc3339_print(seconds, nanoseconds, &out);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text(expected)), "%.*s for %s",
              (int)out.size, (const char *)out.data, expected);
}

static void check_parsed(const char *text, int64_t expected_seconds, uint32_t expected_nanoseconds)
{
    int64_t seconds;
    uint32_t nanoseconds;
    cr_assert_eq(rfc3339_parse(bytes_from_text(text), &seconds, &nanoseconds), STATUS_ok, "%s",
                 text);
    cr_assert_eq(seconds, expected_seconds, "%s", text);
    cr_assert_eq(nanoseconds, expected_nanoseconds, "%s", text);
}

static void check_refused(const char *text)
{
    int64_t seconds;
    uint32_t nanoseconds;
    cr_assert_eq(rfc3339_parse(bytes_from_text(text), &seconds, &nanoseconds), STATUS_bad_request,
                 "%s", text);
}

Test(rfc3339, prints_no_more_digits_than_it_takes)
{
    check_printed(0, 0, "1970-01-01T00:00:00Z");
    check_printed(1709209800, 500000000, "2024-02-29T12:30:00.500Z");
    check_printed(1709209800, 1000, "2024-02-29T12:30:00.000001Z");
    check_printed(-1, 999999999, "1969-12-31T23:59:59.999999999Z");
    check_printed(RFC3339_SECONDS_MIN, 0, "0000-01-01T00:00:00Z");
    check_printed(RFC3339_SECONDS_MAX, 0, "9999-12-31T23:59:59Z");
}

Test(rfc3339, reads_zones_and_fractions)
{
    check_parsed("2024-02-29T12:30:00Z", 1709209800, 0);
    check_parsed("2024-02-29t12:30:00z", 1709209800, 0);
    check_parsed("2024-02-29 14:30:00+02:00", 1709209800, 0);
    check_parsed("2024-02-29T07:00:00.25-05:30", 1709209800, 250000000);
    check_parsed("1970-01-01T00:00:00.123456789Z", 0, 123456789);
}

Test(rfc3339, refuses_what_is_no_time)
{
    static const char *const texts[] = {
        "",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+2:00",
        "2024-01-01T00:00:00Zx",
        "2024-1-1T00:00:00Z",
        "24-01-01T00:00:00Z",
        "2024-01-01",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_refused(texts[i]);
    }
}

Test(rfc3339, agrees_with_the_calendar_of_the_c_library)
{
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t span = (uint64_t)(RFC3339_SECONDS_MAX - RFC3339_SECONDS_MIN);
        time_t seconds = RFC3339_SECONDS_MIN + (int64_t)random_between(&random, 0, span);
        struct tm parts;
        char text[64];
        cr_assert_not_null(gmtime_r(&seconds, &parts));
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        check_printed(seconds, 0, text);
        check_parsed(text, seconds, 0);
    }
}
