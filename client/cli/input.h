/*
 * What commands take from their operands and options: documents, ids, files, consistencies.
 */
#ifndef SKEIN_CLIENT_CLI_INPUT_H
#define SKEIN_CLIENT_CLI_INPUT_H

#include "client/cli/command.h"
#include "client/requests.h"
#include "wire/document/operation.h"

#include <stdio.h>

// Appends a whole file, standard input for "-". Fails with bad_request when it can't be read, with
// too_large beyond `size_max` bytes.
MUST_CHECK enum status input_read(struct call *call, const char *path, size_t size_max,
                                  struct buffer *out);

// Replaces the buffer by the next line without its end. Returns absent at the end of the file, and
// too_large for a line above `size_max` bytes, which is passed.
MUST_CHECK enum status input_line(FILE *in, size_t size_max, struct buffer *line);

// Appends as msgpack the JSON of an operand, or of standard input when it is "-". Fails with
// bad_request or too_deep, with the place of the mistake.
MUST_CHECK enum status input_json(struct call *call, const char *operand, struct buffer *out);

// The same for the JSON of an option; nothing is appended if it was not given.
MUST_CHECK enum status input_option_json(struct call *call, const char *name, struct buffer *out);

// The id that an operand is. Borrows from it.
MUST_CHECK enum status input_id(struct call *call, const char *operand, struct document_id *ret_id);

// The name of a collection.
MUST_CHECK enum status input_collection(struct call *call, const char *operand,
                                        struct bytes *ret_name);

// A point in time, RFC 3339 or microseconds since 1970.
MUST_CHECK enum status input_time(struct call *call, const char *text, uint64_t *ret_time_us);

// Sets level, versions, bounds and deadline of a read from the options --level, --after-version,
// --at-version, --at-time, --max-lag-versions and --max-lag-ms. A version or a time makes it a
// snapshot.
MUST_CHECK enum status input_consistency(struct call *call, struct client_read *ask);

#endif
