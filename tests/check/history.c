/*
 * Reading lines. Each line becomes msgpack behind those before it, and a record of offsets into it.
 *
 * What all kinds share is checked here: that every field is there and of its type, that operations
 * are arrays that begin with a word, and that there are as many results. So a walk over a record
 * can't fail. What an operation of a kind needs is checked by the checker of that kind.
 */
#include "tests/check/history.h"

#include "tests/check/array.h"
#include "wire/json.h"

#include <stdarg.h>
#include <stdio.h>

// The fields of a line as far as they have been met.
struct fields {
    struct record record;
    bool has_process;
    bool has_kind;
    bool has_invoke;
    bool has_complete;
    bool has_outcome;
    struct bytes operations; // no bytes: not met
    struct bytes results;    // no bytes: not met, or null
};

void history_init(struct history *history)
{
    *history = (struct history){0};
}

void history_release(struct history *history)
{
    buffer_release(&history->bytes);
    free(history->records);
    *history = (struct history){0};
}

static enum status take_word(struct cursor *cursor, const char *const *words, unsigned *ret_number)
{
    struct bytes text;
    TRY(cursor_text(cursor, &text));
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (bytes_equal(text, bytes_from_text(words[i]))) {
            *ret_number = i;
            return STATUS_ok;
        }
    }
    return STATUS_bad_request;
}

static enum status take_kind(struct cursor *cursor, enum record_kind *ret_kind)
{
    static const char *const words[] = {"list",    "bank",    "register", "set",
                                        "counter", "session", NULL};
    unsigned number;
    TRY(take_word(cursor, words, &number));
    *ret_kind = (enum record_kind)number;
    return STATUS_ok;
}

static enum status take_outcome(struct cursor *cursor, enum outcome *ret_outcome)
{
    static const char *const words[] = {"ok", "fail", "unknown", NULL};
    unsigned number;
    TRY(take_word(cursor, words, &number));
    *ret_outcome = (enum outcome)number;
    return STATUS_ok;
}

// A value that may be null; then `ret_bytes` is of no bytes.
static enum status take_value(struct cursor *cursor, struct bytes *ret_bytes)
{
    enum value_kind kind;
    TRY(cursor_peek(cursor, &kind));
    TRY(cursor_skip(cursor, ret_bytes));
    if (kind == VALUE_NIL) {
        *ret_bytes = (struct bytes){0};
    }
    return STATUS_ok;
}

// A number that may be null; then it counts as not given.
static enum status take_number(struct cursor *cursor, uint64_t *ret_number, bool *ret_is_given)
{
    enum value_kind kind;
    TRY(cursor_peek(cursor, &kind));
    *ret_is_given = kind != VALUE_NIL;
    return kind == VALUE_NIL ? cursor_skip(cursor, NULL) : cursor_u64(cursor, ret_number);
}

static bool is_named(struct bytes name, const char *text)
{
    return bytes_equal(name, bytes_from_text(text));
}

static enum status take_field(struct fields *fields, struct bytes name, struct cursor *cursor)
{
    struct record *record = &fields->record;
    bool has_version;
    if (is_named(name, "process")) {
        return take_number(cursor, &record->process, &fields->has_process);
    }
    if (is_named(name, "kind")) {
        fields->has_kind = true;
        return take_kind(cursor, &record->kind);
    }
    if (is_named(name, "invoke")) {
        return take_number(cursor, &record->invoke_ns, &fields->has_invoke);
    }
    if (is_named(name, "complete")) {
        return take_number(cursor, &record->complete_ns, &fields->has_complete);
    }
    if (is_named(name, "outcome")) {
        fields->has_outcome = true;
        return take_outcome(cursor, &record->outcome);
    }
    if (is_named(name, "operations")) {
        return take_value(cursor, &fields->operations);
    }
    if (is_named(name, "results")) {
        return take_value(cursor, &fields->results);
    }
    if (is_named(name, "version")) {
        return take_number(cursor, &record->version, &has_version);
    }
    return cursor_skip(cursor, NULL);
}

static enum status check_operations(struct bytes operations, uint32_t *ret_count)
{
    struct cursor cursor = cursor_of(operations);
    uint32_t count;
    TRY(cursor_array(&cursor, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct bytes operation;
        struct bytes word;
        uint32_t words;
        TRY(cursor_skip(&cursor, &operation));
        struct cursor inside = cursor_of(operation);
        TRY(cursor_array(&inside, &words));
        TRY(cursor_text(&inside, &word));
    }
    *ret_count = count;
    return count > 0 ? STATUS_ok : STATUS_bad_request;
}

// What is wrong with the fields of a line; NULL for nothing.
static const char *find_mistake(const struct fields *fields)
{
    const struct record *record = &fields->record;
    uint32_t operation_count = 0;
    uint32_t result_count = 0;
    struct cursor results = cursor_of(fields->results);
    if (!fields->has_process || !fields->has_kind || !fields->has_invoke || !fields->has_outcome) {
        return "needs process, kind, invoke and outcome";
    }
    if (record->outcome != OUTCOME_unknown &&
        (!fields->has_complete || record->complete_ns < record->invoke_ns)) {
        return "needs complete, not before invoke";
    }
    if (check_operations(fields->operations, &operation_count) != STATUS_ok) {
        return "needs operations: arrays that begin with a word";
    }
    if (record->outcome == OUTCOME_ok &&
        (cursor_array(&results, &result_count) != STATUS_ok || result_count != operation_count)) {
        return "needs one result for each operation";
    }
    return NULL;
}

static void add_record(struct history *history, const struct fields *fields)
{
    history->records = array_grow(history->records, history->count, &history->capacity,
                                  sizeof *history->records);
    struct record *record = &history->records[history->count++];
    *record = fields->record;
    record->operations_offset = (size_t)(fields->operations.data - history->bytes.data);
    record->operations_size = fields->operations.size;
    if (record->outcome == OUTCOME_ok) {
        record->results_offset = (size_t)(fields->results.data - history->bytes.data);
        record->results_size = fields->results.size;
    } else if (record->outcome == OUTCOME_unknown) {
        record->complete_ns = UINT64_MAX;
    }
}

static enum status read_fields(struct cursor *cursor, struct fields *fields,
                               struct history_fault *ret_fault)
{
    uint32_t line = fields->record.line;
    uint32_t pairs;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return history_fault_set(ret_fault, line, "is no JSON object");
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        if (take_field(fields, name, cursor) != STATUS_ok) {
            return history_fault_set(ret_fault, line, "has a \"%.*s\" that is none", (int)name.size,
                                     (const char *)name.data);
        }
    }
    return STATUS_ok;
}

static enum status read_line(struct history *history, uint32_t line, struct bytes text,
                             struct history_fault *ret_fault)
{
    struct json_fault json_fault;
    size_t offset = history->bytes.size;
    enum status status = json_to_msgpack(text, &history->bytes, &json_fault);
    if (status != STATUS_ok) {
        history_fault_set(ret_fault, line, "can't be read: %s", json_fault.sentence);
        return status;
    }
    struct fields fields = {.record = {.line = line}};
    struct cursor cursor = cursor_of(
        bytes_of(history->bytes.data + offset, history->bytes.size - offset));
    TRY(read_fields(&cursor, &fields, ret_fault));
    const char *mistake = find_mistake(&fields);
    if (mistake != NULL) {
        return history_fault_set(ret_fault, line, "%s", mistake);
    }
    add_record(history, &fields);
    return STATUS_ok;
}

enum status history_read(struct history *history, struct bytes text,
                         struct history_fault *ret_fault)
{
    uint32_t line = 0;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        line++;
        if (size > 0) {
            TRY(read_line(history, line, bytes_of(text.data, size), ret_fault));
        }
        size_t passed = end == NULL ? size : size + 1;
        text = bytes_of(text.data + passed, text.size - passed);
    }
    return STATUS_ok;
}

enum status history_fault_set(struct history_fault *fault, uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
    va_end(arguments);
    fault->line = line;
    return STATUS_bad_request;
}

void record_steps_open(const struct history *history, const struct record *record,
                       struct record_steps *ret_steps)
{
    const uint8_t *bytes = history->bytes.data;
    struct record_steps steps = {.has_results = record->results_size > 0};
    uint32_t count;
    steps.operations = cursor_of(
        bytes_of(bytes + record->operations_offset, record->operations_size));
    ASSERT(cursor_array(&steps.operations, &steps.count) == STATUS_ok);
    if (steps.has_results) {
        steps.results = cursor_of(bytes_of(bytes + record->results_offset, record->results_size));
        ASSERT(cursor_array(&steps.results, &count) == STATUS_ok && count == steps.count);
    }
    *ret_steps = steps;
}

bool record_steps_next(struct record_steps *steps, struct record_step *ret_step)
{
    if (steps->taken == steps->count) {
        return false;
    }
    struct bytes operation;
    struct bytes result = {0};
    struct record_step step = {.has_result = steps->has_results};
    uint32_t words;
    ASSERT(cursor_skip(&steps->operations, &operation) == STATUS_ok);
    step.arguments = cursor_of(operation);
    ASSERT(cursor_array(&step.arguments, &words) == STATUS_ok);
    ASSERT(cursor_text(&step.arguments, &step.word) == STATUS_ok);
    step.argument_count = words - 1;
    if (steps->has_results) {
        ASSERT(cursor_skip(&steps->results, &result) == STATUS_ok);
        step.result = cursor_of(result);
    }
    steps->taken++;
    *ret_step = step;
    return true;
}

bool record_step_is(const struct record_step *step, const char *word, uint32_t argument_count)
{
    return bytes_equal(step->word, bytes_from_text(word)) && step->argument_count == argument_count;
}
