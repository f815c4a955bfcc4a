/*
 * skein, the command line tool: finds the command, sorts its words and calls it.
 *
 *     skein [--at ENDPOINTS] [--format json|table|plain] [--timeout MS] COMMAND ...
 *
 * The general options may stand before the command or after it. Whatever goes wrong leaves through
 * one place: a struct failure becomes one line on standard error and the exit code of its status.
 * A result that could not be written to standard output (a closed pipe, a full disk) is a failure,
 * too, and never ends the program silently.
 */
#include "base/assert.h"
#include "client/cli/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct option GENERAL_OPTIONS[] = {
    {"at", "ENDPOINTS", "gateways, writers, readers or coordinators, separated by commas"},
    {"format", "FORMAT", "json, table or plain"},
    {"timeout", "MS", "how long a request may take, in milliseconds"},
    {"help", NULL, "what the command does"},
    {"version", NULL, "the version of this program"},
    {NULL, NULL, NULL},
};

enum { OPTIONS_MAX = 32, TIMEOUT_MS_DEFAULT = 10000 };

static const struct command *find_command(const char *name)
{
    for (const struct command *command = COMMANDS; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static void print_options(const struct option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", options->name,
                 options->value == NULL ? "" : options->value);
        printf("  %-26s %s\n", left, options->help);
    }
}

static void print_help(const struct command *command)
{
    if (command != NULL) {
        printf("skein %s %s\n\n%s.\n\n", command->name, command->synopsis, command->summary);
        if (command->details != NULL) {
            printf("%s\n\n", command->details);
        }
        print_options(command->options);
        print_options(command->is_read ? READ_OPTIONS : NULL);
        print_options(GENERAL_OPTIONS);
        return;
    }
    printf("skein [OPTION]... COMMAND ...\n\nThe command line tool of Skein.\n\n");
    for (command = COMMANDS; command->name != NULL; command++) {
        printf("  %-12s %s\n", command->name, command->summary);
    }
    printf("\nOptions, before or after the command; `skein COMMAND --help` says more:\n\n");
    print_options(GENERAL_OPTIONS);
}

// Appends the options of a table, which may be NULL.
static size_t join_table(const struct option *table, struct option options[OPTIONS_MAX],
                         size_t count)
{
    for (; table != NULL && table->name != NULL; table++) {
        ASSERT(count + 1 < OPTIONS_MAX);
        options[count++] = *table;
    }
    return count;
}

// All options that may stand after the command.
static void join_options(const struct command *command, struct option ret_options[OPTIONS_MAX])
{
    size_t count = join_table(GENERAL_OPTIONS, ret_options, 0);
    count = join_table(command->options, ret_options, count);
    count = join_table(command->is_read ? READ_OPTIONS : NULL, ret_options, count);
    ret_options[count] = (struct option){0};
}

static enum status read_general(struct call *call)
{
    const char *format = arguments_text(&call->arguments, "format");
    if (format != NULL && !output_format_from_name(format, &call->output.format)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "--format is json, table or plain, not \"%s\"", format);
    }
    const char *at = arguments_text(&call->arguments, "at");
    call->at = at != NULL ? at : getenv("SKEIN_AT");
    uint64_t timeout_ms = TIMEOUT_MS_DEFAULT;
    TRY(arguments_number(&call->arguments,
                         &(struct number_option){"timeout", DEADLINE_MS_MIN, DEADLINE_MS_MAX},
                         &timeout_ms, &call->failure));
    call->timeout_ms = (uint32_t)timeout_ms;
    return STATUS_ok;
}

static enum status check_operands(struct call *call)
{
    const struct command *command = call->command;
    size_t count = call->arguments.operand_count;
    if (count < command->operands_min || count > command->operands_max) {
        return failure_set(&call->failure, STATUS_bad_request, "usage: skein %s %s", command->name,
                           command->synopsis);
    }
    return STATUS_ok;
}

static enum status run_command(struct call *call, char **words)
{
    struct option options[OPTIONS_MAX];
    join_options(call->command, options);
    enum status status = arguments_parse(&call->arguments, options, words, &call->failure);
    TRY(read_general(call));
    TRY(status);
    if (arguments_has(&call->arguments, "help")) {
        print_help(call->command);
        return STATUS_ok;
    }
    TRY(check_operands(call));
    TRY(call->command->run(call));
    if (call->output.has_failed) {
        return failure_set(&call->failure, STATUS_internal, "standard output can't be written");
    }
    return STATUS_ok;
}

static enum status run(struct call *call, char **words)
{
    TRY(arguments_parse_head(&call->arguments, GENERAL_OPTIONS, &words, &call->failure));
    TRY(read_general(call));
    if (arguments_has(&call->arguments, "version")) {
        puts("skein " SKEIN_VERSION);
        return STATUS_ok;
    }
    if (arguments_has(&call->arguments, "help")) {
        print_help(NULL);
        return STATUS_ok;
    }
    if (*words == NULL) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "which command? `skein --help` lists them");
    }
    call->command = find_command(*words);
    if (call->command == NULL) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "there is no command %s; `skein --help` lists them", *words);
    }
    return run_command(call, words + 1);
}

int main(int word_count, char **words)
{
    (void)word_count;
    signal(SIGPIPE, SIG_IGN);
    struct call call = {0};
    call.output.format = isatty(STDOUT_FILENO) ? OUTPUT_table : OUTPUT_json;
    enum status status = run(&call, words + 1);
    if (status != STATUS_ok) {
        output_failure(&call.output, &call.failure);
    }
    return (int)status_exit_code(status);
}
