/*
 * An array that grows and is never made smaller: as many may wait again. Sweeping it when it holds
 * twice as many as can be pending costs less than one step for each id added.
 */
#include "actors/reader/id_list.h"

#include "base/assert.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

void id_list_add(struct id_list *list, uint64_t id)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? CAPACITY_MIN : 2 * list->capacity;
        list->ids = reallocarray(list->ids, list->capacity, sizeof *list->ids);
        ASSERT(list->ids != NULL);
    }
    list->ids[list->count++] = id;
}

void id_list_move(struct id_list *list, struct id_list *from)
{
    for (size_t i = 0; i < from->count; i++) {
        id_list_add(list, from->ids[i]);
    }
    from->count = 0;
}

void id_list_sweep(struct id_list *list, const struct pending *pending)
{
    if (list->count < 2 * (size_t)pending->count_max) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        uint32_t slot;
        if (pending_find(pending, list->ids[i], &slot)) {
            list->ids[kept++] = list->ids[i];
        }
    }
    list->count = kept;
}

void id_list_release(struct id_list *list)
{
    free(list->ids);
    *list = (struct id_list){0};
}
