/*
 * A persistent ordered map of cells: a version of it is a pointer to its root, taken in O(1) and
 * unchanged by what is written afterwards. Its shape has nothing random in it. Calls are made by
 * one thread or under the caller's lock; only walks may run beside them.
 */
#ifndef SKEIN_STORAGE_CELL_TREE_H
#define SKEIN_STORAGE_CELL_TREE_H

#include "base/bytes.h"

// A version. NULL is the empty one.
struct cell_tree;

// Another reference to the same version.
struct cell_tree *cell_tree_share(struct cell_tree *tree);

// Gives a reference back; NULL-safe, nulls the pointer.
void cell_tree_destroy(struct cell_tree **take_tree);

// Replaces the version in `*tree` by one in which `key` has `value`, or is not there. Versions
// shared with others stay as they are; parts nobody else holds are changed in place.
void cell_tree_put(struct cell_tree **tree, struct bytes key, struct bytes value);
void cell_tree_remove(struct cell_tree **tree, struct bytes key);

// False when there is no such cell; ret_value is borrowed from the version.
bool cell_tree_get(const struct cell_tree *tree, struct bytes key, struct bytes *ret_value);

enum { CELL_TREE_DEPTH_MAX = 128 }; // a million cells are about 40 deep, the odds against 128 vast

// A walk over a version in key order, or backwards. The version is held by the caller.
struct cell_walk {
    const struct cell_tree *path[CELL_TREE_DEPTH_MAX]; // the nodes still to visit, next one last
    size_t depth;                                      // nodes in `path`
    bool is_backwards;
};

// Stands before the first cell with a key of at least `from`.
void cell_walk_init(struct cell_walk *walk, const struct cell_tree *tree, struct bytes from);

// Goes backwards, and stands behind the last cell with a key below `to`; an empty `to` is no end.
void cell_walk_init_backwards(struct cell_walk *walk, const struct cell_tree *tree,
                              struct bytes to);

// Takes the next cell; false at the end. Key and value are borrowed from the version.
bool cell_walk_next(struct cell_walk *walk, struct bytes *ret_key, struct bytes *ret_value);

#endif
