/*
 * What a majority has. With the values sorted downwards, the one in place `majority` is reached by
 * that many voters:
 *
 *   positions 9 7 4, majority 2  ->  7        positions 9 7 4 4 0, majority 3  ->  4
 */
#include "cluster/majority.h"

uint64_t majority_value(uint64_t *values, size_t count, size_t majority)
{
    if (majority == 0 || majority > count) {
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        size_t place = i;
        while (place > 0 && values[place - 1] < value) {
            values[place] = values[place - 1];
            place--;
        }
        values[place] = value;
    }
    return values[majority - 1];
}
