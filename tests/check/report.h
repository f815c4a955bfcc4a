/*
 * What checks found.
 */
#ifndef SKEIN_TESTS_CHECK_REPORT_H
#define SKEIN_TESTS_CHECK_REPORT_H

#include "base/buffer.h"

enum {
    REPORT_TOLD_MAX = 60,        // findings that are told, the others are only counted
    REPORT_TOLD_OF_NAME_MAX = 3, // those of one name
    REPORT_NAME_SIZE_MAX = 32,
};

// One finding that is told.
struct finding {
    char name[REPORT_NAME_SIZE_MAX]; // "G1a"
    size_t offset;                   // of its explanation in the report's text
    size_t size;
};

struct report {
    struct finding findings[REPORT_TOLD_MAX]; // the first ones of each name
    size_t told;                              // how many that are
    uint64_t violations;                      // all of them
    uint64_t undecided; // parts of the history that were too much to be checked
    struct buffer text; // of all explanations, one behind the other
};

void report_init(struct report *report);
void report_release(struct report *report);

// A violation, with a sentence or more for a person.
__attribute__((format(printf, 3, 4))) void report_violation(struct report *report, const char *name,
                                                            const char *format, ...);

// Something that couldn't be decided.
__attribute__((format(printf, 2, 3))) void report_undecided(struct report *report,
                                                            const char *format, ...);

// Whether something called `name` was found and told.
bool report_has(const struct report *report, const char *name);

#endif
