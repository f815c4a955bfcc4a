/*
 * Groups are strongly connected components, found by Tarjan's algorithm with a stack of its own
 * instead of recursion: in time proportional to nodes and edges.
 *
 * Ways are found breadth first. Hops count nothing, so nodes at one distance are settled from a
 * list that grows by hops while it is worked off, and all other edges lead to the list of the next
 * distance. A node may stand in both lists; the nearer one wins, the other one finds it settled.
 */
#include "tests/check/graph.h"

#include "tests/check/array.h"

#include <string.h>

#define NOT_MET UINT32_MAX

// A walk of Tarjan's algorithm.
struct tarjan {
    const struct graph *graph;
    unsigned kinds;
    uint32_t *groups;  // [node] its group, NOT_MET as long as it is open
    uint32_t *indexes; // [node] order in which nodes were met, NOT_MET before
    uint32_t *lowest;  // [node] lowest index known to be reached from it
    uint32_t *open;    // nodes met whose group isn't complete
    size_t open_count;
    uint32_t *path; // nodes that are being walked through
    size_t path_count;
    size_t *next_edges; // [node] number of the next edge to follow
    uint32_t met;       // nodes met
    uint32_t group_count;
};

void graph_init(struct graph *graph, uint32_t node_count)
{
    *graph = (struct graph){.node_count = node_count};
}

void graph_release(struct graph *graph)
{
    free(graph->edges);
    free(graph->starts);
    *graph = (struct graph){0};
}

uint32_t graph_add_node(struct graph *graph)
{
    return graph->node_count++;
}

void graph_add_edge(struct graph *graph, struct edge edge)
{
    graph->edges = array_grow(graph->edges, graph->edge_count, &graph->edge_capacity,
                              sizeof *graph->edges);
    graph->edges[graph->edge_count++] = edge;
}

void graph_close(struct graph *graph)
{
    size_t *starts = array_new((size_t)graph->node_count + 2, sizeof *starts);
    struct edge *sorted = array_new(graph->edge_count, sizeof *sorted);
    for (size_t i = 0; i < graph->edge_count; i++) {
        starts[graph->edges[i].from + 2]++;
    }
    for (size_t node = 2; node < (size_t)graph->node_count + 2; node++) {
        starts[node] += starts[node - 1];
    }
    // starts[node + 1] is where the next edge of the node goes, and ends as where they all end.
    for (size_t i = 0; i < graph->edge_count; i++) {
        sorted[starts[graph->edges[i].from + 1]++] = graph->edges[i];
    }
    free(graph->edges);
    graph->edges = sorted;
    graph->starts = starts;
}

static void meet(struct tarjan *tarjan, uint32_t node)
{
    tarjan->indexes[node] = tarjan->met;
    tarjan->lowest[node] = tarjan->met;
    tarjan->met++;
    tarjan->next_edges[node] = tarjan->graph->starts[node];
    tarjan->open[tarjan->open_count++] = node;
    tarjan->path[tarjan->path_count++] = node;
}

static void lower(struct tarjan *tarjan, uint32_t node, uint32_t index)
{
    if (index < tarjan->lowest[node]) {
        tarjan->lowest[node] = index;
    }
}

// Follows the next edge of the node; false when there is none.
static bool follow_edge(struct tarjan *tarjan, uint32_t node)
{
    const struct graph *graph = tarjan->graph;
    if (tarjan->next_edges[node] == graph->starts[node + 1]) {
        return false;
    }
    const struct edge *edge = &graph->edges[tarjan->next_edges[node]++];
    if ((edge->kind & tarjan->kinds) == 0) {
        return true;
    }
    if (tarjan->indexes[edge->to] == NOT_MET) {
        meet(tarjan, edge->to);
    } else if (tarjan->groups[edge->to] == NOT_MET) {
        lower(tarjan, node, tarjan->indexes[edge->to]);
    }
    return true;
}

// All edges of the node were followed: back to the one before, and the group is complete if nothing
// in it was met before the node.
static void leave(struct tarjan *tarjan, uint32_t node)
{
    tarjan->path_count--;
    if (tarjan->path_count > 0) {
        lower(tarjan, tarjan->path[tarjan->path_count - 1], tarjan->lowest[node]);
    }
    if (tarjan->lowest[node] != tarjan->indexes[node]) {
        return;
    }
    uint32_t member;
    do {
        member = tarjan->open[--tarjan->open_count];
        tarjan->groups[member] = tarjan->group_count;
    } while (member != node);
    tarjan->group_count++;
}

static void walk_from(struct tarjan *tarjan, uint32_t first)
{
    meet(tarjan, first);
    while (tarjan->path_count > 0) {
        uint32_t node = tarjan->path[tarjan->path_count - 1];
        if (!follow_edge(tarjan, node)) {
            leave(tarjan, node);
        }
    }
}

uint32_t graph_find_groups(const struct graph *graph, unsigned kinds, uint32_t *ret_groups)
{
    size_t count = graph->node_count;
    struct tarjan tarjan = {.graph = graph,
                            .kinds = kinds | EDGE_hop,
                            .groups = ret_groups,
                            .indexes = array_new(count, sizeof *tarjan.indexes),
                            .lowest = array_new(count, sizeof *tarjan.lowest),
                            .open = array_new(count, sizeof *tarjan.open),
                            .path = array_new(count, sizeof *tarjan.path),
                            .next_edges = array_new(count, sizeof *tarjan.next_edges)};
    memset(tarjan.groups, 0xff, count * sizeof *tarjan.groups);
    memset(tarjan.indexes, 0xff, count * sizeof *tarjan.indexes);
    for (uint32_t node = 0; node < graph->node_count; node++) {
        if (tarjan.indexes[node] == NOT_MET) {
            walk_from(&tarjan, node);
        }
    }
    free(tarjan.indexes);
    free(tarjan.lowest);
    free(tarjan.open);
    free(tarjan.path);
    free(tarjan.next_edges);
    return tarjan.group_count;
}

void way_release(struct way *way)
{
    free(way->edges);
    *way = (struct way){0};
}

void way_search_init(struct way_search *search, const struct graph *graph, const uint32_t *groups,
                     unsigned kinds, uint64_t budget)
{
    size_t count = graph->node_count;
    *search = (struct way_search){.graph = graph,
                                  .groups = groups,
                                  .kinds = kinds | EDGE_hop,
                                  .budget = budget,
                                  .seen = array_new(count, sizeof *search->seen),
                                  .settled = array_new(count, sizeof *search->settled),
                                  .arrivals = array_new(count, sizeof *search->arrivals),
                                  .distances = array_new(count, sizeof *search->distances)};
}

void way_search_release(struct way_search *search)
{
    free(search->seen);
    free(search->settled);
    free(search->arrivals);
    free(search->distances);
    free(search->near);
    free(search->far);
    *search = (struct way_search){0};
}

static void add_near(struct way_search *search, uint32_t node)
{
    search->near = array_grow(search->near, search->near_count, &search->near_capacity,
                              sizeof *search->near);
    search->near[search->near_count++] = node;
}

static void add_far(struct way_search *search, uint32_t node)
{
    search->far = array_grow(search->far, search->far_count, &search->far_capacity,
                             sizeof *search->far);
    search->far[search->far_count++] = node;
}

// Goes along an edge whose beginning is settled.
static void go_along(struct way_search *search, size_t number)
{
    const struct edge *edge = &search->graph->edges[number];
    size_t step = edge->kind == EDGE_hop ? 0 : 1;
    size_t distance = search->distances[edge->from] + step;
    bool is_known = search->seen[edge->to] == search->number &&
                    search->distances[edge->to] <= distance;
    if ((edge->kind & search->kinds) == 0 || is_known ||
        search->groups[edge->to] != search->groups[edge->from]) {
        return;
    }
    search->seen[edge->to] = search->number;
    search->distances[edge->to] = distance;
    search->arrivals[edge->to] = number;
    if (step == 0) {
        add_near(search, edge->to);
    } else {
        add_far(search, edge->to);
    }
}

static void settle(struct way_search *search, uint32_t node)
{
    const struct graph *graph = search->graph;
    search->settled[node] = search->number;
    for (size_t i = graph->starts[node]; i < graph->starts[node + 1] && search->budget > 0; i++) {
        search->budget--;
        go_along(search, i);
    }
}

// Settles all nodes of the distance at hand, or stops at `to`; true when it was met.
static bool settle_near(struct way_search *search, uint32_t to)
{
    while (search->near_count > 0) {
        uint32_t node = search->near[--search->near_count];
        if (node == to) {
            return true;
        }
        if (search->settled[node] != search->number) {
            settle(search, node);
        }
    }
    return false;
}

static void swap_lists(struct way_search *search)
{
    uint32_t *nodes = search->near;
    size_t capacity = search->near_capacity;
    search->near = search->far;
    search->near_count = search->far_count;
    search->near_capacity = search->far_capacity;
    search->far = nodes;
    search->far_count = 0;
    search->far_capacity = capacity;
}

// The way back along the edges by which nodes were met.
static void collect(const struct way_search *search, uint32_t from, uint32_t to,
                    struct way *ret_way)
{
    const struct edge *edges = search->graph->edges;
    size_t count = 0;
    for (uint32_t node = to; node != from; node = edges[search->arrivals[node]].from) {
        count++;
    }
    way_release(ret_way);
    ret_way->edges = array_new(count, sizeof *ret_way->edges);
    ret_way->count = count;
    ret_way->length = search->distances[to];
    for (uint32_t node = to; node != from; node = edges[search->arrivals[node]].from) {
        ret_way->edges[--count] = search->arrivals[node];
    }
}

bool way_search_run(struct way_search *search, uint32_t from, uint32_t to, size_t length_max,
                    struct way *ret_way)
{
    search->number++;
    search->near_count = 0;
    search->far_count = 0;
    search->seen[from] = search->number;
    search->distances[from] = 0;
    add_near(search, from);
    for (size_t length = 0; length <= length_max && search->near_count > 0; length++) {
        if (settle_near(search, to)) {
            collect(search, from, to, ret_way);
            return true;
        }
        swap_lists(search);
    }
    return false;
}
