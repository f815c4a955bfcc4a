/*
 * Percentiles against a sorted array of the same values.
 */
#include "base/histogram.h"

#include "base/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { SAMPLE_COUNT = 20000 };

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *value_a = a;
    const uint64_t *value_b = b;
    return *value_a < *value_b ? -1 : *value_a > *value_b;
}

// Values of all magnitudes, sorted, and a histogram of them.
static void sample_init(uint64_t *values, struct histogram *histogram, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    histogram_init(histogram);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        values[i] = random_next(&random) >> random_below(&random, 64);
        histogram_record(histogram, values[i]);
    }
    qsort(values, SAMPLE_COUNT, sizeof *values, compare_u64);
}

Test(histogram, is_empty_at_first)
{
    struct histogram histogram;
    histogram_init(&histogram);
    cr_assert_eq(histogram.count, 0);
    cr_assert_eq(histogram_percentile(&histogram, 50000), 0);
}

Test(histogram, is_exact_below_32)
{
    struct histogram histogram;
    histogram_init(&histogram);
    for (uint64_t value = 0; value < 32; value++) {
        histogram_record(&histogram, value);
    }
    for (uint32_t i = 1; i <= 32; i++) {
        cr_assert_eq(histogram_percentile(&histogram, i * HISTOGRAM_PARTS / 32), i - 1);
    }
}

Test(histogram, percentile_is_at_most_a_sixteenth_too_high)
{
    static uint64_t values[SAMPLE_COUNT];
    static struct histogram histogram;
    sample_init(values, &histogram, 1);
    for (uint32_t parts = 1000; parts <= HISTOGRAM_PARTS; parts += 1000) {
        uint64_t exact = values[(uint64_t)SAMPLE_COUNT * parts / HISTOGRAM_PARTS - 1];
        uint64_t found = histogram_percentile(&histogram, parts);
        cr_assert(found >= exact && found - exact <= exact / 16, "%u: %lu for %lu", parts, found,
                  exact);
    }
}

Test(histogram, takes_the_largest_value)
{
    struct histogram histogram;
    histogram_init(&histogram);
    histogram_record(&histogram, UINT64_MAX);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_PARTS), UINT64_MAX);
    cr_assert_eq(histogram.max, UINT64_MAX);
}

Test(histogram, percentile_never_exceeds_the_maximum)
{
    struct histogram histogram;
    histogram_init(&histogram);
    histogram_record(&histogram, 1000001);
    cr_assert_eq(histogram_percentile(&histogram, 50000), 1000001);
}

Test(histogram, merging_equals_recording_all)
{
    static uint64_t values[SAMPLE_COUNT];
    static struct histogram a;
    static struct histogram b;
    static struct histogram all;
    sample_init(values, &a, 2);
    all = a;
    sample_init(values, &b, 3);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        histogram_record(&all, values[i]);
    }
    histogram_merge(&a, &b);
    cr_assert_eq(memcmp(&a, &all, sizeof a), 0);
}
