/*
 * `skein find`: one page of the documents for which --where holds, a line each. If there are more,
 * a last line holds a cursor; the next page, with the same words and --cursor, is of the same
 * version. With --explain only how they would be found: which index, how many rows were looked at.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/page.h"
#include "client/cli/read_one.h"
#include "wire/pack.h"

static struct bytes option_text(const struct call *call, const char *name)
{
    const char *text = arguments_text(&call->arguments, name);
    return text == NULL ? bytes_of(NULL, 0) : bytes_from_text(text);
}

static void print_cursor(struct call *call, struct bytes cursor)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 1);
    pack_text_literal(&out, "cursor");
    pack_text(&out, cursor);
    output_value(&call->output, buffer_bytes(&out));
}

// Refuses words that would otherwise be taken for not given.
static enum status check_words(struct call *call)
{
    static const char *const names[] = {"order", "index", "cursor"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = arguments_text(&call->arguments, names[i]);
        if (text != NULL && text[0] == '\0') {
            return failure_set(&call->failure, STATUS_bad_request, "--%s is empty", names[i]);
        }
    }
    return STATUS_ok;
}

static enum status read_find(struct call *call, struct operation *find, struct buffer *where)
{
    TRY(input_collection(call, call->arguments.operands[0], &find->collection));
    TRY(input_option_json(call, "where", where));
    TRY(check_words(call));
    find->where = buffer_bytes(where);
    find->order = option_text(call, "order");
    find->index = option_text(call, "index");
    find->cursor = option_text(call, "cursor");
    find->explain = arguments_has(&call->arguments, "explain");
    return arguments_number(&call->arguments, &(struct number_option){"limit", 1, INT64_MAX},
                            &find->limit, &call->failure);
}

enum status run_find(struct call *call)
{
    struct operation find = {.kind = OPERATION_find};
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(answer_release) struct answer answer = {0};
    struct page page;
    TRY(read_find(call, &find, &where));
    TRY(read_one(call, &find, &answer));
    if (find.explain) {
        struct bytes stats;
        TRY(read_one_field(call, &answer, "stats", &stats));
        output_value(&call->output, stats);
        return STATUS_ok;
    }
    TRY(page_read(call, &answer.completion, &page));
    output_rows(&call->output, page.documents);
    if (page.cursor.size > 0) {
        print_cursor(call, page.cursor);
    }
    return STATUS_ok;
}
