/*
 * Texts are whole, whatever their length, and come after what was there.
 */
#include "base/text.h"

#include "base/status.h"

#include <criterion/criterion.h>

Test(text, goes_to_the_end)
{
    AUTO(buffer_release) struct buffer out = {0};
    text_append(&out, "%s", "");
    cr_assert_eq(out.size, 0);
    text_append(&out, "a%d", 1);
    text_append(&out, "%c%s", 'b', "2");
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text("a1b2")));
}

Test(text, is_whole)
{
    AUTO(buffer_release) struct buffer out = {0};
    text_append(&out, "%*d", 100000, 7);
    cr_assert_eq(out.size, 100000);
    cr_assert_eq(out.data[0], ' ');
    cr_assert_eq(out.data[out.size - 1], '7');
}

Test(text, is_copied_to_the_last_byte)
{
    char place[4] = {1, 1, 1, 1};
    text_copy(place, 3, "ab");
    cr_assert_str_eq(place, "ab");
    cr_assert_eq(place[3], 1);
}
