/*
 * The order of values, judged in place.
 *
 * 1. It is a total order, and the one in which wire/key.h makes keys: an index finds exactly what a
 *    comparison finds. NaN, which no document holds, is equal to itself and below all numbers.
 * 2. An integer and a double are never converted into each other's type where that could round: the
 *    double's whole part is compared in 128 bits, then its fraction decides.
 * 3. Two containers are walked side by side; recursion goes as deep as they nest, which the
 *    canonical form bounds.
 */
#include "wire/value_order.h"

#include "base/assert.h"

#include <math.h>

static const char *const TYPE_NAMES[] = {
    [VALUE_TYPE_NULL] = "null",     [VALUE_TYPE_BOOLEAN] = "boolean",
    [VALUE_TYPE_NUMBER] = "number", [VALUE_TYPE_TIMESTAMP] = "timestamp",
    [VALUE_TYPE_BINARY] = "binary", [VALUE_TYPE_TEXT] = "text",
    [VALUE_TYPE_ARRAY] = "array",   [VALUE_TYPE_MAP] = "map",
};

const char *value_type_name(enum value_type type)
{
    ASSERT((unsigned)type < sizeof TYPE_NAMES / sizeof TYPE_NAMES[0]);
    return TYPE_NAMES[type];
}

static struct value take_value(struct cursor *cursor)
{
    struct value value = {0};
    enum status status = cursor_value(cursor, &value);
    ASSERT(status == STATUS_ok);
    return value;
}

enum value_type value_type_of_kind(enum value_kind kind)
{
    switch (kind) {
    case VALUE_NIL: return VALUE_TYPE_NULL;
    case VALUE_BOOLEAN: return VALUE_TYPE_BOOLEAN;
    case VALUE_UNSIGNED:
    case VALUE_NEGATIVE:
    case VALUE_FLOAT: return VALUE_TYPE_NUMBER;
    case VALUE_TEXT: return VALUE_TYPE_TEXT;
    case VALUE_BINARY: return VALUE_TYPE_BINARY;
    case VALUE_ARRAY: return VALUE_TYPE_ARRAY;
    case VALUE_MAP: return VALUE_TYPE_MAP;
    case VALUE_TIMESTAMP: return VALUE_TYPE_TIMESTAMP;
    case VALUE_EXTENSION: break;
    }
    UNREACHABLE();
}

enum value_type value_type_of(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    return value_type_of_kind(take_value(&cursor).kind);
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return isnan(b) - isnan(a);
    }
    return (a > b) - (a < b);
}

static __int128_t integer_of(const struct value *value)
{
    return value->kind == VALUE_UNSIGNED ? (__int128_t)value->natural : (__int128_t)value->integer;
}

static int compare_integer_with_double(__int128_t integer, double real)
{
    if (isnan(real) || real < -0x1p63) {
        return 1;
    }
    if (real >= 0x1p64) {
        return -1;
    }
    double whole = floor(real);
    __int128_t whole_integer = (__int128_t)whole;
    if (integer != whole_integer) {
        return integer < whole_integer ? -1 : 1;
    }
    return real > whole ? -1 : 0;
}

static int compare_numbers(const struct value *a, const struct value *b)
{
    bool is_real_a = a->kind == VALUE_FLOAT;
    bool is_real_b = b->kind == VALUE_FLOAT;
    if (is_real_a && is_real_b) {
        return compare_doubles(a->real, b->real);
    }
    if (is_real_a) {
        return -compare_integer_with_double(integer_of(b), a->real);
    }
    if (is_real_b) {
        return compare_integer_with_double(integer_of(a), b->real);
    }
    __int128_t integer_a = integer_of(a);
    __int128_t integer_b = integer_of(b);
    return (integer_a > integer_b) - (integer_a < integer_b);
}

static int compare_timestamps(const struct value *a, const struct value *b)
{
    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? -1 : 1;
    }
    return (a->nanoseconds > b->nanoseconds) - (a->nanoseconds < b->nanoseconds);
}

static int compare_next(struct cursor *cursor_a, struct cursor *cursor_b);

// A container that ends comes before one that goes on.
static int compare_elements(struct cursor *cursor_a, struct cursor *cursor_b, uint64_t count_a,
                            uint64_t count_b)
{
    uint64_t shared = count_a < count_b ? count_a : count_b;
    for (uint64_t i = 0; i < shared; i++) {
        int order = compare_next(cursor_a, cursor_b);
        if (order != 0) {
            return order;
        }
    }
    return (count_a > count_b) - (count_a < count_b);
}

// Compares the next values; the cursors have passed them if they are equal.
static int compare_next(struct cursor *cursor_a, struct cursor *cursor_b)
{
    struct value a = take_value(cursor_a);
    struct value b = take_value(cursor_b);
    enum value_type type_a = value_type_of_kind(a.kind);
    enum value_type type_b = value_type_of_kind(b.kind);
    if (type_a != type_b) {
        return type_a < type_b ? -1 : 1;
    }
    switch (type_a) {
    case VALUE_TYPE_NULL: return 0;
    case VALUE_TYPE_BOOLEAN: return a.boolean - b.boolean;
    case VALUE_TYPE_NUMBER: return compare_numbers(&a, &b);
    case VALUE_TYPE_TIMESTAMP: return compare_timestamps(&a, &b);
    case VALUE_TYPE_BINARY:
    case VALUE_TYPE_TEXT: return bytes_compare(a.bytes, b.bytes);
    case VALUE_TYPE_ARRAY: return compare_elements(cursor_a, cursor_b, a.count, b.count);
    case VALUE_TYPE_MAP:
        return compare_elements(cursor_a, cursor_b, 2 * (uint64_t)a.count, 2 * (uint64_t)b.count);
    }
    UNREACHABLE();
}

int value_compare(struct bytes a, struct bytes b)
{
    struct cursor cursor_a = cursor_of(a);
    struct cursor cursor_b = cursor_of(b);
    return compare_next(&cursor_a, &cursor_b);
}
