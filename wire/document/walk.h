/*
 * Walking through canonical documents and what lies inside of them. That they are well-formed has
 * been seen to when they came in; here anything else is a bug, so that nothing needs to be handed
 * on.
 */
#ifndef SKEIN_WIRE_DOCUMENT_WALK_H
#define SKEIN_WIRE_DOCUMENT_WALK_H

#include "wire/cursor.h"

// Takes the next value, or the head of the next container.
struct value walk_head(struct cursor *cursor);

// Takes the next value with all that is in it.
struct bytes walk_value(struct cursor *cursor);

// Takes the next value, which is a text, a map or an array: the text, how many pairs, how many
// elements.
struct bytes walk_text(struct cursor *cursor);
uint32_t walk_map(struct cursor *cursor);
uint32_t walk_array(struct cursor *cursor);

// Whether a value is a map of operators: one with a name that begins with '$'.
bool walk_is_operators(struct bytes value);

#endif
