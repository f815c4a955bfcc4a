/*
 * Words of a command line: options in both spellings, operands, and what is refused.
 */
#include "client/cli/arguments.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

static const struct option OPTIONS[] = {
    {"level", "L", "help"}, {"limit", "N", "help"}, {"all", NULL, "help"}, {NULL, NULL, NULL}};

static enum status parse(struct arguments *arguments, char **words)
{
    struct failure failure = {0};
    *arguments = (struct arguments){0};
    return arguments_parse(arguments, OPTIONS, words, &failure);
}

static enum status parse_limit(const char *text, uint64_t *ret_number)
{
    struct arguments arguments;
    struct failure failure = {0};
    char *words[] = {"--limit", (char *)text, NULL};
    TRY(parse(&arguments, words));
    return arguments_number(&arguments, &(struct number_option){"limit", 1, 1000}, ret_number,
                            &failure);
}

Test(arguments, take_a_value_from_the_next_word_or_after_the_equal_sign)
{
    struct arguments arguments;
    char *words[] = {"get", "--level", "any", "--limit=3", "--all", "x", NULL};
    cr_assert_eq(parse(&arguments, words), STATUS_ok);
    cr_assert_str_eq(arguments_text(&arguments, "level"), "any");
    cr_assert_str_eq(arguments_text(&arguments, "limit"), "3");
    cr_assert(arguments_has(&arguments, "all"));
    cr_assert_eq(arguments.operand_count, 2);
    cr_assert_str_eq(arguments.operands[1], "x");
}

Test(arguments, take_a_value_that_looks_like_an_option)
{
    struct arguments arguments;
    char *words[] = {"--level", "-age", NULL};
    cr_assert_eq(parse(&arguments, words), STATUS_ok);
    cr_assert_str_eq(arguments_text(&arguments, "level"), "-age");
}

Test(arguments, take_the_last_of_an_option_given_twice)
{
    struct arguments arguments;
    char *words[] = {"--level=a", "--level=b", NULL};
    cr_assert_eq(parse(&arguments, words), STATUS_ok);
    cr_assert_str_eq(arguments_text(&arguments, "level"), "b");
}

Test(arguments, are_operands_after_two_dashes)
{
    struct arguments arguments;
    char *words[] = {"--", "--level", "-", NULL};
    cr_assert_eq(parse(&arguments, words), STATUS_ok);
    cr_assert_eq(arguments.operand_count, 2);
    cr_assert(!arguments_has(&arguments, "level"));
}

Test(arguments, take_a_single_dash_as_an_operand)
{
    struct arguments arguments;
    char *words[] = {"-", NULL};
    cr_assert_eq(parse(&arguments, words), STATUS_ok);
    cr_assert_eq(arguments.operand_count, 1);
}

Test(arguments, refuse_what_they_do_not_know)
{
    struct arguments arguments;
    cr_assert_eq(parse(&arguments, (char *[]){"--after-versoin", "3", NULL}), STATUS_bad_request);
    cr_assert_eq(parse(&arguments, (char *[]){"-level", "3", NULL}), STATUS_bad_request);
    cr_assert_eq(parse(&arguments, (char *[]){"--lev", "3", NULL}), STATUS_bad_request);
    cr_assert_eq(parse(&arguments, (char *[]){"--level", NULL}), STATUS_bad_request);
    cr_assert_eq(parse(&arguments, (char *[]){"--all=1", NULL}), STATUS_bad_request);
}

Test(arguments, refuse_more_words_than_there_is_room_for)
{
    char *words[ARGUMENTS_OPERANDS_MAX + 2];
    struct arguments arguments;
    for (size_t i = 0; i <= ARGUMENTS_OPERANDS_MAX; i++) {
        words[i] = "x";
    }
    words[ARGUMENTS_OPERANDS_MAX + 1] = NULL;
    cr_assert_eq(parse(&arguments, words), STATUS_bad_request);
    cr_assert_eq(parse(&arguments, words + 1), STATUS_ok);
}

Test(arguments, stop_at_the_command)
{
    struct arguments arguments = {0};
    struct failure failure = {0};
    char *words[] = {"--all", "get", "--level", "any", NULL};
    char **rest = words;
    cr_assert_eq(arguments_parse_head(&arguments, OPTIONS, &rest, &failure), STATUS_ok);
    cr_assert_str_eq(*rest, "get");
    cr_assert_eq(arguments.option_count, 1);
}

Test(arguments, read_numbers_within_their_bounds)
{
    uint64_t number = 7;
    cr_assert_eq(parse_limit("1000", &number), STATUS_ok);
    cr_assert_eq(number, 1000);
    cr_assert_eq(parse_limit("0", &number), STATUS_bad_request);
    cr_assert_eq(parse_limit("1001", &number), STATUS_bad_request);
    cr_assert_eq(number, 1000);
}

Test(arguments, refuse_what_is_no_number)
{
    uint64_t number = 7;
    const char *const texts[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.5", "99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert_eq(parse_limit(texts[i], &number), STATUS_bad_request, "%s", texts[i]);
    }
    cr_assert_eq(number, 7);
}

Test(failure, is_wrapped_in_words_and_cut_between_characters)
{
    struct failure failure;
    cr_assert_eq(failure_set(&failure, STATUS_type, "no"), STATUS_type);
    failure_wrap(&failure, "line 3: ", "; stop");
    cr_assert_str_eq(failure.message, "line 3: no; stop");
    for (int i = 0; i < ERROR_MESSAGE_SIZE_MAX / 2; i++) {
        memcpy(failure.message + 2 * i, "\xc3\xa9", 3);
    }
    failure_wrap(&failure, "a", "");
    cr_assert_eq(strlen(failure.message), ERROR_MESSAGE_SIZE_MAX - 1);
    cr_assert_eq(failure.message[0], 'a');
}
