/*
 * The search of Wing and Gong, with Lowe's memory of configurations. Calls and returns of all
 * operations stand in a list in order of time. An operation may come next if no return stands
 * before its call; when it is chosen, both are taken out of the list. A return that is met has to
 * be ordered first: the search goes back and chooses otherwise. A configuration (which operations
 * are ordered, which value they leave) that was met before leads nowhere new.
 *
 *   list:  call a, call b, return a, call c, return b, ...
 *          next: a or b; after a: b or c
 *
 * Three things keep the search small.
 *
 * 1. An operation that only looks and that fits is ordered at once: nothing is won by doing it
 *    later, so the search never goes back to choose otherwise.
 * 2. Operations of unknown outcome have no return, and the search ends when all others are ordered.
 * 3. One of unknown outcome that writes is worth nothing unless somebody sees what it wrote, since
 *    it might as well never have been done. So the next one in the order has to look.
 */
#include "tests/check/linearize.h"

#include "base/random.h"
#include "tests/check/array.h"
#include "tests/check/configurations.h"

enum { NO_NODE = 0, HEAD = 0 };

// A call or a return in the list. Node 0 is the head, and the end.
struct node {
    size_t operation;
    bool is_return;
    uint64_t at_ns;
    size_t previous;
    size_t next;
};

// An operation that was ordered, and what was before.
struct choice {
    size_t operation;
    uint32_t value_before;
    bool must_look_before;
};

struct search {
    const struct register_operation *operations; // borrowed
    size_t count;
    struct node *nodes;                // owned
    size_t *calls;                     // owned; [operation] its node
    size_t *returns;                   // owned; [operation] its node; NO_NODE for none
    struct configuration_hash *hashes; // owned; [operation]
    struct choice *order;              // owned; what is ordered so far
    size_t ordered;
    size_t missing; // operations that have to be ordered
    uint32_t value;
    bool must_look;                 // the next one has to look at the value
    struct configuration_hash hash; // of what is ordered
    struct configurations met;
    struct linearize_dead_end best;
};

static int compare_nodes(const void *a, const void *b)
{
    const struct node *left = a;
    const struct node *right = b;
    if (left->at_ns != right->at_ns) {
        return left->at_ns < right->at_ns ? -1 : 1;
    }
    return left->is_return - right->is_return;
}

static void make_list(struct search *search)
{
    size_t count = 1;
    for (size_t i = 0; i < search->count; i++) {
        const struct register_operation *operation = &search->operations[i];
        search->nodes[count++] = (struct node){.operation = i, .at_ns = operation->invoke_ns};
        if (!operation->is_unknown) {
            search->nodes[count++] = (struct node){
                .operation = i, .is_return = true, .at_ns = operation->complete_ns};
            search->missing++;
        }
    }
    qsort(search->nodes + 1, count - 1, sizeof *search->nodes, compare_nodes);
    for (size_t i = 0; i < count; i++) {
        struct node *node = &search->nodes[i];
        node->previous = i == 0 ? count - 1 : i - 1;
        node->next = i + 1 == count ? HEAD : i + 1;
        if (i > 0 && node->is_return) {
            search->returns[node->operation] = i;
        } else if (i > 0) {
            search->calls[node->operation] = i;
        }
    }
}

static void search_init(struct search *search, const struct register_operation *operations,
                        size_t count)
{
    struct random random;
    *search = (struct search){.operations = operations, .count = count, .value = REGISTER_NONE};
    search->nodes = array_new(2 * count + 1, sizeof *search->nodes);
    search->calls = array_new(count, sizeof *search->calls);
    search->returns = array_new(count, sizeof *search->returns);
    search->hashes = array_new(count, sizeof *search->hashes);
    search->order = array_new(count, sizeof *search->order);
    configurations_init(&search->met);
    random_init(&random, count);
    for (size_t i = 0; i < count; i++) {
        search->hashes[i] = (struct configuration_hash){.high = random_next(&random),
                                                        .low = random_next(&random)};
    }
    search->best.last = count;
    make_list(search);
}

static void search_release(struct search *search)
{
    free(search->nodes);
    free(search->calls);
    free(search->returns);
    free(search->hashes);
    free(search->order);
    configurations_release(&search->met);
}

static void take_out(struct search *search, size_t number)
{
    const struct node *node = &search->nodes[number];
    if (number != NO_NODE) {
        search->nodes[node->previous].next = node->next;
        search->nodes[node->next].previous = node->previous;
    }
}

static void put_back(struct search *search, size_t number)
{
    const struct node *node = &search->nodes[number];
    if (number != NO_NODE) {
        search->nodes[node->previous].next = number;
        search->nodes[node->next].previous = number;
    }
}

static bool is_looking(const struct register_operation *operation)
{
    return operation->kind != REGISTER_write;
}

static bool is_writing(const struct register_operation *operation)
{
    return operation->kind == REGISTER_write || operation->kind == REGISTER_swap;
}

// Whether the operation may come next.
static bool fits(const struct search *search, const struct register_operation *operation)
{
    if (search->must_look && !is_looking(operation)) {
        return false;
    }
    switch (operation->kind) {
    case REGISTER_write: return true;
    case REGISTER_read:
    case REGISTER_swap: return search->value == operation->expected;
    case REGISTER_no_swap: return search->value != operation->expected;
    }
    return false;
}

// Bits of a value, and of whether it must be looked at.
static struct configuration_hash hash_value(uint32_t value, bool must_look)
{
    struct random random;
    random_init(&random, 2 * (uint64_t)value + must_look);
    uint64_t high = random_next(&random);
    return (struct configuration_hash){.high = high, .low = random_next(&random)};
}

static void mix(struct configuration_hash *hash, struct configuration_hash other)
{
    hash->high ^= other.high;
    hash->low ^= other.low;
}

// Orders the operation next; false if that leads where the search was before.
static bool choose(struct search *search, size_t number)
{
    const struct register_operation *operation = &search->operations[number];
    uint32_t value = is_writing(operation) ? operation->value : search->value;
    bool must_look = operation->is_unknown && is_writing(operation);
    struct configuration_hash hash = search->hash;
    mix(&hash, search->hashes[number]);
    struct configuration_hash whole = hash;
    mix(&whole, hash_value(value, must_look));
    if (!configurations_add(&search->met, whole)) {
        return false;
    }
    search->order[search->ordered++] = (struct choice){
        .operation = number, .value_before = search->value, .must_look_before = search->must_look};
    search->hash = hash;
    search->value = value;
    search->must_look = must_look;
    search->missing -= !operation->is_unknown;
    take_out(search, search->calls[number]);
    take_out(search, search->returns[number]);
    return true;
}

// Takes the last choice back and returns it.
static size_t unchoose(struct search *search)
{
    const struct choice *choice = &search->order[--search->ordered];
    size_t number = choice->operation;
    put_back(search, search->returns[number]);
    put_back(search, search->calls[number]);
    mix(&search->hash, search->hashes[number]);
    search->value = choice->value_before;
    search->must_look = choice->must_look_before;
    search->missing += !search->operations[number].is_unknown;
    return number;
}

// Goes back to the last choice that may be made otherwise; returns the node to go on at, NO_NODE if
// there is none.
static size_t go_back(struct search *search)
{
    while (search->ordered > 0) {
        size_t number = unchoose(search);
        if (is_writing(&search->operations[number])) {
            return search->nodes[search->calls[number]].next;
        }
    }
    return NO_NODE;
}

static void note_dead_end(struct search *search, size_t blocked)
{
    if (search->ordered >= search->best.ordered) {
        search->best = (struct linearize_dead_end){
            .ordered = search->ordered,
            .value = search->value,
            .last = search->ordered == 0 ? search->count
                                         : search->order[search->ordered - 1].operation,
            .blocked = blocked};
    }
}

static enum linearize_verdict run(struct search *search, size_t configurations_max)
{
    size_t at = search->nodes[HEAD].next;
    while (search->missing > 0) {
        const struct node *node = &search->nodes[at];
        size_t number = node->operation;
        bool is_open = at != HEAD && !node->is_return;
        if (is_open && fits(search, &search->operations[number]) && choose(search, number)) {
            at = search->nodes[HEAD].next;
        } else if (is_open) {
            at = node->next;
        } else {
            note_dead_end(search, number);
            at = go_back(search);
            if (at == NO_NODE && search->ordered == 0) {
                return LINEARIZE_bad;
            }
        }
        if (search->met.count > configurations_max) {
            return LINEARIZE_undecided;
        }
    }
    return LINEARIZE_good;
}

enum linearize_verdict linearize(const struct register_operation *operations, size_t count,
                                 size_t configurations_max, struct linearize_dead_end *ret_dead_end)
{
    struct search search;
    search_init(&search, operations, count);
    enum linearize_verdict verdict = run(&search, configurations_max);
    if (verdict == LINEARIZE_bad) {
        *ret_dead_end = search.best;
    }
    search_release(&search);
    return verdict;
}
