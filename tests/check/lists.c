/*
 * Taking lists out of a history. Operations stay in the order of the history, so those of a record
 * are neighbours; two indexes, appends by key and number and reads by key, are sorted arrays.
 *
 *   operations  | record 0 ... | record 1 ... |        starts[record] .. starts[record + 1]
 *   appends     | key 0: 1 2 3 5 | key 1: 4 ... |      keys[key].appends, append_count
 *   reads       | key 0 ... | key 1 ... |              keys[key].reads, read_count
 *
 * Keys are numbered in the order of their names.
 */
#include "tests/check/lists.h"

#include "tests/check/array.h"

// A name met in an operation.
struct met_name {
    struct bytes name;
    uint32_t operation;
};

// What reading the records needs beside the lists.
struct reading {
    struct lists *lists;
    struct met_name *names; // owned; [operation]
    size_t name_capacity;
    struct history_fault *fault; // borrowed
};

static enum status take_integer(struct cursor *cursor, int64_t *ret_number)
{
    struct value value;
    TRY(cursor_value(cursor, &value));
    if (value.kind == VALUE_UNSIGNED && value.natural <= INT64_MAX) {
        *ret_number = (int64_t)value.natural;
        return STATUS_ok;
    }
    if (value.kind == VALUE_NEGATIVE) {
        *ret_number = value.integer;
        return STATUS_ok;
    }
    return STATUS_bad_request;
}

static void add_number(struct lists *lists, int64_t number)
{
    lists->numbers = array_grow(lists->numbers, lists->number_count, &lists->number_capacity,
                                sizeof *lists->numbers);
    lists->numbers[lists->number_count++] = number;
}

// What a read has read.
static enum status take_numbers(struct lists *lists, struct record_step *step,
                                struct list_operation *operation)
{
    operation->offset = lists->number_count;
    enum value_kind kind = VALUE_NIL;
    if (step->has_result) {
        TRY(cursor_peek(&step->result, &kind));
    }
    if (kind == VALUE_NIL) {
        return STATUS_ok;
    }
    operation->has_result = true;
    TRY(cursor_array(&step->result, &operation->count));
    for (uint32_t i = 0; i < operation->count; i++) {
        int64_t number;
        TRY(take_integer(&step->result, &number));
        add_number(lists, number);
    }
    return STATUS_ok;
}

static enum status take_operation(struct reading *reading, struct record_step *step,
                                  struct list_operation *operation)
{
    struct lists *lists = reading->lists;
    struct met_name met = {.operation = (uint32_t)lists->operation_count};
    operation->is_append = record_step_is(step, "append", 2);
    if (!operation->is_append && !record_step_is(step, "read", 1)) {
        return STATUS_bad_request;
    }
    TRY(cursor_text(&step->arguments, &met.name));
    if (operation->is_append) {
        operation->place = LIST_UNPLACED;
        TRY(take_integer(&step->arguments, &operation->number));
    } else {
        TRY(take_numbers(lists, step, operation));
    }
    reading->names = array_grow(reading->names, lists->operation_count, &reading->name_capacity,
                                sizeof *reading->names);
    reading->names[lists->operation_count] = met;
    lists->operations = array_grow(lists->operations, lists->operation_count,
                                   &lists->operation_capacity, sizeof *lists->operations);
    lists->operations[lists->operation_count++] = *operation;
    return STATUS_ok;
}

static enum status take_record(struct reading *reading, uint32_t number)
{
    const struct history *history = reading->lists->history;
    const struct record *record = &history->records[number];
    struct record_steps steps;
    struct record_step step;
    record_steps_open(history, record, &steps);
    while (record_steps_next(&steps, &step)) {
        struct list_operation operation = {.record = number};
        if (take_operation(reading, &step, &operation) != STATUS_ok) {
            return history_fault_set(reading->fault, record->line,
                                     "operation %u is no append or read of a list, or its result "
                                     "is none",
                                     steps.taken);
        }
    }
    return STATUS_ok;
}

static enum status take_records(struct reading *reading)
{
    struct lists *lists = reading->lists;
    const struct history *history = lists->history;
    for (uint32_t i = 0; i < history->count; i++) {
        lists->starts[i] = lists->operation_count;
        if (history->records[i].kind == RECORD_list) {
            TRY(take_record(reading, i));
        }
    }
    lists->starts[history->count] = lists->operation_count;
    return STATUS_ok;
}

static int compare_names(const void *a, const void *b)
{
    return bytes_compare(((const struct met_name *)a)->name, ((const struct met_name *)b)->name);
}

// Numbers the keys by their names.
static void number_keys(struct reading *reading)
{
    struct lists *lists = reading->lists;
    struct met_name *names = reading->names;
    size_t count = lists->operation_count;
    lists->keys = array_new(count, sizeof *lists->keys);
    if (count == 0) {
        return;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !bytes_equal(names[i - 1].name, names[i].name)) {
            lists->keys[lists->key_count++] = (struct list_key){.name = names[i].name,
                                                                .longest = LIST_UNPLACED};
        }
        lists->operations[names[i].operation].key = lists->key_count - 1;
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct list_entry *left = a;
    const struct list_entry *right = b;
    if (left->key != right->key) {
        return left->key < right->key ? -1 : 1;
    }
    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return left->operation < right->operation ? -1 : left->operation > right->operation;
}

// Makes the two indexes.
static void index_operations(struct lists *lists)
{
    size_t count = lists->operation_count;
    lists->appends = array_new(count, sizeof *lists->appends);
    lists->reads = array_new(count, sizeof *lists->reads);
    for (size_t i = 0; i < count; i++) {
        const struct list_operation *operation = &lists->operations[i];
        struct list_entry entry = {
            .key = operation->key, .number = operation->number, .operation = (uint32_t)i};
        if (operation->is_append) {
            lists->appends[lists->append_count++] = entry;
        } else {
            lists->reads[lists->read_count++] = entry;
        }
    }
    qsort(lists->appends, lists->append_count, sizeof *lists->appends, compare_entries);
    qsort(lists->reads, lists->read_count, sizeof *lists->reads, compare_entries);
}

// Where the entries of each key begin.
static void count_entries(struct lists *lists)
{
    for (size_t i = lists->append_count; i-- > 0;) {
        struct list_key *key = &lists->keys[lists->appends[i].key];
        key->appends = i;
        key->append_count++;
    }
    for (size_t i = lists->read_count; i-- > 0;) {
        struct list_key *key = &lists->keys[lists->reads[i].key];
        key->reads = i;
        key->read_count++;
    }
}

static enum status check_appends_differ(const struct lists *lists, struct history_fault *ret_fault)
{
    for (size_t i = 1; i < lists->append_count; i++) {
        const struct list_entry *before = &lists->appends[i - 1];
        const struct list_entry *entry = &lists->appends[i];
        if (before->key == entry->key && before->number == entry->number) {
            const struct list_operation *operations = lists->operations;
            return history_fault_set(
                ret_fault, lists_record(lists, &operations[entry->operation])->line,
                "appends %lld to \"%.*s\" as line %u does: then nobody can tell whose it is",
                (long long)entry->number, (int)lists->keys[entry->key].name.size,
                (const char *)lists->keys[entry->key].name.data,
                lists_record(lists, &operations[before->operation])->line);
        }
    }
    return STATUS_ok;
}

enum status lists_init(struct lists *lists, const struct history *history,
                       struct history_fault *ret_fault)
{
    *lists = (struct lists){.history = history};
    lists->starts = array_new(history->count + 1, sizeof *lists->starts);
    lists->happened = array_new(history->count, sizeof *lists->happened);
    lists->numbers = array_new(0, sizeof *lists->numbers);
    struct reading reading = {.lists = lists, .fault = ret_fault};
    enum status status = take_records(&reading);
    if (status == STATUS_ok) {
        number_keys(&reading);
        index_operations(lists);
        count_entries(lists);
        status = check_appends_differ(lists, ret_fault);
    }
    free(reading.names);
    return status;
}

void lists_release(struct lists *lists)
{
    free(lists->operations);
    free(lists->starts);
    free(lists->numbers);
    free(lists->appends);
    free(lists->reads);
    free(lists->keys);
    free(lists->happened);
    *lists = (struct lists){0};
}

uint32_t lists_find_append(const struct lists *lists, uint32_t key, int64_t number)
{
    const struct list_entry *entries = lists->appends + lists->keys[key].appends;
    size_t low = 0;
    size_t high = lists->keys[key].append_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_found = low < lists->keys[key].append_count && entries[low].number == number;
    return is_found ? entries[low].operation : LIST_UNPLACED;
}

const int64_t *lists_numbers(const struct lists *lists, const struct list_operation *read)
{
    return lists->numbers + read->offset;
}

const struct list_operation *lists_at_place(const struct lists *lists, uint32_t key, uint32_t place)
{
    const struct list_operation *longest = &lists->operations[lists->keys[key].longest];
    int64_t number = lists_numbers(lists, longest)[place];
    return &lists->operations[lists_find_append(lists, key, number)];
}

const struct record *lists_record(const struct lists *lists, const struct list_operation *operation)
{
    return &lists->history->records[operation->record];
}
