/*
 * Arrays that grow: what every checker keeps its findings in.
 */
#ifndef SKEIN_TESTS_CHECK_ARRAY_H
#define SKEIN_TESTS_CHECK_ARRAY_H

#include "base/assert.h"

#include <stddef.h>
#include <stdlib.h>

// Memory for `count` items of `size` bytes, all zero. The caller frees it.
static inline void *array_new(size_t count, size_t size)
{
    void *items = calloc(count > 0 ? count : 1, size);
    ASSERT(items != NULL);
    return items;
}

// Room for one item more than `count` in memory for `*capacity`, which may have to move: returns
// where the items are now.
static inline void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity == 0 ? 64 : 2 * *capacity;
    items = reallocarray(items, *capacity, size);
    ASSERT(items != NULL);
    return items;
}

// Owned arrays fit AUTO() by this: frees what the pointer at `items` points to.
static inline void array_release(void *items)
{
    free(*(void **)items);
}

#endif
