/*
 * The one form in which documents are stored, so that equal documents are equal bytes:
 *
 *  - a map at the top, containers nested at most DOCUMENT_DEPTH_MAX deep, it included;
 *  - field names are texts without NUL, unique in their map and sorted by bytes;
 *  - integers, sizes and counts in their shortest msgpack form, integers >= 0 as unsigned;
 *  - floats as float64, finite, and zero without a sign; an integer stays an integer, a float a
 *    float;
 *  - texts are valid UTF-8;
 *  - timestamps (extension type -1) within the years 0 to 9999, in the shortest of their three
 *    forms; no other extensions;
 *  - at most DOCUMENT_SIZE_MAX bytes.
 *
 * Patches and conditions are kept in the same form.
 */
#ifndef SKEIN_WIRE_DOCUMENT_DOCUMENT_H
#define SKEIN_WIRE_DOCUMENT_DOCUMENT_H

#include "base/buffer.h"
#include "base/status.h"

// Appends the canonical form of the document that `raw` is from its first to its last byte. Fails
// with type (no map), too_deep, too_large (canonical size) or bad_request (everything else); `out`
// is then as before and `ret_reason` (may be NULL), untouched on success, is a static text that
// ends a sentence about the document: "holds a float that is not finite".
MUST_CHECK enum status document_canonicalize(struct bytes raw, struct buffer *out,
                                             const char **ret_reason);

// True if `bytes` is a document in canonical form. One pass, allocates nothing.
bool document_is_canonical(struct bytes bytes);

#endif
