/*
 * Finds, counts and histories, and the pages that their results become.
 *
 * A page is one block of memory, which its rows and texts point into:
 *
 *   +------+--------------------------+----------------------------+
 *   | rows | texts, a NUL behind each | result map, as it was sent |
 *   +------+--------------------------+----------------------------+
 *
 * The map is read twice: once for its size, before anything is allocated, and once to fill in.
 */
#include "client/skein_internal.h"

#include "base/assert.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <stdlib.h>

// A result map taken apart; bytes are borrowed from it.
struct taken {
    struct bytes rows;  // elements of its list, one after another
    uint32_t count;     // of them
    bool has_list;      // it is the result of a find or a history
    bool has_more;      // there are more
    struct bytes next;  // cursor to go on with; empty for none
    struct bytes index; // used; empty for none
    uint64_t examined;
};

// Where the page is being built.
struct build {
    struct skein_row *row; // the next one
    char *text;            // where the next text goes
};

static bool is_named(struct bytes name, const char *wanted)
{
    return bytes_equal(name, bytes_from_text(wanted));
}

// Takes the next value if it is a text; passes it in any case.
static enum status take_text(struct cursor *cursor, struct bytes *ret_text)
{
    struct bytes raw;
    TRY(cursor_skip(cursor, &raw));
    struct cursor value = cursor_of(raw);
    struct bytes text;
    if (cursor_text(&value, &text) == STATUS_ok) {
        *ret_text = text;
    }
    return STATUS_ok;
}

static enum status take_stats(struct cursor *cursor, struct taken *taken)
{
    uint32_t pairs;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        if (is_named(name, "index")) {
            TRY(take_text(cursor, &taken->index));
        } else if (is_named(name, "examined")) {
            TRY(cursor_u64(cursor, &taken->examined));
        } else {
            TRY(cursor_skip(cursor, NULL));
        }
    }
    return STATUS_ok;
}

static enum status take_list(struct cursor *cursor, struct taken *taken)
{
    TRY(cursor_array(cursor, &taken->count));
    const uint8_t *begin = cursor->next;
    for (uint32_t i = 0; i < taken->count; i++) {
        TRY(cursor_skip(cursor, NULL));
    }
    taken->rows = bytes_of(begin, (size_t)(cursor->next - begin));
    taken->has_list = true;
    return STATUS_ok;
}

static enum status take_result(struct cursor *cursor, struct taken *taken)
{
    uint32_t pairs;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        if (is_named(name, "documents") || is_named(name, "versions")) {
            TRY(take_list(cursor, taken));
        } else if (is_named(name, "cursor")) {
            TRY(take_text(cursor, &taken->next));
        } else if (is_named(name, "complete")) {
            bool is_complete;
            TRY(cursor_flag(cursor, &is_complete));
            taken->has_more = !is_complete;
        } else if (is_named(name, "stats")) {
            TRY(take_stats(cursor, taken));
        } else {
            TRY(cursor_skip(cursor, NULL));
        }
    }
    taken->has_more = taken->has_more || taken->next.size > 0;
    return taken->has_list ? STATUS_ok : STATUS_bad_request;
}

// Copies a text with a NUL behind it.
static const char *keep_text(struct build *build, struct bytes text)
{
    char *kept = build->text;
    if (text.size > 0) {
        memcpy(kept, text.data, text.size);
    }
    kept[text.size] = '\0';
    build->text += text.size + 1;
    return kept;
}

static enum status take_row_id(struct cursor *cursor, struct build *build, struct skein_id *ret_id)
{
    struct document_id id;
    TRY(document_id_take(cursor, &id));
    *ret_id = (struct skein_id){.text = id.is_text ? keep_text(build, id.text) : NULL,
                                .integer = id.is_text ? 0 : id.integer};
    return STATUS_ok;
}

// Takes a document or null.
static enum status take_row_document(struct cursor *cursor, struct skein_bytes *ret_document)
{
    struct bytes raw;
    enum value_kind kind;
    TRY(cursor_peek(cursor, &kind));
    TRY(cursor_skip(cursor, &raw));
    if (kind != VALUE_NIL) {
        *ret_document = (struct skein_bytes){.data = raw.data, .size = raw.size};
    }
    return STATUS_ok;
}

static enum status take_row(struct cursor *cursor, struct build *build)
{
    struct skein_row *row = build->row++;
    uint32_t pairs;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        if (is_named(name, "id")) {
            TRY(take_row_id(cursor, build, &row->id));
        } else if (is_named(name, "document")) {
            TRY(take_row_document(cursor, &row->document));
        } else if (is_named(name, "document_version")) {
            TRY(cursor_u64(cursor, &row->document_version));
        } else if (is_named(name, "time")) {
            TRY(cursor_u64(cursor, &row->time_us));
        } else {
            TRY(cursor_skip(cursor, NULL));
        }
    }
    return STATUS_ok;
}

// Builds the page of a result in one block. A text has its head before it in the result, which is
// at least as large as the NUL behind its copy.
static enum status build_page(const struct taken *taken, struct skein_page *ret_page)
{
    size_t rows_size = taken->count * sizeof(struct skein_row);
    size_t texts_size = taken->rows.size + taken->next.size + taken->index.size + 2;
    uint8_t *memory = calloc(1, rows_size + texts_size + taken->rows.size);
    ASSERT(memory != NULL);
    struct build build = {.row = (struct skein_row *)memory, .text = (char *)memory + rows_size};
    struct skein_page page = {.rows = build.row, .count = taken->count, .memory = memory};
    uint8_t *copy = memory + rows_size + texts_size;
    if (taken->rows.size > 0) {
        memcpy(copy, taken->rows.data, taken->rows.size);
    }
    struct cursor cursor = cursor_of(bytes_of(copy, taken->rows.size));
    enum status status = STATUS_ok;
    for (uint32_t i = 0; i < taken->count && status == STATUS_ok; i++) {
        status = take_row(&cursor, &build);
    }
    if (status != STATUS_ok) {
        free(memory);
        return status;
    }
    page.cursor = taken->next.size > 0 ? keep_text(&build, taken->next) : NULL;
    page.index = taken->index.size > 0 ? keep_text(&build, taken->index) : NULL;
    page.has_more = taken->has_more;
    page.examined = taken->examined;
    *ret_page = page;
    return STATUS_ok;
}

void skein_page_release(struct skein_page *page)
{
    free(page->memory);
    *page = (struct skein_page){0};
}

enum skein_status skein_results_page(struct skein_bytes results, uint32_t operation,
                                     struct skein_page *ret_page)
{
    struct cursor cursor = cursor_of(bytes_of(results.data, results.size));
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok || operation >= count) {
        return SKEIN_bad_request;
    }
    for (uint32_t i = 0; i < operation; i++) {
        if (cursor_skip(&cursor, NULL) != STATUS_ok) {
            return SKEIN_bad_request;
        }
    }
    struct taken taken = {0};
    bool is_good = take_result(&cursor, &taken) == STATUS_ok &&
                   build_page(&taken, ret_page) == STATUS_ok;
    return is_good ? SKEIN_ok : SKEIN_bad_request;
}

enum skein_status call_take_page(struct skein_call *call, struct bytes results,
                                 struct skein_page *ret_page)
{
    struct skein_bytes outside = {.data = results.data, .size = results.size};
    if (skein_results_page(outside, 0, ret_page) != SKEIN_ok) {
        error_set(&call->error, SKEIN_internal, "the answer can't be understood");
    }
    return call->error.status;
}

// Reads with one operation and gives its results, in an array of one, to `ret_results`.
static enum skein_status read_one(struct skein *skein, struct skein_call *call,
                                  struct skein_transaction *read, struct buffer *ret_results)
{
    AUTO(buffer_release) struct buffer operations = {0};
    if (transaction_pack(read, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_read ask = call_read(skein, call, buffer_bytes(&operations));
    return call_run_read(skein, call, &ask, ret_results);
}

enum skein_status skein_find(struct skein *skein, struct skein_call *call,
                             const struct skein_find *find, struct skein_page *ret_page)
{
    AUTO(skein_transaction_destroy) struct skein_transaction *read = skein_transaction_new();
    AUTO(buffer_release) struct buffer results = {0};
    call_begin(call);
    *ret_page = (struct skein_page){0};
    transaction_add_find(read, find);
    if (read_one(skein, call, read, &results) != SKEIN_ok) {
        return call->error.status;
    }
    return call_take_page(call, buffer_bytes(&results), ret_page);
}

enum skein_status skein_find_next(struct skein *skein, struct skein_call *call,
                                  const struct skein_find *find, struct skein_page *page)
{
    if (page->cursor == NULL) {
        call_begin(call);
        error_set(&call->error, SKEIN_absent, "this was the last page");
        return call->error.status;
    }
    struct skein_find next = *find;
    struct skein_page read;
    next.cursor = page->cursor;
    enum skein_status status = skein_find(skein, call, &next, &read);
    if (status == SKEIN_ok) {
        skein_page_release(page);
        *page = read;
    }
    return status;
}

enum skein_status skein_submit_find(struct skein *skein, const struct skein_call *how,
                                    const struct skein_find *find, skein_done *done, void *context)
{
    AUTO(skein_transaction_destroy) struct skein_transaction *read = skein_transaction_new();
    transaction_add_find(read, find);
    return submit_read(skein, how, read, done, context);
}

static enum status read_count(struct bytes results, uint64_t *ret_count)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    struct bytes name;
    TRY(cursor_array(&cursor, &count));
    TRY(cursor_map(&cursor, &count));
    TRY(cursor_text(&cursor, &name));
    return is_named(name, "count") ? cursor_u64(&cursor, ret_count) : STATUS_bad_request;
}

enum skein_status skein_count(struct skein *skein, struct skein_call *call, const char *collection,
                              struct skein_bytes where, uint64_t *ret_count)
{
    AUTO(skein_transaction_destroy) struct skein_transaction *read = skein_transaction_new();
    AUTO(buffer_release) struct buffer results = {0};
    struct operation operation = {.kind = OPERATION_count,
                                  .where = transaction_take_where(read, where)};
    call_begin(call);
    transaction_add(read, &operation, collection, NULL);
    if (read_one(skein, call, read, &results) == SKEIN_ok &&
        read_count(buffer_bytes(&results), ret_count) != STATUS_ok) {
        error_set(&call->error, SKEIN_internal, "the answer can't be understood");
    }
    return call->error.status;
}

enum skein_status skein_history(struct skein *skein, struct skein_call *call,
                                const struct skein_key *key, struct skein_page *ret_page)
{
    AUTO(skein_transaction_destroy) struct skein_transaction *read = skein_transaction_new();
    AUTO(buffer_release) struct buffer results = {0};
    struct operation operation = {.kind = OPERATION_history};
    call_begin(call);
    *ret_page = (struct skein_page){0};
    transaction_add(read, &operation, key->collection, &key->id);
    if (read_one(skein, call, read, &results) != SKEIN_ok) {
        return call->error.status;
    }
    return call_take_page(call, buffer_bytes(&results), ret_page);
}
