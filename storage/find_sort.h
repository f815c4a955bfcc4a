/*
 * The first rows of a find in an order that no scan has: takes all rows, keeps as many as are
 * wanted, and gives them in order. A row here is a key to sort by.
 */
#ifndef SKEIN_STORAGE_FIND_SORT_H
#define SKEIN_STORAGE_FIND_SORT_H

#include "base/buffer.h"

struct find_sort {
    struct buffer *rows;   // owned; [0, count): keys of the rows kept; beyond: memory to use again
    size_t count;          // rows kept
    size_t capacity;       // allocated
    size_t count_max;      // rows to keep
    bool is_backwards;     // the greatest keys are the first
    struct buffer scratch; // owned; key of the row at hand
};

void find_sort_init(struct find_sort *sort, size_t count_max, bool is_backwards);
void find_sort_release(struct find_sort *sort);

// Takes the row whose key was put into sort->scratch, and leaves that empty.
void find_sort_add(struct find_sort *sort);

// Puts the rows that are kept in order; no row is added afterwards.
void find_sort_finish(struct find_sort *sort);

#endif
