/*
 * What a predicate says about one field. Only pairs that must hold count: those at the top and in
 * $and. Each adds what it knows to what is known already:
 *
 *   a value, $eq, $in with one value    the field equals it
 *   $gt $gte, $lt $lte                  a bound below or above; of two of one type the tighter
 *   $in with values of one type         lies between the least and the greatest
 *   $prefix                             a prefix; of two the longer
 *
 * Equality beats everything else. Where pairs contradict each other, what the first one said stays:
 * no document satisfies them, so everything said about those that do is true.
 */
#include "wire/document/predicate.h"

#include "wire/document/predicate_operators.h"
#include "wire/document/walk.h"
#include "wire/value_order.h"

static void note_equal(struct predicate_bounds *bounds, struct bytes value)
{
    if (!bounds->is_equal) {
        *bounds = (struct predicate_bounds){.is_equal = true, .low = value};
    }
}

static void note_low(struct predicate_bounds *bounds, struct bytes value, bool includes)
{
    if (bounds->has_low) {
        int order = value_compare(value, bounds->low);
        bool is_tighter = order > 0 || (order == 0 && !includes);
        if (!is_tighter || value_type_of(value) != value_type_of(bounds->low)) {
            return;
        }
    }
    bounds->has_low = true;
    bounds->includes_low = includes;
    bounds->low = value;
}

static void note_high(struct predicate_bounds *bounds, struct bytes value, bool includes)
{
    if (bounds->has_high) {
        int order = value_compare(value, bounds->high);
        bool is_tighter = order < 0 || (order == 0 && !includes);
        if (!is_tighter || value_type_of(value) != value_type_of(bounds->high)) {
            return;
        }
    }
    bounds->has_high = true;
    bounds->includes_high = includes;
    bounds->high = value;
}

static void note_prefix(struct predicate_bounds *bounds, struct bytes operand)
{
    struct cursor cursor = cursor_of(operand);
    struct bytes prefix = walk_text(&cursor);
    if (!bounds->has_prefix || prefix.size > bounds->prefix.size) {
        bounds->has_prefix = true;
        bounds->prefix = prefix;
    }
}

static void note_in(struct predicate_bounds *bounds, struct bytes operand)
{
    struct cursor cursor = cursor_of(operand);
    uint32_t count = walk_array(&cursor);
    if (count == 0) {
        return;
    }
    struct bytes low = walk_value(&cursor);
    struct bytes high = low;
    for (uint32_t i = 1; i < count; i++) {
        struct bytes value = walk_value(&cursor);
        low = value_compare(value, low) < 0 ? value : low;
        high = value_compare(value, high) > 0 ? value : high;
    }
    if (value_compare(low, high) == 0) {
        note_equal(bounds, low);
    } else if (value_type_of(low) == value_type_of(high)) {
        note_low(bounds, low, true);
        note_high(bounds, high, true);
    }
}

static void note_operator(struct predicate_bounds *bounds, enum predicate_operator number,
                          struct bytes operand)
{
    switch (number) {
    case PREDICATE_eq: note_equal(bounds, operand); break;
    case PREDICATE_in: note_in(bounds, operand); break;
    case PREDICATE_gt: note_low(bounds, operand, false); break;
    case PREDICATE_gte: note_low(bounds, operand, true); break;
    case PREDICATE_lt: note_high(bounds, operand, false); break;
    case PREDICATE_lte: note_high(bounds, operand, true); break;
    case PREDICATE_prefix: note_prefix(bounds, operand); break;
    default: break;
    }
}

static void note_field(struct predicate_bounds *bounds, struct bytes operand)
{
    if (!walk_is_operators(operand)) {
        note_equal(bounds, operand);
        return;
    }
    struct cursor cursor = cursor_of(operand);
    for (uint32_t left = walk_map(&cursor); left > 0 && !bounds->is_equal; left--) {
        enum predicate_operator number = predicate_operator_from_name(walk_text(&cursor));
        note_operator(bounds, number, walk_value(&cursor));
    }
}

static void note_map(struct predicate_bounds *bounds, struct bytes map, struct bytes path);

static void note_list(struct predicate_bounds *bounds, struct bytes list, struct bytes path)
{
    struct cursor cursor = cursor_of(list);
    for (uint32_t left = walk_array(&cursor); left > 0; left--) {
        note_map(bounds, walk_value(&cursor), path);
    }
}

static void note_map(struct predicate_bounds *bounds, struct bytes map, struct bytes path)
{
    struct cursor cursor = cursor_of(map);
    for (uint32_t left = walk_map(&cursor); left > 0 && !bounds->is_equal; left--) {
        struct bytes name = walk_text(&cursor);
        struct bytes operand = walk_value(&cursor);
        if (bytes_equal(name, bytes_from_text("$and"))) {
            note_list(bounds, operand, path);
        } else if (bytes_equal(name, path)) {
            note_field(bounds, operand);
        }
    }
}

void predicate_bounds(struct bytes where, struct bytes path, struct predicate_bounds *ret_bounds)
{
    *ret_bounds = (struct predicate_bounds){0};
    if (where.size > 0) {
        note_map(ret_bounds, where, path);
    }
}
