/*
 * What a majority has: the arithmetic under commit positions and rounds.
 */
#ifndef SKEIN_CLUSTER_MAJORITY_H
#define SKEIN_CLUSTER_MAJORITY_H

#include <stddef.h>
#include <stdint.h>

// The highest value that at least `majority` of the `count` values reach; 0 when there are fewer
// values than that, or majority is 0. Sorts `values`.
uint64_t majority_value(uint64_t *values, size_t count, size_t majority);

#endif
