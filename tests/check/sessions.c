/*
 * Records are sorted by process and time. A session is then walked over with the version that it
 * has reached and, for each key, the number. Writes are also sorted by key and number, so that each
 * number that was read is found among them.
 */
#include "tests/check/sessions.h"

#include "tests/check/array.h"

struct session_step {
    struct bytes key; // borrowed from the history
    uint64_t number;  // written or read; 0 for nothing
    uint32_t record;  // number of it
    bool is_read;
};

// How far a session has seen a key.
struct seen {
    struct bytes key;
    uint64_t number;
    uint32_t record; // that saw it
};

struct sessions {
    const struct history *history;
    struct report *report;
    struct session_step *steps; // owned; as in the history
    size_t count;
    size_t capacity;
    struct session_step **in_order; // owned; by process and time
    struct session_step **writes;   // owned; by key and number
    size_t write_count;
    struct seen *seen; // owned; of one session
    size_t seen_count;
    size_t seen_capacity;
    uint64_t version; // that one session has reached
};

static void sessions_release(struct sessions *sessions)
{
    free(sessions->steps);
    free(sessions->in_order);
    free(sessions->writes);
    free(sessions->seen);
}

static const struct record *record_of(const struct sessions *sessions,
                                      const struct session_step *step)
{
    return &sessions->history->records[step->record];
}

static enum status take_record(struct sessions *sessions, uint32_t number)
{
    const struct record *record = &sessions->history->records[number];
    struct record_steps steps;
    struct record_step taken;
    struct session_step step = {.record = number};
    enum value_kind kind;
    record_steps_open(sessions->history, record, &steps);
    if (steps.count != 1 || !record_steps_next(&steps, &taken)) {
        return STATUS_bad_request;
    }
    step.is_read = record_step_is(&taken, "read", 1);
    if (!step.is_read && !record_step_is(&taken, "write", 2)) {
        return STATUS_bad_request;
    }
    TRY(cursor_text(&taken.arguments, &step.key));
    if (!step.is_read) {
        TRY(cursor_u64(&taken.arguments, &step.number));
    } else if (taken.has_result) {
        TRY(cursor_peek(&taken.result, &kind));
        TRY(kind == VALUE_NIL ? STATUS_ok : cursor_u64(&taken.result, &step.number));
    }
    sessions->steps = array_grow(sessions->steps, sessions->count, &sessions->capacity,
                                 sizeof *sessions->steps);
    sessions->steps[sessions->count++] = step;
    return STATUS_ok;
}

static int compare_times(const void *a, const void *b, void *context)
{
    const struct record *left = record_of(context, *(struct session_step *const *)a);
    const struct record *right = record_of(context, *(struct session_step *const *)b);
    if (left->process != right->process) {
        return left->process < right->process ? -1 : 1;
    }
    if (left->invoke_ns != right->invoke_ns) {
        return left->invoke_ns < right->invoke_ns ? -1 : 1;
    }
    return left->line < right->line ? -1 : left->line > right->line;
}

static int compare_writes(const void *a, const void *b)
{
    const struct session_step *left = *(struct session_step *const *)a;
    const struct session_step *right = *(struct session_step *const *)b;
    int order = bytes_compare(left->key, right->key);
    if (order != 0) {
        return order;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

static void sort_steps(struct sessions *sessions)
{
    sessions->in_order = array_new(sessions->count, sizeof *sessions->in_order);
    sessions->writes = array_new(sessions->count, sizeof *sessions->writes);
    for (size_t i = 0; i < sessions->count; i++) {
        sessions->in_order[i] = &sessions->steps[i];
        if (!sessions->steps[i].is_read) {
            sessions->writes[sessions->write_count++] = &sessions->steps[i];
        }
    }
    qsort_r(sessions->in_order, sessions->count, sizeof *sessions->in_order, compare_times,
            sessions);
    qsort(sessions->writes, sessions->write_count, sizeof *sessions->writes, compare_writes);
}

static void check_number(struct sessions *sessions, const struct session_step *step)
{
    const struct record *record = record_of(sessions, step);
    struct session_step *const *found = bsearch(&step, sessions->writes, sessions->write_count,
                                                sizeof *sessions->writes, compare_writes);
    if (found == NULL || record_of(sessions, *found)->outcome == OUTCOME_fail) {
        report_violation(sessions->report, "session-phantom",
                         "line %u reads %llu in \"%.*s\", which nobody wrote", record->line,
                         (unsigned long long)step->number, (int)step->key.size,
                         (const char *)step->key.data);
    } else if (record_of(sessions, *found)->invoke_ns > record->complete_ns) {
        report_violation(sessions->report, "session-early",
                         "line %u reads what was written later, in line %u", record->line,
                         record_of(sessions, *found)->line);
    }
}

static struct seen *find_seen(struct sessions *sessions, struct bytes key)
{
    for (size_t i = 0; i < sessions->seen_count; i++) {
        if (bytes_equal(sessions->seen[i].key, key)) {
            return &sessions->seen[i];
        }
    }
    sessions->seen = array_grow(sessions->seen, sessions->seen_count, &sessions->seen_capacity,
                                sizeof *sessions->seen);
    sessions->seen[sessions->seen_count] = (struct seen){.key = key};
    return &sessions->seen[sessions->seen_count++];
}

static void check_read(struct sessions *sessions, const struct session_step *step,
                       const struct seen *seen)
{
    const struct record *record = record_of(sessions, step);
    if (record->version != 0 && record->version < sessions->version) {
        report_violation(sessions->report, "session-version",
                         "line %u is of version %llu, its session saw %llu before", record->line,
                         (unsigned long long)record->version,
                         (unsigned long long)sessions->version);
    }
    if (step->number < seen->number) {
        report_violation(
            sessions->report, "session-back",
            "line %u reads %llu in \"%.*s\", line %u of its session had %llu", record->line,
            (unsigned long long)step->number, (int)step->key.size, (const char *)step->key.data,
            sessions->history->records[seen->record].line, (unsigned long long)seen->number);
    }
    if (step->number != 0) {
        check_number(sessions, step);
    }
}

static void take_step(struct sessions *sessions, const struct session_step *step)
{
    const struct record *record = record_of(sessions, step);
    if (record->outcome != OUTCOME_ok) {
        return;
    }
    struct seen *seen = find_seen(sessions, step->key);
    if (step->is_read) {
        check_read(sessions, step, seen);
    }
    if (step->number > seen->number) {
        seen->number = step->number;
        seen->record = step->record;
    }
    if (record->version > sessions->version) {
        sessions->version = record->version;
    }
}

static enum status walk(struct sessions *sessions, struct history_fault *ret_fault)
{
    const struct record *before = NULL;
    for (size_t i = 0; i < sessions->count; i++) {
        const struct record *record = record_of(sessions, sessions->in_order[i]);
        bool is_same = before != NULL && before->process == record->process;
        if (!is_same) {
            sessions->version = 0;
            sessions->seen_count = 0;
        } else if (before->outcome != OUTCOME_unknown && before->complete_ns > record->invoke_ns) {
            return history_fault_set(ret_fault, record->line,
                                     "began before line %u of the same session was over",
                                     before->line);
        }
        take_step(sessions, sessions->in_order[i]);
        before = record;
    }
    return STATUS_ok;
}

enum status sessions_check(const struct history *history, struct report *report,
                           struct history_fault *ret_fault)
{
    AUTO(sessions_release) struct sessions sessions = {.history = history, .report = report};
    for (uint32_t i = 0; i < history->count; i++) {
        const struct record *record = &history->records[i];
        if (record->kind == RECORD_session && take_record(&sessions, i) != STATUS_ok) {
            return history_fault_set(ret_fault, record->line, "is no operation of a session");
        }
    }
    sort_steps(&sessions);
    return walk(&sessions, ret_fault);
}
