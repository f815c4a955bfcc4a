/*
 * Requests by their ids, in the order in which they were added. One that has ended stays in a list
 * until somebody looks at it or the list is swept.
 */
#ifndef SKEIN_ACTORS_READER_ID_LIST_H
#define SKEIN_ACTORS_READER_ID_LIST_H

#include "cluster/pending.h"

struct id_list {
    uint64_t *ids; // owned
    size_t count;
    size_t capacity;
};

void id_list_add(struct id_list *list, uint64_t id);

// Adds all of `from`, which is empty then.
void id_list_move(struct id_list *list, struct id_list *from);

// Takes out what is not in `pending` any more, once the list holds twice as many as that may:
// without a primary nobody else empties it.
void id_list_sweep(struct id_list *list, const struct pending *pending);

void id_list_release(struct id_list *list);

#endif
