/*
 * Patches done to trees, pair by pair as the words of wire/document/patch.h say, and random ones.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_PATCH_H
#define SKEIN_TESTS_UNIT_FIXTURE_PATCH_H

#include "base/status.h"
#include "tests/unit/fixture_tree.h"

// The time of the transactions that patches are part of.
#define PATCH_TIME_US UINT64_C(1700000000123456)

// Does all pairs to the tree; returns a bit for each status that one of them failed with.
unsigned tree_patch(struct tree *document, const struct tree *patch, struct grove *grove);

// A patch that has something to do with a document.
struct tree *tree_random_patch(struct grove *grove, struct random *random, struct tree *document);

#endif
