/*
 * Paths of fields: names separated by dots, "address.city". In an array a name of digits counts
 * elements from 0, "items.0.price", without leading zeros. A field whose name is empty or has a
 * dot in it has no path, nor has one at the top whose name begins with '$'.
 */
#ifndef SKEIN_WIRE_DOCUMENT_PATH_H
#define SKEIN_WIRE_DOCUMENT_PATH_H

#include "base/bytes.h"
#include "base/limits.h"

#include <stdbool.h>

// Whether `path` is one: 1 to PATH_SIZE_MAX bytes of UTF-8 without NUL, no name empty, the first
// not beginning with '$', at most DOCUMENT_DEPTH_MAX names.
bool path_is_valid(struct bytes path);

// Takes the first name off the front of `*path`, which is valid and not empty.
struct bytes path_take_name(struct bytes *path);

// Whether a name counts elements of an array: digits without leading zeros, of a number that an
// element of a document can have.
bool path_name_is_element(struct bytes name, uint32_t *ret_element);

// Finds the value of a field in a canonical document; false when there is none. `ret_value` is the
// whole msgpack value, borrowed from the document.
bool path_find(struct bytes document, struct bytes path, struct bytes *ret_value);

#endif
