/*
 * A treap with shared nodes. Keys are ordered from left to right, priorities (a hash of the key)
 * from the root down, so the shape depends on the keys alone and is balanced for any keys that were
 * not chosen against it. Nodes and cells count their references:
 *
 *      version 1 (a snapshot)     version 2 (being written)
 *              \                   /
 *              [m:1]           [m':1]          a node that only one version reaches may be changed
 *              /    \          /    \          in place; before a node reached by more is changed,
 *         [c:1]      [t:2] ◄──┘    [c':1]      it is copied, and its children are then reached by
 *            \                       /         one more
 *             `──► cell "c" = 1     `──► cell "c" = 2
 *
 * 1. A node is changed only if every node on the path to it, itself included, has one reference.
 *    own() brings that about on the way down.
 * 2. Cells never change; a copied node shares its cell.
 */
#include "storage/cell_tree.h"

#include "base/assert.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// A key and its value, shared by the nodes of all versions that have it.
struct cell {
    uint32_t references; // nodes that point here
    uint32_t key_size;   // the value begins behind the key
    size_t value_size;
    uint8_t data[]; // key, value
};

struct cell_tree {
    uint32_t references; // parents and holders of the version
    uint32_t priority;   // hash of the key; never below that of a child
    struct cell *cell;
    struct cell_tree *left;  // smaller keys; NULL for none
    struct cell_tree *right; // greater keys; NULL for none
};

static struct cell *cell_new(struct bytes key, struct bytes value)
{
    struct cell *cell = malloc(sizeof *cell + key.size + value.size);
    ASSERT(cell != NULL && key.size < UINT32_MAX);
    cell->references = 1;
    cell->key_size = (uint32_t)key.size;
    cell->value_size = value.size;
    memcpy(cell->data, key.data, key.size);
    if (value.size > 0) {
        memcpy(cell->data + key.size, value.data, value.size);
    }
    return cell;
}

static void cell_destroy(struct cell **take_cell)
{
    if (--(*take_cell)->references == 0) {
        free(*take_cell);
    }
    *take_cell = NULL;
}

static struct bytes cell_key(const struct cell *cell)
{
    return bytes_of(cell->data, cell->key_size);
}

static struct bytes cell_value(const struct cell *cell)
{
    return bytes_of(cell->data + cell->key_size, cell->value_size);
}

static int compare(struct bytes key, const struct cell_tree *node)
{
    return bytes_compare(key, cell_key(node->cell));
}

static struct cell_tree *node_new(struct cell *cell)
{
    struct cell_tree *node = malloc(sizeof *node);
    ASSERT(node != NULL);
    uint32_t priority = (uint32_t)XXH3_64bits(cell->data, cell->key_size);
    *node = (struct cell_tree){.references = 1, .priority = priority, .cell = cell};
    return node;
}

// Makes `*node` one that only its parent reaches, by a copy if need be.
static void own(struct cell_tree **node)
{
    struct cell_tree *shared = *node;
    if (shared->references == 1) {
        return;
    }
    struct cell_tree *copy = malloc(sizeof *copy);
    ASSERT(copy != NULL);
    *copy = *shared;
    copy->references = 1;
    copy->cell->references++;
    cell_tree_share(copy->left);
    cell_tree_share(copy->right);
    shared->references--;
    *node = copy;
}

struct cell_tree *cell_tree_share(struct cell_tree *tree)
{
    if (tree != NULL) {
        tree->references++;
    }
    return tree;
}

void cell_tree_destroy(struct cell_tree **take_tree)
{
    struct cell_tree *node = *take_tree;
    *take_tree = NULL;
    while (node != NULL && --node->references == 0) {
        struct cell_tree *right = node->right;
        cell_tree_destroy(&node->left);
        cell_destroy(&node->cell);
        free(node);
        node = right;
    }
}

// Both nodes are owned by the path; the child of `*node` with the higher priority becomes its root.
static void rotate_right(struct cell_tree **node)
{
    struct cell_tree *top = (*node)->left;
    (*node)->left = top->right;
    top->right = *node;
    *node = top;
}

static void rotate_left(struct cell_tree **node)
{
    struct cell_tree *top = (*node)->right;
    (*node)->right = top->left;
    top->left = *node;
    *node = top;
}

static void put_cell(struct cell_tree **tree, struct cell *cell)
{
    if (*tree == NULL) {
        *tree = node_new(cell);
        return;
    }
    own(tree);
    struct cell_tree *node = *tree;
    int order = compare(cell_key(cell), node);
    if (order == 0) {
        cell_destroy(&node->cell);
        node->cell = cell;
    } else if (order < 0) {
        put_cell(&node->left, cell);
        if (node->left->priority > node->priority) {
            rotate_right(tree);
        }
    } else {
        put_cell(&node->right, cell);
        if (node->right->priority > node->priority) {
            rotate_left(tree);
        }
    }
}

void cell_tree_put(struct cell_tree **tree, struct bytes key, struct bytes value)
{
    put_cell(tree, cell_new(key, value));
}

// One tree of two, all keys of `left` being smaller than those of `right`.
static struct cell_tree *join(struct cell_tree *left, struct cell_tree *right)
{
    if (left == NULL || right == NULL) {
        return left == NULL ? right : left;
    }
    if (left->priority >= right->priority) {
        own(&left);
        left->right = join(left->right, right);
        return left;
    }
    own(&right);
    right->left = join(left, right->left);
    return right;
}

void cell_tree_remove(struct cell_tree **tree, struct bytes key)
{
    struct bytes value;
    if (!cell_tree_get(*tree, key, &value)) {
        return;
    }
    struct cell_tree **at = tree;
    own(at);
    for (int order = compare(key, *at); order != 0; order = compare(key, *at)) {
        at = order < 0 ? &(*at)->left : &(*at)->right;
        own(at);
    }
    struct cell_tree *removed = *at;
    *at = join(removed->left, removed->right);
    cell_destroy(&removed->cell);
    free(removed);
}

bool cell_tree_get(const struct cell_tree *tree, struct bytes key, struct bytes *ret_value)
{
    while (tree != NULL) {
        int order = compare(key, tree);
        if (order == 0) {
            *ret_value = cell_value(tree->cell);
            return true;
        }
        tree = order < 0 ? tree->left : tree->right;
    }
    return false;
}

static void push(struct cell_walk *walk, const struct cell_tree *node)
{
    ASSERT(walk->depth < CELL_TREE_DEPTH_MAX);
    walk->path[walk->depth++] = node;
}

void cell_walk_init(struct cell_walk *walk, const struct cell_tree *tree, struct bytes from)
{
    walk->depth = 0;
    walk->is_backwards = false;
    while (tree != NULL) {
        if (compare(from, tree) <= 0) {
            push(walk, tree);
            tree = tree->left;
        } else {
            tree = tree->right;
        }
    }
}

void cell_walk_init_backwards(struct cell_walk *walk, const struct cell_tree *tree, struct bytes to)
{
    walk->depth = 0;
    walk->is_backwards = true;
    while (tree != NULL) {
        if (to.size == 0 || compare(to, tree) > 0) {
            push(walk, tree);
            tree = tree->right;
        } else {
            tree = tree->left;
        }
    }
}

bool cell_walk_next(struct cell_walk *walk, struct bytes *ret_key, struct bytes *ret_value)
{
    if (walk->depth == 0) {
        return false;
    }
    const struct cell_tree *node = walk->path[--walk->depth];
    *ret_key = cell_key(node->cell);
    *ret_value = cell_value(node->cell);
    node = walk->is_backwards ? node->left : node->right;
    while (node != NULL) {
        push(walk, node);
        node = walk->is_backwards ? node->right : node->left;
    }
    return true;
}
