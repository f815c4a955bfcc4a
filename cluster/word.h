/*
 * Words: names and endpoints that came in a message and are kept. One rule for all of them, so that
 * none can break a log line or hide behind a NUL.
 */
#ifndef SKEIN_CLUSTER_WORD_H
#define SKEIN_CLUSTER_WORD_H

#include "base/bytes.h"
#include "base/status.h"

// Copies `word` with a NUL behind it into `room` bytes at `ret_text`. Fails with bad_request when
// it is too long or holds a space or a control character; the empty word is a good one.
MUST_CHECK enum status word_copy(struct bytes word, char *ret_text, size_t room);

// True if the text kept by word_copy() is this word.
bool word_is(const char *text, struct bytes word);

#endif
