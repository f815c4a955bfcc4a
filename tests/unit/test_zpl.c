/*
 * What a ZPL file says, with lines, and every way in which a line can be no ZPL.
 */
#include "actors/runtime/zpl.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct mistakes found;
static struct buffer items; // "LINE PATH=VALUE\n", repeated

static void note_item(void *context, const struct zpl_item *item)
{
    (void)context;
    char line[1024];
    int size = snprintf(line, sizeof line, "%u %s=%s\n", item->place.line, item->path, item->value);
    buffer_append(&items, bytes_of(line, (size_t)size));
}

static void setup(void)
{
    mistakes_init(&found);
    buffer_init(&items);
}

static void teardown(void)
{
    mistakes_release(&found);
    buffer_release(&items);
}

static enum status read_text(const char *text)
{
    struct zpl_reader reader = {.take = note_item};
    return zpl_read_text("f", text, &reader, &found);
}

static void cr_expect_text(const struct buffer *buffer, const char *expected)
{
    cr_expect(bytes_equal(buffer_bytes(buffer), bytes_from_text(expected)), "got: %.*s",
              (int)buffer->size, (const char *)buffer->data);
}

static void expect_items(const char *text, const char *expected)
{
    cr_expect_eq(read_text(text), STATUS_ok);
    cr_expect_text(&items, expected);
}

static void expect_mistakes(const char *text, const char *expected)
{
    cr_expect_eq(read_text(text), STATUS_bad_request);
    cr_expect_text(&found.text, expected);
    cr_expect_eq(items.size, 0, "nothing is handed over");
}

TestSuite(zpl, .init = setup, .fini = teardown);

Test(zpl, gives_every_item_its_path_and_line)
{
    expect_items(
        "# top\n\na = 1 # one\nb\n    c = \"x # y\"\n    d\n        e = 'z'\nf = tcp://h:1\n",
        "3 a=1\n4 b=\n5 b/c=x # y\n6 b/d=\n7 b/d/e=z\n8 f=tcp://h:1\n");
}

Test(zpl, keeps_lines_in_step_with_items_of_one_name)
{
    expect_items("a = 1\n\na = 2\n   \n    b = 3\n", "1 a=1\n3 a=2\n5 a/b=3\n");
}

Test(zpl, takes_windows_line_ends_and_a_last_line_without_one)
{
    expect_items("a = 1\r\n\r\nb = 2", "1 a=1\n3 b=2\n");
}

Test(zpl, an_empty_text_has_no_items)
{
    expect_items("", "");
}

Test(zpl, names_all_bad_lines_at_once)
{
    expect_mistakes("a 1\n  b = 2\n= 3\nc = \"4\nd = '5' 6\n",
                    "f:1: \"1\" after a name; it should be \"= value\" or nothing\n"
                    "f:2: 2 spaces at the beginning; every level is 4 spaces\n"
                    "f:3: \"= 3\" does not begin with a name\n"
                    "f:4: the closing \" is missing\n"
                    "f:5: \" 6\" after the closing quote\n");
}

Test(zpl, refuses_what_has_no_parent)
{
    expect_mistakes("a\n        b = 1\n", "f:2: indented deeper than the line above\n");
}

Test(zpl, refuses_tabs_and_odd_comments)
{
    expect_mistakes("a\n\tb = 1\n  # c\n",
                    "f:2: indent with spaces, not with tabs\n"
                    "f:3: 2 spaces at the beginning; every level is 4 spaces\n");
}

Test(zpl, refuses_slashes_at_the_ends_of_names)
{
    expect_mistakes("/a = 1\n", "f:1: a name can't begin or end with '/'\n");
}

Test(zpl, refuses_a_line_that_zconfig_would_cut)
{
    char text[ZPL_LINE_SIZE_MAX + 32];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    expect_mistakes(text, "f:1: longer than 1000 bytes\n");
}

Test(zpl, a_mistake_is_one_line_whatever_it_quotes)
{
    expect_mistakes("a \x01\x1b[31m\n", "f:1: \"??[31m\" after a name; it should be \"= value\" or "
                                        "nothing\n");
}

Test(zpl, says_that_a_file_is_missing)
{
    struct zpl_reader reader = {.take = note_item};
    cr_expect_eq(zpl_read("/nowhere/skein.conf", &reader, &found), STATUS_bad_request);
    cr_expect_text(&found.text,
                   "/nowhere/skein.conf: can't be opened: No such file or directory\n");
}
