/*
 * All that happened to a counter is a list of events in order of time: an addition begins, or is
 * over; a read begins, or is over. One walk over them knows at each moment what was certainly added
 * and what may have been. At the same time, beginnings come before ends, so that what only touches
 * overlaps.
 *
 * An addition of unknown outcome is never over, one that failed is no event.
 */
#include "tests/check/counters.h"

#include "tests/check/array.h"

enum event_kind { ADD_begins, READ_begins, ADD_is_over, READ_is_over };

struct counter_event {
    struct bytes counter; // borrowed from the history
    uint64_t at_ns;
    enum event_kind kind;
    uint32_t record; // number of it
    uint64_t amount; // that is added, or was read
};

// What a read must at least have, as known when it begins; [record].
struct least {
    uint64_t added;       // certainly
    uint64_t read;        // the most that was read by then
    uint32_t read_record; // that read it
};

struct counters {
    const struct history *history;
    struct report *report;
    struct counter_event *events; // owned; by counter and time, once sorted
    size_t count;
    size_t capacity;
    struct least *least; // owned; [record]
};

static void counters_release(struct counters *counters)
{
    free(counters->events);
    free(counters->least);
}

static void add_event(struct counters *counters, const struct counter_event *event, uint64_t at_ns,
                      enum event_kind kind)
{
    counters->events = array_grow(counters->events, counters->count, &counters->capacity,
                                  sizeof *counters->events);
    counters->events[counters->count] = *event;
    counters->events[counters->count].at_ns = at_ns;
    counters->events[counters->count++].kind = kind;
}

static enum status take_record(struct counters *counters, uint32_t number)
{
    const struct record *record = &counters->history->records[number];
    struct record_steps steps;
    struct record_step step;
    struct counter_event event = {.record = number};
    record_steps_open(counters->history, record, &steps);
    if (steps.count != 1 || !record_steps_next(&steps, &step)) {
        return STATUS_bad_request;
    }
    bool is_add = record_step_is(&step, "increment", 2);
    if (!is_add && !record_step_is(&step, "read", 1)) {
        return STATUS_bad_request;
    }
    TRY(cursor_text(&step.arguments, &event.counter));
    if (is_add) {
        TRY(cursor_u64(&step.arguments, &event.amount));
    } else if (step.has_result) {
        TRY(cursor_u64(&step.result, &event.amount));
    }
    if (record->outcome == OUTCOME_fail || (!is_add && record->outcome != OUTCOME_ok)) {
        return STATUS_ok;
    }
    add_event(counters, &event, record->invoke_ns, is_add ? ADD_begins : READ_begins);
    if (record->outcome == OUTCOME_ok) {
        add_event(counters, &event, record->complete_ns, is_add ? ADD_is_over : READ_is_over);
    }
    return STATUS_ok;
}

static int compare_events(const void *a, const void *b)
{
    const struct counter_event *left = a;
    const struct counter_event *right = b;
    int order = bytes_compare(left->counter, right->counter);
    if (order != 0) {
        return order;
    }
    if (left->at_ns != right->at_ns) {
        return left->at_ns < right->at_ns ? -1 : 1;
    }
    return (int)left->kind - (int)right->kind;
}

static void check_read(struct counters *counters, const struct counter_event *event, uint64_t most)
{
    const struct record *records = counters->history->records;
    const struct least *least = &counters->least[event->record];
    unsigned line = records[event->record].line;
    if (event->amount < least->added) {
        report_violation(counters->report, "counter-low",
                         "line %u reads %llu in \"%.*s\", %llu were added before it began", line,
                         (unsigned long long)event->amount, (int)event->counter.size,
                         (const char *)event->counter.data, (unsigned long long)least->added);
    }
    if (event->amount > most) {
        report_violation(counters->report, "counter-high",
                         "line %u reads %llu in \"%.*s\", at most %llu can have been added", line,
                         (unsigned long long)event->amount, (int)event->counter.size,
                         (const char *)event->counter.data, (unsigned long long)most);
    }
    if (event->amount < least->read) {
        report_violation(counters->report, "counter-back",
                         "line %u reads %llu in \"%.*s\", line %u read %llu before it began", line,
                         (unsigned long long)event->amount, (int)event->counter.size,
                         (const char *)event->counter.data, records[least->read_record].line,
                         (unsigned long long)least->read);
    }
}

// Walks over the events of one counter.
static void check_counter(struct counters *counters, const struct counter_event *events,
                          size_t count)
{
    struct least now = {0};
    uint64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const struct counter_event *event = &events[i];
        switch (event->kind) {
        case ADD_begins: most += event->amount; break;
        case READ_begins: counters->least[event->record] = now; break;
        case ADD_is_over: now.added += event->amount; break;
        case READ_is_over:
            check_read(counters, event, most);
            if (event->amount > now.read) {
                now.read = event->amount;
                now.read_record = event->record;
            }
            break;
        }
    }
}

enum status counters_check(const struct history *history, struct report *report,
                           struct history_fault *ret_fault)
{
    AUTO(counters_release) struct counters counters = {.history = history, .report = report};
    counters.least = array_new(history->count, sizeof *counters.least);
    for (uint32_t i = 0; i < history->count; i++) {
        const struct record *record = &history->records[i];
        if (record->kind == RECORD_counter && take_record(&counters, i) != STATUS_ok) {
            return history_fault_set(ret_fault, record->line, "is no operation on a counter");
        }
    }
    if (counters.count > 0) {
        qsort(counters.events, counters.count, sizeof *counters.events, compare_events);
    }
    size_t end;
    for (size_t start = 0; start < counters.count; start = end) {
        const struct counter_event *first = &counters.events[start];
        end = start + 1;
        while (end < counters.count && bytes_equal(counters.events[end].counter, first->counter)) {
            end++;
        }
        check_counter(&counters, first, end - start);
    }
    return STATUS_ok;
}
