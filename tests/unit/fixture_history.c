/*
 * Lines are put together as text and read as any history is.
 */
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { LINE_SIZE_MAX = 2048 };

void told_history_init(struct told_history *told)
{
    *told = (struct told_history){0};
    report_init(&told->report);
}

void told_history_release(struct told_history *told)
{
    buffer_release(&told->text);
    report_release(&told->report);
}

static void add_line(struct told_history *told, const char *line)
{
    for (const char *letter = line; *letter != '\0'; letter++) {
        buffer_append_u8(&told->text, (uint8_t)(*letter == '\'' ? '"' : *letter));
    }
    buffer_append_u8(&told->text, '\n');
}

void told_ok(struct told_history *told, const char *kind, const char *times, const char *operations,
             const char *results)
{
    char line[LINE_SIZE_MAX];
    unsigned invoke;
    unsigned complete;
    cr_assert_eq(sscanf(times, "%u-%u", &invoke, &complete), 2);
    snprintf(line, sizeof line,
             "{'process': 1, 'kind': '%s', 'invoke': %u, 'complete': %u, 'outcome': 'ok', "
             "'operations': %s, 'results': %s}",
             kind, invoke, complete, operations, results);
    add_line(told, line);
}

void told_not_ok(struct told_history *told, const char *kind, const char *outcome,
                 const char *times, const char *operations)
{
    char line[LINE_SIZE_MAX];
    unsigned invoke;
    unsigned complete;
    cr_assert_eq(sscanf(times, "%u-%u", &invoke, &complete), 2);
    snprintf(line, sizeof line,
             "{'process': 1, 'kind': '%s', 'invoke': %u, 'complete': %u, 'outcome': '%s', "
             "'operations': %s}",
             kind, invoke, complete, outcome, operations);
    add_line(told, line);
}

enum status told_check(struct told_history *told)
{
    AUTO(history_release) struct history history = {0};
    report_release(&told->report);
    report_init(&told->report);
    TRY(history_read(&history, buffer_bytes(&told->text), &told->fault));
    return check_history(&history, &told->report, &told->fault);
}

static const char *first_finding(const struct told_history *told)
{
    return told->report.told == 0 ? "nothing" : told->report.findings[0].name;
}

void told_expect(struct told_history *told, const char *name)
{
    cr_assert_eq(told_check(told), STATUS_ok, "line %u %s", told->fault.line, told->fault.sentence);
    cr_assert_eq(told->report.violations, 1, "%lu violations, first %s",
                 (unsigned long)told->report.violations, first_finding(told));
    cr_assert_str_eq(first_finding(told), name);
}

void told_expect_good(struct told_history *told)
{
    cr_assert_eq(told_check(told), STATUS_ok, "line %u %s", told->fault.line, told->fault.sentence);
    cr_assert_eq(told->report.told, 0, "found %s", first_finding(told));
}

void told_expect_among(struct told_history *told, const char *name)
{
    cr_assert_eq(told_check(told), STATUS_ok, "line %u %s", told->fault.line, told->fault.sentence);
    cr_assert(report_has(&told->report, name), "found %s, not %s", first_finding(told), name);
}

void told_expect_unreadable(struct told_history *told, uint32_t line)
{
    cr_assert_eq(told_check(told), STATUS_bad_request);
    cr_assert_eq(told->fault.line, line, "line %u %s", told->fault.line, told->fault.sentence);
    cr_assert_gt(strlen(told->fault.sentence), 5);
}
