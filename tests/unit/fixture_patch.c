/*
 * Every pair walks from the top by itself. Elements that are taken out of arrays are only marked,
 * so that all pairs count elements of the array as it was; writing the tree leaves them out. Since
 * no path is the beginning of another, pairs don't meet otherwise.
 */
#include "tests/unit/fixture_patch.h"

#include <math.h>

enum { OPERATOR_COUNT = 8 };

static const char *const OPERATORS[OPERATOR_COUNT] = {"$unset", "$inc",  "$mul",  "$min",
                                                      "$max",   "$push", "$pull", "$now"};
// One pair of a patch, taken apart.
struct pair {
    const char *operator_name; // NULL: sets the argument
    const struct tree *argument;
    const struct tree *low;
    const struct tree *high;
};

static struct pair pair_of(const struct tree *operand)
{
    struct pair pair = {.argument = operand};
    for (unsigned i = 0; i < OPERATOR_COUNT && tree_is(operand, VALUE_MAP); i++) {
        const struct tree *argument = tree_field(operand, bytes_from_text(OPERATORS[i]));
        if (argument != NULL) {
            pair = (struct pair){OPERATORS[i], argument,
                                 tree_field(operand, bytes_from_text("min")),
                                 tree_field(operand, bytes_from_text("max"))};
        }
    }
    return pair;
}

static bool does(const struct pair *pair, const char *operator_name)
{
    return pair->operator_name != NULL && strcmp(pair->operator_name, operator_name) == 0;
}

static bool makes_field(const struct pair *pair)
{
    return !does(pair, "$unset") && !does(pair, "$pull");
}

static bool is_number(const struct tree *tree)
{
    return tree_is(tree, VALUE_FLOAT) || tree_is(tree, VALUE_UNSIGNED) ||
           tree_is(tree, VALUE_NEGATIVE);
}

static __int128_t integer_of(const struct tree *tree)
{
    return tree_is(tree, VALUE_UNSIGNED) ? (__int128_t)tree->head.natural : tree->head.integer;
}

static double real_of(const struct tree *tree)
{
    return tree_is(tree, VALUE_FLOAT) ? tree->head.real : (double)integer_of(tree);
}

static enum status make_real(double real, struct grove *grove, struct tree **ret_value)
{
    if (isnan(real) || isinf(real)) {
        return STATUS_type;
    }
    *ret_value = tree_new(grove, (struct value){.kind = VALUE_FLOAT, .real = real + 0.0});
    return STATUS_ok;
}

static enum status make_integer(__int128_t integer, struct grove *grove, struct tree **ret_value)
{
    if (integer > INT64_MAX || integer < INT64_MIN) {
        return STATUS_type;
    }
    struct value head = {.kind = VALUE_UNSIGNED, .natural = (uint64_t)integer};
    if (integer < 0) {
        head = (struct value){.kind = VALUE_NEGATIVE, .integer = (int64_t)integer};
    }
    *ret_value = tree_new(grove, head);
    return STATUS_ok;
}

static enum status add(const struct tree *a, const struct tree *b, struct grove *grove,
                       struct tree **ret_value)
{
    if (tree_is(a, VALUE_FLOAT) || tree_is(b, VALUE_FLOAT)) {
        return make_real(real_of(a) + real_of(b), grove, ret_value);
    }
    return make_integer(integer_of(a) + integer_of(b), grove, ret_value);
}

static enum status multiply(const struct tree *a, const struct tree *b, struct grove *grove,
                            struct tree **ret_value)
{
    if (tree_is(a, VALUE_FLOAT) || tree_is(b, VALUE_FLOAT)) {
        return make_real(real_of(a) * real_of(b), grove, ret_value);
    }
    if (fabs(real_of(a) * real_of(b)) > 0x1p100) {
        return STATUS_type;
    }
    return make_integer(integer_of(a) * integer_of(b), grove, ret_value);
}

static enum status increment(const struct pair *pair, const struct tree *old, struct grove *grove,
                             struct tree **ret_value)
{
    enum status status = add(old, pair->argument, grove, ret_value);
    if (status != STATUS_ok) {
        return status;
    }
    bool is_low = pair->low != NULL && tree_compare(*ret_value, pair->low) < 0;
    bool is_high = pair->high != NULL && tree_compare(*ret_value, pair->high) > 0;
    return is_low || is_high ? STATUS_refused : STATUS_ok;
}

static enum status calculate(const struct pair *pair, const struct tree *old, struct grove *grove,
                             struct tree **ret_value)
{
    const struct tree *before = old != NULL
                                    ? old
                                    : tree_new(grove, (struct value){.kind = VALUE_UNSIGNED});
    if (!is_number(before)) {
        return STATUS_type;
    }
    return does(pair, "$inc") ? increment(pair, before, grove, ret_value)
                              : multiply(before, pair->argument, grove, ret_value);
}

static enum status choose(const struct pair *pair, const struct tree *old, struct grove *grove,
                          struct tree **ret_value)
{
    if (old != NULL && !tree_is_comparable(old, pair->argument)) {
        return STATUS_type;
    }
    int order = old == NULL ? 0 : tree_compare(pair->argument, old);
    bool is_better = old == NULL || (does(pair, "$min") ? order < 0 : order > 0);
    *ret_value = tree_copy(grove, is_better ? pair->argument : old);
    return STATUS_ok;
}

static enum status push(const struct pair *pair, const struct tree *old, struct grove *grove,
                        struct tree **ret_value)
{
    if (old != NULL && !tree_is(old, VALUE_ARRAY)) {
        return STATUS_type;
    }
    *ret_value = old != NULL ? tree_copy(grove, old)
                             : tree_new(grove, (struct value){.kind = VALUE_ARRAY});
    tree_push(*ret_value, tree_copy(grove, pair->argument));
    return STATUS_ok;
}

static enum status pull(const struct pair *pair, const struct tree *old, struct grove *grove,
                        struct tree **ret_value)
{
    if (!tree_is(old, VALUE_ARRAY)) {
        return STATUS_type;
    }
    *ret_value = tree_copy(grove, old);
    for (struct tree *element = (*ret_value)->first; element != NULL; element = element->next) {
        element->is_removed = tree_compare(element, pair->argument) == 0;
    }
    return STATUS_ok;
}

// The value that a field gets; `old` is NULL only for pairs that make the field.
static enum status new_value(const struct pair *pair, const struct tree *old, struct grove *grove,
                             struct tree **ret_value)
{
    if (does(pair, "$inc") || does(pair, "$mul")) {
        return calculate(pair, old, grove, ret_value);
    }
    if (does(pair, "$min") || does(pair, "$max")) {
        return choose(pair, old, grove, ret_value);
    }
    if (does(pair, "$push")) {
        return push(pair, old, grove, ret_value);
    }
    if (does(pair, "$pull")) {
        return pull(pair, old, grove, ret_value);
    }
    if (does(pair, "$now")) {
        *ret_value = tree_new(grove, (struct value){.kind = VALUE_TIMESTAMP,
                                                    .seconds = (int64_t)(PATCH_TIME_US / 1000000),
                                                    .nanoseconds = PATCH_TIME_US % 1000000 * 1000});
        return STATUS_ok;
    }
    *ret_value = tree_copy(grove, pair->argument);
    return STATUS_ok;
}

static struct tree *child_of(struct tree *holder, struct bytes name)
{
    return tree_is(holder, VALUE_MAP)     ? tree_field(holder, name)
           : tree_is(holder, VALUE_ARRAY) ? tree_element(holder, name)
                                          : NULL;
}

// Puts another value in the place of one.
static void replace(struct tree *holder, struct bytes name, struct tree *value)
{
    if (tree_is(holder, VALUE_MAP)) {
        tree_put(holder, name, value);
        return;
    }
    struct tree *element = tree_element(holder, name);
    element->head = value->head;
    element->first = value->first;
}

static void take_away(struct tree *holder, struct bytes name)
{
    if (tree_is(holder, VALUE_MAP)) {
        tree_remove(holder, name);
    } else {
        tree_element(holder, name)->is_removed = true;
    }
}

static enum status do_pair(struct tree *holder, struct bytes path, const struct pair *pair,
                           struct grove *grove)
{
    struct bytes name = tree_take_name(&path);
    struct tree *old = child_of(holder, name);
    if (old == NULL && !makes_field(pair)) {
        return STATUS_ok;
    }
    if (old == NULL && !tree_is(holder, VALUE_MAP)) {
        return STATUS_type;
    }
    if (path.size > 0) {
        if (old == NULL) {
            old = tree_new(grove, (struct value){.kind = VALUE_MAP});
            tree_put(holder, name, old);
        }
        return do_pair(old, path, pair, grove);
    }
    if (does(pair, "$unset")) {
        take_away(holder, name);
        return STATUS_ok;
    }
    struct tree *value;
    enum status status = new_value(pair, old, grove, &value);
    if (status == STATUS_ok) {
        replace(holder, name, value);
    }
    return status;
}

unsigned tree_patch(struct tree *document, const struct tree *patch, struct grove *grove)
{
    unsigned failures = 0;
    for (const struct tree *operand = patch->first; operand != NULL; operand = operand->next) {
        struct pair pair = pair_of(operand);
        enum status status = do_pair(document, operand->name, &pair, grove);
        failures |= status == STATUS_ok ? 0 : 1u << status;
    }
    return failures;
}

static struct tree *new_true(struct grove *grove)
{
    return tree_new(grove, (struct value){.kind = VALUE_BOOLEAN, .boolean = true});
}

static struct tree *random_inc(struct grove *grove, struct random *random)
{
    struct tree *operand = tree_new(grove, (struct value){.kind = VALUE_MAP});
    struct tree *low = tree_random_number(grove, random);
    struct tree *high = tree_random_number(grove, random);
    tree_put_literal(operand, "$inc", tree_random_number(grove, random));
    if (tree_compare(low, high) > 0) {
        return operand;
    }
    if (random_chance(random, 400000)) {
        tree_put_literal(operand, "min", low);
    }
    if (random_chance(random, 400000)) {
        tree_put_literal(operand, "max", high);
    }
    return operand;
}

// An argument that often has something to do with the value that is there.
static struct tree *random_argument(struct grove *grove, struct random *random, const char *name,
                                    const struct tree *old)
{
    if (strcmp(name, "$unset") == 0 || strcmp(name, "$now") == 0) {
        return new_true(grove);
    }
    if (strcmp(name, "$mul") == 0) {
        return tree_random_number(grove, random);
    }
    if (strcmp(name, "$pull") == 0 && old != NULL && old->first != NULL) {
        return tree_copy(grove, old->first);
    }
    if (old != NULL && is_number(old)) {
        return tree_random_number(grove, random);
    }
    if (old != NULL && random_chance(random, 300000)) {
        return tree_copy(grove, old);
    }
    return tree_random(grove, random, 2);
}

static struct tree *random_operand(struct grove *grove, struct random *random,
                                   const struct tree *old)
{
    if (random_chance(random, 250000)) {
        return tree_random(grove, random, 2);
    }
    const char *name = OPERATORS[random_below(random, OPERATOR_COUNT)];
    if (strcmp(name, "$inc") == 0) {
        return random_inc(grove, random);
    }
    struct tree *operand = tree_new(grove, (struct value){.kind = VALUE_MAP});
    tree_put_literal(operand, name, random_argument(grove, random, name, old));
    return operand;
}

static bool is_inside(struct bytes path, struct bytes of)
{
    return path.size > of.size && bytes_starts_with(path, of) && path.data[of.size] == '.';
}

static bool fits_beside(const struct tree *patch, struct bytes path)
{
    for (const struct tree *operand = patch->first; operand != NULL; operand = operand->next) {
        if (is_inside(path, operand->name) || is_inside(operand->name, path)) {
            return false;
        }
    }
    return true;
}

struct tree *tree_random_patch(struct grove *grove, struct random *random, struct tree *document)
{
    struct tree *patch = tree_new(grove, (struct value){.kind = VALUE_MAP});
    uint64_t wanted = random_chance(random, 800000) ? random_between(random, 0, 3) : 12;
    for (uint64_t i = 0; i < wanted; i++) {
        struct bytes path = bytes_from_text(path_random(random));
        for (unsigned k = 0; k < 3 && tree_find(document, path) == NULL; k++) {
            path = bytes_from_text(path_random(random));
        }
        if (fits_beside(patch, path)) {
            tree_put(patch, path, random_operand(grove, random, tree_find(document, path)));
        }
    }
    return patch;
}
