/*
 * One pass over the words. An option takes the next word as its value whatever it looks like, so
 * that `--order -age` and `--id -1` work; only what stands where an option may stand is read as
 * one. Options that a command does not know are refused with a hint at its help: a misspelled
 * `--after-version` that was ignored would read stale data.
 */
#include "client/cli/arguments.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status failure_set(struct failure *failure, enum status status, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(failure->message, sizeof failure->message, format, values);
    va_end(values);
    failure->status = status;
    return status;
}

void failure_wrap(struct failure *failure, const char *before, const char *behind)
{
    char whole[sizeof failure->message];
    size_t taken = strlen(before) + strlen(behind);
    size_t room = taken < ERROR_MESSAGE_SIZE_MAX ? ERROR_MESSAGE_SIZE_MAX - taken : 0;
    struct bytes sentence = utf8_prefix(bytes_from_text(failure->message), room);
    snprintf(whole, sizeof whole, "%s%.*s%s", before, (int)sentence.size,
             (const char *)sentence.data, behind);
    memcpy(failure->message, whole, sizeof whole);
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static const struct option *find_option(const struct option *options, const char *name, size_t size)
{
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == size && strncmp(options->name, name, size) == 0) {
            return options;
        }
    }
    return NULL;
}

// Takes the option at **words and, where it has one, its value; *words is moved behind both.
static enum status take_option(struct arguments *arguments, const struct option *options,
                               char ***words, struct failure *failure)
{
    const char *word = *(*words)++;
    const char *name = word + strspn(word, "-");
    size_t size = strcspn(name, "=");
    const struct option *option = find_option(options, name, size);
    if (option == NULL || word[1] != '-') {
        return failure_set(failure, STATUS_bad_request, "there is no option %s here", word);
    }
    if (arguments->option_count == ARGUMENTS_OPTIONS_MAX) {
        return failure_set(failure, STATUS_bad_request, "too many options");
    }
    bool has_value = name[size] == '=';
    const char *value = has_value ? name + size + 1 : "";
    if (option->value == NULL && has_value) {
        return failure_set(failure, STATUS_bad_request, "--%s takes no value", option->name);
    }
    if (option->value != NULL && !has_value) {
        if (**words == NULL) {
            return failure_set(failure, STATUS_bad_request, "--%s wants a value, %s", option->name,
                               option->value);
        }
        value = *(*words)++;
    }
    arguments->options[arguments->option_count++] = (struct argument){.option = option,
                                                                      .value = value};
    return STATUS_ok;
}

static enum status take_operand(struct arguments *arguments, const char *word,
                                struct failure *failure)
{
    if (arguments->operand_count == ARGUMENTS_OPERANDS_MAX) {
        return failure_set(failure, STATUS_bad_request, "too many words");
    }
    arguments->operands[arguments->operand_count++] = word;
    return STATUS_ok;
}

enum status arguments_parse(struct arguments *arguments, const struct option *options, char **words,
                            struct failure *failure)
{
    bool are_operands = false;
    while (*words != NULL) {
        if (!are_operands && strcmp(*words, "--") == 0) {
            are_operands = true;
            words++;
        } else if (!are_operands && is_option(*words)) {
            TRY(take_option(arguments, options, &words, failure));
        } else {
            TRY(take_operand(arguments, *words++, failure));
        }
    }
    return STATUS_ok;
}

enum status arguments_parse_head(struct arguments *arguments, const struct option *options,
                                 char ***words, struct failure *failure)
{
    while (**words != NULL && is_option(**words)) {
        TRY(take_option(arguments, options, words, failure));
    }
    return STATUS_ok;
}

const char *arguments_text(const struct arguments *arguments, const char *name)
{
    for (size_t i = arguments->option_count; i > 0; i--) {
        if (strcmp(arguments->options[i - 1].option->name, name) == 0) {
            return arguments->options[i - 1].value;
        }
    }
    return NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
    return arguments_text(arguments, name) != NULL;
}

enum status arguments_number(const struct arguments *arguments, const struct number_option *wanted,
                             uint64_t *ret_number, struct failure *failure)
{
    const char *text = arguments_text(arguments, wanted->name);
    if (text == NULL) {
        return STATUS_ok;
    }
    uint64_t number = 0;
    TRY(number_parse(text, wanted->name, &number, failure));
    if (number < wanted->min || number > wanted->max) {
        return failure_set(failure, STATUS_bad_request, "--%s is a number from %llu to %llu",
                           wanted->name, (unsigned long long)wanted->min,
                           (unsigned long long)wanted->max);
    }
    *ret_number = number;
    return STATUS_ok;
}

enum status number_parse(const char *text, const char *what, uint64_t *ret_number,
                         struct failure *failure)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return failure_set(failure, STATUS_bad_request, "%s is a number, not \"%s\"", what, text);
    }
    *ret_number = number;
    return STATUS_ok;
}
