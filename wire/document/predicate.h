/*
 * Predicates: conditions on documents, one language wherever there is a `where`.
 *
 *   {"stock": {"$gte": 2}, "state": {"$in": ["new", "paid"]}, "$or": [{...}, {...}]}
 *
 * All pairs of a map must hold. A pair is a field's path and either a value, which it must equal,
 * or a map of operators, all of which must hold; or one of
 *
 *   $and, $or  an array of predicates, at least one
 *   $not       a predicate
 *
 * Operators: $eq $ne $lt $lte $gt $gte (a value), $in (an array of values), $exists (true or
 * false), $type (a word: null boolean integer float number text binary timestamp array map),
 * $prefix (a text). A map with a name that begins with '$' is a map of operators, any other map is
 * a value.
 *
 * Numbers compare as numbers whatever their encoding; texts, binaries and timestamps by bytes and
 * time, arrays element by element, maps by their canonical form. A comparison with a value of
 * another type, or with a field that isn't there, doesn't hold; $ne holds where $eq doesn't. $in
 * with no values never holds.
 */
#ifndef SKEIN_WIRE_DOCUMENT_PREDICATE_H
#define SKEIN_WIRE_DOCUMENT_PREDICATE_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

#include <stdbool.h>

// What every document for which a predicate holds has in one field; values are whole msgpack
// values, borrowed from the predicate. All zero: nothing is known.
struct predicate_bounds {
    bool is_equal;       // the field equals `low`
    bool has_low;        // it is of low's type and above it, or equal to it if `includes_low`
    bool has_high;       // the same towards the other end
    bool includes_low;   // has_low
    bool includes_high;  // has_high
    bool has_prefix;     // it is a text that begins with `prefix`
    struct bytes low;    // is_equal or has_low
    struct bytes high;   // has_high
    struct bytes prefix; // has_prefix; the bytes of the text
};

// Whether `where`, a map in canonical form, is a predicate. Fails with bad_request (an unknown
// operator, an operand of the wrong type, no path, no predicate in the list of $and or $or, not
// canonical), too_large (it looks up fields more than PREDICATE_FIELDS_MAX times), or as
// document_canonicalize() does; `ret_sentence` ends a sentence: "has the unknown operator
// \"$foo\"".
MUST_CHECK enum status predicate_check(struct bytes where,
                                       char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

// Whether a predicate that was checked holds for a canonical document. An empty `where` (of no
// bytes) always holds. Allocates nothing.
bool predicate_holds(struct bytes where, struct bytes document);

// How many times `where` (checked, may be of no bytes) looks up a field in a document, at most.
uint32_t predicate_field_count(struct bytes where);

// What `where` (checked, may be of no bytes) says about a field. It may know less than there is to
// know, never more: only pairs at the top and in $and count.
void predicate_bounds(struct bytes where, struct bytes path, struct predicate_bounds *ret_bounds);

#endif
