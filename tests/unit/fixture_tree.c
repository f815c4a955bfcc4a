/*
 * Containers are lists, and everything is found by walking them. Numbers are compared as long
 * doubles, which hold all integers and doubles there are.
 */
#include "tests/unit/fixture_tree.h"

#include "base/assert.h"
#include "wire/pack.h"

#include <assert.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(LDBL_MANT_DIG >= 64, "a long double holds every 64-bit integer and every double");

void grove_release(struct grove *grove)
{
    while (grove->last != NULL) {
        struct tree *tree = grove->last;
        grove->last = tree->before;
        free(tree);
    }
}

struct tree *tree_new(struct grove *grove, struct value head)
{
    struct tree *tree = calloc(1, sizeof *tree);
    ASSERT(tree != NULL);
    tree->head = head;
    tree->before = grove->last;
    grove->last = tree;
    return tree;
}

bool tree_is(const struct tree *tree, enum value_kind kind)
{
    return tree->head.kind == kind;
}

static struct tree *read_next(struct grove *grove, struct cursor *cursor)
{
    struct value head;
    ASSERT(cursor_value(cursor, &head) == STATUS_ok);
    struct tree *tree = tree_new(grove, head);
    if (!tree_is(tree, VALUE_MAP) && !tree_is(tree, VALUE_ARRAY)) {
        return tree;
    }
    struct tree **end = &tree->first;
    for (uint32_t i = 0; i < head.count; i++) {
        struct bytes name = {0};
        if (tree_is(tree, VALUE_MAP)) {
            ASSERT(cursor_text(cursor, &name) == STATUS_ok);
        }
        *end = read_next(grove, cursor);
        (*end)->name = name;
        end = &(*end)->next;
    }
    return tree;
}

struct tree *tree_read(struct grove *grove, struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    struct tree *tree = read_next(grove, &cursor);
    ASSERT(cursor_at_end(&cursor));
    return tree;
}

struct tree *tree_text(struct grove *grove, const char *text)
{
    return tree_new(grove, (struct value){.kind = VALUE_TEXT, .bytes = bytes_from_text(text)});
}

struct tree *tree_copy(struct grove *grove, const struct tree *tree)
{
    struct tree *copy = tree_new(grove, tree->head);
    copy->name = tree->name;
    struct tree **end = &copy->first;
    for (const struct tree *child = tree->first; child != NULL; child = child->next) {
        *end = tree_copy(grove, child);
        end = &(*end)->next;
    }
    return copy;
}

size_t tree_count(const struct tree *container)
{
    size_t count = 0;
    for (const struct tree *child = container->first; child != NULL; child = child->next) {
        count += !child->is_removed;
    }
    return count;
}

unsigned tree_depth(const struct tree *tree)
{
    if (!tree_is(tree, VALUE_MAP) && !tree_is(tree, VALUE_ARRAY)) {
        return 0;
    }
    unsigned deepest = 0;
    for (const struct tree *child = tree->first; child != NULL; child = child->next) {
        unsigned depth = tree_depth(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

void tree_push(struct tree *array, struct tree *value)
{
    struct tree **end = &array->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = value;
}

struct tree *tree_field(const struct tree *map, struct bytes name)
{
    struct tree *field = map->first;
    while (field != NULL && !bytes_equal(field->name, name)) {
        field = field->next;
    }
    return field;
}

void tree_remove(struct tree *map, struct bytes name)
{
    struct tree **field = &map->first;
    while (*field != NULL && !bytes_equal((*field)->name, name)) {
        field = &(*field)->next;
    }
    if (*field != NULL) {
        *field = (*field)->next;
    }
}

void tree_put(struct tree *map, struct bytes name, struct tree *value)
{
    tree_remove(map, name);
    struct tree **place = &map->first;
    while (*place != NULL && bytes_compare((*place)->name, name) < 0) {
        place = &(*place)->next;
    }
    value->name = name;
    value->next = *place;
    *place = value;
}

void tree_put_literal(struct tree *map, const char *name, struct tree *value)
{
    tree_put(map, bytes_from_text(name), value);
}

struct bytes tree_take_name(struct bytes *path)
{
    size_t size = 0;
    while (size < path->size && path->data[size] != '.') {
        size++;
    }
    struct bytes name = bytes_of(path->data, size);
    size_t taken = size < path->size ? size + 1 : size;
    *path = bytes_of(path->data + taken, path->size - taken);
    return name;
}

struct tree *tree_element(const struct tree *array, struct bytes name)
{
    unsigned number = 0;
    for (struct tree *element = array->first; element != NULL; element = element->next) {
        char digits[16];
        int size = snprintf(digits, sizeof digits, "%u", number++);
        if (bytes_equal(bytes_of(digits, (size_t)size), name)) {
            return element;
        }
    }
    return NULL;
}

struct tree *tree_find(struct tree *document, struct bytes path)
{
    struct tree *at = document;
    while (at != NULL && path.size > 0) {
        struct bytes name = tree_take_name(&path);
        switch (at->head.kind) {
        case VALUE_MAP: at = tree_field(at, name); break;
        case VALUE_ARRAY: at = tree_element(at, name); break;
        default: at = NULL; break;
        }
    }
    return at;
}

static int rank_of(const struct tree *tree)
{
    switch (tree->head.kind) {
    case VALUE_NIL: return 0;
    case VALUE_BOOLEAN: return 1;
    case VALUE_TIMESTAMP: return 3;
    case VALUE_BINARY: return 4;
    case VALUE_TEXT: return 5;
    case VALUE_ARRAY: return 6;
    case VALUE_MAP: return 7;
    default: return 2;
    }
}

bool tree_is_comparable(const struct tree *a, const struct tree *b)
{
    return rank_of(a) == rank_of(b);
}

static long double number_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_UNSIGNED: return (long double)value->natural;
    case VALUE_NEGATIVE: return (long double)value->integer;
    default: return (long double)value->real;
    }
}

static int compare_numbers(long double a, long double b)
{
    return a < b ? -1 : a > b;
}

static int compare_timestamps(const struct value *a, const struct value *b)
{
    if (a->seconds != b->seconds) {
        return a->seconds < b->seconds ? -1 : 1;
    }
    return compare_numbers(a->nanoseconds, b->nanoseconds);
}

static int compare_children(const struct tree *a, const struct tree *b)
{
    const struct tree *child_a = a->first;
    const struct tree *child_b = b->first;
    while (child_a != NULL && child_b != NULL) {
        int order = bytes_compare(child_a->name, child_b->name);
        order = order != 0 ? order : tree_compare(child_a, child_b);
        if (order != 0) {
            return order;
        }
        child_a = child_a->next;
        child_b = child_b->next;
    }
    return (child_a != NULL) - (child_b != NULL);
}

int tree_compare(const struct tree *a, const struct tree *b)
{
    if (rank_of(a) != rank_of(b)) {
        return rank_of(a) - rank_of(b);
    }
    switch (a->head.kind) {
    case VALUE_NIL: return 0;
    case VALUE_BOOLEAN: return a->head.boolean - b->head.boolean;
    case VALUE_TIMESTAMP: return compare_timestamps(&a->head, &b->head);
    case VALUE_BINARY:
    case VALUE_TEXT: return bytes_compare(a->head.bytes, b->head.bytes);
    case VALUE_ARRAY:
    case VALUE_MAP: return compare_children(a, b);
    default: return compare_numbers(number_of(&a->head), number_of(&b->head));
    }
}

static void write_container(const struct tree *tree, struct buffer *out)
{
    bool is_map = tree_is(tree, VALUE_MAP);
    if (is_map) {
        pack_map(out, (uint32_t)tree_count(tree));
    } else {
        pack_array(out, (uint32_t)tree_count(tree));
    }
    for (const struct tree *child = tree->first; child != NULL; child = child->next) {
        if (child->is_removed) {
            continue;
        }
        if (is_map) {
            pack_text(out, child->name);
        }
        tree_write(child, out);
    }
}

void tree_write(const struct tree *tree, struct buffer *out)
{
    const struct value *head = &tree->head;
    switch (head->kind) {
    case VALUE_NIL: pack_nil(out); break;
    case VALUE_BOOLEAN: pack_flag(out, head->boolean); break;
    case VALUE_UNSIGNED: pack_u64(out, head->natural); break;
    case VALUE_NEGATIVE: pack_i64(out, head->integer); break;
    case VALUE_FLOAT: pack_double(out, head->real); break;
    case VALUE_TEXT: pack_text(out, head->bytes); break;
    case VALUE_BINARY: pack_binary(out, head->bytes); break;
    case VALUE_TIMESTAMP: pack_timestamp(out, head->seconds, head->nanoseconds); break;
    default: write_container(tree, out); break;
    }
}

static const char *const NAMES[] = {"a", "b", "ab", "a-b", "0", "1", "2", "10", "00", "ä"};

enum { NAME_COUNT = sizeof NAMES / sizeof NAMES[0] };

const char *path_random(struct random *random)
{
    static const char *const paths[] = {
        "a",     "b",     "ab",    "a-b",     "0",       "1",           "2",     "10",
        "ä",     "00",    "a.a",   "a.b",     "a.ab",    "a.0",         "a.1",   "a.2",
        "a.10",  "b.a",   "b.0",   "b.00",    "b.1",     "b.2",         "b.10",  "ab.a",
        "a-b.a", "a-b.0", "0.0",   "0.a",     "a.a.a",   "a.a.b",       "a.0.a", "a.1.0",
        "a.2.b", "b.0.0", "b.a.1", "b.1.a.0", "missing", "a.missing.x",
    };
    return paths[random_below(random, sizeof paths / sizeof paths[0])];
}

struct tree *tree_random_number(struct grove *grove, struct random *random)
{
    static const double reals[] = {0,      1,      0.5,     -1,     1.5,   2,
                                   0x1p53, 0x1p63, -0x1p63, 0x1p64, 1e308, -1e-300};
    static const uint64_t naturals[] = {0,
                                        1,
                                        2,
                                        3,
                                        7,
                                        UINT64_MAX,
                                        INT64_MAX,
                                        1ULL << 63,
                                        1ULL << 53,
                                        (1ULL << 53) + 1,
                                        UINT64_MAX - 1,
                                        1ULL << 32};
    static const int64_t negatives[] = {-1, -2, -3, INT64_MIN, INT64_MIN + 1, -(1LL << 53) - 1};
    switch (random_below(random, 3)) {
    case 0:
        return tree_new(
            grove, (struct value){.kind = VALUE_FLOAT, .real = reals[random_below(random, 12)]});
    case 1:
        return tree_new(grove, (struct value){.kind = VALUE_UNSIGNED,
                                              .natural = naturals[random_below(random, 12)]});
    default:
        return tree_new(grove, (struct value){.kind = VALUE_NEGATIVE,
                                              .integer = negatives[random_below(random, 6)]});
    }
}

static struct tree *random_bytes(struct grove *grove, struct random *random, enum value_kind kind)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "b", "ä", "a\x01", "$inc"};
    struct bytes bytes = bytes_from_text(texts[random_below(random, 8)]);
    return tree_new(grove, (struct value){.kind = kind, .bytes = bytes});
}

static struct tree *random_timestamp(struct grove *grove, struct random *random)
{
    struct value head = {.kind = VALUE_TIMESTAMP};
    head.seconds = (int64_t)random_below(random, 4) - 1;
    head.nanoseconds = (uint32_t)random_below(random, 2);
    return tree_new(grove, head);
}

struct tree *tree_random_map(struct grove *grove, struct random *random, unsigned depth)
{
    struct tree *map = tree_new(grove, (struct value){.kind = VALUE_MAP});
    uint64_t count = random_below(random, random_chance(random, 20000) ? 2 * NAME_COUNT : 5);
    for (uint64_t i = 0; i < count; i++) {
        const char *name = NAMES[random_below(random, NAME_COUNT)];
        tree_put_literal(map, name, tree_random(grove, random, depth - 1));
    }
    return map;
}

static struct tree *random_array(struct grove *grove, struct random *random, unsigned depth)
{
    struct tree *array = tree_new(grove, (struct value){.kind = VALUE_ARRAY});
    uint64_t count = random_below(random, random_chance(random, 100000) ? 20 : 4);
    for (uint64_t i = 0; i < count; i++) {
        tree_push(array, tree_random(grove, random, depth - 1));
    }
    return array;
}

struct tree *tree_random(struct grove *grove, struct random *random, unsigned depth)
{
    switch (random_below(random, depth > 0 ? 14 : 8)) {
    case 0: return tree_new(grove, (struct value){.kind = VALUE_NIL});
    case 1:
        return tree_new(
            grove, (struct value){.kind = VALUE_BOOLEAN, .boolean = random_chance(random, 500000)});
    case 2: return random_bytes(grove, random, VALUE_BINARY);
    case 3: return random_timestamp(grove, random);
    case 4: return random_bytes(grove, random, VALUE_TEXT);
    case 5:
    case 6:
    case 7: return tree_random_number(grove, random);
    case 8:
    case 9:
    case 10: return random_array(grove, random, depth);
    default: return tree_random_map(grove, random, depth);
    }
}
