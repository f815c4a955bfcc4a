/*
 * All values of all sets are in one array, by set and value. First each read tells when its values
 * were seen; then each read is asked for what it misses: a value is certainly there from the moment
 * at which its addition, or any read of it, was over.
 */
#include "tests/check/sets.h"

#include "tests/check/array.h"

#define NEVER UINT64_MAX

// A value that was added, or that somebody tried to add.
struct element {
    struct bytes set;   // borrowed from the history
    struct bytes value; // the same; msgpack
    uint32_t line;
    bool is_failed;
    uint64_t begun_ns;
    uint64_t there_ns; // from then on it is certainly there
    size_t seen_by;    // 1 + number of the read that was looked at last and has it; 0 for none
};

struct sets {
    const struct history *history;
    struct report *report;
    struct element *elements; // owned; by set and value, once sorted
    size_t count;
    size_t capacity;
};

static void sets_release(struct sets *sets)
{
    free(sets->elements);
}

static enum status take_record(struct sets *sets, const struct record *record)
{
    struct record_steps steps;
    struct record_step step;
    record_steps_open(sets->history, record, &steps);
    if (steps.count != 1 || !record_steps_next(&steps, &step)) {
        return STATUS_bad_request;
    }
    if (record_step_is(&step, "read", 1)) {
        struct bytes set;
        return cursor_text(&step.arguments, &set);
    }
    if (!record_step_is(&step, "add", 2)) {
        return STATUS_bad_request;
    }
    struct element element = {.line = record->line,
                              .is_failed = record->outcome == OUTCOME_fail,
                              .begun_ns = record->invoke_ns,
                              .there_ns = NEVER};
    TRY(cursor_text(&step.arguments, &element.set));
    TRY(cursor_skip(&step.arguments, &element.value));
    element.there_ns = record->outcome == OUTCOME_ok ? record->complete_ns : NEVER;
    sets->elements = array_grow(sets->elements, sets->count, &sets->capacity,
                                sizeof *sets->elements);
    sets->elements[sets->count++] = element;
    return STATUS_ok;
}

static int compare_elements(const void *a, const void *b)
{
    const struct element *left = a;
    const struct element *right = b;
    int order = bytes_compare(left->set, right->set);
    return order != 0 ? order : bytes_compare(left->value, right->value);
}

static enum status take_records(struct sets *sets, struct history_fault *ret_fault)
{
    for (size_t i = 0; i < sets->history->count; i++) {
        const struct record *record = &sets->history->records[i];
        if (record->kind == RECORD_set && take_record(sets, record) != STATUS_ok) {
            return history_fault_set(ret_fault, record->line, "is no operation on a set");
        }
    }
    if (sets->count > 0) {
        qsort(sets->elements, sets->count, sizeof *sets->elements, compare_elements);
    }
    for (size_t i = 1; i < sets->count; i++) {
        if (compare_elements(&sets->elements[i - 1], &sets->elements[i]) == 0) {
            return history_fault_set(ret_fault, sets->elements[i].line,
                                     "adds what line %u adds to the same set",
                                     sets->elements[i - 1].line);
        }
    }
    return STATUS_ok;
}

// The first element that isn't before the set and value.
static size_t find_place(const struct sets *sets, const struct element *wanted)
{
    size_t low = 0;
    size_t high = sets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_elements(&sets->elements[middle], wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct element *find_element(struct sets *sets, struct bytes set, struct bytes value)
{
    struct element wanted = {.set = set, .value = value};
    size_t place = find_place(sets, &wanted);
    bool is_there = place < sets->count && compare_elements(&sets->elements[place], &wanted) == 0;
    return is_there ? &sets->elements[place] : NULL;
}

// What is wrong with a value that was read, by itself.
static void check_value(struct sets *sets, size_t number, struct element *element)
{
    const struct record *record = &sets->history->records[number];
    if (element == NULL) {
        report_violation(sets->report, "set-phantom", "line %u reads what nobody has added",
                         record->line);
        return;
    }
    if (element->is_failed) {
        report_violation(sets->report, "set-phantom", "line %u reads what failed in line %u",
                         record->line, element->line);
    }
    if (element->begun_ns > record->complete_ns) {
        report_violation(sets->report, "set-early",
                         "line %u reads what was added later, in line %u", record->line,
                         element->line);
    }
    if (element->seen_by == number + 1) {
        report_violation(sets->report, "set-duplicate", "line %u reads twice what line %u added",
                         record->line, element->line);
    }
    element->seen_by = number + 1;
    bool is_news = record->complete_ns < element->there_ns && !element->is_failed;
    element->there_ns = is_news ? record->complete_ns : element->there_ns;
}

// The values of a read, one by one; they are marked as seen by it.
static enum status see_values(struct sets *sets, size_t number, struct bytes set,
                              struct cursor *result, bool checks)
{
    uint32_t count;
    TRY(cursor_array(result, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct bytes value;
        TRY(cursor_skip(result, &value));
        struct element *element = find_element(sets, set, value);
        if (checks) {
            check_value(sets, number, element);
        } else if (element != NULL) {
            element->seen_by = number + 1;
        }
    }
    return STATUS_ok;
}

static void check_missing(struct sets *sets, size_t number, struct bytes set)
{
    const struct record *record = &sets->history->records[number];
    struct element first = {.set = set};
    for (size_t i = find_place(sets, &first);
         i < sets->count && bytes_equal(sets->elements[i].set, set); i++) {
        const struct element *element = &sets->elements[i];
        if (element->there_ns < record->invoke_ns && element->seen_by != number + 1) {
            report_violation(sets->report, "set-lost",
                             "line %u misses what line %u added, which was there before",
                             record->line, element->line);
        }
    }
}

// Walks over all reads: the first time to check what they have, then what they miss.
static enum status walk_reads(struct sets *sets, bool looks_for_missing,
                              struct history_fault *ret_fault)
{
    for (size_t i = 0; i < sets->history->count; i++) {
        const struct record *record = &sets->history->records[i];
        struct record_steps steps;
        struct record_step step;
        struct bytes set;
        if (record->kind != RECORD_set || record->outcome != OUTCOME_ok) {
            continue;
        }
        record_steps_open(sets->history, record, &steps);
        if (!record_steps_next(&steps, &step) || !record_step_is(&step, "read", 1)) {
            continue;
        }
        ASSERT(cursor_text(&step.arguments, &set) == STATUS_ok);
        if (see_values(sets, i, set, &step.result, !looks_for_missing) != STATUS_ok) {
            return history_fault_set(ret_fault, record->line, "has no array as its result");
        }
        if (looks_for_missing) {
            check_missing(sets, i, set);
        }
    }
    return STATUS_ok;
}

enum status sets_check(const struct history *history, struct report *report,
                       struct history_fault *ret_fault)
{
    AUTO(sets_release) struct sets sets = {.history = history, .report = report};
    TRY(take_records(&sets, ret_fault));
    TRY(walk_reads(&sets, false, ret_fault));
    return walk_reads(&sets, true, ret_fault);
}
