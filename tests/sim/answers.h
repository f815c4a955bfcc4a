/*
 * Taking answers apart: what gets, finds and counts say.
 */
#ifndef SKEIN_TESTS_SIM_ANSWERS_H
#define SKEIN_TESTS_SIM_ANSWERS_H

#include "tests/sim/question.h"

enum { SEEN_VERSIONS_MAX = 1000 };

// A document as somebody saw it.
struct seen {
    bool is_present;
    uint64_t version; // of the transaction that wrote it
    int64_t number;
    uint64_t token;
};

bool seen_equal(const struct seen *a, const struct seen *b);

struct seen_row {
    unsigned document;
    struct seen seen;
};

// What a find returned.
struct seen_page {
    struct seen_row rows[DOCUMENT_COUNT_MAX];
    unsigned count;
    struct bytes cursor; // where it goes on; of no bytes at the end. Borrowed from the answer
};

// What a history told, newest first. Versions that are not present are deletions.
struct seen_history {
    struct seen versions[SEEN_VERSIONS_MAX];
    unsigned count;
    bool has_more; // older ones were left out
};

// Reads number and token of a document; false if it is none of the workload's.
bool answer_read_document(struct bytes document, int64_t *ret_number, uint64_t *ret_token);

// The number in a name of the workload, a letter and digits; false if it isn't below `bound`.
bool answer_read_name(struct bytes name, char letter, unsigned bound, unsigned *ret_number);

// Each takes the next result off an array that was opened with cursor_array; false: malformed.
bool answer_take_get(struct cursor *cursor, struct seen *ret_seen);
bool answer_take_find(struct cursor *cursor, struct seen_page *ret_page);
bool answer_take_count(struct cursor *cursor, uint64_t *ret_count);
bool answer_take_history(struct cursor *cursor, struct seen_history *ret_history);

#endif
