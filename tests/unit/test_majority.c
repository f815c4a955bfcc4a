/*
 * What a majority has.
 */
#include "cluster/majority.h"

#include "base/random.h"

#include <criterion/criterion.h>

Test(majority, is_reached_by_that_many_values)
{
    uint64_t three[] = {4, 9, 7};
    cr_assert_eq(majority_value(three, 3, 2), 7);
    uint64_t five[] = {0, 4, 9, 4, 7};
    cr_assert_eq(majority_value(five, 5, 3), 4);
    uint64_t one[] = {6};
    cr_assert_eq(majority_value(one, 1, 1), 6);
}

Test(majority, of_too_few_values_is_nothing)
{
    uint64_t values[] = {5};
    cr_assert_eq(majority_value(values, 1, 2), 0);
    cr_assert_eq(majority_value(values, 0, 1), 0);
    cr_assert_eq(majority_value(values, 1, 0), 0);
}

Test(majority, equals_counting)
{
    struct random random;
    random_init(&random, 7);
    for (int round = 0; round < 10000; round++) {
        uint64_t values[7];
        size_t count = 1 + random_below(&random, 7);
        for (size_t i = 0; i < count; i++) {
            values[i] = random_below(&random, 5);
        }
        uint64_t result = majority_value(values, count, count / 2 + 1);
        size_t reach = 0;
        size_t above = 0;
        for (size_t i = 0; i < count; i++) {
            reach += values[i] >= result ? 1 : 0;
            above += values[i] > result ? 1 : 0;
        }
        cr_assert(reach >= count / 2 + 1 && above < count / 2 + 1);
    }
}
