/*
 * Pages of a find: what a reply holds, and the walk over all of them.
 */
#ifndef SKEIN_CLIENT_CLI_PAGE_H
#define SKEIN_CLIENT_CLI_PAGE_H

#include "client/cli/answer.h"
#include "client/cli/command.h"
#include "wire/document/operation.h"

// One page; bytes are borrowed from the answer.
struct page {
    uint64_t version;       // that it was read at
    struct bytes documents; // msgpack array of {"id", "document", "document_version", "time"}
    struct bytes cursor;    // text to go on with; empty behind the last page
};

// Reads the answer to a find. Fails with internal when it is none.
MUST_CHECK enum status page_read(struct call *call, const struct client_completion *completion,
                                 struct page *ret_page);

// A walk over all pages, of which each stays at the version of the first.
struct pages {
    struct call *call;        // borrowed
    struct client_loop *loop; // borrowed; ends before the walk is released
    struct operation find;    // borrows its bytes; the cursor is that of the page on its way
    struct client_read ask;   // consistency of the first page
    struct buffer operations; // of the page on its way
    struct answer answers[2]; // in turns: the page at hand, and the one on its way
    struct waiter waiter;     // for the one on its way
    enum status submitted;    // of that
    unsigned turn;            // answer that is on its way
    bool is_over;             // none is
};

// Asks for the first page. `how` says consistency and deadline; what the find borrows lives as long
// as the walk.
void pages_init(struct pages *pages, struct call *call, struct client_loop *loop,
                const struct client_read *how, const struct operation *find);
void pages_release(struct pages *pages);

// Waits for the next page, and has the one behind it sent meanwhile; the page at hand lives until
// the next call. There must be one: the first, or one behind a page with a cursor. Fails as the
// request does.
MUST_CHECK enum status pages_next(struct pages *pages, struct page *ret_page);

#endif
