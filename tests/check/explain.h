/*
 * Telling people what is wrong with transactions on lists.
 */
#ifndef SKEIN_TESTS_CHECK_EXPLAIN_H
#define SKEIN_TESTS_CHECK_EXPLAIN_H

#include "tests/check/graph.h"
#include "tests/check/lists.h"

// Appends a transaction, one line without its end: where it stands, when it was, what it did.
void explain_record(const struct lists *lists, uint32_t record, struct buffer *out);

// Appends a cycle of edges, each beginning where the one before ends: its transactions, called T1
// and so on, and why each must come before the next. One line each.
void explain_cycle(const struct lists *lists, const struct edge *edges, size_t count,
                   struct buffer *out);

#endif
