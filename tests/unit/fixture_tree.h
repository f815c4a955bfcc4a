/*
 * Values as trees: slow, plain, and written without a look at how the code under test does it, so
 * that tests can judge one by the other.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_TREE_H
#define SKEIN_TESTS_UNIT_FIXTURE_TREE_H

#include "base/buffer.h"
#include "base/random.h"
#include "wire/cursor.h"

// One value. Texts and names are borrowed from what the tree was read from.
struct tree {
    struct value head;   // what it is; a container's count is out of date
    struct bytes name;   // of a field in its map
    struct tree *first;  // of what a container holds; fields in the order of their names
    struct tree *next;   // behind this one in the same container
    bool is_removed;     // an element that goes as soon as all changes are made
    struct tree *before; // made before this one by the same grove
};

// Owns all trees made by it.
struct grove {
    struct tree *last; // made
};

void grove_release(struct grove *grove);

// A value of this head, without anything inside.
struct tree *tree_new(struct grove *grove, struct value head);

bool tree_is(const struct tree *tree, enum value_kind kind);

// A tree of a whole msgpack value; of a literal; a copy.
struct tree *tree_read(struct grove *grove, struct bytes value);
struct tree *tree_text(struct grove *grove, const char *text);
struct tree *tree_copy(struct grove *grove, const struct tree *tree);

// What a container holds, elements that are removed aside.
size_t tree_count(const struct tree *container);

// How many containers are nested in it, itself included.
unsigned tree_depth(const struct tree *tree);

// Makes a value the last element of an array.
void tree_push(struct tree *array, struct tree *value);

// A map's field, NULL if there is none; takes it away, or puts a value in its place.
struct tree *tree_field(const struct tree *map, struct bytes name);
void tree_remove(struct tree *map, struct bytes name);
void tree_put(struct tree *map, struct bytes name, struct tree *value);
void tree_put_literal(struct tree *map, const char *name, struct tree *value);

// Takes the name up to the first dot off a path.
struct bytes tree_take_name(struct bytes *path);

// The element that a name counts, NULL if there is none.
struct tree *tree_element(const struct tree *array, struct bytes name);

// What `path` leads to, NULL if there is no such field.
struct tree *tree_find(struct tree *document, struct bytes path);

// Whether two values are of one type, and their order.
bool tree_is_comparable(const struct tree *a, const struct tree *b);
int tree_compare(const struct tree *a, const struct tree *b);

// Appends the value as canonical msgpack, without elements that are removed.
void tree_write(const struct tree *tree, struct buffer *out);

// All that is random comes out of a small world, so that two values are often equal, or nearly,
// and paths often lead somewhere. First the path of a field, a static text; then a number, a map
// and any value, with containers nested at most `depth` deep.
const char *path_random(struct random *random);
struct tree *tree_random_number(struct grove *grove, struct random *random);
struct tree *tree_random_map(struct grove *grove, struct random *random, unsigned depth);
struct tree *tree_random(struct grove *grove, struct random *random, unsigned depth);

#endif
