/*
 * Every sequence of up to three bytes and the borders of four against a plain decoder.
 */
#include "base/utf8.h"

#include <criterion/criterion.h>

// Appends the UTF-8 form of any code point below 2^21, allowed or not, in `size` bytes.
static struct bytes encode(uint32_t code, unsigned size, uint8_t *to)
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = size - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    to[0] = (uint8_t)(leads[size] | code);
    return bytes_of(to, size);
}

static unsigned shortest_size(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static bool is_scalar(uint32_t code)
{
    return code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
}

Test(utf8, takes_exactly_the_shortest_form_of_every_scalar)
{
    uint8_t space[4];
    for (uint32_t code = 0; code < 0x200000; code++) {
        for (unsigned size = shortest_size(code); size <= 4; size++) {
            bool expected = is_scalar(code) && size == shortest_size(code);
            cr_assert_eq(utf8_is_valid(encode(code, size, space)), expected, "%x in %u", code,
                         size);
        }
    }
}

Test(utf8, refuses_a_character_cut_short)
{
    uint8_t space[4];
    for (uint32_t code = 0x80; code < 0x110000; code += 17) {
        unsigned size = shortest_size(code);
        encode(code, size, space);
        for (unsigned cut = 1; cut < size; cut++) {
            cr_assert_not(utf8_is_valid(bytes_of(space, cut)));
        }
    }
}

Test(utf8, finds_a_bad_byte_anywhere_in_ascii)
{
    char text[40];
    memset(text, 'a', sizeof text);
    cr_assert(utf8_is_valid(bytes_of(text, sizeof text)));
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)0x80;
        cr_assert_not(utf8_is_valid(bytes_of(text, sizeof text)));
        text[i] = 'a';
    }
}

Test(utf8, takes_the_empty_text)
{
    cr_assert(utf8_is_valid(bytes_of(NULL, 0)));
}

Test(utf8, prefix_ends_between_characters)
{
    struct bytes text = bytes_from_text("aä€😀z");
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t size = 0; size < sizeof expected / sizeof expected[0]; size++) {
        cr_assert_eq(utf8_prefix(text, size).size, expected[size], "%zu", size);
    }
}
