/*
 * Binding a ZeroMQ socket to an endpoint as people write it.
 */
#ifndef SKEIN_ACTORS_RUNTIME_BIND_H
#define SKEIN_ACTORS_RUNTIME_BIND_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

enum { BIND_ENDPOINT_SIZE = ENDPOINT_SIZE_MAX + 16 };

// Binds to "tcp://HOST:PORT", "tcp://HOST:*" for a free port, or "ipc://PATH". HOST may be a name.
// `ret_endpoint` is where others reach it: the endpoint as given, with the port that was taken in
// place of '*'. Fails with in_use when another process has it, and with unavailable when it can't
// be had at all; `ret_error` then gets a sentence.
MUST_CHECK enum status bind_socket(void *socket, const char *endpoint,
                                   char ret_endpoint[static BIND_ENDPOINT_SIZE],
                                   struct buffer *ret_error);

#endif
