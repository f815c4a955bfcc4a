/*
 * The operators of predicates, one row each. For predicate.c and predicate_bounds.c.
 */
#ifndef SKEIN_WIRE_DOCUMENT_PREDICATE_OPERATORS_H
#define SKEIN_WIRE_DOCUMENT_PREDICATE_OPERATORS_H

#include "base/bytes.h"

#include <stdbool.h>

enum predicate_operator {
    PREDICATE_eq,
    PREDICATE_ne,
    PREDICATE_lt,
    PREDICATE_lte,
    PREDICATE_gt,
    PREDICATE_gte,
    PREDICATE_in,
    PREDICATE_exists,
    PREDICATE_type,
    PREDICATE_prefix,
    PREDICATE_OPERATOR_COUNT,
};

// The operator called `name`, "$eq"; PREDICATE_OPERATOR_COUNT if there is none.
enum predicate_operator predicate_operator_from_name(struct bytes name);

// What the operand of an operator has to be, for a sentence: "an array of values"; NULL if
// `operand`, a whole value, is that.
const char *predicate_operator_wants(enum predicate_operator number, struct bytes operand);

// Whether it holds for the value of a field, which is of no bytes where there is no such field.
bool predicate_operator_holds(enum predicate_operator number, struct bytes operand,
                              struct bytes value);

#endif
