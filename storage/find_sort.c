/*
 * A heap with the last one of the rows kept at its root: a row that comes after it is not wanted
 * once there are enough, and one that comes before it takes its place. When all rows have been seen
 * the heap is taken apart, root after root, from the end of the array to its front.
 *
 * Keys are all different: they end with the document's id. Buffers are exchanged, never copied, and
 * those of rows that went serve the next ones.
 */
#include "storage/find_sort.h"

#include "base/assert.h"

#include <stdlib.h>

void find_sort_init(struct find_sort *sort, size_t count_max, bool is_backwards)
{
    *sort = (struct find_sort){.count_max = count_max, .is_backwards = is_backwards};
}

void find_sort_release(struct find_sort *sort)
{
    for (size_t i = 0; i < sort->capacity; i++) {
        buffer_release(&sort->rows[i]);
    }
    free(sort->rows);
    buffer_release(&sort->scratch);
    *sort = (struct find_sort){0};
}

static bool comes_before(const struct find_sort *sort, const struct buffer *a,
                         const struct buffer *b)
{
    int order = bytes_compare(buffer_bytes(a), buffer_bytes(b));
    return sort->is_backwards ? order > 0 : order < 0;
}

static void exchange(struct buffer *a, struct buffer *b)
{
    struct buffer kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(struct find_sort *sort, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!comes_before(sort, &sort->rows[parent], &sort->rows[at])) {
            return;
        }
        exchange(&sort->rows[parent], &sort->rows[at]);
        at = parent;
    }
}

// Among the first `count` rows, of which only the root may be out of place.
static void sift_down(struct find_sort *sort, size_t count)
{
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        bool has_right = child + 1 < count;
        if (has_right && comes_before(sort, &sort->rows[child], &sort->rows[child + 1])) {
            child++;
        }
        if (!comes_before(sort, &sort->rows[at], &sort->rows[child])) {
            return;
        }
        exchange(&sort->rows[at], &sort->rows[child]);
        at = child;
    }
}

static void grow(struct find_sort *sort)
{
    size_t capacity = sort->capacity == 0 ? 16 : 2 * sort->capacity;
    sort->rows = realloc(sort->rows, capacity * sizeof *sort->rows);
    ASSERT(sort->rows != NULL);
    memset(sort->rows + sort->capacity, 0, (capacity - sort->capacity) * sizeof *sort->rows);
    sort->capacity = capacity;
}

void find_sort_add(struct find_sort *sort)
{
    if (sort->count < sort->count_max) {
        if (sort->count == sort->capacity) {
            grow(sort);
        }
        exchange(&sort->rows[sort->count], &sort->scratch);
        sort->count++;
        sift_up(sort, sort->count - 1);
    } else if (sort->count > 0 && comes_before(sort, &sort->scratch, &sort->rows[0])) {
        exchange(&sort->rows[0], &sort->scratch);
        sift_down(sort, sort->count);
    }
    buffer_clear(&sort->scratch);
}

void find_sort_finish(struct find_sort *sort)
{
    for (size_t left = sort->count; left > 1; left--) {
        exchange(&sort->rows[0], &sort->rows[left - 1]);
        sift_down(sort, left - 1);
    }
}
