/*
 * Predicates against an evaluator that follows the words of the header on trees, over random
 * documents and predicates of a small world in which both outcomes are common.
 */
#include "wire/document/predicate.h"

#include "tests/unit/fixture_tree.h"
#include "tests/unit/fixture_value.h"
#include "wire/document/document.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const OPERATORS[] = {"$eq",  "$ne", "$lt",     "$lte",  "$gt",
                                        "$gte", "$in", "$exists", "$type", "$prefix"};
static const char *const TYPES[] = {"null", "boolean", "integer",   "float", "number",
                                    "text", "binary",  "timestamp", "array", "map"};

enum { OPERATOR_COUNT = 10, TYPE_COUNT = 10 };

static bool is(struct bytes name, const char *word)
{
    return bytes_equal(name, bytes_from_text(word));
}

static bool is_of_type(const struct tree *value, struct bytes word)
{
    switch (value->head.kind) {
    case VALUE_NIL: return is(word, "null");
    case VALUE_BOOLEAN: return is(word, "boolean");
    case VALUE_UNSIGNED:
    case VALUE_NEGATIVE: return is(word, "integer") || is(word, "number");
    case VALUE_FLOAT: return is(word, "float") || is(word, "number");
    case VALUE_TEXT: return is(word, "text");
    case VALUE_BINARY: return is(word, "binary");
    case VALUE_TIMESTAMP: return is(word, "timestamp");
    case VALUE_ARRAY: return is(word, "array");
    default: return is(word, "map");
    }
}

static bool is_in(const struct tree *value, const struct tree *list)
{
    for (const struct tree *element = list->first; element != NULL; element = element->next) {
        if (tree_compare(value, element) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_prefix(const struct tree *value, struct bytes prefix)
{
    return tree_is(value, VALUE_TEXT) && value->head.bytes.size >= prefix.size &&
           memcmp(value->head.bytes.data, prefix.data, prefix.size) == 0;
}

static bool compares(const struct tree *value, struct bytes name, const struct tree *operand)
{
    if (!tree_is_comparable(value, operand)) {
        return false;
    }
    int order = tree_compare(value, operand);
    return (is(name, "$lt") && order < 0) || (is(name, "$lte") && order <= 0) ||
           (is(name, "$gt") && order > 0) || (is(name, "$gte") && order >= 0);
}

static bool operator_holds(const struct tree *value, struct bytes name, const struct tree *operand)
{
    if (is(name, "$exists")) {
        return (value != NULL) == operand->head.boolean;
    }
    if (is(name, "$ne")) {
        return value == NULL || tree_compare(value, operand) != 0;
    }
    if (value == NULL) {
        return false;
    }
    if (is(name, "$eq")) {
        return tree_compare(value, operand) == 0;
    }
    if (is(name, "$in")) {
        return is_in(value, operand);
    }
    if (is(name, "$type")) {
        return is_of_type(value, operand->head.bytes);
    }
    if (is(name, "$prefix")) {
        return has_prefix(value, operand->head.bytes);
    }
    return compares(value, name, operand);
}

static bool has_operators(const struct tree *operand)
{
    for (const struct tree *field = operand->first; field != NULL; field = field->next) {
        if (tree_is(operand, VALUE_MAP) && field->name.size > 0 && field->name.data[0] == '$') {
            return true;
        }
    }
    return false;
}

static bool field_holds(const struct tree *value, const struct tree *operand)
{
    if (!has_operators(operand)) {
        return value != NULL && tree_compare(value, operand) == 0;
    }
    for (const struct tree *field = operand->first; field != NULL; field = field->next) {
        if (!operator_holds(value, field->name, field)) {
            return false;
        }
    }
    return true;
}

static bool holds(const struct tree *where, struct tree *document);

static unsigned count_holding(const struct tree *list, struct tree *document)
{
    unsigned count = 0;
    for (const struct tree *where = list->first; where != NULL; where = where->next) {
        count += holds(where, document);
    }
    return count;
}

static bool pair_holds(const struct tree *pair, struct tree *document)
{
    if (is(pair->name, "$and")) {
        return count_holding(pair, document) == tree_count(pair);
    }
    if (is(pair->name, "$or")) {
        return count_holding(pair, document) > 0;
    }
    if (is(pair->name, "$not")) {
        return !holds(pair, document);
    }
    return field_holds(tree_find(document, pair->name), pair);
}

static bool holds(const struct tree *where, struct tree *document)
{
    for (const struct tree *pair = where->first; pair != NULL; pair = pair->next) {
        if (!pair_holds(pair, document)) {
            return false;
        }
    }
    return true;
}

static struct tree *new_of_kind(struct grove *grove, enum value_kind kind)
{
    return tree_new(grove, (struct value){.kind = kind});
}

// A value, often the one that the field has.
static struct tree *random_value(struct grove *grove, struct random *random,
                                 const struct tree *value)
{
    if (value != NULL && random_chance(random, 500000)) {
        return tree_copy(grove, value);
    }
    bool is_number = value != NULL && !tree_is(value, VALUE_NIL) &&
                     !tree_is(value, VALUE_BOOLEAN) && value->head.kind <= VALUE_FLOAT;
    if (is_number && random_chance(random, 500000)) {
        return tree_random_number(grove, random);
    }
    return tree_random(grove, random, 2);
}

static struct tree *random_operand(struct grove *grove, struct random *random, const char *name,
                                   const struct tree *value)
{
    if (strcmp(name, "$in") == 0) {
        struct tree *list = new_of_kind(grove, VALUE_ARRAY);
        for (uint64_t left = random_below(random, 4); left > 0; left--) {
            tree_push(list, random_value(grove, random, value));
        }
        return list;
    }
    if (strcmp(name, "$exists") == 0) {
        struct tree *flag = new_of_kind(grove, VALUE_BOOLEAN);
        flag->head.boolean = random_chance(random, 500000);
        return flag;
    }
    if (strcmp(name, "$type") == 0) {
        const char *word = TYPES[random_below(random, TYPE_COUNT)];
        for (unsigned i = 0; i < 8 && value != NULL && !is_of_type(value, bytes_from_text(word));
             i++) {
            word = TYPES[random_below(random, TYPE_COUNT)];
        }
        return tree_text(grove, word);
    }
    if (strcmp(name, "$prefix") == 0) {
        static const char *const prefixes[] = {"", "a", "ab", "b"};
        return tree_text(grove, prefixes[random_below(random, 4)]);
    }
    return random_value(grove, random, value);
}

// The path of a field that a document probably has.
static const char *likely_path(struct random *random, struct tree *document)
{
    const char *path = path_random(random);
    for (unsigned i = 0; i < 16 && tree_find(document, bytes_from_text(path)) == NULL; i++) {
        path = path_random(random);
    }
    return path;
}

// How many of something there are, mostly one.
static uint64_t few(struct random *random)
{
    return random_chance(random, 750000) ? 1 : random_between(random, 1, 3);
}

static struct tree *random_field(struct grove *grove, struct random *random,
                                 const struct tree *value)
{
    if (random_chance(random, 250000)) {
        struct tree *operand = random_value(grove, random, value);
        return has_operators(operand) ? tree_text(grove, "a") : operand;
    }
    struct tree *operators = new_of_kind(grove, VALUE_MAP);
    for (uint64_t left = few(random); left > 0; left--) {
        const char *name = OPERATORS[random_below(random, OPERATOR_COUNT)];
        tree_put_literal(operators, name, random_operand(grove, random, name, value));
    }
    return operators;
}

// A predicate that says something about the fields of `document`.
static struct tree *random_where(struct grove *grove, struct random *random, struct tree *document,
                                 unsigned depth)
{
    struct tree *where = new_of_kind(grove, VALUE_MAP);
    for (uint64_t left = few(random); left > 0; left--) {
        const char *path = likely_path(random, document);
        struct tree *value = tree_find(document, bytes_from_text(path));
        tree_put_literal(where, path, random_field(grove, random, value));
    }
    if (depth == 0 || random_chance(random, 700000)) {
        return where;
    }
    struct tree *list = new_of_kind(grove, VALUE_ARRAY);
    for (uint64_t left = few(random); left > 0; left--) {
        tree_push(list, random_where(grove, random, document, depth - 1));
    }
    tree_put_literal(where, random_chance(random, 500000) ? "$and" : "$or", list);
    if (random_chance(random, 300000)) {
        tree_put_literal(where, "$not", random_where(grove, random, document, depth - 1));
    }
    return where;
}

// A document and a predicate, as trees and as bytes.
struct scene {
    struct grove grove;
    struct tree *document;
    struct tree *where;
    struct buffer document_bytes;
    struct buffer where_bytes;
};

static void scene_release(struct scene *scene)
{
    grove_release(&scene->grove);
    buffer_release(&scene->document_bytes);
    buffer_release(&scene->where_bytes);
}

static void scene_make(struct scene *scene, struct random *random)
{
    scene->document = tree_random_map(&scene->grove, random, 3);
    scene->where = random_where(&scene->grove, random, scene->document, 2);
    tree_write(scene->document, &scene->document_bytes);
    tree_write(scene->where, &scene->where_bytes);
}

Test(predicate, holds_where_a_plain_reading_of_it_holds)
{
    struct random random;
    unsigned held = 0;
    random_init(&random, 1);
    for (unsigned i = 0; i < 300000; i++) {
        AUTO(scene_release) struct scene scene = {0};
        char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
        scene_make(&scene, &random);
        struct bytes where = buffer_bytes(&scene.where_bytes);
        cr_assert_eq(predicate_check(where, sentence), STATUS_ok, "%s", sentence);
        bool expected = holds(scene.where, scene.document);
        cr_assert_eq(predicate_holds(where, buffer_bytes(&scene.document_bytes)), expected,
                     "pair %u", i);
        held += expected;
    }
    cr_assert(held > 50000 && held < 250000, "held %u times", held);
}

// Whether a field's value lies within bounds.
static bool is_within(const struct predicate_bounds *bounds, struct tree *value,
                      struct grove *grove)
{
    struct tree *low = bounds->is_equal || bounds->has_low ? tree_read(grove, bounds->low) : NULL;
    struct tree *high = bounds->has_high ? tree_read(grove, bounds->high) : NULL;
    if (bounds->is_equal && (value == NULL || tree_compare(value, low) != 0)) {
        return false;
    }
    if (bounds->has_low &&
        (value == NULL ||
         !compares(value, bytes_from_text(bounds->includes_low ? "$gte" : "$gt"), low))) {
        return false;
    }
    if (bounds->has_high &&
        (value == NULL ||
         !compares(value, bytes_from_text(bounds->includes_high ? "$lte" : "$lt"), high))) {
        return false;
    }
    return !bounds->has_prefix || (value != NULL && has_prefix(value, bounds->prefix));
}

Test(predicate, bounds_hold_for_every_document_that_it_holds_for)
{
    struct random random;
    unsigned bounded = 0;
    random_init(&random, 2);
    for (unsigned i = 0; i < 300000; i++) {
        AUTO(scene_release) struct scene scene = {0};
        scene_make(&scene, &random);
        if (!holds(scene.where, scene.document) || scene.where->first == NULL) {
            continue;
        }
        struct bytes path = scene.where->first->name;
        if (random_chance(&random, 200000) || path.data[0] == '$') {
            path = bytes_from_text(path_random(&random));
        }
        struct predicate_bounds bounds;
        predicate_bounds(buffer_bytes(&scene.where_bytes), path, &bounds);
        cr_assert(is_within(&bounds, tree_find(scene.document, path), &scene.grove), "pair %u", i);
        bounded += bounds.is_equal || bounds.has_low || bounds.has_high || bounds.has_prefix;
    }
    cr_assert_gt(bounded, 20000);
}

static void append_json(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &raw, &fault), STATUS_ok, "%s: %s", json,
                 fault.sentence);
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), out, NULL), STATUS_ok);
}

static void expect_holds(const char *where, const char *document, bool expected)
{
    AUTO(buffer_release) struct buffer where_bytes = {0};
    AUTO(buffer_release) struct buffer document_bytes = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_json(where, &where_bytes);
    append_json(document, &document_bytes);
    cr_assert_eq(predicate_check(buffer_bytes(&where_bytes), sentence), STATUS_ok, "%s", sentence);
    cr_assert_eq(predicate_holds(buffer_bytes(&where_bytes), buffer_bytes(&document_bytes)),
                 expected, "%s of %s", where, document);
}

Test(predicate, reads_as_in_its_header)
{
    const char *where = "{\"stock\": {\"$gte\": 2}, \"state\": {\"$in\": [\"new\", \"paid\"]},"
                        " \"$or\": [{\"a\": 1}, {\"b.0.c\": {\"$exists\": true}}]}";
    expect_holds(where, "{\"stock\": 2, \"state\": \"paid\", \"a\": 1.0}", true);
    expect_holds(where, "{\"stock\": 2.5, \"state\": \"new\", \"b\": [{\"c\": null}]}", true);
    expect_holds(where, "{\"stock\": 1, \"state\": \"paid\", \"a\": 1}", false);
    expect_holds(where, "{\"stock\": 2, \"state\": \"old\", \"a\": 1}", false);
    expect_holds(where, "{\"stock\": 2, \"state\": \"new\", \"a\": 2}", false);
    expect_holds(where, "{\"stock\": \"2\", \"state\": \"new\", \"a\": 1}", false);
    expect_holds("{}", "{}", true);
}

Test(predicate, tells_a_missing_field_from_null)
{
    expect_holds("{\"a\": null}", "{\"a\": null}", true);
    expect_holds("{\"a\": null}", "{}", false);
    expect_holds("{\"a\": {\"$ne\": null}}", "{}", true);
    expect_holds("{\"a\": {\"$ne\": 1}}", "{\"a\": \"1\"}", true);
    expect_holds("{\"a\": {\"$lte\": null}}", "{\"a\": null}", true);
    expect_holds("{\"a\": {\"$lte\": null}}", "{}", false);
    expect_holds("{\"a\": {\"$in\": []}}", "{\"a\": 1}", false);
    expect_holds("{\"$not\": {\"a\": {\"$gt\": 1}}}", "{}", true);
}

Test(predicate, takes_a_map_without_operators_as_a_value)
{
    expect_holds("{\"a\": {}}", "{\"a\": {}}", true);
    expect_holds("{\"a\": {\"x\": 1}}", "{\"a\": {\"x\": 1.0}}", true);
    expect_holds("{\"a\": {\"x\": 1}}", "{\"a\": {\"x\": 1, \"y\": 2}}", false);
    expect_holds("{\"a\": {\"$eq\": {\"$x\": 1}}}", "{\"a\": {\"$x\": 1}}", true);
    expect_holds("{\"a\": {\"x\": {\"$gt\": 1}}}", "{\"a\": {\"x\": 2}}", false);
}

Test(predicate, holds_without_a_where)
{
    cr_assert(predicate_holds(bytes_of(NULL, 0), bytes_of("\x80", 1)));
}

// Expects this fault of a predicate in JSON.
static void expect_fault(const char *where, const char *expected)
{
    AUTO(buffer_release) struct buffer where_bytes = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_json(where, &where_bytes);
    cr_assert_eq(predicate_check(buffer_bytes(&where_bytes), sentence), STATUS_bad_request);
    cr_assert_str_eq(sentence, expected);
}

Test(predicate, names_what_is_wrong_with_it)
{
    expect_fault("{\"a\": {\"$foo\": 1}}", "has the unknown operator \"$foo\"");
    expect_fault("{\"$foo\": 1}", "has the unknown operator \"$foo\"");
    expect_fault("{\"$gt\": 1}", "has the operator \"$gt\" without a field");
    expect_fault("{\"a\": {\"$gt\": 1, \"b\": 2}}",
                 "has \"b\" among the operators of the field \"a\"");
    expect_fault("{\"a\": {\" b\": 2, \"$gt\": 1}}",
                 "has \" b\" among the operators of the field \"a\"");
    expect_fault("{\"a..b\": 1}", "has \"a..b\" in the place of a field's path");
    expect_fault("{\"\": 1}", "has \"\" in the place of a field's path");
    expect_fault("{\"a\": {\"$in\": 1}}",
                 "has the operator \"$in\" with something else than an array of values");
    expect_fault("{\"a\": {\"$exists\": 1}}",
                 "has the operator \"$exists\" with something else than true or false");
    expect_fault("{\"a\": {\"$prefix\": 1}}",
                 "has the operator \"$prefix\" with something else than a text");
    expect_fault("{\"a\": {\"$type\": \"int\"}}",
                 "has the operator \"$type\" with something else than one of the words null, "
                 "boolean, integer, float, number, text, binary, timestamp, array and map");
    expect_fault("{\"$and\": []}", "has the operator \"$and\" with something else than an array of "
                                   "at least one predicate");
    expect_fault("{\"$or\": {}}", "has the operator \"$or\" with something else than an array of "
                                  "at least one predicate");
    expect_fault("{\"$or\": [1]}", "has in the list of \"$or\" an element that is not a map");
    expect_fault("{\"$not\": [{}]}",
                 "has the operator \"$not\" with something else than a predicate");
    expect_fault("{\"$or\": [{}, {\"$and\": [{\"$not\": {\"a\": {\"$x\": 0}}}]}]}",
                 "has the unknown operator \"$x\"");
}

Test(predicate, is_refused_unless_it_is_a_canonical_map)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(predicate_check(bytes_of("\x81\xa1x\xcc\x01", 5), sentence), STATUS_bad_request);
    cr_assert_str_eq(sentence, "is not in canonical form");
    cr_assert_eq(predicate_check(bytes_of("\x90", 1), sentence), STATUS_type);
    cr_assert_str_eq(sentence, "is not a map");
    cr_assert_eq(predicate_check(bytes_of("\x81", 1), sentence), STATUS_bad_request);
    cr_assert_eq(predicate_check(bytes_of(NULL, 0), sentence), STATUS_bad_request);
    cr_assert_str_eq(sentence, "is not well-formed msgpack");
}

// {"$not": {"$not": ... {}}}, `depth` maps in all.
static void append_nested(unsigned depth, struct buffer *out)
{
    for (unsigned i = 1; i < depth; i++) {
        pack_map(out, 1);
        pack_text_literal(out, "$not");
    }
    pack_map(out, 0);
}

Test(predicate, may_nest_as_deep_as_a_document)
{
    AUTO(buffer_release) struct buffer where = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_nested(DOCUMENT_DEPTH_MAX, &where);
    cr_assert_eq(predicate_check(buffer_bytes(&where), sentence), STATUS_ok);
    cr_assert_not(predicate_holds(buffer_bytes(&where), bytes_of("\x80", 1)));
    buffer_clear(&where);
    append_nested(DOCUMENT_DEPTH_MAX + 1, &where);
    cr_assert_eq(predicate_check(buffer_bytes(&where), sentence), STATUS_too_deep);
    cr_assert_str_eq(sentence, "is nested too deeply");
}

// {"$or": [{"a": 0}, {"a": 0}, ...]}, with so many predicates.
static enum status check_fields(unsigned count, char sentence[ERROR_MESSAGE_SIZE_MAX])
{
    AUTO(buffer_release) struct buffer where = {0};
    pack_map(&where, 1);
    pack_text_literal(&where, "$or");
    pack_array(&where, count);
    for (unsigned i = 0; i < count; i++) {
        append_json("{\"a\": 0}", &where);
    }
    return predicate_check(buffer_bytes(&where), sentence);
}

Test(predicate, looks_up_so_many_fields_at_most)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(check_fields(PREDICATE_FIELDS_MAX, sentence), STATUS_ok);
    cr_assert_eq(check_fields(PREDICATE_FIELDS_MAX + 1, sentence), STATUS_too_large);
    cr_assert_str_eq(sentence, "looks up fields more than 256 times; \"$in\" takes many values at "
                               "once");
}

Test(predicate, counts_the_fields_that_it_looks_up)
{
    static const struct {
        const char *json;
        uint32_t count;
    } CASES[] = {
        {"{}", 0},
        {"{\"a\": 1}", 1},
        {"{\"a\": {\"$gt\": 1, \"$lt\": 5}, \"b.c\": {\"d\": 1}}", 2},
        {"{\"a\": {\"$in\": [1, 2, 3]}}", 1},
        {"{\"a\": 1, \"$or\": [{\"a\": 2, \"b\": 2}, {}, {\"a\": 3}]}", 4},
        {"{\"$not\": {\"a\": 1, \"$and\": [{\"$not\": {\"b\": 1}}]}}", 2},
    };
    cr_assert_eq(predicate_field_count((struct bytes){0}), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        AUTO(buffer_release) struct buffer where = {0};
        append_json(CASES[i].json, &where);
        cr_assert_eq(predicate_field_count(buffer_bytes(&where)), CASES[i].count, "%s",
                     CASES[i].json);
    }
}

Test(predicate, survives_damage)
{
    struct random random;
    unsigned sound = 0;
    random_init(&random, 3);
    for (unsigned i = 0; i < 200000; i++) {
        AUTO(scene_release) struct scene scene = {0};
        char sentence[ERROR_MESSAGE_SIZE_MAX];
        scene_make(&scene, &random);
        bytes_damage(&random, &scene.where_bytes);
        struct bytes where = buffer_bytes(&scene.where_bytes);
        if (predicate_check(where, sentence) == STATUS_ok) {
            (void)predicate_holds(where, buffer_bytes(&scene.document_bytes));
            sound++;
        }
    }
    cr_assert_gt(sound, 1000);
}
