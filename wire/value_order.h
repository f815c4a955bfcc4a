/*
 * The order of msgpack values, the one of their keys (wire/key.h): null, booleans, numbers,
 * timestamps, binaries, texts, arrays, maps. Numbers compare as numbers, exactly and whatever their
 * encoding; texts and binaries by their bytes, timestamps by time; arrays and maps element by
 * element, a map's elements being its names and values, so that only canonical maps compare well.
 *
 * All values here are well-formed and hold no extensions but timestamps, as documents in canonical
 * form and what lies inside of them.
 */
#ifndef SKEIN_WIRE_VALUE_ORDER_H
#define SKEIN_WIRE_VALUE_ORDER_H

#include "wire/cursor.h"

// What is compared with each other; integers and floats are both numbers.
enum value_type {
    VALUE_TYPE_NULL,
    VALUE_TYPE_BOOLEAN,
    VALUE_TYPE_NUMBER,
    VALUE_TYPE_TIMESTAMP,
    VALUE_TYPE_BINARY,
    VALUE_TYPE_TEXT,
    VALUE_TYPE_ARRAY,
    VALUE_TYPE_MAP,
};

// The word of a type, "number".
const char *value_type_name(enum value_type type);

// The type of a kind, which is not VALUE_EXTENSION.
enum value_type value_type_of_kind(enum value_kind kind);

// The type of a whole value.
enum value_type value_type_of(struct bytes value);

// <0, 0 or >0: whether the whole value `a` comes before `b`, is equal to it or comes behind. Of
// different types the order of the types decides. Allocates nothing.
int value_compare(struct bytes a, struct bytes b);

#endif
