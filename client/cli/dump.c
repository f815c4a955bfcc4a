/*
 * `skein dump`: all documents of a collection as JSON lines {"id", "document"}, whatever the
 * format, in the order of their ids; `skein load` takes them. Page by page at one version, which
 * is printed on standard error. If it fails half way, for instance because the version is no longer
 * kept, the exit code says so: what was printed is then the beginning of a dump.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "client/cli/page.h"
#include "client/cli/progress.h"
#include "client/cli/reply.h"
#include "client/cli/value.h"
#include "wire/pack.h"

#include <stdio.h>
#include <unistd.h>

// Takes a row of a find and appends {"id", "document"}.
static enum status pack_row(struct cursor *rows, struct buffer *out)
{
    struct bytes row, id, document;
    TRY(cursor_skip(rows, &row));
    if (!value_field(row, "id", &id) || !value_field(row, "document", &document)) {
        return STATUS_internal;
    }
    pack_map(out, 2);
    pack_text_literal(out, "id");
    buffer_append(out, id);
    pack_text_literal(out, "document");
    buffer_append(out, document);
    return STATUS_ok;
}

static enum status print_page(struct call *call, const struct page *page, uint64_t *documents)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct output output = {.format = OUTPUT_json};
    struct cursor rows = cursor_of(page->documents);
    uint32_t count = 0;
    enum status status = cursor_array(&rows, &count);
    pack_array(&out, count);
    for (uint32_t i = 0; status == STATUS_ok && i < count; i++) {
        status = pack_row(&rows, &out);
    }
    if (status != STATUS_ok) {
        return failure_set(&call->failure, STATUS_internal, "the answer can't be read");
    }
    output_rows(&output, buffer_bytes(&out));
    if (output.has_failed) {
        return failure_set(&call->failure, STATUS_internal, "standard output can't be written");
    }
    *documents += count;
    return STATUS_ok;
}

// How many documents to expect; 0 when nobody looks or it can't be told.
static uint64_t expect(struct call *call, struct client_loop *loop, struct bytes collection)
{
    const struct operation operation = {.kind = OPERATION_count, .collection = collection};
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(answer_release) struct answer answer = {0};
    struct bytes count;
    if (!isatty(STDERR_FILENO)) {
        return 0;
    }
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    const struct client_read ask = {.operations = buffer_bytes(&operations),
                                    .level = READ_linearizable,
                                    .timeout_ms = call->timeout_ms};
    if (connection_read(call, loop, &ask, &answer) != STATUS_ok ||
        !reply_result_field(answer.completion.results, "count", &count)) {
        return 0;
    }
    struct cursor cursor = cursor_of(count);
    uint64_t number;
    return cursor_u64(&cursor, &number) == STATUS_ok ? number : 0;
}

static void print_version(const struct call *call, uint64_t version)
{
    output_progress("");
    (void)fprintf(stderr,
                  call->output.format == OUTPUT_json ? "{\"version\":%llu}\n" : "version %llu\n",
                  (unsigned long long)version);
}

static enum status print_pages(struct call *call, struct pages *pages, struct progress *progress)
{
    struct page page = {0};
    uint64_t documents = 0;
    bool is_first = true;
    do {
        TRY(pages_next(pages, &page));
        if (is_first) {
            print_version(call, page.version);
            is_first = false;
        }
        TRY(print_page(call, &page, &documents));
        progress_show(progress, documents);
    } while (page.cursor.size > 0);
    progress_end(progress);
    return STATUS_ok;
}

enum status run_dump(struct call *call)
{
    struct operation find = {.kind = OPERATION_find, .limit = PAGE_ROWS_MAX};
    struct client_read how = {0};
    struct progress progress;
    AUTO(pages_release) struct pages pages = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(input_collection(call, call->arguments.operands[0], &find.collection));
    TRY(input_consistency(call, &how));
    TRY(connection_open(call, &loop));
    progress_init(&progress, "dumping", "documents", expect(call, loop, find.collection));
    pages_init(&pages, call, loop, &how, &find);
    return print_pages(call, &pages, &progress);
}
