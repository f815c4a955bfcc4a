/*
 * Cycles among transactions on lists: each of them would have to come before itself. The kinds of
 * edges in a cycle tell what went wrong:
 *
 *   G0               ww only: writes in two orders (dirty write)
 *   G1c              ww and wr: each saw what the other did
 *   G-single         one rw: a transaction missed something that it depends on (lost update, read
 *                    skew)
 *   G2               several rw: each missed what the other did (write skew)
 *   ...-realtime     the same with an order of time: one was over before the other began
 *   version-order    with an order of versions that the database gave
 */
#ifndef SKEIN_TESTS_CHECK_CYCLES_H
#define SKEIN_TESTS_CHECK_CYCLES_H

#include "tests/check/lists.h"

// Reports a shortest cycle of the first of these kinds that there is. reads_check() has looked at
// the lists.
void cycles_check(const struct lists *lists, struct report *report);

#endif
