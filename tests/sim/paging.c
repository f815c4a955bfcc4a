/*
 * A page is held against the documents that the find matches in the state: each row must be one of
 * them that was not given before, and in an order none may be left out before the last row. Without
 * an order only the end of the last page tells that nothing was left out.
 */
#include "tests/sim/paging.h"

#include "base/assert.h"

void paging_init(struct paging *paging, const struct step *step)
{
    paging->step = *step;
    paging->version = 0;
    paging->given = 0;
    paging->given_count = 0;
    paging->is_over = false;
    paging->cursor_size = 0;
}

static const char *take_row(struct paging *paging, const struct rehearsal *state,
                            const struct seen_row *row)
{
    const struct asked_find *find = &paging->step.find;
    struct seen there = rehearsal_see(state, paging->step.collection, row->document);
    uint64_t bit = UINT64_C(1) << row->document;
    if (!seen_equal(&there, &row->seen)) {
        return "a document is another";
    }
    if (!find_matches(find, &row->seen)) {
        return "a document doesn't match";
    }
    if (paging->given & bit) {
        return "a document came twice";
    }
    if (find->order != FIND_unordered && paging->given_count > 0 &&
        !find_precedes(state->model, find, &paging->last, row)) {
        return "documents are out of order";
    }
    paging->given |= bit;
    paging->given_count++;
    paging->last = *row;
    return NULL;
}

// Whether a document was left out that should have come by now.
static bool has_skipped(const struct paging *paging, const struct rehearsal *state, bool is_end)
{
    const struct asked_find *find = &paging->step.find;
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        struct seen_row row = {.document = i,
                               .seen = rehearsal_see(state, paging->step.collection, i)};
        bool is_given = (paging->given & UINT64_C(1) << i) != 0;
        bool is_due = is_end || (find->order != FIND_unordered && paging->given_count > 0 &&
                                 find_precedes(state->model, find, &row, &paging->last));
        if (!is_given && is_due && find_matches(find, &row.seen)) {
            return true;
        }
    }
    return false;
}

const char *paging_take(struct paging *paging, const struct rehearsal *state,
                        const struct seen_page *page, bool is_end)
{
    uint32_t limit = paging->step.find.limit;
    for (unsigned i = 0; i < page->count; i++) {
        const char *wrong = take_row(paging, state, &page->rows[i]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (limit > 0 && page->count > limit) {
        return "there are too many documents";
    }
    if (!is_end && page->count < limit) {
        return "there are too few documents";
    }
    if (has_skipped(paging, state, is_end)) {
        return "a document was left out";
    }
    ASSERT(page->cursor.size <= sizeof paging->cursor);
    paging->cursor_size = page->cursor.size;
    if (page->cursor.size > 0) {
        memcpy(paging->cursor, page->cursor.data, page->cursor.size);
    }
    paging->is_over = is_end;
    return NULL;
}
