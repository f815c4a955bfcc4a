/*
 * Rehearsals: the operations of a question done on the model, at a version of the caller's choice.
 */
#ifndef SKEIN_TESTS_SIM_REHEARSAL_H
#define SKEIN_TESTS_SIM_REHEARSAL_H

#include "tests/sim/model.h"

// A document that an earlier step has changed.
struct rehearsed_change {
    unsigned collection;
    unsigned document;
    struct seen seen;
};

struct rehearsal {
    const struct model *model; // borrowed
    uint64_t version;          // of the state that it begins with
    uint64_t written;          // version that its own changes get
    uint64_t token;            // that they carry
    struct rehearsed_change changes[QUESTION_STEPS_MAX];
    unsigned change_count;
};

// Begins at the state right after `version`; what the question changes is of the version behind it.
void rehearsal_init(struct rehearsal *rehearsal, const struct model *model,
                    const struct question *question, uint64_t version);

// The document at hand.
struct seen rehearsal_see(const struct rehearsal *rehearsal, unsigned collection,
                          unsigned document);

// Does a step: ok, or what it must fail with. Whether a unique index stands in its way is left out.
enum status rehearsal_do(struct rehearsal *rehearsal, const struct step *step);

// Whether the step may fail because another document has its number, and there is a unique index.
bool rehearsal_may_clash(const struct rehearsal *rehearsal, const struct step *step);

// Whether a find gives this document, if its collection has it so.
bool find_matches(const struct asked_find *find, const struct seen *seen);

// Whether a find in order gives `a` before `b`.
bool find_precedes(const struct model *model, const struct asked_find *find,
                   const struct seen_row *a, const struct seen_row *b);

// The documents that the step finds, in its order, all of them whatever the limit is; returns how
// many.
unsigned rehearsal_find(const struct rehearsal *rehearsal, const struct step *step,
                        struct seen_row rows[DOCUMENT_COUNT_MAX]);

// The digest of what a find gave, as a client makes it.
uint64_t rows_digest(const struct seen_row *rows, unsigned count);

#endif
