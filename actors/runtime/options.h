/*
 * The command line of skeind.
 */
#ifndef SKEIN_ACTORS_RUNTIME_OPTIONS_H
#define SKEIN_ACTORS_RUNTIME_OPTIONS_H

#include "actors/runtime/config.h"

enum command {
    COMMAND_RUN,    // skeind ROLE
    COMMAND_CHECK,  // skeind check
    COMMAND_FORMAT, // skeind format
    COMMAND_HELP,   // skeind --help
    COMMAND_VERSION // skeind --version
};

// All texts are borrowed from the arguments.
struct options {
    enum command command;
    enum role role;   // COMMAND_RUN
    const char *file; // --config
    const char *name; // --name; NULL when it was not given
    const char *settings[CONFIG_SETTINGS_MAX];
    size_t setting_count; // of --set
};

// What --help prints. Static text.
const char *options_help(void);

// Reads the arguments of main(). Fails with bad_request; `ret_error` then gets a sentence.
MUST_CHECK enum status options_parse(int argument_count, char **arguments,
                                     struct options *ret_options, struct buffer *ret_error);

#endif
