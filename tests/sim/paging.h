/*
 * Going through the pages of a find: what was given so far, and whether a page goes on rightly. All
 * pages together have every document that the find matches once, and in order.
 */
#ifndef SKEIN_TESTS_SIM_PAGING_H
#define SKEIN_TESTS_SIM_PAGING_H

#include "tests/sim/rehearsal.h"
#include "wire/document/find_cursor.h"

struct paging {
    struct step step;     // the find, without a cursor
    uint64_t version;     // that the pages are of; 0 before the first
    uint64_t given;       // documents that were given, as bits
    unsigned given_count; // how many that are
    struct seen_row last; // given_count > 0: the last one
    bool is_over;         // there are no more pages
    char cursor[FIND_CURSOR_TEXT_MAX];
    size_t cursor_size; // 0: no page was given, or no more are
};

static_assert(DOCUMENT_COUNT_MAX <= 64, "documents are bits");

void paging_init(struct paging *paging, const struct step *step);

// Takes in the next page, of documents as `state` has them; `is_end`: it says to be the last.
// Returns what is wrong with it, NULL for nothing.
const char *paging_take(struct paging *paging, const struct rehearsal *state,
                        const struct seen_page *page, bool is_end);

#endif
