/*
 * Checking reads: first each against its own transaction, then each of its numbers against the
 * appends. The longest read that is sound so far gives the order of its key, and all others must
 * be how it begins. A read that is found wrong is malformed and takes no further part, so that one
 * fault is not told many times.
 *
 * A number read from a failed or unknown transaction shows that it was done: its other appends were
 * done, too.
 */
#include "tests/check/reads.h"

#include "tests/check/array.h"

#define NAME(lists, operation)                                                                     \
    (int)(lists)->keys[(operation)->key].name.size,                                                \
        (const char *)(lists)->keys[(operation)->key].name.data

struct check {
    struct lists *lists;
    struct report *report;
    size_t *met_in; // owned; [operation] 1 + number of the read that its number was met in last
};

static uint32_t line_of(const struct lists *lists, const struct list_operation *operation)
{
    return lists_record(lists, operation)->line;
}

// The read of the same key before this one in its record, as far as it is known what it read; NULL
// for none.
static const struct list_operation *find_read_before(const struct lists *lists,
                                                     const struct list_operation *read)
{
    const struct list_operation *first = lists->operations + lists->starts[read->record];
    for (const struct list_operation *before = read; before-- > first;) {
        if (before->has_result && before->key == read->key) {
            return before;
        }
    }
    return NULL;
}

// Whether the list ends with what the record appended to its key between two of its operations;
// counts that.
static bool ends_with_own(const struct lists *lists, const struct list_operation *read,
                          const struct list_operation *from, uint32_t *ret_own)
{
    const int64_t *numbers = lists_numbers(lists, read);
    uint32_t own = 0;
    for (const struct list_operation *operation = read; operation-- > from;) {
        if (operation->is_append && operation->key == read->key) {
            own++;
            if (own > read->count || numbers[read->count - own] != operation->number) {
                return false;
            }
        }
    }
    *ret_own = own;
    return true;
}

static void check_internal(struct check *check, struct list_operation *read)
{
    const struct lists *lists = check->lists;
    const struct list_operation *before = find_read_before(lists, read);
    const struct list_operation *first = lists->operations + lists->starts[read->record];
    uint32_t own = 0;
    bool is_sound = ends_with_own(lists, read, before == NULL ? first : before + 1, &own);
    read->is_first = before == NULL;
    read->own = own;
    if (before != NULL && is_sound) {
        size_t size = before->count * sizeof(int64_t);
        is_sound = read->count == before->count + own &&
                   bytes_equal(bytes_of(lists_numbers(lists, read), size),
                               bytes_of(lists_numbers(lists, before), size));
        read->own += before->own;
    }
    if (!is_sound) {
        read->is_malformed = true;
        report_violation(check->report, "internal",
                         "line %u reads \"%.*s\" otherwise than its own operations before left it",
                         line_of(lists, read), NAME(lists, read));
    }
}

// A number was read that its transaction isn't known to have written, or not yet.
static void check_writer(struct check *check, struct list_operation *read,
                         const struct list_operation *append, uint32_t place)
{
    const struct lists *lists = check->lists;
    bool is_own = append->record == read->record;
    if (is_own && place < read->count - read->own) {
        read->is_malformed = true;
        report_violation(check->report, "internal",
                         "line %u reads %lld in \"%.*s\" before it has appended it",
                         line_of(lists, read), (long long)append->number, NAME(lists, read));
        return;
    }
    if (lists_record(lists, append)->outcome != OUTCOME_fail) {
        return;
    }
    report_violation(
        check->report, "G1a", "line %u reads %lld in \"%.*s\", the append of line %u, which failed",
        line_of(lists, read), (long long)append->number, NAME(lists, read), line_of(lists, append));
    if (place + 1 < read->count) {
        report_violation(check->report, "dirty-update",
                         "line %u reads %lld in \"%.*s\" behind %lld, whose transaction failed",
                         line_of(lists, read), (long long)lists_numbers(lists, read)[place + 1],
                         NAME(lists, read), (long long)append->number);
    }
}

// Each number of a read: somebody appended it, once.
static void check_numbers(struct check *check, struct list_operation *read)
{
    const struct lists *lists = check->lists;
    const int64_t *numbers = lists_numbers(lists, read);
    size_t mark = (size_t)(read - lists->operations) + 1;
    for (uint32_t i = 0; i < read->count && !read->is_malformed; i++) {
        uint32_t append = lists_find_append(lists, read->key, numbers[i]);
        if (append == LIST_UNPLACED) {
            read->is_malformed = true;
            report_violation(check->report, "phantom",
                             "line %u reads %lld in \"%.*s\", which nobody has appended",
                             line_of(lists, read), (long long)numbers[i], NAME(lists, read));
        } else if (check->met_in[append] == mark) {
            read->is_malformed = true;
            report_violation(check->report, "duplicate",
                             "line %u reads %lld twice in \"%.*s\", line %u appended it once",
                             line_of(lists, read), (long long)numbers[i], NAME(lists, read),
                             line_of(lists, &lists->operations[append]));
        } else {
            check->met_in[append] = mark;
            check_writer(check, read, &lists->operations[append], i);
        }
    }
}

// The last number that others appended must be the last one that its transaction has appended.
static void check_intermediate(struct check *check, const struct list_operation *read)
{
    const struct lists *lists = check->lists;
    uint32_t others = read->count - read->own;
    if (others == 0) {
        return;
    }
    int64_t last = lists_numbers(lists, read)[others - 1];
    const struct list_operation *append =
        &lists->operations[lists_find_append(lists, read->key, last)];
    const struct list_operation *end = lists->operations + lists->starts[append->record + 1];
    for (const struct list_operation *later = append + 1; later < end; later++) {
        if (later->is_append && later->key == read->key) {
            report_violation(check->report, "G1b",
                             "line %u reads \"%.*s\" up to %lld, but line %u appended %lld as well",
                             line_of(lists, read), NAME(lists, read), (long long)last,
                             line_of(lists, append), (long long)later->number);
            return;
        }
    }
}

static void check_each(struct check *check)
{
    struct lists *lists = check->lists;
    for (size_t i = 0; i < lists->operation_count; i++) {
        struct list_operation *operation = &lists->operations[i];
        if (!operation->has_result) {
            continue;
        }
        check_internal(check, operation);
        if (!operation->is_malformed) {
            check_numbers(check, operation);
        }
        if (!operation->is_malformed) {
            check_intermediate(check, operation);
        }
    }
}

static struct list_operation *read_of_key(const struct lists *lists, const struct list_key *key,
                                          size_t number)
{
    return &lists->operations[lists->reads[key->reads + number].operation];
}

static void choose_longest(const struct lists *lists, struct list_key *key)
{
    for (size_t i = 0; i < key->read_count; i++) {
        const struct list_operation *read = read_of_key(lists, key, i);
        bool counts = read->has_result && !read->is_malformed;
        if (counts && (key->longest == LIST_UNPLACED || read->count > key->placed_count)) {
            key->longest = (uint32_t)(read - lists->operations);
            key->placed_count = read->count;
        }
    }
}

// All reads begin as the longest does.
static void check_order(struct check *check, const struct list_key *key)
{
    const struct lists *lists = check->lists;
    for (size_t i = 0; i < key->read_count; i++) {
        struct list_operation *read = read_of_key(lists, key, i);
        if (!read->has_result || read->is_malformed) {
            continue;
        }
        const struct list_operation *longest = &lists->operations[key->longest];
        const int64_t *numbers = lists_numbers(lists, read);
        const int64_t *order = lists_numbers(lists, longest);
        uint32_t place = 0;
        while (place < read->count && numbers[place] == order[place]) {
            place++;
        }
        if (place < read->count) {
            read->is_malformed = true;
            report_violation(check->report, "incompatible-order",
                             "line %u reads %lld at place %u of \"%.*s\", line %u reads %lld there",
                             line_of(lists, read), (long long)numbers[place], place + 1,
                             NAME(lists, read), line_of(lists, longest), (long long)order[place]);
        }
    }
}

static void place_appends(struct lists *lists, const struct list_key *key)
{
    if (key->longest == LIST_UNPLACED) {
        return;
    }
    const int64_t *order = lists_numbers(lists, &lists->operations[key->longest]);
    for (uint32_t place = 0; place < key->placed_count; place++) {
        uint32_t number = (uint32_t)(key - lists->keys);
        uint32_t append = lists_find_append(lists, number, order[place]);
        lists->operations[append].place = place;
        lists->happened[lists->operations[append].record] = true;
    }
}

// The read of a key that began last; NULL for none.
static const struct list_operation *find_last_read(const struct lists *lists,
                                                   const struct list_key *key)
{
    const struct list_operation *last = NULL;
    for (size_t i = 0; i < key->read_count; i++) {
        const struct list_operation *read = read_of_key(lists, key, i);
        bool counts = read->has_result && !read->is_malformed;
        if (counts && (last == NULL || lists_record(lists, read)->invoke_ns >
                                           lists_record(lists, last)->invoke_ns)) {
            last = read;
        }
    }
    return last;
}

static void check_lost(struct check *check, const struct list_key *key)
{
    const struct lists *lists = check->lists;
    const struct list_operation *last = find_last_read(lists, key);
    for (size_t i = 0; i < key->append_count && last != NULL; i++) {
        const struct list_entry *entry = &lists->appends[key->appends + i];
        const struct list_operation *append = &lists->operations[entry->operation];
        const struct record *record = lists_record(lists, append);
        bool is_lost = append->place == LIST_UNPLACED && record->outcome == OUTCOME_ok &&
                       record->complete_ns < lists_record(lists, last)->invoke_ns;
        if (is_lost) {
            report_violation(check->report, "lost-append",
                             "line %u appended %lld to \"%.*s\" and was acknowledged before the "
                             "read of line %u began, which doesn't have it",
                             record->line, (long long)append->number, NAME(lists, append),
                             line_of(lists, last));
        }
    }
}

void reads_check(struct lists *lists, struct report *report)
{
    struct check check = {.lists = lists, .report = report};
    check.met_in = array_new(lists->operation_count, sizeof *check.met_in);
    for (size_t i = 0; i < lists->history->count; i++) {
        lists->happened[i] = lists->history->records[i].outcome == OUTCOME_ok;
    }
    check_each(&check);
    for (uint32_t i = 0; i < lists->key_count; i++) {
        struct list_key *key = &lists->keys[i];
        choose_longest(lists, key);
        check_order(&check, key);
        place_appends(lists, key);
        check_lost(&check, key);
    }
    free(check.met_in);
}
