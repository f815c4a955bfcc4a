/*
 * A request of `skein pipe`: one line of JSON, read into what the library takes.
 */
#ifndef SKEIN_CLIENT_CLI_REQUEST_H
#define SKEIN_CLIENT_CLI_REQUEST_H

#include "base/buffer.h"
#include "client/cli/arguments.h"
#include "wire/message.h"

enum request_kind { REQUEST_txn, REQUEST_get, REQUEST_find };

// What a line asks for; what it does not say is zero. All bytes are borrowed from its own buffers.
struct request {
    enum request_kind kind;
    struct bytes tag;          // msgpack value; empty when the line has none
    struct bytes operations;   // txn: msgpack array; get, find: made of the other fields
    struct bytes session;      // txn: text, empty for the client's own
    uint64_t sequence;         // txn
    uint64_t done_below;       // txn
    enum read_level level;     // get, find
    uint64_t after_version;    // get, find: session
    uint64_t at_version;       // get, find: snapshot
    uint64_t at_time_us;       // get, find: snapshot
    uint64_t lag_versions_max; // get, find: any
    uint32_t lag_ms_max;       // get, find: any
    uint32_t timeout_ms;       // 0 for the default
    struct buffer parsed;      // the line as msgpack; the others borrow from it
    struct buffer read;        // the operation made of a get or a find
};

void request_init(struct request *request);
void request_release(struct request *request);

// Reads a line. Fails with bad_request, or too_deep, and says why; the tag is set even then if it
// could be read.
MUST_CHECK enum status request_parse(struct request *request, struct bytes line,
                                     struct failure *failure);

#endif
