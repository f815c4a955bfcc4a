/*
 * The command line of skeind.
 */
#include "actors/runtime/options.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ARGUMENTS_MAX = 200 };

static struct options options;
static struct buffer error;

static void setup(void)
{
    buffer_init(&error);
}

static void teardown(void)
{
    buffer_release(&error);
}

// Parses words separated by single spaces.
static enum status parse(const char *line)
{
    static char words[4096];
    char *arguments[ARGUMENTS_MAX] = {"skeind"};
    int count = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = words; *word != '\0'; count++) {
        arguments[count] = word;
        word += strcspn(word, " ");
        if (*word == ' ') {
            *word++ = '\0';
        }
    }
    return options_parse(count, arguments, &options, &error);
}

static void expect_error(const char *line, const char *expected)
{
    cr_expect_eq(parse(line), STATUS_bad_request);
    cr_expect(bytes_equal(buffer_bytes(&error), bytes_from_text(expected)), "got: %.*s",
              (int)error.size, (const char *)error.data);
}

TestSuite(options, .init = setup, .fini = teardown);

Test(options, a_role_alone_takes_the_default_file)
{
    cr_assert_eq(parse("reader"), STATUS_ok);
    cr_expect_eq(options.command, COMMAND_RUN);
    cr_expect_eq(options.role, ROLE_reader);
    cr_expect_str_eq(options.file, CONFIG_FILE_DEFAULT);
    cr_expect_null(options.name);
}

Test(options, options_stand_on_both_sides)
{
    cr_assert_eq(parse("--set a=1 primary --config f --name=s1 --set b=2"), STATUS_ok);
    cr_expect_eq(options.role, ROLE_primary);
    cr_expect_str_eq(options.file, "f");
    cr_expect_str_eq(options.name, "s1");
    cr_expect_eq(options.setting_count, 2);
    cr_expect_str_eq(options.settings[1], "b=2");
}

Test(options, knows_the_commands)
{
    cr_assert_eq(parse("check"), STATUS_ok);
    cr_expect_eq(options.command, COMMAND_CHECK);
    cr_assert_eq(parse("format --name s1"), STATUS_ok);
    cr_expect_eq(options.command, COMMAND_FORMAT);
    cr_assert_eq(parse("--help"), STATUS_ok);
    cr_expect_eq(options.command, COMMAND_HELP);
}

Test(options, refuses_what_is_no_role)
{
    expect_error("cook", "cook is neither a role nor a command");
}

Test(options, a_client_is_no_role_to_start)
{
    expect_error("client", "client is neither a role nor a command");
}

Test(options, needs_one_word)
{
    expect_error("reader writer", "exactly one role or command is needed");
}

Test(options, needs_a_word)
{
    expect_error("--name s1", "exactly one role or command is needed");
}

Test(options, refuses_unknown_options)
{
    expect_error("reader --colour red", "there is no option --colour");
}

Test(options, options_need_their_values)
{
    expect_error("reader --name", "--name needs a value");
}

Test(options, settings_are_bounded)
{
    struct buffer line AUTO(buffer_release) = {0};
    buffer_append(&line, bytes_from_text("reader"));
    for (int i = 0; i <= CONFIG_SETTINGS_MAX; i++) {
        buffer_append(&line, bytes_from_text(" --set a=1"));
    }
    buffer_append_u8(&line, '\0');
    expect_error((const char *)line.data, "more than 64 settings");
}
