/*
 * Looking into msgpack maps of answers.
 */
#ifndef SKEIN_CLIENT_CLI_VALUE_H
#define SKEIN_CLIENT_CLI_VALUE_H

#include "wire/cursor.h"

// Finds a field of a map; false if it isn't there, or `map` is none. `ret_value` is the whole
// msgpack value, borrowed.
bool value_field(struct bytes map, const char *name, struct bytes *ret_value);

// A field that is a number from 0, or a text; 0 or no bytes if there is no such field.
uint64_t value_number(struct bytes map, const char *name);
struct bytes value_text(struct bytes map, const char *name);

// Whether a msgpack value is true.
bool value_is_true(struct bytes value);

// Finds the element, a map, of an array in which the text field `name` is `text`; false if there is
// none.
bool value_element(struct bytes array, const char *name, struct bytes text,
                   struct bytes *ret_element);

#endif
