/*
 * A command of the tool and one call of it. Each command is one file with one public function, and
 * one row of the table in commands.c.
 */
#ifndef SKEIN_CLIENT_CLI_COMMAND_H
#define SKEIN_CLIENT_CLI_COMMAND_H

#include "client/cli/arguments.h"
#include "client/cli/output.h"

// One call of the tool.
struct call {
    const struct command *command;
    struct arguments arguments;
    struct output output;   // where results go, and how they look
    const char *at;         // --at or SKEIN_AT; NULL for the local cluster
    uint32_t timeout_ms;    // for each request
    struct failure failure; // set when a command fails
};

struct command {
    const char *name;
    const char *synopsis; // operands and options, for help
    const char *summary;  // one line, for help
    const char *details;  // further lines, for the help of the command; NULL for none
    size_t operands_min;
    size_t operands_max;
    const struct option *options; // ends with a name of NULL; NULL for none
    bool is_read;                 // takes READ_OPTIONS besides
    enum status (*run)(struct call *call);
};

// What all reads take; ends with a name of NULL.
extern const struct option READ_OPTIONS[];

// All commands, in the order of the help; ends with a name of NULL.
extern const struct command COMMANDS[];

#endif
