/*
 * Which transactions on lists must come before which, as a graph: what it takes for them to be
 * strictly serializable is that there is no cycle.
 */
#ifndef SKEIN_TESTS_CHECK_DEPENDENCIES_H
#define SKEIN_TESTS_CHECK_DEPENDENCIES_H

#include "tests/check/graph.h"
#include "tests/check/lists.h"

// Makes and closes the graph of lists that reads_check() has looked at. Nodes below the count of
// records are the records of these numbers; nodes above are places between, out of which only hops
// lead.
void dependencies_build(const struct lists *lists, struct graph *ret_graph);

#endif
