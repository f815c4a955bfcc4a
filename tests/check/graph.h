/*
 * A graph of what must come before what: nodes, and edges of kinds. It finds the groups of nodes
 * that come before each other, and shortest ways within such a group.
 */
#ifndef SKEIN_TESTS_CHECK_GRAPH_H
#define SKEIN_TESTS_CHECK_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum edge_kind {
    EDGE_ww = 1,       // appended before
    EDGE_wr = 2,       // appended what the other read
    EDGE_rw = 4,       // read a state before the other appended
    EDGE_time = 8,     // was over before the other began
    EDGE_version = 16, // has a lower version
    EDGE_hop = 32,     // leads on from a node between: belongs to whatever edge led there
};

struct edge {
    uint32_t from;
    uint32_t to;
    enum edge_kind kind;
    uint32_t about; // ww, wr, rw: number of the key
};

struct graph {
    struct edge *edges; // owned; sorted by `from` once the graph is closed
    size_t edge_count;
    size_t edge_capacity;
    size_t *starts; // owned; [node] number of its first edge, one more at the end; made by close
    uint32_t node_count;
};

// A graph of `node_count` nodes, numbered from 0.
void graph_init(struct graph *graph, uint32_t node_count);
void graph_release(struct graph *graph);

// Another node; returns its number.
uint32_t graph_add_node(struct graph *graph);

void graph_add_edge(struct graph *graph, struct edge edge);

// No nodes or edges are added from now on; what follows can be asked.
void graph_close(struct graph *graph);

// Numbers the groups of nodes of which each comes before each other by edges of `kinds`, and gives
// the number of each node's group in `ret_groups`, which has room for all nodes. Nodes of equal
// numbers are of one group. Returns how many groups there are.
uint32_t graph_find_groups(const struct graph *graph, unsigned kinds, uint32_t *ret_groups);

// A way from node to node.
struct way {
    size_t *edges; // owned; numbers of edges, in order
    size_t count;
    size_t length; // number of edges that aren't hops
};

void way_release(struct way *way);

// Searches for ways; makes the next search cheap by keeping what it needs.
struct way_search {
    const struct graph *graph; // borrowed
    const uint32_t *groups;    // borrowed; ways stay inside of a group
    unsigned kinds;            // edges that may be used, hops always
    uint64_t budget;           // so many more edges are looked at, over all searches
    uint32_t number;           // of the search
    uint32_t *seen;            // owned; [node] number of the search that it was met in
    uint32_t *settled;         // owned; [node] the same for those whose distance is final
    size_t *arrivals;          // owned; [node] edge by which it was met
    size_t *distances;         // owned; [node] edges from the beginning that aren't hops
    uint32_t *near;            // owned; nodes at the distance at hand
    size_t near_count;
    size_t near_capacity;
    uint32_t *far; // owned; nodes one further
    size_t far_count;
    size_t far_capacity;
};

void way_search_init(struct way_search *search, const struct graph *graph, const uint32_t *groups,
                     unsigned kinds, uint64_t budget);
void way_search_release(struct way_search *search);

// Finds a shortest way, by count of edges that aren't hops, of at most `length_max` of them; false
// if there is none or the budget is used up. `ret_way` is an empty way or an earlier one.
bool way_search_run(struct way_search *search, uint32_t from, uint32_t to, size_t length_max,
                    struct way *ret_way);

#endif
