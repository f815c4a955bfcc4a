/*
 * Patches: changes of a document's fields.
 *
 *   {"address.city": "Kiel", "note": {"$unset": true}, "stock": {"$inc": -2, "min": 0}}
 *
 * A pair is a field's path and either the value that it gets or an operator:
 *
 *   {"$unset": true}                  the field goes, if it is there; an array closes the gap
 *   {"$inc": n} [min] [max]           adds; a field that isn't there counts as 0. An outcome below
 *                                     min or above max is refused
 *   {"$mul": n}                       multiplies; a field that isn't there counts as 0
 *   {"$min": v}, {"$max": v}          the smaller or the larger of the two, which must be of one
 *                                     type; v if there is none
 *   {"$push": v}                      appends to an array; makes one if there is none
 *   {"$pull": v}                      takes all elements that equal v out of an array, if it is
 *                                     there
 *   {"$now": true}                    the time of the transaction, as a timestamp
 *
 * A map with a name that begins with '$' is an operator, any other map is a value. Maps on the way
 * to a field are made if need be; elements of arrays can be changed, not added. Integers stay
 * integers as long as the outcome lies within -2^63 and 2^63-1, as far as JSON goes; beyond, an
 * integer is refused with type, never rounded. With a float on either side the outcome is a float.
 * All pairs are read before the first one is done, and one path may not be the beginning of
 * another.
 */
#ifndef SKEIN_WIRE_DOCUMENT_PATCH_H
#define SKEIN_WIRE_DOCUMENT_PATCH_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

// Whether `patch`, a map in canonical form, is one. Fails with bad_request, or as
// document_canonicalize() does; `ret_sentence` ends a sentence: "has the unknown operator
// \"$foo\"".
MUST_CHECK enum status patch_check(struct bytes patch, char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

// Appends what a checked patch makes of a canonical document, in canonical form. `time_us` is the
// transaction's. Fails with type (an operator met a value that it can't work with, a field can't be
// where it is wanted), refused ($inc beyond its bounds), too_large or too_deep; `out` is then as
// before, and `ret_sentence` ends a sentence: "would take \"stock\" below 0". Patches of a few
// pairs allocate nothing but in `out`.
MUST_CHECK enum status patch_apply(struct bytes patch, struct bytes document, uint64_t time_us,
                                   struct buffer *out, char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

#endif
