/*
 * A cycle is told as its transactions and the reasons between them:
 *
 *   T1 line 3, process 1, 1000..2000 ns: append x 1, read y [2]
 *   T2 line 4, process 2, 1100..1900 ns: append y 2, read x []
 *   T1 must come before T2: T1 ...
 *
 * Nodes between transactions are left out: the edge that leads to the first of them says why.
 */
#include "tests/check/explain.h"

#include "base/text.h"

// Of a long list the ends are told, so many numbers of each.
enum { END_SHOWN = 4, LIST_SHOWN_MAX = 10, OPERATIONS_SHOWN_MAX = 20 };

// A reason why a transaction comes before another.
struct reason {
    uint32_t from; // record
    uint32_t to;   // record
    struct edge edge;
};

static void tell_name(const struct lists *lists, uint32_t key, struct buffer *out)
{
    buffer_append(out, lists->keys[key].name);
}

static void tell_list(const int64_t *numbers, uint32_t count, struct buffer *out)
{
    bool is_long = count > LIST_SHOWN_MAX;
    text_append(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        if (is_long && i == END_SHOWN) {
            text_append(out, " ...");
            i = count - END_SHOWN;
        }
        text_append(out, i == 0 ? "%lld" : " %lld", (long long)numbers[i]);
    }
    text_append(out, "]");
}

static void tell_operation(const struct lists *lists, const struct list_operation *operation,
                           struct buffer *out)
{
    text_append(out, operation->is_append ? "append " : "read ");
    tell_name(lists, operation->key, out);
    if (operation->is_append) {
        text_append(out, " %lld", (long long)operation->number);
    } else if (operation->has_result) {
        text_append(out, " ");
        tell_list(lists_numbers(lists, operation), operation->count, out);
    }
}

void explain_record(const struct lists *lists, uint32_t record, struct buffer *out)
{
    static const char *const outcomes[] = {"", ", failed", ", outcome unknown"};
    const struct record *told = &lists->history->records[record];
    size_t start = lists->starts[record];
    text_append(out, "line %u, process %llu, from %llu", told->line,
                (unsigned long long)told->process, (unsigned long long)told->invoke_ns);
    if (told->complete_ns != UINT64_MAX) {
        text_append(out, " to %llu", (unsigned long long)told->complete_ns);
    }
    if (told->version > 0) {
        text_append(out, ", version %llu", (unsigned long long)told->version);
    }
    text_append(out, "%s:", outcomes[told->outcome]);
    for (size_t i = start; i < lists->starts[record + 1]; i++) {
        if (i - start == OPERATIONS_SHOWN_MAX) {
            text_append(out, ", and more");
            return;
        }
        text_append(out, i == start ? " " : ", ");
        tell_operation(lists, &lists->operations[i], out);
    }
}

// The read of a key that connects its record to others; NULL for none.
static const struct list_operation *find_first_read(const struct lists *lists, uint32_t record,
                                                    uint32_t key)
{
    for (size_t i = lists->starts[record]; i < lists->starts[record + 1]; i++) {
        const struct list_operation *operation = &lists->operations[i];
        if (operation->has_result && operation->key == key) {
            return operation;
        }
    }
    return NULL;
}

// The append to a key by a record that stands at `place`, or the first one; NULL for none.
static const struct list_operation *find_append(const struct lists *lists, uint32_t record,
                                                uint32_t key, uint32_t place)
{
    const struct list_operation *found = NULL;
    for (size_t i = lists->starts[record]; i < lists->starts[record + 1]; i++) {
        const struct list_operation *operation = &lists->operations[i];
        bool is_of_key = operation->is_append && operation->key == key;
        if (is_of_key && (found == NULL || operation->place == place)) {
            found = operation;
        }
    }
    return found;
}

// The append of `from` behind which `to` has appended.
static void find_neighbours(const struct lists *lists, const struct reason *reason,
                            const struct list_operation **ret_first,
                            const struct list_operation **ret_second)
{
    uint32_t key = reason->edge.about;
    *ret_first = find_append(lists, reason->from, key, LIST_UNPLACED);
    *ret_second = find_append(lists, reason->to, key, LIST_UNPLACED);
    for (size_t i = lists->starts[reason->from]; i < lists->starts[reason->from + 1]; i++) {
        const struct list_operation *first = &lists->operations[i];
        bool is_of_key = first->is_append && first->key == key && first->place != LIST_UNPLACED;
        const struct list_operation *second =
            is_of_key ? find_append(lists, reason->to, key, first->place + 1) : NULL;
        if (second != NULL && second->place == first->place + 1) {
            *ret_first = first;
            *ret_second = second;
        }
    }
}

static void tell_writes(const struct lists *lists, const struct reason *reason, struct buffer *out)
{
    const struct list_operation *first;
    const struct list_operation *second;
    find_neighbours(lists, reason, &first, &second);
    text_append(out, "it appended %lld to ", (long long)first->number);
    tell_name(lists, reason->edge.about, out);
    text_append(out, ", behind which the other appended %lld", (long long)second->number);
}

static void tell_read_of_write(const struct lists *lists, const struct reason *reason,
                               struct buffer *out)
{
    const struct list_operation *read = find_first_read(lists, reason->to, reason->edge.about);
    uint32_t last = read->count - read->own - 1;
    text_append(out, "it appended %lld to ", (long long)lists_numbers(lists, read)[last]);
    tell_name(lists, reason->edge.about, out);
    text_append(out, ", which the other read");
}

static void tell_missed_write(const struct lists *lists, const struct reason *reason,
                              struct buffer *out)
{
    const struct list_operation *read = find_first_read(lists, reason->from, reason->edge.about);
    uint32_t others = read->count - read->own;
    const struct list_operation *append = find_append(lists, reason->to, reason->edge.about,
                                                      others);
    text_append(out, "it read ");
    tell_name(lists, reason->edge.about, out);
    text_append(out, " as ");
    tell_list(lists_numbers(lists, read), read->count, out);
    text_append(out, ", without the %lld that the other appended", (long long)append->number);
}

static void tell_reason(const struct lists *lists, const struct reason *reason, struct buffer *out)
{
    const struct record *records = lists->history->records;
    const struct record *from = &records[reason->from];
    const struct record *to = &records[reason->to];
    switch (reason->edge.kind) {
    case EDGE_ww: tell_writes(lists, reason, out); break;
    case EDGE_wr: tell_read_of_write(lists, reason, out); break;
    case EDGE_rw: tell_missed_write(lists, reason, out); break;
    case EDGE_time:
        text_append(out, "it was over at %llu, the other began at %llu",
                    (unsigned long long)from->complete_ns, (unsigned long long)to->invoke_ns);
        break;
    case EDGE_version:
        text_append(out, "it has version %llu, the other %llu", (unsigned long long)from->version,
                    (unsigned long long)to->version);
        break;
    case EDGE_hop: break;
    }
}

// Takes the next reason off a cycle that begins with an edge out of a record.
static void take_reason(const struct lists *lists, const struct edge **edge,
                        struct reason *ret_reason)
{
    uint32_t records = (uint32_t)lists->history->count;
    *ret_reason = (struct reason){.from = (*edge)->from, .to = (*edge)->to, .edge = **edge};
    (*edge)++;
    while (ret_reason->to >= records) {
        ret_reason->to = (*edge)->to;
        (*edge)++;
    }
}

void explain_cycle(const struct lists *lists, const struct edge *edges, size_t count,
                   struct buffer *out)
{
    const struct edge *end = edges + count;
    struct reason reason;
    unsigned number = 0;
    for (const struct edge *edge = edges; edge < end;) {
        take_reason(lists, &edge, &reason);
        text_append(out, "  T%u  ", ++number);
        explain_record(lists, reason.from, out);
        text_append(out, "\n");
    }
    unsigned all = number;
    number = 0;
    for (const struct edge *edge = edges; edge < end;) {
        take_reason(lists, &edge, &reason);
        number++;
        text_append(out, "  T%u is before T%u: ", number, number % all + 1);
        tell_reason(lists, &reason, out);
        text_append(out, edge < end ? "\n" : "");
    }
}
