/*
 * Most branches are told to the operator, so their lines are counted; the others are counted where
 * the simulator sees them: at a start what is on the disk, requests to the disk, entries committed,
 * answers to clients.
 */
#include "tests/sim/coverage.h"

#include <stdio.h>

static const char EVENT_BEGIN[] = "event=";

static const char *const EVENTS[BRANCH_COUNT] = {
#define BRANCH_EVENT(name, event, doc) event,
    BRANCH_LIST(BRANCH_EVENT)
#undef BRANCH_EVENT
};

void coverage_take(struct coverage *coverage, enum branch branch)
{
    coverage->taken[branch]++;
}

static bool begins_with(struct bytes line, struct bytes beginning)
{
    return line.size >= beginning.size &&
           bytes_equal(bytes_of(line.data, beginning.size), beginning);
}

void coverage_take_line(struct coverage *coverage, struct bytes line)
{
    struct bytes begin = bytes_from_text(EVENT_BEGIN);
    if (!begins_with(line, begin)) {
        return;
    }
    size_t end = begin.size;
    while (end < line.size && line.data[end] != ' ') {
        end++;
    }
    struct bytes event = bytes_of(line.data + begin.size, end - begin.size);
    for (unsigned i = 0; i < BRANCH_COUNT && event.size > 0; i++) {
        coverage->taken[i] += bytes_equal(event, bytes_from_text(EVENTS[i]));
    }
}

void coverage_end(struct coverage *coverage)
{
    for (unsigned i = 0; i < BRANCH_COUNT; i++) {
        coverage->seeds[i] = coverage->taken[i] > 0;
    }
}

void coverage_add(struct coverage *sum, const struct coverage *coverage)
{
    for (unsigned i = 0; i < BRANCH_COUNT; i++) {
        sum->taken[i] += coverage->taken[i];
        sum->seeds[i] += coverage->seeds[i];
    }
}

bool coverage_is_whole(const struct coverage *coverage)
{
    for (unsigned i = 0; i < BRANCH_COUNT; i++) {
        if (coverage->taken[i] == 0) {
            return false;
        }
    }
    return true;
}

void coverage_print(const struct coverage *coverage)
{
    static const char *const names[] = {
#define BRANCH_NAME(name, event, doc) #name,
        BRANCH_LIST(BRANCH_NAME)
#undef BRANCH_NAME
    };
    static const char *const docs[] = {
#define BRANCH_DOC(name, event, doc) doc,
        BRANCH_LIST(BRANCH_DOC)
#undef BRANCH_DOC
    };
    printf("%-20s %8s %10s\n", "branch", "seeds", "times");
    for (unsigned i = 0; i < BRANCH_COUNT; i++) {
        printf("%-20s %8llu %10llu  %s\n", names[i], (unsigned long long)coverage->seeds[i],
               (unsigned long long)coverage->taken[i], docs[i]);
    }
}
