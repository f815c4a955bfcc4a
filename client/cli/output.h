/*
 * What the tool prints. A result is one msgpack value; the format decides how it looks:
 *
 *     json   one JSON value a line
 *     table  for people: a map as aligned lines, an array of maps as columns
 *     plain  for shell scripts: the values alone, separated by tabs
 */
#ifndef SKEIN_CLIENT_CLI_OUTPUT_H
#define SKEIN_CLIENT_CLI_OUTPUT_H

#include "base/buffer.h"
#include "client/cli/arguments.h"

enum output_format { OUTPUT_json, OUTPUT_table, OUTPUT_plain };

struct output {
    enum output_format format;
    bool has_failed; // standard output could not be written, for instance to a closed pipe
};

// The format of this name; false if there is none.
bool output_format_from_name(const char *name, enum output_format *ret_format);

// Prints one result, a msgpack value.
void output_value(struct output *output, struct bytes value);

// Prints the elements of a msgpack array of maps: a JSON value a line, or rows of one table.
void output_rows(struct output *output, struct bytes rows);

// Prints why nothing was done, on standard error.
void output_failure(const struct output *output, const struct failure *failure);

// A line of progress on standard error if that is a terminal, over the one before; an empty text
// clears it.
void output_progress(const char *text);

#endif
