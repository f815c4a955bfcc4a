/*
 * The line that shows progress: its bar, its share, its rate.
 */
#include "client/cli/progress.h"

#include <criterion/criterion.h>

static void assert_line(uint64_t total, uint64_t done, uint64_t elapsed_us, const char *wanted)
{
    const struct progress progress = {.what = "loading", .unit = "documents", .total = total};
    struct buffer line = {0};
    progress_print(&progress, done, elapsed_us, &line);
    cr_assert(bytes_equal(buffer_bytes(&line), bytes_from_text(wanted)), "%.*s", (int)line.size,
              (const char *)line.data);
    buffer_release(&line);
}

Test(progress, shows_a_bar_and_a_rate)
{
    assert_line(200, 0, 0,
                "loading [>                             ]   0 %  0 documents, 0 a second");
    assert_line(200, 90, 500000,
                "loading [=============>                ]  45 %  90 documents, 180 a second");
    assert_line(200, 200, 1000000,
                "loading [==============================] 100 %  200 documents, 200 a second");
}

Test(progress, never_goes_beyond_its_end)
{
    assert_line(2, 3, 1000000,
                "loading [==============================] 100 %  3 documents, 3 a second");
}

Test(progress, has_no_bar_without_an_end)
{
    assert_line(0, 5, 1000000, "loading 5 documents, 5 a second");
}
