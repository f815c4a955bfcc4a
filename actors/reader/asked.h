/*
 * What a read asks for, as far as the reader must know: which operations there are, whether they go
 * on where an earlier page ended, and whether an answer is the whole of it.
 */
#ifndef SKEIN_ACTORS_READER_ASKED_H
#define SKEIN_ACTORS_READER_ASKED_H

#include "base/buffer.h"
#include "wire/document/operation.h"

struct asked {
    bool has_scan;           // other operations than gets
    bool has_find;           // finds: the answer may say that there is more
    bool has_cursor;         // a find goes on where an earlier page ended
    uint64_t cursor_version; // has_cursor: the version that its pages are read at
};

// Looks at the operations of a read. Those that are no gets are appended to `canonical` in
// canonical form, together with all others; it stays empty for a read of gets alone. Fails as
// operations_canonicalize() does, with too_large for more operations than a read may have, and with
// bad_request for operations that only transactions take and for cursors that are none or of
// different versions.
MUST_CHECK enum status asked_check(struct bytes operations, struct buffer *canonical,
                                   struct asked *ret_asked, struct operation_fault *ret_fault);

// Whether some find in an answer has more rows than were given, but no cursor: its version was not
// marked.
bool asked_for_more(struct bytes results);

#endif
