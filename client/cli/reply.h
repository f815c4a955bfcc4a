/*
 * How a request ended, as a msgpack value to print: for `skein pipe`, and the parts of it that
 * single commands print.
 */
#ifndef SKEIN_CLIENT_CLI_REPLY_H
#define SKEIN_CLIENT_CLI_REPLY_H

#include "client/cli/arguments.h"
#include "client/requests.h"

// Appends the map of a transaction or read that ended: its results, or its error. With a tag, a
// msgpack value, the map begins with it; an empty one leaves it out.
void reply_pack(struct bytes tag, const struct client_completion *completion, struct buffer *out);

// The same for what never became a request; `tag` empty gives null.
void reply_pack_failure(struct bytes tag, const struct failure *failure, struct buffer *out);

// Finds a field of the first result of `results`; false if it isn't there. `ret_value` is the whole
// msgpack value, borrowed.
bool reply_result_field(struct bytes results, const char *name, struct bytes *ret_value);

// Sets the failure of a request that did not end well.
void reply_failure(const struct client_completion *completion, struct failure *failure);

#endif
