/*
 * One pass for each kind of cycle, from the worst: the graph is narrowed to the kinds of edges that
 * such a cycle is made of, and cut into groups. A cycle of this kind has an edge that earlier
 * passes didn't have; so each such edge inside of a group is followed by a search for a shortest
 * way back. The first pass that finds one is the last: what comes later would say less.
 *
 * A history with a fault in it mostly has small groups. One that is wrong all over may be one large
 * group; then searches are bounded, and the cycle is a short one, if not the shortest.
 */
#include "tests/check/cycles.h"

#include "tests/check/array.h"
#include "tests/check/dependencies.h"
#include "tests/check/explain.h"

enum { SEARCH_BUDGET = 20000000 }; // edges that a pass looks at

// A kind of cycles.
struct pass {
    const char *name;
    enum edge_kind closing; // the cycle has an edge of this kind
    unsigned others;        // the way back may have these
};

static const struct pass PASSES[] = {
    {"G0", EDGE_ww, EDGE_ww},
    {"G1c", EDGE_wr, EDGE_ww | EDGE_wr},
    {"G-single", EDGE_rw, EDGE_ww | EDGE_wr},
    {"G2", EDGE_rw, EDGE_ww | EDGE_wr | EDGE_rw},
    {"G0-realtime", EDGE_ww, EDGE_ww | EDGE_time},
    {"G1c-realtime", EDGE_wr, EDGE_ww | EDGE_wr | EDGE_time},
    {"G-single-realtime", EDGE_rw, EDGE_ww | EDGE_wr | EDGE_time},
    {"G2-realtime", EDGE_rw, EDGE_ww | EDGE_wr | EDGE_rw | EDGE_time},
    {"version-order", EDGE_version, EDGE_ww | EDGE_wr | EDGE_rw | EDGE_time | EDGE_version},
};

enum { PASS_COUNT = sizeof PASSES / sizeof PASSES[0] };

// A cycle: an edge and the way from its end back to its beginning.
struct cycle {
    size_t closing; // number of the edge
    struct way way;
};

// Whether both ends of the edge are in one group, and it is of the kind.
static bool may_close(const struct graph *graph, const uint32_t *groups, size_t number,
                      enum edge_kind kind)
{
    const struct edge *edge = &graph->edges[number];
    return edge->kind == kind && groups[edge->from] == groups[edge->to];
}

// Finds a shortest cycle of the pass's kind; false if there is none.
static bool find_cycle(const struct graph *graph, const struct pass *pass, const uint32_t *groups,
                       struct cycle *ret_cycle)
{
    struct way_search search;
    size_t length_max = graph->node_count;
    bool is_found = false;
    way_search_init(&search, graph, groups, pass->others, SEARCH_BUDGET);
    for (size_t i = 0; i < graph->edge_count && length_max > 0; i++) {
        const struct edge *edge = &graph->edges[i];
        if (may_close(graph, groups, i, pass->closing) &&
            way_search_run(&search, edge->to, edge->from, length_max, &ret_cycle->way)) {
            ret_cycle->closing = i;
            is_found = true;
            length_max = ret_cycle->way.length - 1;
        }
    }
    way_search_release(&search);
    return is_found;
}

static void report_cycle(const struct lists *lists, const struct graph *graph,
                         const struct pass *pass, const struct cycle *cycle, struct report *report)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct edge *edges = array_new(cycle->way.count + 1, sizeof *edges);
    edges[0] = graph->edges[cycle->closing];
    for (size_t i = 0; i < cycle->way.count; i++) {
        edges[i + 1] = graph->edges[cycle->way.edges[i]];
    }
    explain_cycle(lists, edges, cycle->way.count + 1, &text);
    report_violation(report, pass->name, "these transactions can't be put in an order\n%.*s",
                     (int)text.size, (const char *)text.data);
    free(edges);
}

void cycles_check(const struct lists *lists, struct report *report)
{
    struct graph graph;
    dependencies_build(lists, &graph);
    uint32_t *groups = array_new(graph.node_count, sizeof *groups);
    bool is_found = false;
    for (size_t i = 0; i < PASS_COUNT && !is_found; i++) {
        const struct pass *pass = &PASSES[i];
        struct cycle cycle = {0};
        graph_find_groups(&graph, pass->closing | pass->others, groups);
        is_found = find_cycle(&graph, pass, groups, &cycle);
        if (is_found) {
            report_cycle(lists, &graph, pass, &cycle, report);
        }
        way_release(&cycle.way);
    }
    free(groups);
    graph_release(&graph);
}
