/*
 * The first rows of many, in both directions, as a sort of all of them has them.
 */
#include "storage/find_sort.h"

#include "base/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ROWS_MAX = 300 };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 4);
}

static void add(struct find_sort *sort, const uint8_t row[4])
{
    buffer_append(&sort->scratch, bytes_of(row, 4));
    find_sort_add(sort);
    cr_assert_eq(sort->scratch.size, 0);
}

// Sorts `count` random rows, all different, and compares the first `kept` of them.
static void sort_once(struct random *random, size_t count, size_t kept, bool is_backwards)
{
    struct find_sort sort;
    uint8_t rows[ROWS_MAX][4];
    find_sort_init(&sort, kept, is_backwards);
    for (size_t i = 0; i < count; i++) {
        uint32_t dice = (uint32_t)random_below(random, 1000);
        rows[i][0] = (uint8_t)(dice % 5);
        rows[i][1] = (uint8_t)(dice % 3);
        rows[i][2] = (uint8_t)(i >> 8);
        rows[i][3] = (uint8_t)i;
        add(&sort, rows[i]);
    }
    find_sort_finish(&sort);
    qsort(rows, count, 4, compare);
    cr_assert_eq(sort.count, count < kept ? count : kept);
    for (size_t i = 0; i < sort.count; i++) {
        const uint8_t *wanted = rows[is_backwards ? count - 1 - i : i];
        cr_assert(bytes_equal(buffer_bytes(&sort.rows[i]), bytes_of(wanted, 4)), "row %zu", i);
    }
    find_sort_release(&sort);
}

Test(find_sort, keeps_the_first_rows_in_order)
{
    struct random random;
    random_init(&random, 7);
    for (int i = 0; i < 400; i++) {
        size_t count = random_below(&random, ROWS_MAX + 1);
        size_t kept = random_between(&random, 1, 40);
        sort_once(&random, count, kept, random_chance(&random, 500000));
    }
}

Test(find_sort, keeps_all_when_there_is_room)
{
    struct random random;
    random_init(&random, 8);
    sort_once(&random, ROWS_MAX, ROWS_MAX, false);
    sort_once(&random, ROWS_MAX, ROWS_MAX + 1, true);
    sort_once(&random, 0, 5, false);
}
