/*
 * Answers of servers, as the library and the command line tool take them apart and print them:
 * results that may be anything.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "client/cli/output.h"
#include "client/cli/reply.h"
#include "client/cli/value.h"
#include "client/skein.h"
#include "wire/cursor.h"

#include <stdio.h>
#include <stdlib.h>

enum { FORMATS = 3, OPERATIONS = 3 };

static void check_page(const struct skein_page *page)
{
    size_t size = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct skein_row *row = &page->rows[i];
        size += row->id.text == NULL ? 0 : strlen(row->id.text);
        size += row->document.size;
    }
    ASSERT(size == 0 || page->memory != NULL);
    ASSERT(page->cursor == NULL || page->has_more);
}

static void check_results(struct bytes results)
{
    const struct skein_bytes whole = {.data = results.data, .size = results.size};
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        struct skein_page page = {0};
        struct skein_document document;
        if (skein_results_page(whole, i, &page) == SKEIN_ok) {
            check_page(&page);
            skein_page_release(&page);
        }
        if (skein_results_get(whole, i, &document) == SKEIN_ok) {
            skein_document_release(&document);
        }
    }
}

static void check_reply(struct bytes results, enum client_kind kind)
{
    AUTO(buffer_release) struct buffer reply = {0};
    const struct client_completion completion = {
        .kind = kind, .version = 7, .results = results, .time_us = 9};
    struct bytes field;
    reply_pack(bytes_of(NULL, 0), &completion, &reply);
    (void)reply_result_field(results, "document", &field);
    (void)value_number(results, "count");
    (void)value_text(results, "cursor");
    (void)value_element(results, "name", bytes_from_text("a"), &field);
}

// What goes to a terminal has no control characters but those between lines and columns.
static void check_printed(struct output *output, struct bytes value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *terminal = stdout;
    stdout = open_memstream(&text, &size);
    ASSERT(stdout != NULL);
    output_value(output, value);
    output_rows(output, value);
    (void)fclose(stdout);
    stdout = terminal;
    for (size_t i = 0; i < size; i++) {
        ASSERT((uint8_t)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t');
    }
    ASSERT(utf8_is_valid(bytes_of(text, size)));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct output output = {.format = fuzz_take_u8(&input) % FORMATS};
    struct cursor cursor = cursor_of(input);
    struct bytes value;
    check_results(input);
    if (cursor_skip(&cursor, &value) != STATUS_ok) {
        return 0;
    }
    AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(value);
    check_printed(&output, fuzz_copy_bytes(&copy));
    check_reply(fuzz_copy_bytes(&copy), CLIENT_READ);
    check_reply(fuzz_copy_bytes(&copy), CLIENT_TRANSACT);
    return 0;
}
