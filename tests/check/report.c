/*
 * Findings are kept up to a bound for each name, so that many of one kind don't hide the others. An
 * undecided part is told as a finding named "undecided".
 */
#include "tests/check/report.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void report_init(struct report *report)
{
    *report = (struct report){0};
}

void report_release(struct report *report)
{
    buffer_release(&report->text);
    *report = (struct report){0};
}

static size_t count_named(const struct report *report, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < report->told; i++) {
        count += strcmp(report->findings[i].name, name) == 0;
    }
    return count;
}

__attribute__((format(printf, 3, 0))) static void tell(struct report *report, const char *name,
                                                       const char *format, va_list arguments)
{
    if (report->told == REPORT_TOLD_MAX || count_named(report, name) == REPORT_TOLD_OF_NAME_MAX) {
        return;
    }
    struct finding *finding = &report->findings[report->told++];
    snprintf(finding->name, sizeof finding->name, "%s", name);
    finding->offset = report->text.size;
    text_append_list(&report->text, format, arguments);
    finding->size = report->text.size - finding->offset;
}

void report_violation(struct report *report, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(report, name, format, arguments);
    va_end(arguments);
    report->violations++;
}

void report_undecided(struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(report, "undecided", format, arguments);
    va_end(arguments);
    report->undecided++;
}

bool report_has(const struct report *report, const char *name)
{
    return count_named(report, name) > 0;
}
