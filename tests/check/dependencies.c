/*
 * Edges, as in Elle (Kingsbury and Alvaro 2020), out of the order of each key's numbers:
 *
 *   ww    the transaction of a number -> that of the number behind it
 *   wr    the transaction of a list's last number -> one that read the list so
 *   rw    one that read a list -> the transaction of the number that came behind it
 *   time  one that was over -> one that began later
 *   version  one of a lower version -> one of a higher version
 *
 * An append that is acknowledged and that no read has comes behind all numbers that were read, in
 * what order to others of its kind nobody knows: the tail of its key. ww and rw edges lead to all
 * of it. A transaction may be in the tail and have read the list as well, so an edge has to reach
 * all of the tail but one. Two chains of nodes between do that with two edges:
 *
 *        after[0] -> after[1] -> after[2]      after[i] leads to tail[i] and all behind it
 *           v           v           v
 *         tail[0]     tail[1]     tail[2]
 *           ^           ^           ^
 *       before[0] <- before[1] <- before[2]    before[i] leads to tail[i] and all before it
 *
 * Time: every pair that doesn't overlap would be an edge. Instead there is a chain of barriers: a
 * transaction that ends leads to the first barrier behind it, each barrier to the next one, and the
 * last barrier before a transaction begins leads to it. Versions are ordered in the same way.
 *
 * What has an unknown outcome is part of the graph once something of it was read, and never over.
 */
#include "tests/check/dependencies.h"

#include "tests/check/array.h"

#define NO_NODE UINT32_MAX

// When a record begins or ends.
struct moment {
    uint64_t at;
    uint32_t record;
    bool is_end;
};

struct builder {
    const struct lists *lists; // borrowed
    struct graph *graph;       // borrowed
    uint32_t *tail;            // owned; records in the tail of the key at hand, in order
    uint32_t tail_count;
    uint32_t after_first;   // node of the chain for the first of the tail
    uint32_t before_first;  // the same of the other chain; the others follow
    struct moment *moments; // owned
    size_t moment_count;
};

static void connect(struct builder *builder, uint32_t from, struct edge edge)
{
    edge.from = from;
    if (edge.from != edge.to) {
        graph_add_edge(builder->graph, edge);
    }
}

static void hop(struct builder *builder, uint32_t from, uint32_t to)
{
    connect(builder, from, (struct edge){.to = to, .kind = EDGE_hop});
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

// Finds the records of the key's tail, each once.
static void find_tail(struct builder *builder, const struct list_key *key)
{
    const struct lists *lists = builder->lists;
    uint32_t count = 0;
    for (size_t i = 0; i < key->append_count; i++) {
        const struct list_operation *append =
            &lists->operations[lists->appends[key->appends + i].operation];
        if (append->place == LIST_UNPLACED && lists->happened[append->record]) {
            builder->tail[count++] = append->record;
        }
    }
    qsort(builder->tail, count, sizeof *builder->tail, compare_numbers);
    builder->tail_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || builder->tail[i] != builder->tail[i - 1]) {
            builder->tail[builder->tail_count++] = builder->tail[i];
        }
    }
}

static void build_chains(struct builder *builder)
{
    uint32_t count = builder->tail_count;
    builder->after_first = builder->graph->node_count;
    builder->before_first = builder->after_first + count;
    for (uint32_t i = 0; i < 2 * count; i++) {
        (void)graph_add_node(builder->graph);
    }
    for (uint32_t i = 0; i < count; i++) {
        hop(builder, builder->after_first + i, builder->tail[i]);
        hop(builder, builder->before_first + i, builder->tail[i]);
        if (i > 0) {
            hop(builder, builder->after_first + i - 1, builder->after_first + i);
            hop(builder, builder->before_first + i, builder->before_first + i - 1);
        }
    }
}

// An edge from a record to all others in the tail.
static void connect_to_tail(struct builder *builder, uint32_t record, struct edge edge)
{
    uint32_t count = builder->tail_count;
    const uint32_t *found = count == 0 ? NULL
                                       : bsearch(&record, builder->tail, count,
                                                 sizeof *builder->tail, compare_numbers);
    uint32_t own = found == NULL ? NO_NODE : (uint32_t)(found - builder->tail);
    uint32_t behind = own == NO_NODE ? 0 : own + 1;
    if (behind < count) {
        edge.to = builder->after_first + behind;
        connect(builder, record, edge);
    }
    if (own != NO_NODE && own > 0) {
        edge.to = builder->before_first + own - 1;
        connect(builder, record, edge);
    }
}

static void add_order(struct builder *builder, uint32_t number)
{
    const struct lists *lists = builder->lists;
    uint32_t count = lists->keys[number].placed_count;
    struct edge edge = {.kind = EDGE_ww, .about = number};
    for (uint32_t place = 0; place < count; place++) {
        uint32_t record = lists_at_place(lists, number, place)->record;
        if (place + 1 < count) {
            edge.to = lists_at_place(lists, number, place + 1)->record;
            connect(builder, record, edge);
        } else {
            connect_to_tail(builder, record, edge);
        }
    }
}

static void add_read(struct builder *builder, const struct list_operation *read)
{
    const struct lists *lists = builder->lists;
    const struct list_key *key = &lists->keys[read->key];
    uint32_t others = read->count - read->own;
    if (others > 0) {
        uint32_t writer = lists_at_place(lists, read->key, others - 1)->record;
        connect(builder, writer,
                (struct edge){.to = read->record, .kind = EDGE_wr, .about = read->key});
    }
    struct edge edge = {.kind = EDGE_rw, .about = read->key};
    if (others < key->placed_count) {
        edge.to = lists_at_place(lists, read->key, others)->record;
        connect(builder, read->record, edge);
    } else {
        connect_to_tail(builder, read->record, edge);
    }
}

static void add_key(struct builder *builder, uint32_t number)
{
    const struct lists *lists = builder->lists;
    const struct list_key *key = &lists->keys[number];
    find_tail(builder, key);
    build_chains(builder);
    add_order(builder, number);
    for (size_t i = 0; i < key->read_count; i++) {
        const struct list_operation *read =
            &lists->operations[lists->reads[key->reads + i].operation];
        if (read->is_first && read->has_result && !read->is_malformed) {
            add_read(builder, read);
        }
    }
}

// Beginnings stand before ends of the same moment: what ends as another begins overlaps it.
static int compare_moments(const void *a, const void *b)
{
    const struct moment *left = a;
    const struct moment *right = b;
    if (left->at != right->at) {
        return left->at < right->at ? -1 : 1;
    }
    return left->is_end - right->is_end;
}

// Orders the records by their moments, with barriers between those that ended and those that begin.
static void add_barriers(struct builder *builder, enum edge_kind kind)
{
    uint32_t barrier = NO_NODE;
    bool is_passed = false; // somebody began behind the last barrier
    qsort(builder->moments, builder->moment_count, sizeof *builder->moments, compare_moments);
    for (size_t i = 0; i < builder->moment_count; i++) {
        const struct moment *moment = &builder->moments[i];
        if (!moment->is_end) {
            is_passed = true;
            if (barrier != NO_NODE) {
                hop(builder, barrier, moment->record);
            }
            continue;
        }
        if (barrier == NO_NODE || is_passed) {
            uint32_t before = barrier;
            barrier = graph_add_node(builder->graph);
            is_passed = false;
            if (before != NO_NODE) {
                hop(builder, before, barrier);
            }
        }
        connect(builder, moment->record, (struct edge){.to = barrier, .kind = kind});
    }
}

static void add_moment(struct builder *builder, uint32_t record, uint64_t at, bool is_end)
{
    builder->moments[builder->moment_count++] = (struct moment){
        .at = at, .record = record, .is_end = is_end};
}

static void add_times(struct builder *builder)
{
    const struct lists *lists = builder->lists;
    builder->moment_count = 0;
    for (uint32_t i = 0; i < lists->history->count; i++) {
        const struct record *record = &lists->history->records[i];
        if (record->kind != RECORD_list || !lists->happened[i]) {
            continue;
        }
        add_moment(builder, i, record->invoke_ns, false);
        if (record->outcome == OUTCOME_ok) {
            add_moment(builder, i, record->complete_ns, true);
        }
    }
    add_barriers(builder, EDGE_time);
}

// Two that wrote at the same version: each would have to come before the other.
static void connect_equal_versions(struct builder *builder)
{
    for (size_t i = 1; i < builder->moment_count; i++) {
        const struct moment *moment = &builder->moments[i];
        const struct moment *before = moment - 1;
        bool is_writer = moment->at % 2 == 0;
        if (is_writer && moment->at == before->at && !moment->is_end && !before->is_end) {
            connect(builder, before->record,
                    (struct edge){.to = moment->record, .kind = EDGE_version});
            connect(builder, moment->record,
                    (struct edge){.to = before->record, .kind = EDGE_version});
        }
    }
}

// A writer takes its version, readers of it come behind and overlap each other.
static void add_versions(struct builder *builder)
{
    const struct lists *lists = builder->lists;
    builder->moment_count = 0;
    for (uint32_t i = 0; i < lists->history->count; i++) {
        const struct record *record = &lists->history->records[i];
        bool writes = false;
        for (size_t k = lists->starts[i]; k < lists->starts[i + 1]; k++) {
            writes = writes || lists->operations[k].is_append;
        }
        if (record->kind == RECORD_list && record->outcome == OUTCOME_ok && record->version > 0) {
            uint64_t at = 2 * record->version + (writes ? 0 : 1);
            add_moment(builder, i, at, false);
            add_moment(builder, i, at, true);
        }
    }
    add_barriers(builder, EDGE_version);
    connect_equal_versions(builder);
}

void dependencies_build(const struct lists *lists, struct graph *ret_graph)
{
    struct builder builder = {.lists = lists, .graph = ret_graph};
    graph_init(ret_graph, (uint32_t)lists->history->count);
    builder.tail = array_new(lists->append_count, sizeof *builder.tail);
    builder.moments = array_new(2 * lists->history->count, sizeof *builder.moments);
    for (uint32_t i = 0; i < lists->key_count; i++) {
        add_key(&builder, i);
    }
    add_times(&builder);
    add_versions(&builder);
    graph_close(ret_graph);
    free(builder.tail);
    free(builder.moments);
}
