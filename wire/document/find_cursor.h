/*
 * Cursors of finds: the text that a page ends with when there are more, and that the next page is
 * asked with. It names the marked version that all pages are read at, so a reader knows where to
 * send it; what the pages are of; and the position of the last row.
 */
#ifndef SKEIN_WIRE_DOCUMENT_FIND_CURSOR_H
#define SKEIN_WIRE_DOCUMENT_FIND_CURSOR_H

#include "base/buffer.h"
#include "base/limits.h"
#include "wire/document/operation.h"

enum { FIND_CURSOR_TEXT_MAX = 4 * KIB };

struct find_cursor {
    uint64_t version;      // marked version that the pages are read at
    uint64_t query;        // find_cursor_query() of the find
    struct bytes position; // in the rows, as storage/find.h says; borrowed
};

// The hash of what makes two finds pages of one another: collection, where, order and index, in
// canonical form. Limits may differ.
uint64_t find_cursor_query(const struct operation *find);

// Appends the cursor as text: letters, digits, '-' and '_'.
void find_cursor_encode(const struct find_cursor *cursor, struct buffer *out);

// Takes a cursor apart; `bytes` gets what its position is borrowed from. Fails with bad_request for
// a text that find_cursor_encode() did not make, `ret_cursor` is then untouched. Whether it belongs
// to a find is for the caller to check.
MUST_CHECK enum status find_cursor_decode(struct bytes text, struct buffer *bytes,
                                          struct find_cursor *ret_cursor);

#endif
