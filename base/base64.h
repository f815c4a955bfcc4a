/*
 * Base64 as of RFC 4648: the alphabet with + and /, padded.
 */
#ifndef SKEIN_BASE_BASE64_H
#define SKEIN_BASE_BASE64_H

#include "base/buffer.h"
#include "base/status.h"

// Appends the text that stands for `bytes`.
void base64_encode(struct bytes bytes, struct buffer *out);

// Appends the bytes that `text` stands for. Fails with bad_request for what base64_encode() doesn't
// make: other characters, missing padding, bits behind the last byte; `out` is then as before.
MUST_CHECK enum status base64_decode(struct bytes text, struct buffer *out);

#endif
