/*
 * The cursor of a page is known as soon as it is there, so the next one is asked for before
 * anything is done with it: a storage node reads while the tool prints.
 *
 *     answers[turn]       on its way
 *     answers[1 - turn]   at hand: what the caller works with
 *
 * Whoever gives up early ends the loop first, which ends the request on its way; only then may the
 * answer and the waiter go.
 */
#include "client/cli/page.h"

#include "base/assert.h"
#include "client/cli/reply.h"
#include "wire/pack.h"

enum status page_read(struct call *call, const struct client_completion *completion,
                      struct page *ret_page)
{
    struct page page = {.version = completion->version};
    struct bytes cursor, rest;
    enum value_kind kind;
    if (!reply_result_field(completion->results, "documents", &page.documents) ||
        !reply_result_field(completion->results, "cursor", &rest)) {
        return failure_set(&call->failure, STATUS_internal, "the answer can't be read");
    }
    struct cursor value = cursor_of(rest);
    if (cursor_text(&value, &cursor) == STATUS_ok) {
        page.cursor = cursor;
    } else if (cursor_peek(&value, &kind) != STATUS_ok || kind != VALUE_NIL) {
        return failure_set(&call->failure, STATUS_internal, "the cursor can't be read");
    }
    *ret_page = page;
    return STATUS_ok;
}

// Sends the request for the page at `find.cursor`.
static void ask_page(struct pages *pages)
{
    buffer_clear(&pages->operations);
    pack_array(&pages->operations, 1);
    operation_pack(&pages->find, &pages->operations);
    pages->ask.operations = buffer_bytes(&pages->operations);
    waiter_release(&pages->waiter);
    waiter_init(&pages->waiter, &pages->answers[pages->turn]);
    pages->submitted = client_loop_read(pages->loop, &pages->ask, waiter_end, &pages->waiter);
}

void pages_init(struct pages *pages, struct call *call, struct client_loop *loop,
                const struct client_read *how, const struct operation *find)
{
    *pages = (struct pages){.call = call, .loop = loop, .ask = *how, .find = *find};
    ask_page(pages);
}

void pages_release(struct pages *pages)
{
    waiter_release(&pages->waiter);
    buffer_release(&pages->operations);
    answer_release(&pages->answers[0]);
    answer_release(&pages->answers[1]);
}

enum status pages_next(struct pages *pages, struct page *ret_page)
{
    ASSERT(!pages->is_over);
    struct answer *answer = &pages->answers[pages->turn];
    TRY(waiter_await(&pages->waiter, pages->submitted, &pages->call->failure));
    TRY(page_read(pages->call, &answer->completion, ret_page));
    pages->is_over = ret_page->cursor.size == 0;
    if (!pages->is_over) {
        pages->turn = 1 - pages->turn;
        pages->find.cursor = ret_page->cursor;
        ask_page(pages);
    }
    return STATUS_ok;
}
