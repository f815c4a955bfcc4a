/*
 * The words of a command line, sorted into options (--name VALUE, --name=VALUE, --flag) and the
 * rest, the operands. Nothing is copied: the words live as long as the process.
 */
#ifndef SKEIN_CLIENT_CLI_ARGUMENTS_H
#define SKEIN_CLIENT_CLI_ARGUMENTS_H

#include "base/limits.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { ARGUMENTS_OPTIONS_MAX = 24, ARGUMENTS_OPERANDS_MAX = 16 };

// An option that a command takes. Tables of them end with one whose name is NULL.
struct option {
    const char *name;  // without the dashes
    const char *value; // what help calls its value; NULL for a flag
    const char *help;  // what it does
};

// An option whose value is a number.
struct number_option {
    const char *name; // without the dashes
    uint64_t min;
    uint64_t max;
};

// An option that was given.
struct argument {
    const struct option *option; // borrowed from the command's table
    const char *value;           // "" for a flag
};

// Why something was not done, for a person.
struct failure {
    enum status status; // STATUS_ok while nothing went wrong
    char message[ERROR_MESSAGE_SIZE_MAX + 1];
};

struct arguments {
    struct argument options[ARGUMENTS_OPTIONS_MAX]; // in the order given
    size_t option_count;
    const char *operands[ARGUMENTS_OPERANDS_MAX]; // in the order given
    size_t operand_count;
};

// Writes the sentence and returns `status`, so that a caller can return both at once.
__attribute__((format(printf, 3, 4))) enum status
failure_set(struct failure *failure, enum status status, const char *format, ...);

// Puts words before and behind the sentence, which is cut if there is no room for all of it.
void failure_wrap(struct failure *failure, const char *before, const char *behind);

// Takes all words (the array ends with NULL). Fails with bad_request for an option that is not in
// `options`, for one without its value, and for too many words. "--" ends the options; "-" is an
// operand.
MUST_CHECK enum status arguments_parse(struct arguments *arguments, const struct option *options,
                                       char **words, struct failure *failure);

// Takes the options before the first operand and returns where that is; its place may hold NULL.
MUST_CHECK enum status arguments_parse_head(struct arguments *arguments,
                                            const struct option *options, char ***words,
                                            struct failure *failure);

// The value of the option, the last one if it was given more than once; NULL if it was not given.
const char *arguments_text(const struct arguments *arguments, const char *name);

// Whether the option was given.
bool arguments_has(const struct arguments *arguments, const char *name);

// The number given, or `ret_number` untouched if the option was not given. Fails with bad_request
// for anything that is not a number from min to max.
MUST_CHECK enum status arguments_number(const struct arguments *arguments,
                                        const struct number_option *wanted, uint64_t *ret_number,
                                        struct failure *failure);

// The number that `text` is, all of it; `what` names it in the failure.
MUST_CHECK enum status number_parse(const char *text, const char *what, uint64_t *ret_number,
                                    struct failure *failure);

#endif
