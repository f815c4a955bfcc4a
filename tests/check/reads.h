/*
 * What reads of lists tell one by one, and in pairs: reads that can't be right whatever the order
 * of transactions is.
 *
 *   internal            a read disagrees with what its own transaction did before
 *   phantom             a number was read that nobody has appended
 *   duplicate           a number was read twice in a list: its append was done twice
 *   G1a                 a number was read whose transaction failed (aborted read)
 *   dirty-update        behind such a number another transaction's was appended
 *   G1b                 a list was read between two appends of one transaction (intermediate read)
 *   incompatible-order  two reads of a key don't begin alike
 *   lost-append         an acknowledged append is missing in every read, and one of them began
 *                       after it was acknowledged
 */
#ifndef SKEIN_TESTS_CHECK_READS_H
#define SKEIN_TESTS_CHECK_READS_H

#include "tests/check/lists.h"

// Reports all of the above. Fills in what reads tell: the order of each key, the place of each
// append, which reads are malformed, and which records happened.
void reads_check(struct lists *lists, struct report *report);

#endif
