/*
 * One word says what to do, a role or a command; options may stand before and after it.
 */
#include "actors/runtime/options.h"

#include "base/text.h"

#include <getopt.h>

enum {
    OPTION_CONFIG = 'c',
    OPTION_NAME = 'n',
    OPTION_SET = 's',
    OPTION_HELP = 'h',
    OPTION_VERSION
};

static const struct option LONG_OPTIONS[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"name", required_argument, NULL, OPTION_NAME},
    {"set", required_argument, NULL, OPTION_SET},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char HELP[] =
    "Usage: skeind ROLE [--config FILE] [--name NAME] [--set KEY=VALUE]...\n"
    "       skeind format --name NAME [--config FILE] [--set KEY=VALUE]...\n"
    "       skeind check [--config FILE] [--set KEY=VALUE]...\n"
    "\n"
    "Runs one process of a Skein cluster. ROLE is one of\n"
    "    coordinator        watches the storage nodes, runs elections, publishes the topology\n"
    "    primary, replica   a storage node; which one leads is elected\n"
    "    writer, reader     take transactions and reads from clients\n"
    "    monitor            shows the traffic of the cluster\n"
    "\n"
    "format prepares the data directory of a storage node, check names every mistake of a\n"
    "configuration.\n"
    "\n"
    "  -c, --config FILE      configuration of the cluster (" CONFIG_FILE_DEFAULT ")\n"
    "  -n, --name NAME        name of the process; needed where the file names several\n"
    "  -s, --set KEY=VALUE    set a key of the file for this process\n"
    "  -h, --help             print this and exit\n"
    "      --version          print the version and exit\n"
    "\n"
    "Exit codes: 0 clean stop; 1 failure; 2 bad usage or configuration; 3 data directory damaged,\n"
    "not prepared, or of another cluster or node; 4 lost authority that an operator must "
    "restore.\n";

const char *options_help(void)
{
    return HELP;
}

static enum status take_option(struct options *options, int option, struct buffer *ret_error)
{
    switch (option) {
    case OPTION_CONFIG: options->file = optarg; break;
    case OPTION_NAME: options->name = optarg; break;
    case OPTION_HELP: options->command = COMMAND_HELP; break;
    case OPTION_VERSION: options->command = COMMAND_VERSION; break;
    case OPTION_SET:
        if (options->setting_count == CONFIG_SETTINGS_MAX) {
            text_append(ret_error, "more than %d settings", CONFIG_SETTINGS_MAX);
            return STATUS_bad_request;
        }
        options->settings[options->setting_count++] = optarg;
        break;
    default: return STATUS_bad_request;
    }
    return STATUS_ok;
}

// Roles that this program can start; `client` is the role of other programs.
static bool role_is_startable(enum role role)
{
    return role != ROLE_client && role != ROLE_gateway;
}

static enum status take_word(struct options *options, const char *word, struct buffer *ret_error)
{
    if (strcmp(word, "check") == 0) {
        options->command = COMMAND_CHECK;
        return STATUS_ok;
    }
    if (strcmp(word, "format") == 0) {
        options->command = COMMAND_FORMAT;
        return STATUS_ok;
    }
    options->command = COMMAND_RUN;
    if (role_from_name(bytes_from_text(word), &options->role) && role_is_startable(options->role)) {
        return STATUS_ok;
    }
    text_append(ret_error, "%s is neither a role nor a command", word);
    return STATUS_bad_request;
}

enum status options_parse(int argument_count, char **arguments, struct options *ret_options,
                          struct buffer *ret_error)
{
    struct options options = {.command = COMMAND_RUN, .file = CONFIG_FILE_DEFAULT};
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argument_count, arguments, ":c:n:s:h", LONG_OPTIONS, NULL)) >= 0) {
        if (option == '?' || option == ':') {
            text_append(ret_error, option == '?' ? "there is no option %s" : "%s needs a value",
                        arguments[optind - 1]);
            return STATUS_bad_request;
        }
        TRY(take_option(&options, option, ret_error));
    }
    if (options.command == COMMAND_RUN) {
        if (argument_count - optind != 1) {
            text_append(ret_error, "exactly one role or command is needed");
            return STATUS_bad_request;
        }
        TRY(take_word(&options, arguments[optind], ret_error));
    }
    *ret_options = options;
    return STATUS_ok;
}
