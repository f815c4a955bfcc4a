/*
 * What each operator takes and when it holds, one row each. A function of a row is given the whole
 * value of a field, or no bytes where the document has no such field.
 *
 * A comparison of two types doesn't hold, whichever way round it is; only $eq, $ne and $in, which
 * ask for equality, needn't look at types, since values of different types are never equal.
 */
#include "wire/document/predicate_operators.h"

#include "base/assert.h"
#include "wire/document/walk.h"
#include "wire/value_order.h"

struct operator_row {
    const char *name;
    const char *operand;                                     // what it takes, for a sentence
    bool (*takes)(struct bytes operand);                     // whether it takes this
    bool (*holds)(struct bytes operand, struct bytes value); // whether it holds
};

static bool is_any(struct bytes operand)
{
    return operand.size > 0;
}

static bool is_array(struct bytes operand)
{
    return value_type_of(operand) == VALUE_TYPE_ARRAY;
}

static bool is_boolean(struct bytes operand)
{
    return value_type_of(operand) == VALUE_TYPE_BOOLEAN;
}

static bool is_text(struct bytes operand)
{
    return value_type_of(operand) == VALUE_TYPE_TEXT;
}

static struct value head_of(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    return walk_head(&cursor);
}

static bool kind_is_called(enum value_kind kind, struct bytes word)
{
    if (kind == VALUE_FLOAT && bytes_equal(word, bytes_from_text("float"))) {
        return true;
    }
    bool is_integer = kind == VALUE_UNSIGNED || kind == VALUE_NEGATIVE;
    if (is_integer && bytes_equal(word, bytes_from_text("integer"))) {
        return true;
    }
    return bytes_equal(word, bytes_from_text(value_type_name(value_type_of_kind(kind))));
}

static bool is_word_of_type(struct bytes operand)
{
    struct value word = head_of(operand);
    if (word.kind != VALUE_TEXT) {
        return false;
    }
    for (enum value_kind kind = VALUE_NIL; kind < VALUE_EXTENSION; kind++) {
        if (kind_is_called(kind, word.bytes)) {
            return true;
        }
    }
    return false;
}

// False for values of different types; else ret_order is <0, 0 or >0 as `value` is below, equal to
// or above the operand.
static bool compare(struct bytes value, struct bytes operand, int *ret_order)
{
    if (value.size == 0 || value_type_of(value) != value_type_of(operand)) {
        return false;
    }
    *ret_order = value_compare(value, operand);
    return true;
}

static bool holds_eq(struct bytes operand, struct bytes value)
{
    return value.size > 0 && value_compare(value, operand) == 0;
}

static bool holds_ne(struct bytes operand, struct bytes value)
{
    return !holds_eq(operand, value);
}

static bool holds_lt(struct bytes operand, struct bytes value)
{
    int order;
    return compare(value, operand, &order) && order < 0;
}

static bool holds_lte(struct bytes operand, struct bytes value)
{
    int order;
    return compare(value, operand, &order) && order <= 0;
}

static bool holds_gt(struct bytes operand, struct bytes value)
{
    int order;
    return compare(value, operand, &order) && order > 0;
}

static bool holds_gte(struct bytes operand, struct bytes value)
{
    int order;
    return compare(value, operand, &order) && order >= 0;
}

static bool holds_in(struct bytes operand, struct bytes value)
{
    struct cursor cursor = cursor_of(operand);
    uint32_t count = walk_array(&cursor);
    for (uint32_t i = 0; i < count; i++) {
        if (holds_eq(walk_value(&cursor), value)) {
            return true;
        }
    }
    return false;
}

static bool holds_exists(struct bytes operand, struct bytes value)
{
    return head_of(operand).boolean == (value.size > 0);
}

static bool holds_type(struct bytes operand, struct bytes value)
{
    return value.size > 0 && kind_is_called(head_of(value).kind, head_of(operand).bytes);
}

static bool holds_prefix(struct bytes operand, struct bytes value)
{
    if (value.size == 0) {
        return false;
    }
    struct value text = head_of(value);
    return text.kind == VALUE_TEXT && bytes_starts_with(text.bytes, head_of(operand).bytes);
}

static const struct operator_row OPERATORS[PREDICATE_OPERATOR_COUNT] = {
    [PREDICATE_eq] = {"$eq", "a value", is_any, holds_eq},
    [PREDICATE_ne] = {"$ne", "a value", is_any, holds_ne},
    [PREDICATE_lt] = {"$lt", "a value", is_any, holds_lt},
    [PREDICATE_lte] = {"$lte", "a value", is_any, holds_lte},
    [PREDICATE_gt] = {"$gt", "a value", is_any, holds_gt},
    [PREDICATE_gte] = {"$gte", "a value", is_any, holds_gte},
    [PREDICATE_in] = {"$in", "an array of values", is_array, holds_in},
    [PREDICATE_exists] = {"$exists", "true or false", is_boolean, holds_exists},
    [PREDICATE_type] = {"$type",
                        "one of the words null, boolean, integer, float, number, text, binary, "
                        "timestamp, array and map",
                        is_word_of_type, holds_type},
    [PREDICATE_prefix] = {"$prefix", "a text", is_text, holds_prefix},
};

enum predicate_operator predicate_operator_from_name(struct bytes name)
{
    unsigned number = 0;
    while (number < PREDICATE_OPERATOR_COUNT &&
           !bytes_equal(bytes_from_text(OPERATORS[number].name), name)) {
        number++;
    }
    return (enum predicate_operator)number;
}

const char *predicate_operator_wants(enum predicate_operator number, struct bytes operand)
{
    ASSERT(number < PREDICATE_OPERATOR_COUNT);
    return OPERATORS[number].takes(operand) ? NULL : OPERATORS[number].operand;
}

bool predicate_operator_holds(enum predicate_operator number, struct bytes operand,
                              struct bytes value)
{
    ASSERT(number < PREDICATE_OPERATOR_COUNT);
    return OPERATORS[number].holds(operand, value);
}
