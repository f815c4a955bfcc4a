/*
 * Log lines: their form, and the limit of repeated ones.
 */
#include "actors/runtime/logger.h"

#include <criterion/criterion.h>

static struct logger logger_of_test;
static struct buffer line;

static void setup(void)
{
    logger_init(&logger_of_test, "primary", "s1");
    buffer_init(&line);
}

static void teardown(void)
{
    logger_release(&logger_of_test);
    buffer_release(&line);
}

static void expect_line(struct bytes text, const char *expected)
{
    logger_format(&logger_of_test, LOG_INFO, text, 1700000000123456, &line);
    cr_expect(bytes_equal(buffer_bytes(&line), bytes_from_text(expected)), "got: %.*s",
              (int)line.size, (const char *)line.data);
}

// Lines of `count` that are let through.
static unsigned take(struct logger_bucket *bucket, uint64_t now_us, unsigned count)
{
    unsigned taken = 0;
    uint32_t suppressed;
    for (unsigned i = 0; i < count; i++) {
        taken += logger_bucket_take(bucket, now_us, &suppressed);
    }
    return taken;
}

TestSuite(logger, .init = setup, .fini = teardown);

Test(logger, a_line_says_who_and_when)
{
    expect_line(bytes_from_text("event=elected epoch=4"),
                "level=info role=primary name=s1 event=elected epoch=4 "
                "time=2023-11-14T22:13:20.123456Z\n");
}

Test(logger, nobody_can_begin_a_line_of_his_own)
{
    expect_line(bytes_from_text("event=x from=a\nlevel=error\x1b[2J"),
                "level=info role=primary name=s1 event=x from=a?level=error?[2J "
                "time=2023-11-14T22:13:20.123456Z\n");
}

Test(logger, repeated_lines_are_let_through_up_to_the_burst)
{
    struct logger_bucket bucket = {0};
    cr_expect_eq(take(&bucket, 1000, LOGGER_BURST), LOGGER_BURST);
    cr_expect_eq(take(&bucket, 1000, 1000), 0);
}

Test(logger, the_next_line_says_how_many_are_missing)
{
    struct logger_bucket bucket = {0};
    take(&bucket, 0, LOGGER_BURST + 7);
    uint32_t suppressed = 0;
    cr_assert(logger_bucket_take(&bucket, LOGGER_REFILL_US, &suppressed));
    cr_expect_eq(suppressed, 7);
    cr_expect_eq(take(&bucket, LOGGER_REFILL_US, 1), 0, "one line came back, and it was taken");
}

Test(logger, a_pause_gives_the_burst_back)
{
    struct logger_bucket bucket = {0};
    take(&bucket, 0, 2 * LOGGER_BURST);
    cr_expect_eq(take(&bucket, 3600 * UINT64_C(1000000), 1000), LOGGER_BURST);
}

Test(logger, parts_of_a_refill_are_not_lost)
{
    struct logger_bucket bucket = {0};
    take(&bucket, 0, LOGGER_BURST);
    cr_expect_eq(take(&bucket, LOGGER_REFILL_US - 1, 1), 0);
    cr_expect_eq(take(&bucket, LOGGER_REFILL_US, 1), 1);
}
