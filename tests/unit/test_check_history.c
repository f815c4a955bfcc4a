/*
 * Lines of histories: what is read, and what is refused with the line that is to blame.
 */
#include "tests/check/history.h"

#include "tests/check/report.h"

#include <criterion/criterion.h>

static enum status read_text(struct history *history, const char *text, struct history_fault *fault)
{
    return history_read(history, bytes_from_text(text), fault);
}

static void expect_refused(const char *line)
{
    AUTO(history_release) struct history history = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct history_fault fault;
    buffer_append(&text, bytes_from_text("\n"));
    buffer_append(&text, bytes_from_text(line));
    cr_assert_neq(history_read(&history, buffer_bytes(&text), &fault), STATUS_ok, "%s", line);
    cr_assert_eq(fault.line, 2);
    cr_assert_gt(strlen(fault.sentence), 5);
}

#define HEAD "{\"process\":4,\"kind\":\"list\",\"invoke\":5,"
#define READ "\"operations\":[[\"read\",\"x\"]]"

Test(check_history, reads_lines_and_passes_empty_ones)
{
    AUTO(history_release) struct history history = {0};
    struct history_fault fault;
    cr_assert_eq(read_text(&history,
                           HEAD "\"complete\":6,\"outcome\":\"ok\"," READ ",\"results\":[[1]]}\n"
                                "\n" HEAD "\"outcome\":\"unknown\"," READ ",\"complete\":null}",
                           &fault),
                 STATUS_ok, "%s", fault.sentence);
    cr_assert_eq(history.count, 2);
    cr_assert_eq(history.records[0].line, 1);
    cr_assert_eq(history.records[0].process, 4);
    cr_assert_eq(history.records[0].complete_ns, 6);
    cr_assert_eq(history.records[1].line, 3);
    cr_assert_eq(history.records[1].outcome, OUTCOME_unknown);
    cr_assert_eq(history.records[1].complete_ns, UINT64_MAX);
}

Test(check_history, skips_fields_that_it_does_not_know)
{
    AUTO(history_release) struct history history = {0};
    struct history_fault fault;
    cr_assert_eq(
        read_text(&history, HEAD "\"note\":{\"a\":[1]},\"outcome\":\"unknown\"," READ "}", &fault),
        STATUS_ok);
}

Test(check_history, walks_operations_and_results_side_by_side)
{
    AUTO(history_release) struct history history = {0};
    struct history_fault fault;
    struct record_steps steps;
    struct record_step step;
    uint64_t number;
    cr_assert_eq(read_text(&history,
                           HEAD "\"complete\":6,\"outcome\":\"ok\",\"operations\":[[\"a\",1],"
                                "[\"b\"]],\"results\":[null,2]}",
                           &fault),
                 STATUS_ok);
    record_steps_open(&history, &history.records[0], &steps);
    cr_assert(record_steps_next(&steps, &step));
    cr_assert(record_step_is(&step, "a", 1));
    cr_assert_not(record_step_is(&step, "a", 0));
    cr_assert(record_steps_next(&steps, &step));
    cr_assert(record_step_is(&step, "b", 0));
    cr_assert_eq(cursor_u64(&step.result, &number), STATUS_ok);
    cr_assert_eq(number, 2);
    cr_assert_not(record_steps_next(&steps, &step));
}

Test(check_history, refuses_lines_that_are_no_records)
{
    expect_refused("[1]");
    expect_refused("{");
    expect_refused(HEAD "\"outcome\":\"maybe\"," READ "}");
    expect_refused(HEAD "\"outcome\":\"unknown\",\"operations\":[]}");
    expect_refused(HEAD "\"outcome\":\"unknown\",\"operations\":[[1]]}");
    expect_refused(HEAD "\"outcome\":\"unknown\"}");
    expect_refused(HEAD READ "}");
    expect_refused(HEAD "\"complete\":4,\"outcome\":\"fail\"," READ "}");
    expect_refused(HEAD "\"outcome\":\"fail\"," READ "}");
    expect_refused(HEAD "\"complete\":6,\"outcome\":\"ok\"," READ "}");
    expect_refused(HEAD "\"complete\":6,\"outcome\":\"ok\"," READ ",\"results\":[]}");
    expect_refused("{\"kind\":\"tree\"}");
}

Test(check_history, tells_some_findings_of_each_name_and_counts_all)
{
    AUTO(report_release) struct report report = {0};
    for (unsigned i = 0; i < 9; i++) {
        report_violation(&report, i == 7 ? "rare" : "common", "number %u", i);
    }
    cr_assert_eq(report.violations, 9);
    cr_assert_eq(report.told, REPORT_TOLD_OF_NAME_MAX + 1);
    cr_assert(report_has(&report, "rare"));
    cr_assert_not(report_has(&report, "other"));
    cr_assert_eq(memcmp(report.text.data + report.findings[1].offset, "number 1", 8), 0);
    cr_assert_eq(report.findings[1].size, 8);
}

Test(check_history, tells_no_more_findings_than_there_is_room_for)
{
    AUTO(report_release) struct report report = {0};
    char name[] = "a";
    for (unsigned i = 0; i < REPORT_TOLD_MAX + 5; i++) {
        name[0] = (char)('!' + i);
        report_violation(&report, name, "number %u", i);
    }
    report_undecided(&report, "too much");
    cr_assert_eq(report.told, REPORT_TOLD_MAX);
    cr_assert_eq(report.violations, REPORT_TOLD_MAX + 5);
    cr_assert_eq(report.undecided, 1);
}
