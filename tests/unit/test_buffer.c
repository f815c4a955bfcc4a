/*
 * Growth and content of buffers.
 */
#include "base/buffer.h"

#include "base/status.h"

#include <criterion/criterion.h>

Test(buffer, is_empty_and_allocates_nothing_at_first)
{
    struct buffer buffer;
    buffer_init(&buffer);
    cr_assert_eq(buffer.size, 0);
    cr_assert_null(buffer.data);
    buffer_append(&buffer, bytes_of(NULL, 0));
    cr_assert_null(buffer.data);
}

Test(buffer, keeps_what_was_appended_while_it_grows)
{
    AUTO(buffer_release) struct buffer buffer = {0};
    for (unsigned i = 0; i < 10000; i++) {
        buffer_append_u8(&buffer, (uint8_t)(i * 7));
    }
    cr_assert_eq(buffer.size, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        cr_assert_eq(buffer.data[i], (uint8_t)(i * 7));
    }
}

Test(buffer, capacity_doubles)
{
    AUTO(buffer_release) struct buffer buffer = {0};
    unsigned growths = 0;
    for (unsigned i = 0; i < 100000; i++) {
        size_t before = buffer.capacity;
        buffer_append_u8(&buffer, 0);
        growths += buffer.capacity != before;
    }
    cr_assert_leq(growths, 12);
}

Test(buffer, reserves_without_changing_the_size)
{
    AUTO(buffer_release) struct buffer buffer = {0};
    buffer_reserve(&buffer, 1000);
    cr_assert_eq(buffer.size, 0);
    cr_assert_geq(buffer.capacity, 1000);
    uint8_t *data = buffer.data;
    buffer_extend(&buffer, 1000);
    cr_assert_eq(buffer.data, data);
}

Test(buffer, truncates_and_clears_but_keeps_its_memory)
{
    AUTO(buffer_release) struct buffer buffer = {0};
    buffer_append(&buffer, bytes_from_text("skein"));
    uint8_t *data = buffer.data;
    buffer_truncate(&buffer, 2);
    cr_assert(bytes_equal(buffer_bytes(&buffer), bytes_from_text("sk")));
    buffer_clear(&buffer);
    cr_assert_eq(buffer.size, 0);
    cr_assert_eq(buffer.data, data);
}

Test(buffer, is_empty_after_release)
{
    struct buffer buffer = {0};
    buffer_append(&buffer, bytes_from_text("skein"));
    buffer_release(&buffer);
    buffer_release(&buffer);
    cr_assert_null(buffer.data);
    cr_assert_eq(buffer.size + buffer.capacity, 0);
}

Test(buffer, bytes_compare_as_unsigned_and_prefixes_come_first)
{
    cr_assert_lt(bytes_compare(bytes_of("\x7f", 1), bytes_of("\x80", 1)), 0);
    cr_assert_lt(bytes_compare(bytes_from_text("ab"), bytes_from_text("abc")), 0);
    cr_assert_gt(bytes_compare(bytes_from_text("b"), bytes_from_text("abc")), 0);
    cr_assert_eq(bytes_compare(bytes_of(NULL, 0), bytes_from_text("")), 0);
    cr_assert(bytes_starts_with(bytes_from_text("abc"), bytes_from_text("ab")));
    cr_assert_not(bytes_starts_with(bytes_from_text("ab"), bytes_from_text("abc")));
}
