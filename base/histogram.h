/*
 * Counts of values (times in µs, sizes) by magnitude: each power of two is split into 16 buckets,
 * so that a percentile is at most 1/16 too high, whatever the range. Histograms of several threads
 * or processes can be added up.
 */
#ifndef SKEIN_BASE_HISTOGRAM_H
#define SKEIN_BASE_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_SUB_BUCKETS = 16,                               // buckets for each power of two
    HISTOGRAM_BUCKETS = (64 - 4 + 1) * HISTOGRAM_SUB_BUCKETS, // values below 16 have one each
    HISTOGRAM_PARTS = 100000, // parts that a percentile is counted in
};

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS]; // values recorded in each bucket
    uint64_t count;                     // values recorded
    uint64_t max;                       // largest of them; 0 for none
};

// An empty histogram; all zero is one, too.
void histogram_init(struct histogram *histogram);

void histogram_record(struct histogram *histogram, uint64_t value);

// Adds all that `other` holds.
void histogram_merge(struct histogram *histogram, const struct histogram *other);

// The value that `parts` of HISTOGRAM_PARTS of all values don't exceed: 50000 is the median, 99900
// the 99.9th percentile. The upper end of its bucket, at most the largest value; 0 when empty.
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t parts);

#endif
