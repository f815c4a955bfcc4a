/*
 * Words and sentences at the borders of their room, with characters of one to four bytes there.
 */
#include "wire/document/sentence.h"

#include "base/utf8.h"

#include <criterion/criterion.h>

#define EURO "\xe2\x82\xac"

enum { ROOM = ERROR_MESSAGE_SIZE_MAX - 1 };

static void expect_quote(struct bytes word, const char *expected)
{
    cr_assert_str_eq(quote_of(word).text, expected);
}

Test(sentence, shows_words_as_far_as_they_are_harmless)
{
    expect_quote(bytes_from_text("word"), "word");
    expect_quote(bytes_from_text(""), "");
    expect_quote(bytes_from_text("\xff"), "?");
    expect_quote(bytes_of("a\0b", 3), "?");
}

Test(sentence, cuts_words_behind_a_whole_character)
{
    char word[QUOTE_SIZE_MAX + 2];
    memset(word, 'x', sizeof word);
    struct bytes just = bytes_of(word, QUOTE_SIZE_MAX);
    cr_assert_eq(strlen(quote_of(just).text), QUOTE_SIZE_MAX);
    memcpy(word + QUOTE_SIZE_MAX - 1, EURO, 3);
    struct bytes wide = bytes_of(word, sizeof word);
    cr_assert_eq(strlen(quote_of(wide).text), QUOTE_SIZE_MAX - 1);
}

// Fills `text` with so many bytes, the last of which are the bytes of `end`.
static const char *text_that_ends_with(char *text, size_t size, const char *end)
{
    memset(text, 'x', size);
    memcpy(text + size - strlen(end), end, strlen(end));
    text[size] = 0;
    return text;
}

static void expect_cut(size_t size, const char *end, size_t expected)
{
    char text[2 * ERROR_MESSAGE_SIZE_MAX];
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    cr_assert_eq(sentence_fail(sentence, STATUS_type, "%s", text_that_ends_with(text, size, end)),
                 STATUS_type);
    cr_assert_eq(strlen(sentence), expected, "%zu bytes that end with \"%s\"", size, end);
    cr_assert(utf8_is_valid(bytes_from_text(sentence)));
    cr_assert_eq(memcmp(sentence, text, expected), 0);
}

Test(sentence, that_is_too_long_ends_with_a_whole_character)
{
    expect_cut(ROOM, "x", ROOM);
    expect_cut(ROOM + 1, "x", ROOM);
    expect_cut(ROOM, EURO, ROOM);
    expect_cut(ROOM + 1, EURO, ROOM - 2);
    expect_cut(ROOM + 2, EURO, ROOM - 1);
    expect_cut(ROOM + 3, EURO, ROOM);
    expect_cut(ROOM + 1, "\xc3\xa4", ROOM - 1);
    expect_cut(ROOM + 1, "\xf0\x9f\xa6\x86", ROOM - 3);
    expect_cut(ROOM + 3, "\xf0\x9f\xa6\x86", ROOM - 1);
}

static void write_from(char sentence[ERROR_MESSAGE_SIZE_MAX], size_t begin, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sentence_format(sentence, begin, format, arguments);
    va_end(arguments);
}

Test(sentence, goes_on_from_where_it_is_told)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = EURO;
    write_from(sentence, 3, " %d", 5);
    cr_assert_str_eq(sentence, EURO " 5");
    char text[2 * ERROR_MESSAGE_SIZE_MAX];
    write_from(sentence, 0, "%s", text_that_ends_with(text, ROOM, "x"));
    write_from(sentence, ROOM - 3, "%s", EURO "more");
    cr_assert_eq(strlen(sentence), ROOM - 3, "what may not be whole goes");
    write_from(sentence, 0, "%s", text);
    write_from(sentence, ROOM, "%s", "more");
    cr_assert_eq(strlen(sentence), ROOM);
}
