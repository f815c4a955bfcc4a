/*
 * Predicates are evaluated as they are written: nothing is compiled or kept, a predicate is walked
 * through once for each document. What holds the parts together:
 *
 *   map_holds      all pairs of a map            check_map
 *   logical_holds  $and, $or, $not               check_logical
 *   field_holds    a path with what it needs     check_field
 *   operators_hold all operators of a field      check_operators
 *
 * 1. Whoever passes check_map never meets an operator without a name or an operand of the wrong
 *    type in map_holds.
 * 2. What a predicate costs for a document is that of finding its fields, each a walk through the
 *    document, and of comparing their values; PREDICATE_FIELDS_MAX bounds the first.
 * 3. Recursion goes as deep as the predicate nests, which the canonical form bounds.
 */
#include "wire/document/predicate.h"

#include "base/assert.h"
#include "wire/document/path.h"
#include "wire/document/predicate_operators.h"
#include "wire/document/sentence.h"
#include "wire/document/walk.h"
#include "wire/value_order.h"

// A check under way.
struct checker {
    unsigned fields; // that have been met
    char *sentence;  // for what is wrong; room for ERROR_MESSAGE_SIZE_MAX bytes
};

static enum status check_map(struct checker *checker, struct bytes map);

static enum status check_list(struct checker *checker, struct bytes name, struct bytes operand)
{
    struct quote quote = quote_of(name);
    struct cursor cursor = cursor_of(operand);
    struct value head = walk_head(&cursor);
    if (head.kind != VALUE_ARRAY || head.count == 0) {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has the operator \"%s\" with something else than an array of at "
                             "least one predicate",
                             quote.text);
    }
    for (uint32_t i = 0; i < head.count; i++) {
        struct bytes element = walk_value(&cursor);
        if (value_type_of(element) != VALUE_TYPE_MAP) {
            return sentence_fail(checker->sentence, STATUS_bad_request,
                                 "has in the list of \"%s\" an element that is not a map",
                                 quote.text);
        }
        TRY(check_map(checker, element));
    }
    return STATUS_ok;
}

static bool is_word(struct bytes name, const char *word)
{
    return bytes_equal(name, bytes_from_text(word));
}

static enum status check_logical(struct checker *checker, struct bytes name, struct bytes operand)
{
    if (is_word(name, "$and") || is_word(name, "$or")) {
        return check_list(checker, name, operand);
    }
    if (!is_word(name, "$not")) {
        bool is_of_fields = predicate_operator_from_name(name) < PREDICATE_OPERATOR_COUNT;
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             is_of_fields ? "has the operator \"%s\" without a field"
                                          : "has the unknown operator \"%s\"",
                             quote_of(name).text);
    }
    if (value_type_of(operand) != VALUE_TYPE_MAP) {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has the operator \"$not\" with something else than a predicate");
    }
    return check_map(checker, operand);
}

static enum status check_operator(struct checker *checker, struct bytes path, struct bytes name,
                                  struct bytes operand)
{
    if (name.size == 0 || name.data[0] != '$') {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has \"%s\" among the operators of the field \"%s\"",
                             quote_of(name).text, quote_of(path).text);
    }
    enum predicate_operator number = predicate_operator_from_name(name);
    if (number == PREDICATE_OPERATOR_COUNT) {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has the unknown operator \"%s\"", quote_of(name).text);
    }
    const char *wanted = predicate_operator_wants(number, operand);
    if (wanted != NULL) {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has the operator \"%s\" with something else than %s",
                             quote_of(name).text, wanted);
    }
    return STATUS_ok;
}

static enum status check_field(struct checker *checker, struct bytes path, struct bytes operand)
{
    if (!path_is_valid(path)) {
        return sentence_fail(checker->sentence, STATUS_bad_request,
                             "has \"%s\" in the place of a field's path", quote_of(path).text);
    }
    if (++checker->fields > PREDICATE_FIELDS_MAX) {
        return sentence_fail(
            checker->sentence, STATUS_too_large,
            "looks up fields more than %d times; \"$in\" takes many values at once",
            PREDICATE_FIELDS_MAX);
    }
    if (!walk_is_operators(operand)) {
        return STATUS_ok;
    }
    struct cursor cursor = cursor_of(operand);
    for (uint32_t left = walk_map(&cursor); left > 0; left--) {
        struct bytes name = walk_text(&cursor);
        TRY(check_operator(checker, path, name, walk_value(&cursor)));
    }
    return STATUS_ok;
}

static bool is_logical(struct bytes name)
{
    return name.size > 0 && name.data[0] == '$';
}

static enum status check_map(struct checker *checker, struct bytes map)
{
    struct cursor cursor = cursor_of(map);
    for (uint32_t left = walk_map(&cursor); left > 0; left--) {
        struct bytes name = walk_text(&cursor);
        struct bytes operand = walk_value(&cursor);
        TRY(is_logical(name) ? check_logical(checker, name, operand)
                             : check_field(checker, name, operand));
    }
    return STATUS_ok;
}

enum status predicate_check(struct bytes where, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    TRY(sentence_check_canonical(where, ret_sentence));
    struct checker checker = {.sentence = ret_sentence};
    return check_map(&checker, where);
}

static bool map_holds(struct bytes map, struct bytes document);

static bool logical_holds(struct bytes name, struct bytes operand, struct bytes document)
{
    if (is_word(name, "$not")) {
        return !map_holds(operand, document);
    }
    bool is_or = is_word(name, "$or");
    struct cursor cursor = cursor_of(operand);
    for (uint32_t left = walk_array(&cursor); left > 0; left--) {
        if (map_holds(walk_value(&cursor), document) == is_or) {
            return is_or;
        }
    }
    return !is_or;
}

static bool operators_hold(struct bytes operators, struct bytes value)
{
    struct cursor cursor = cursor_of(operators);
    for (uint32_t left = walk_map(&cursor); left > 0; left--) {
        enum predicate_operator number = predicate_operator_from_name(walk_text(&cursor));
        if (!predicate_operator_holds(number, walk_value(&cursor), value)) {
            return false;
        }
    }
    return true;
}

static bool field_holds(struct bytes path, struct bytes operand, struct bytes document)
{
    struct bytes value = {0};
    bool is_there = path_find(document, path, &value);
    if (walk_is_operators(operand)) {
        return operators_hold(operand, value);
    }
    return is_there && value_compare(value, operand) == 0;
}

static bool map_holds(struct bytes map, struct bytes document)
{
    struct cursor cursor = cursor_of(map);
    for (uint32_t left = walk_map(&cursor); left > 0; left--) {
        struct bytes name = walk_text(&cursor);
        struct bytes operand = walk_value(&cursor);
        bool holds = is_logical(name) ? logical_holds(name, operand, document)
                                      : field_holds(name, operand, document);
        if (!holds) {
            return false;
        }
    }
    return true;
}

bool predicate_holds(struct bytes where, struct bytes document)
{
    return where.size == 0 || map_holds(where, document);
}

static uint32_t count_in_map(struct bytes map);

// In the operand of $and, $or or $not.
static uint32_t count_in_logical(struct bytes operand)
{
    if (value_type_of(operand) == VALUE_TYPE_MAP) {
        return count_in_map(operand);
    }
    struct cursor cursor = cursor_of(operand);
    uint32_t count = 0;
    for (uint32_t left = walk_array(&cursor); left > 0; left--) {
        count += count_in_map(walk_value(&cursor));
    }
    return count;
}

static uint32_t count_in_map(struct bytes map)
{
    struct cursor cursor = cursor_of(map);
    uint32_t count = 0;
    for (uint32_t left = walk_map(&cursor); left > 0; left--) {
        struct bytes name = walk_text(&cursor);
        struct bytes operand = walk_value(&cursor);
        count += is_logical(name) ? count_in_logical(operand) : 1;
    }
    return count;
}

uint32_t predicate_field_count(struct bytes where)
{
    return where.size == 0 ? 0 : count_in_map(where);
}
