/*
 * Histories for the tests of the checkers, written with little: times are small numbers, `'` stands
 * for `"`.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_HISTORY_H
#define SKEIN_TESTS_UNIT_FIXTURE_HISTORY_H

#include "tests/check/check.h"

struct told_history {
    struct buffer text; // of the lines so far
    struct report report;
    struct history_fault fault;
};

void told_history_init(struct told_history *told);
void told_history_release(struct told_history *told);

// Another line of a kind that was answered: when it began and ended, what was asked, what came.
void told_ok(struct told_history *told, const char *kind, const char *times, const char *operations,
             const char *results);

// The same for one that failed, or whose outcome is unknown.
void told_not_ok(struct told_history *told, const char *kind, const char *outcome,
                 const char *times, const char *operations);

// Reads and checks what was told.
enum status told_check(struct told_history *told);

// Checks, and expects exactly one violation, called `name`; or none at all.
void told_expect(struct told_history *told, const char *name);
void told_expect_good(struct told_history *told);

// Checks, and expects a violation of this name among others.
void told_expect_among(struct told_history *told, const char *name);

// Checks, and expects that the history can't be read because of the line.
void told_expect_unreadable(struct told_history *told, uint32_t line);

#endif
