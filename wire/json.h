/*
 * JSON text to msgpack and back, for the command line and for HTTP.
 *
 * Binary is {"$bin": base64}, a timestamp is {"$time": RFC 3339}; a map with one of these names as
 * its only field is always read so. A number without point and exponent is an integer and must lie
 * within -2^63 and 2^63-1: it is refused beyond, never rounded. (Larger ones, which other clients
 * may have stored, are written exactly.) A float is written so that reading it gives the same
 * float, always with a point or an exponent.
 */
#ifndef SKEIN_WIRE_JSON_H
#define SKEIN_WIRE_JSON_H

#include "base/buffer.h"
#include "base/limits.h"
#include "wire/cursor.h"

// What is wrong with a JSON text.
struct json_fault {
    unsigned line;                         // from 1; 0 when the place is not known
    unsigned column;                       // from 1, in characters
    char sentence[ERROR_MESSAGE_SIZE_MAX]; // for a person, with line and column; ends with a NUL
};

// Appends as msgpack the one value that `text` holds. Fails with bad_request, or too_deep beyond
// WIRE_DEPTH_MAX containers, and says why in `ret_fault`; `out` is then as before.
MUST_CHECK enum status json_to_msgpack(struct bytes text, struct buffer *out,
                                       struct json_fault *ret_fault);

// Appends `text`, which is valid UTF-8, as a JSON string with its quotes.
void json_append_text(struct bytes text, struct buffer *out);

// Appends the next value of the cursor as JSON text in one line, and passes it. Fails with
// bad_request for what has no JSON form (malformed bytes, texts that are not UTF-8, field names
// that are no texts, floats that are not finite, timestamps outside of the years 0 to 9999, unknown
// extensions) and with too_deep; cursor and `out` are then as before.
MUST_CHECK enum status json_from_msgpack(struct cursor *cursor, struct buffer *out);

#endif
