/*
 * Log-linear buckets. A value of at least 16 is its highest bit, which gives the group, and the
 * four bits below that, which give the bucket within the group:
 *
 *    value   0 .. 15     16 .. 31     32 .. 63 (steps of 2)     64 .. 127 (steps of 4)   ...
 *    bucket  0 .. 15     16 .. 31     32 .. 47                  48 .. 63                 ...
 */
#include "base/histogram.h"

#include "base/assert.h"

enum { SUB_BUCKET_BITS = 4 };

static unsigned bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_SUB_BUCKETS) {
        return (unsigned)value;
    }
    unsigned highest_bit = 63 - (unsigned)__builtin_clzll(value);
    unsigned shift = highest_bit - SUB_BUCKET_BITS;
    return (shift + 1) * HISTOGRAM_SUB_BUCKETS + (unsigned)(value >> shift) - HISTOGRAM_SUB_BUCKETS;
}

// The largest value that falls into the bucket.
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < HISTOGRAM_SUB_BUCKETS) {
        return bucket;
    }
    unsigned shift = bucket / HISTOGRAM_SUB_BUCKETS - 1;
    uint64_t first = (uint64_t)(HISTOGRAM_SUB_BUCKETS + bucket % HISTOGRAM_SUB_BUCKETS) << shift;
    return first + ((1ULL << shift) - 1);
}

void histogram_init(struct histogram *histogram)
{
    *histogram = (struct histogram){0};
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max) {
        histogram->max = value;
    }
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram->counts[i] += other->counts[i];
    }
    histogram->count += other->count;
    if (other->max > histogram->max) {
        histogram->max = other->max;
    }
}

uint64_t histogram_percentile(const struct histogram *histogram, uint32_t parts)
{
    ASSERT(parts <= HISTOGRAM_PARTS);
    __uint128_t scaled = (__uint128_t)histogram->count * parts;
    uint64_t rank = (uint64_t)((scaled + HISTOGRAM_PARTS - 1) / HISTOGRAM_PARTS);
    uint64_t passed = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        passed += histogram->counts[i];
        if (passed >= rank && passed > 0) {
            uint64_t end = bucket_end(i);
            return end < histogram->max ? end : histogram->max;
        }
    }
    return 0;
}
