/*
 * What a page of a read looks at before it ends early: so many rows, so many bytes, each on both
 * sides. The documents are written into the state without an executor, which would take long.
 */
#include "storage/query.h"

#include "storage/cells.h"
#include "tests/unit/fixture_query.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

enum { COLLECTION = 1, BATCH = 1000 };

static struct asker a;

static void setup(void)
{
    asker_init(&a);
    asker_write(&a, "{\"op\": \"create_collection\", \"collection\": \"c\"}");
}

static void teardown(void)
{
    asker_release(&a);
}

TestSuite(query_bounds, .init = setup, .fini = teardown);

// Writes the document under the ids from `first` to before `end`.
static void write_documents(int64_t first, int64_t end, struct bytes document)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(state_batch_release) struct state_batch batch = {0};
    struct stored_document stored = {.version = 1, .time_us = 1, .document = document};
    stored_document_encode(&stored, &value);
    for (int64_t id = first; id < end; id++) {
        struct document_id number = {.integer = id};
        buffer_clear(&key);
        cell_key_document(&key, COLLECTION, &number);
        state_batch_put(&batch, buffer_bytes(&key), buffer_bytes(&value));
        if (batch.count == BATCH || id + 1 == end) {
            cr_assert_eq(state_write(a.engine.state, &batch), STATUS_ok);
            state_batch_clear(&batch);
        }
    }
}

static void find_with(const char *where, const char *more)
{
    AUTO(buffer_release) struct buffer json = {0};
    static const struct message_read any = {.level = READ_any};
    buffer_append(&json, bytes_from_text("[{\"op\": \"find\", \"collection\": \"c\", \"where\": "));
    buffer_append(&json, bytes_from_text(where));
    buffer_append(&json, bytes_from_text(more));
    buffer_append(&json, bytes_of("}]", sizeof "}]"));
    asker_read(&a, &any, (const char *)json.data);
}

// Finds with a condition that holds for no document; the page has to be the last one, or not.
static void expect_end(const char *where, const char *more, bool is_last)
{
    AUTO(buffer_release) struct buffer has_more = {0};
    find_with(where, more);
    cr_assert_eq(a.reply.status, STATUS_ok, "%.*s", (int)a.reply.message.size,
                 (const char *)a.reply.message.data);
    asker_field(&a, "more", &has_more);
    cr_assert_eq(has_more.size == 0, is_last);
}

Test(query_bounds, page_looks_at_so_many_rows, .timeout = 120)
{
    static const char none[] = "{\"a\": 1}";
    static const uint8_t empty_map = 0x80;
    write_documents(0, PAGE_EXAMINED_MAX, bytes_of(&empty_map, 1));
    expect_end(none, "", true);
    write_documents(PAGE_EXAMINED_MAX, PAGE_EXAMINED_MAX + 1, bytes_of(&empty_map, 1));
    expect_end(none, "", false);
}

// {"$and": [{"a": {"$exists": true}}, ..., {"b": {"$exists": true}}]}
static void append_condition(struct buffer *json)
{
    buffer_append(json, bytes_from_text("{\"$and\": ["));
    for (int i = 1; i < PREDICATE_FIELDS_MAX; i++) {
        buffer_append(json, bytes_from_text("{\"a\": {\"$exists\": true}}, "));
    }
    static const char end[] = "{\"b\": {\"$exists\": true}}]}";
    buffer_append(json, bytes_of(end, sizeof end));
}

// A document {"a": text} as large as one may be.
static void pack_large(struct buffer *document)
{
    AUTO(buffer_release) struct buffer text = {0};
    pack_map(document, 1);
    pack_text_literal(document, "a");
    memset(buffer_extend(&text, DOCUMENT_SIZE_MAX - 8), 'x', DOCUMENT_SIZE_MAX - 8);
    pack_text(document, buffer_bytes(&text));
    cr_assert_eq(document->size, DOCUMENT_SIZE_MAX);
}

Test(query_bounds, page_looks_at_so_many_bytes, .timeout = 120)
{
    enum { DOCUMENTS = PAGE_EXAMINED_SIZE_MAX / DOCUMENT_SIZE_MAX / PREDICATE_FIELDS_MAX };
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(buffer_release) struct buffer document = {0};
    append_condition(&where);
    pack_large(&document);
    write_documents(0, DOCUMENTS, buffer_bytes(&document));
    expect_end((const char *)where.data, "", true);
    expect_end((const char *)where.data, ", \"order\": \"a\"", true);
    write_documents(DOCUMENTS, DOCUMENTS + 1, buffer_bytes(&document));
    expect_end((const char *)where.data, "", false);
    find_with((const char *)where.data, ", \"order\": \"a\"");
    asker_expect_failure(&a, STATUS_too_large, "would have to sort more bytes of documents");
}
