/*
 * Operations are sorted by register; values are numbered, equal ones alike, null as REGISTER_NONE.
 * What failed, and reads and swaps that were not answered and can't have changed anything, are left
 * out; so are writes of unknown outcome whose value nobody was looking for.
 */
#include "tests/check/registers.h"

#include "tests/check/array.h"
#include "tests/check/linearize.h"
#include "wire/json.h"

// A value in an operation, and where its number goes.
struct met_value {
    struct bytes value;
    size_t entry;
    bool is_expected; // else the one written
};

// An operation and the register it is on.
struct entry {
    struct bytes key;
    struct register_operation operation;
};

struct registers {
    const struct history *history;
    struct entry *entries; // owned; by key, once sorted
    size_t count;
    size_t capacity;
    struct met_value *values; // owned
    size_t value_count;
    size_t value_capacity;
    struct bytes *texts; // owned; [number of a value] its msgpack
};

static void registers_release(struct registers *registers)
{
    free(registers->entries);
    free(registers->values);
    free(registers->texts);
}

static enum status take_value(struct registers *registers, struct cursor *cursor, bool is_expected)
{
    struct met_value met = {.entry = registers->count, .is_expected = is_expected};
    enum value_kind kind;
    TRY(cursor_peek(cursor, &kind));
    TRY(cursor_skip(cursor, &met.value));
    if (kind != VALUE_NIL) { // REGISTER_NONE is what there is without
        registers->values = array_grow(registers->values, registers->value_count,
                                       &registers->value_capacity, sizeof *registers->values);
        registers->values[registers->value_count++] = met;
    }
    return STATUS_ok;
}

// Reads the operation; `ret_kind` says what it was, as far as that is known.
static enum status take_step(struct registers *registers, struct record_step *step,
                             struct bytes *ret_key, enum register_kind *ret_kind)
{
    bool was_swapped = true;
    if (record_step_is(step, "read", 1)) {
        *ret_kind = REGISTER_read;
        TRY(cursor_text(&step->arguments, ret_key));
        return step->has_result ? take_value(registers, &step->result, true) : STATUS_ok;
    }
    if (record_step_is(step, "write", 2)) {
        *ret_kind = REGISTER_write;
        TRY(cursor_text(&step->arguments, ret_key));
        return take_value(registers, &step->arguments, false);
    }
    if (!record_step_is(step, "compare_and_set", 3)) {
        return STATUS_bad_request;
    }
    if (step->has_result) {
        TRY(cursor_flag(&step->result, &was_swapped));
    }
    *ret_kind = was_swapped ? REGISTER_swap : REGISTER_no_swap;
    TRY(cursor_text(&step->arguments, ret_key));
    TRY(take_value(registers, &step->arguments, true));
    return take_value(registers, &step->arguments, false);
}

static enum status take_record(struct registers *registers, uint32_t number)
{
    const struct record *record = &registers->history->records[number];
    struct record_steps steps;
    struct record_step step;
    struct entry entry = {.operation = {.is_unknown = record->outcome == OUTCOME_unknown,
                                        .record = number,
                                        .invoke_ns = record->invoke_ns,
                                        .complete_ns = record->complete_ns}};
    size_t value_count = registers->value_count;
    record_steps_open(registers->history, record, &steps);
    if (steps.count != 1 || !record_steps_next(&steps, &step)) {
        return STATUS_bad_request;
    }
    TRY(take_step(registers, &step, &entry.key, &entry.operation.kind));
    bool says_nothing = record->outcome == OUTCOME_fail ||
                        (entry.operation.is_unknown && entry.operation.kind == REGISTER_read);
    if (says_nothing) {
        registers->value_count = value_count;
        return STATUS_ok;
    }
    registers->entries = array_grow(registers->entries, registers->count, &registers->capacity,
                                    sizeof *registers->entries);
    registers->entries[registers->count++] = entry;
    return STATUS_ok;
}

static enum status take_records(struct registers *registers, struct history_fault *ret_fault)
{
    const struct history *history = registers->history;
    for (uint32_t i = 0; i < history->count; i++) {
        if (history->records[i].kind == RECORD_register && take_record(registers, i) != STATUS_ok) {
            return history_fault_set(ret_fault, history->records[i].line,
                                     "is no operation on a register, or its result is none");
        }
    }
    return STATUS_ok;
}

static int compare_values(const void *a, const void *b)
{
    return bytes_compare(((const struct met_value *)a)->value,
                         ((const struct met_value *)b)->value);
}

static void number_values(struct registers *registers)
{
    struct met_value *values = registers->values;
    uint32_t number = REGISTER_NONE;
    registers->texts = array_new(registers->value_count + 1, sizeof *registers->texts);
    registers->texts[REGISTER_NONE] = bytes_from_text("\xc0");
    if (registers->value_count > 0) {
        qsort(values, registers->value_count, sizeof *values, compare_values);
    }
    for (size_t i = 0; i < registers->value_count; i++) {
        struct register_operation *operation = &registers->entries[values[i].entry].operation;
        if (i == 0 || !bytes_equal(values[i - 1].value, values[i].value)) {
            registers->texts[++number] = values[i].value;
        }
        if (values[i].is_expected) {
            operation->expected = number;
        } else {
            operation->value = number;
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    int order = bytes_compare(left->key, right->key);
    if (order != 0) {
        return order;
    }
    return left->operation.record < right->operation.record ? -1 : 1;
}

// Whether anybody could tell that this was done.
static bool is_looked_for(const struct entry *entries, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        const struct register_operation *operation = &entries[i].operation;
        bool looks = operation->kind != REGISTER_write;
        if (operation->kind == REGISTER_no_swap || (looks && operation->expected == value)) {
            return true;
        }
    }
    return false;
}

// Copies what counts of the operations on one register; returns how many that is.
static size_t choose_operations(const struct entry *entries, size_t count,
                                struct register_operation *operations)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        const struct register_operation *operation = &entries[i].operation;
        if (!operation->is_unknown || is_looked_for(entries, count, operation->value)) {
            operations[chosen++] = *operation;
        }
    }
    return chosen;
}

static void append_value(const struct registers *registers, uint32_t value, struct buffer *out)
{
    struct cursor cursor = cursor_of(registers->texts[value]);
    if (json_from_msgpack(&cursor, out) != STATUS_ok) {
        buffer_append(out, bytes_from_text("a value"));
    }
}

static void append_operation(const struct registers *registers,
                             const struct register_operation *operation, struct buffer *out)
{
    switch (operation->kind) {
    case REGISTER_read: buffer_append(out, bytes_from_text("read ")); break;
    case REGISTER_write: buffer_append(out, bytes_from_text("wrote ")); break;
    case REGISTER_swap: buffer_append(out, bytes_from_text("found ")); break;
    case REGISTER_no_swap: buffer_append(out, bytes_from_text("did not find ")); break;
    }
    if (operation->kind == REGISTER_write) {
        append_value(registers, operation->value, out);
        return;
    }
    append_value(registers, operation->expected, out);
    if (operation->kind == REGISTER_swap) {
        buffer_append(out, bytes_from_text(" and made it "));
        append_value(registers, operation->value, out);
    }
}

static void report_dead_end(const struct registers *registers, struct bytes key,
                            const struct register_operation *operations,
                            const struct linearize_dead_end *dead_end, struct report *report)
{
    const struct record *records = registers->history->records;
    const struct register_operation *blocked = &operations[dead_end->blocked];
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer text = {0};
    append_value(registers, dead_end->value, &value);
    append_operation(registers, blocked, &text);
    report_violation(report, "register",
                     "no order of the operations on \"%.*s\" fits. At best %zu of them can be put "
                     "in one, which leave %.*s; then line %u has to come, which %.*s",
                     (int)key.size, (const char *)key.data, dead_end->ordered, (int)value.size,
                     (const char *)value.data, records[blocked->record].line, (int)text.size,
                     (const char *)text.data);
}

// Checks the operations on one register.
static void check_register(const struct registers *registers, const struct entry *entries,
                           size_t count, struct report *report)
{
    struct register_operation *operations = array_new(count, sizeof *operations);
    size_t chosen = choose_operations(entries, count, operations);
    struct linearize_dead_end dead_end;
    switch (linearize(operations, chosen, REGISTER_CONFIGURATIONS_MAX, &dead_end)) {
    case LINEARIZE_good: break;
    case LINEARIZE_bad:
        report_dead_end(registers, entries->key, operations, &dead_end, report);
        break;
    case LINEARIZE_undecided:
        report_undecided(report, "the %zu operations on \"%.*s\" have too many orders", chosen,
                         (int)entries->key.size, (const char *)entries->key.data);
        break;
    }
    free(operations);
}

enum status registers_check(const struct history *history, struct report *report,
                            struct history_fault *ret_fault)
{
    AUTO(registers_release) struct registers registers = {.history = history};
    TRY(take_records(&registers, ret_fault));
    number_values(&registers);
    if (registers.count > 0) {
        qsort(registers.entries, registers.count, sizeof *registers.entries, compare_entries);
    }
    size_t end;
    for (size_t start = 0; start < registers.count; start = end) {
        const struct entry *first = &registers.entries[start];
        end = start + 1;
        while (end < registers.count && bytes_equal(registers.entries[end].key, first->key)) {
            end++;
        }
        check_register(&registers, first, end - start, report);
    }
    return STATUS_ok;
}
