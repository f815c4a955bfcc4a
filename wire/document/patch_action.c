/*
 * The operators of patches: how each is read and what it does.
 *
 * 1. Integers are added and multiplied in 128 bits, so that nothing wraps unseen, and must come out
 *    within 64 bits with a sign: further than that a client that speaks JSON couldn't put them
 *    back. As soon as one side is a float, the outcome is one.
 * 2. What comes out is in canonical form: arguments are, as parts of a canonical patch, and floats
 *    are checked. How deep a value may nest depends on where it goes.
 */
#include "wire/document/patch_action.h"

#include "base/assert.h"
#include "base/rfc3339.h"
#include "wire/document/container.h"
#include "wire/document/sentence.h"
#include "wire/document/walk.h"
#include "wire/json.h"
#include "wire/pack.h"
#include "wire/value_order.h"

#include <math.h>

struct operator_row {
    const char *name;   // in a patch; NULL for a value
    const char *wanted; // what its argument has to be, for a sentence
    bool (*takes)(struct bytes argument);
    bool makes_field; // where there is none
    enum status (*apply)(const struct patch_action *action, struct bytes old,
                         const struct patch_scene *scene);
};

struct number {
    bool is_real;
    double real;        // is_real
    __int128_t integer; // otherwise
};

enum { MICROSECONDS = 1000000 };

static struct value head_of(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    return walk_head(&cursor);
}

static bool is_any(struct bytes argument)
{
    return argument.size > 0;
}

static bool is_number(struct bytes argument)
{
    return value_type_of(argument) == VALUE_TYPE_NUMBER;
}

static bool is_true(struct bytes argument)
{
    struct value head = head_of(argument);
    return head.kind == VALUE_BOOLEAN && head.boolean;
}

// How many containers are nested in a value, itself included.
static unsigned depth_of(struct cursor *cursor)
{
    struct value head = walk_head(cursor);
    if (head.kind != VALUE_MAP && head.kind != VALUE_ARRAY) {
        return 0;
    }
    uint64_t left = head.kind == VALUE_MAP ? 2 * (uint64_t)head.count : head.count;
    unsigned deepest = 0;
    for (; left > 0; left--) {
        unsigned depth = depth_of(cursor);
        deepest = depth > deepest ? depth : deepest;
    }
    return 1 + deepest;
}

// Appends the argument, which then has `inside` more containers around it than the field has.
static enum status append_argument(const struct patch_action *action, unsigned inside,
                                   const struct patch_scene *scene)
{
    struct cursor cursor = cursor_of(action->argument);
    unsigned around = inside + 1; // the document
    for (size_t i = 0; i < action->path.size; i++) {
        around += action->path.data[i] == '.';
    }
    if (around + depth_of(&cursor) > DOCUMENT_DEPTH_MAX) {
        return sentence_fail(scene->sentence, STATUS_too_deep,
                             "would nest \"%s\" more than %d deep", quote_of(action->path).text,
                             DOCUMENT_DEPTH_MAX);
    }
    buffer_append(scene->out, action->argument);
    return STATUS_ok;
}

static enum status apply_set(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    (void)old;
    return append_argument(action, 0, scene);
}

// `does` is what the action does to the field, "adds to".
static enum status fail_type(const struct patch_action *action, struct bytes old, const char *does,
                             const struct patch_scene *scene)
{
    return sentence_fail(scene->sentence, STATUS_type, "%s \"%s\", which is of type %s", does,
                         quote_of(action->path).text, value_type_name(value_type_of(old)));
}

static struct number number_of(struct bytes value)
{
    struct value head = head_of(value);
    switch (head.kind) {
    case VALUE_FLOAT: return (struct number){.is_real = true, .real = head.real};
    case VALUE_UNSIGNED: return (struct number){.integer = (__int128_t)head.natural};
    case VALUE_NEGATIVE: return (struct number){.integer = head.integer};
    default: UNREACHABLE();
    }
}

static double real_of(struct number number)
{
    return number.is_real ? number.real : (double)number.integer;
}

static enum status append_real(const struct patch_action *action, double real,
                               const struct patch_scene *scene)
{
    if (!isfinite(real)) {
        return sentence_fail(scene->sentence, STATUS_type,
                             "would make \"%s\" larger than a float can be",
                             quote_of(action->path).text);
    }
    pack_double(scene->out, real == 0 ? 0 : real);
    return STATUS_ok;
}

static enum status append_integer(const struct patch_action *action, bool is_too_large,
                                  __int128_t integer, const struct patch_scene *scene)
{
    if (is_too_large || integer < INT64_MIN || integer > INT64_MAX) {
        return sentence_fail(scene->sentence, STATUS_type,
                             "would take \"%s\" out of the range of 64-bit integers",
                             quote_of(action->path).text);
    }
    pack_i64(scene->out, (int64_t)integer);
    return STATUS_ok;
}

static enum status append_sum(const struct patch_action *action, struct number a, struct number b,
                              const struct patch_scene *scene)
{
    if (a.is_real || b.is_real) {
        return append_real(action, real_of(a) + real_of(b), scene);
    }
    return append_integer(action, false, a.integer + b.integer, scene);
}

static enum status append_product(const struct patch_action *action, struct number a,
                                  struct number b, const struct patch_scene *scene)
{
    if (a.is_real || b.is_real) {
        return append_real(action, real_of(a) * real_of(b), scene);
    }
    __int128_t product;
    bool is_too_large = __builtin_mul_overflow(a.integer, b.integer, &product);
    return append_integer(action, is_too_large, product, scene);
}

static enum status refuse(const struct patch_action *action, const char *side, struct bytes bound,
                          const struct patch_scene *scene)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct cursor cursor = cursor_of(bound);
    enum status status = json_from_msgpack(&cursor, &text);
    ASSERT(status == STATUS_ok);
    return sentence_fail(scene->sentence, STATUS_refused, "would take \"%s\" %s %s",
                         quote_of(action->path).text, side, quote_of(buffer_bytes(&text)).text);
}

static enum status apply_inc(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    if (old.size > 0 && !is_number(old)) {
        return fail_type(action, old, "adds to", scene);
    }
    struct number before = old.size > 0 ? number_of(old) : (struct number){0};
    size_t begin = scene->out->size;
    TRY(append_sum(action, before, number_of(action->argument), scene));
    struct bytes sum = bytes_of(scene->out->data + begin, scene->out->size - begin);
    if (action->low.size > 0 && value_compare(sum, action->low) < 0) {
        return refuse(action, "below", action->low, scene);
    }
    if (action->high.size > 0 && value_compare(sum, action->high) > 0) {
        return refuse(action, "above", action->high, scene);
    }
    return STATUS_ok;
}

static enum status apply_mul(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    if (old.size > 0 && !is_number(old)) {
        return fail_type(action, old, "multiplies", scene);
    }
    struct number before = old.size > 0 ? number_of(old) : (struct number){0};
    return append_product(action, before, number_of(action->argument), scene);
}

// Keeps the old value if it is on the right side of the argument: `side` is -1 or 1.
static enum status apply_best(const struct patch_action *action, struct bytes old, int side,
                              const struct patch_scene *scene)
{
    if (old.size == 0) {
        return append_argument(action, 0, scene);
    }
    enum value_type type = value_type_of(action->argument);
    if (value_type_of(old) != type) {
        return sentence_fail(scene->sentence, STATUS_type,
                             "compares \"%s\", which is of type %s, with a value of type %s",
                             quote_of(action->path).text, value_type_name(value_type_of(old)),
                             value_type_name(type));
    }
    if (side * value_compare(action->argument, old) > 0) {
        return append_argument(action, 0, scene);
    }
    buffer_append(scene->out, old);
    return STATUS_ok;
}

static enum status apply_min(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    return apply_best(action, old, -1, scene);
}

static enum status apply_max(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    return apply_best(action, old, 1, scene);
}

static enum status apply_push(const struct patch_action *action, struct bytes old,
                              const struct patch_scene *scene)
{
    if (old.size > 0 && value_type_of(old) != VALUE_TYPE_ARRAY) {
        return fail_type(action, old, "appends to", scene);
    }
    struct cursor cursor = cursor_of(old);
    uint32_t count = old.size > 0 ? walk_array(&cursor) : 0;
    struct container array = container_open(scene->out, false, count + 1);
    buffer_append(scene->out, cursor_rest(&cursor));
    TRY(append_argument(action, 1, scene));
    container_close(&array, scene->out, count + 1);
    return STATUS_ok;
}

static enum status apply_pull(const struct patch_action *action, struct bytes old,
                              const struct patch_scene *scene)
{
    if (value_type_of(old) != VALUE_TYPE_ARRAY) {
        return fail_type(action, old, "takes elements out of", scene);
    }
    struct cursor cursor = cursor_of(old);
    uint32_t count = walk_array(&cursor);
    uint32_t kept = 0;
    struct container array = container_open(scene->out, false, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes element = walk_value(&cursor);
        if (value_compare(element, action->argument) != 0) {
            buffer_append(scene->out, element);
            kept++;
        }
    }
    container_close(&array, scene->out, kept);
    return STATUS_ok;
}

static enum status apply_now(const struct patch_action *action, struct bytes old,
                             const struct patch_scene *scene)
{
    (void)old;
    uint64_t seconds = scene->time_us / MICROSECONDS;
    if (seconds > (uint64_t)RFC3339_SECONDS_MAX) {
        return sentence_fail(scene->sentence, STATUS_type,
                             "sets \"%s\" to a time beyond the year 9999",
                             quote_of(action->path).text);
    }
    pack_timestamp(scene->out, (int64_t)seconds, (uint32_t)(scene->time_us % MICROSECONDS) * 1000);
    return STATUS_ok;
}

static const struct operator_row OPERATORS[] = {
    [PATCH_set] = {NULL, "a value", is_any, true, apply_set},
    [PATCH_unset] = {"$unset", "true", is_true, false, NULL},
    [PATCH_inc] = {"$inc", "a number", is_number, true, apply_inc},
    [PATCH_mul] = {"$mul", "a number", is_number, true, apply_mul},
    [PATCH_min] = {"$min", "a value", is_any, true, apply_min},
    [PATCH_max] = {"$max", "a value", is_any, true, apply_max},
    [PATCH_push] = {"$push", "a value", is_any, true, apply_push},
    [PATCH_pull] = {"$pull", "a value", is_any, false, apply_pull},
    [PATCH_now] = {"$now", "true", is_true, true, apply_now},
};

enum { OPERATOR_COUNT = sizeof OPERATORS / sizeof OPERATORS[0] };

// Takes an operator and its argument into an action that has none so far.
static enum status read_operator(struct patch_action *action, struct bytes name,
                                 struct bytes argument, char *ret_sentence)
{
    if (action->kind != PATCH_set) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has more than one operator for the field \"%s\"",
                             quote_of(action->path).text);
    }
    for (unsigned i = PATCH_set + 1; i < OPERATOR_COUNT; i++) {
        if (!bytes_equal(bytes_from_text(OPERATORS[i].name), name)) {
            continue;
        }
        if (!OPERATORS[i].takes(argument)) {
            return sentence_fail(ret_sentence, STATUS_bad_request,
                                 "has the operator \"%s\" with something else than %s",
                                 OPERATORS[i].name, OPERATORS[i].wanted);
        }
        action->kind = (enum patch_operator)i;
        action->argument = argument;
        return STATUS_ok;
    }
    return sentence_fail(ret_sentence, STATUS_bad_request, "has the unknown operator \"%s\"",
                         quote_of(name).text);
}

// Takes a pair that stands beside the operator.
static enum status read_bound(struct patch_action *action, struct bytes name, struct bytes bound,
                              char *ret_sentence)
{
    bool is_low = bytes_equal(name, bytes_from_text("min"));
    if (!is_low && !bytes_equal(name, bytes_from_text("max"))) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has \"%s\" beside the operator of the field \"%s\"",
                             quote_of(name).text, quote_of(action->path).text);
    }
    if (!is_number(bound)) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a %s for the field \"%s\" that is not a number",
                             is_low ? "min" : "max", quote_of(action->path).text);
    }
    if (is_low) {
        action->low = bound;
    } else {
        action->high = bound;
    }
    return STATUS_ok;
}

static enum status check_bounds(const struct patch_action *action, char *ret_sentence)
{
    bool is_bounded = action->low.size > 0 || action->high.size > 0;
    if (is_bounded && action->kind != PATCH_inc) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a min or max for the field \"%s\", which only \"$inc\" takes",
                             quote_of(action->path).text);
    }
    if (action->low.size > 0 && action->high.size > 0 &&
        value_compare(action->low, action->high) > 0) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a min above the max for the field \"%s\"",
                             quote_of(action->path).text);
    }
    return STATUS_ok;
}

enum status patch_action_read(struct bytes path, struct bytes operand,
                              struct patch_action *ret_action,
                              char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    struct patch_action action = {.kind = PATCH_set, .path = path, .argument = operand};
    if (walk_is_operators(operand)) {
        struct cursor cursor = cursor_of(operand);
        for (uint32_t left = walk_map(&cursor); left > 0; left--) {
            struct bytes name = walk_text(&cursor);
            struct bytes value = walk_value(&cursor);
            bool is_operator = name.size > 0 && name.data[0] == '$';
            TRY(is_operator ? read_operator(&action, name, value, ret_sentence)
                            : read_bound(&action, name, value, ret_sentence));
        }
        TRY(check_bounds(&action, ret_sentence));
    }
    *ret_action = action;
    return STATUS_ok;
}

bool patch_action_makes_field(const struct patch_action *action)
{
    return OPERATORS[action->kind].makes_field;
}

enum status patch_action_apply(const struct patch_action *action, struct bytes old,
                               const struct patch_scene *scene, bool *ret_is_there)
{
    const struct operator_row *row = &OPERATORS[action->kind];
    bool is_there = row->makes_field || (old.size > 0 && row->apply != NULL);
    if (is_there) {
        TRY(row->apply(action, old, scene));
    }
    *ret_is_there = is_there;
    return STATUS_ok;
}
