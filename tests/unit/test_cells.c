/*
 * Keys of cells: in the order that scans rely on, apart again into what they were made of. Bytes
 * that are no such key are damage, never an assertion.
 */
#include "storage/cells.h"

#include "wire/key.h"

#include <criterion/criterion.h>

static struct document_id id_of(const char *text)
{
    return (struct document_id){.is_text = true, .text = bytes_from_text(text)};
}

static void append_document_key(struct buffer *key, uint32_t collection, const char *id)
{
    struct document_id document_id = id_of(id);
    cell_key_document(key, collection, &document_id);
}

Test(cells, keys_begin_with_their_kind)
{
    struct buffer key = {0};
    cell_key_applied(&key);
    cr_assert(key.size == 1 && key.data[0] == CELL_APPLIED);
    buffer_clear(&key);
    cell_key_collection(&key, bytes_from_text("c"));
    cr_assert_eq(key.data[0], CELL_COLLECTION);
    buffer_clear(&key);
    cell_key_session(&key, bytes_from_text("s"));
    cr_assert_eq(key.data[0], CELL_SESSION);
    buffer_clear(&key);
    append_document_key(&key, 1, "x");
    cr_assert_eq(key.data[0], CELL_DOCUMENT);
    buffer_release(&key);
}

Test(cells, kinds_that_exist_are_known_and_others_are_not)
{
    unsigned known = 0;
    for (unsigned kind = 0; kind < 256; kind++) {
        known += cell_kind_is_known((uint8_t)kind);
    }
    cr_assert_eq(known, 11);
    cr_assert(cell_kind_is_known(CELL_DOCUMENT));
    cr_assert_not(cell_kind_is_known(0));
}

Test(cells, range_holds_the_cells_of_its_kind_only)
{
    struct buffer from = {0};
    struct buffer to = {0};
    struct buffer session = {0};
    struct buffer document = {0};
    cell_range(CELL_SESSION, &from, &to);
    cell_key_session(&session, bytes_from_text("\x7f\x7f\x7f"));
    append_document_key(&document, 0, "x");
    cr_assert_lt(bytes_compare(buffer_bytes(&from), buffer_bytes(&session)), 0);
    cr_assert_lt(bytes_compare(buffer_bytes(&session), buffer_bytes(&to)), 0);
    cr_assert_gt(bytes_compare(buffer_bytes(&document), buffer_bytes(&to)), 0);
    buffer_release(&from);
    buffer_release(&to);
    buffer_release(&session);
    buffer_release(&document);
}

Test(cells, documents_are_in_order_of_collection_and_id)
{
    static const struct {
        uint32_t collection;
        const char *id;
    } ORDERED[] = {{1, "a"}, {1, "aa"}, {1, "b"}, {2, "a"}, {256, "a"}, {65536, "0"}};
    struct buffer last = {0};
    struct buffer key = {0};
    for (size_t i = 0; i < sizeof ORDERED / sizeof ORDERED[0]; i++) {
        buffer_clear(&key);
        append_document_key(&key, ORDERED[i].collection, ORDERED[i].id);
        cr_assert_lt(bytes_compare(buffer_bytes(&last), buffer_bytes(&key)), 0);
        buffer_clear(&last);
        buffer_append(&last, buffer_bytes(&key));
    }
    buffer_release(&last);
    buffer_release(&key);
}

Test(cells, name_comes_back_out_of_its_key)
{
    struct buffer key = {0};
    struct buffer name = {0};
    cell_key_session(&key, bytes_from_text("name of a session"));
    cr_assert_eq(cell_key_name(buffer_bytes(&key), &name), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&name), bytes_from_text("name of a session")));
    buffer_release(&key);
    buffer_release(&name);
}

Test(cells, key_without_a_name_is_damaged)
{
    struct buffer key = {0};
    struct buffer name = {0};
    cr_assert_eq(cell_key_name(buffer_bytes(&key), &name), STATUS_damaged);
    cell_key_session(&key, bytes_from_text("s"));
    cr_assert_eq(cell_key_name(bytes_of(key.data, key.size - 1), &name), STATUS_damaged);
    buffer_append_u8(&key, 0);
    cr_assert_eq(cell_key_name(buffer_bytes(&key), &name), STATUS_damaged);
    buffer_clear(&key);
    append_document_key(&key, 1, "x");
    cr_assert_eq(cell_key_name(buffer_bytes(&key), &name), STATUS_damaged);
    cr_assert_eq(name.size, 0);
    buffer_release(&key);
}

// The key of a history cell.
static void append_history_key(struct buffer *key, const char *id, uint64_t version)
{
    struct document_id document_id = id_of(id);
    cell_key_history(key, 1, &document_id, version);
}

Test(cells, history_is_in_order_of_id_and_newest_first)
{
    static const struct {
        const char *id;
        uint64_t version;
    } ORDERED[] = {{"a", INT64_MAX}, {"a", 300}, {"a", 2}, {"a", 1}, {"aa", 9}, {"b", 5}};
    struct buffer last = {0};
    struct buffer key = {0};
    for (size_t i = 0; i < sizeof ORDERED / sizeof ORDERED[0]; i++) {
        buffer_clear(&key);
        append_history_key(&key, ORDERED[i].id, ORDERED[i].version);
        cr_assert_lt(bytes_compare(buffer_bytes(&last), buffer_bytes(&key)), 0, "%zu", i);
        buffer_clear(&last);
        buffer_append(&last, buffer_bytes(&key));
    }
    buffer_release(&last);
    buffer_release(&key);
}

Test(cells, history_of_one_document_is_a_range)
{
    struct buffer id = {0};
    struct buffer from = {0};
    struct buffer to = {0};
    struct buffer key = {0};
    key_append_text(&id, bytes_from_text("a"));
    cell_range_history(1, buffer_bytes(&id), &from, &to);
    for (uint64_t version = 1; version < INT64_MAX / 2; version *= 2) {
        buffer_clear(&key);
        append_history_key(&key, "a", version);
        cr_assert_lt(bytes_compare(buffer_bytes(&from), buffer_bytes(&key)), 0);
        cr_assert_lt(bytes_compare(buffer_bytes(&key), buffer_bytes(&to)), 0);
    }
    buffer_clear(&key);
    append_history_key(&key, "aa", INT64_MAX);
    cr_assert_lt(bytes_compare(buffer_bytes(&to), buffer_bytes(&key)), 0);
    buffer_release(&id);
    buffer_release(&from);
    buffer_release(&to);
    buffer_release(&key);
}

Test(cells, timed_keys_come_apart)
{
    struct buffer key = {0};
    struct buffer other = {0};
    struct buffer id = {0};
    struct timed_key timed;
    uint32_t collection;
    struct document_id document_id = id_of("x");
    cell_key_expiry(&key, 77, 5, &document_id);
    cr_assert_eq(cell_key_timed(buffer_bytes(&key), &timed), STATUS_ok);
    cr_assert_eq(timed.time_us, 77);
    cr_assert_eq(cell_key_place(timed.at, &collection, &id), STATUS_ok);
    cr_assert(collection == 5 && bytes_equal(buffer_bytes(&id), bytes_from_text("\xa1x")));
    cell_key_expiry_at(&other, 77, timed.at);
    cr_assert(bytes_equal(buffer_bytes(&key), buffer_bytes(&other)));
    buffer_clear(&other);
    cell_key_trimming(&other, 78, 9, timed.at);
    buffer_clear(&key);
    cell_key_history(&key, 5, &document_id, 9);
    cr_assert_eq(cell_key_timed(buffer_bytes(&other), &timed), STATUS_ok);
    cr_assert(timed.time_us == 78 && timed.version == 9);
    buffer_clear(&id);
    cell_key_history_at(&id, timed.at, timed.version);
    cr_assert(bytes_equal(buffer_bytes(&id), buffer_bytes(&key)));
    buffer_release(&key);
    buffer_release(&other);
    buffer_release(&id);
}

Test(cells, id_comes_out_of_a_document_key)
{
    struct buffer key = {0};
    struct buffer again = {0};
    struct bytes id;
    append_document_key(&key, 3, "x");
    cr_assert_eq(cell_key_document_id(buffer_bytes(&key), &id), STATUS_ok);
    cell_key_document_at(&again, 3, id);
    cr_assert(bytes_equal(buffer_bytes(&key), buffer_bytes(&again)));
    cr_assert_eq(cell_key_document_id(bytes_of(key.data, 5), &id), STATUS_damaged);
    key.data[0] = CELL_HISTORY;
    cr_assert_eq(cell_key_document_id(buffer_bytes(&key), &id), STATUS_damaged);
    buffer_release(&key);
    buffer_release(&again);
}

Test(cells, keys_that_are_none_are_damaged)
{
    struct buffer key = {0};
    struct buffer out = {0};
    struct timed_key timed;
    uint32_t collection;
    struct document_id id = id_of("x");
    cell_key_expiry(&key, 77, 5, &id);
    cr_assert_eq(cell_key_timed(bytes_of(key.data, 8), &timed), STATUS_damaged);
    cr_assert_eq(cell_key_place(bytes_of(key.data + 9, 3), &collection, &out), STATUS_damaged);
    cr_assert_eq(cell_key_place(bytes_of(key.data + 9, key.size - 10), &collection, &out),
                 STATUS_damaged);
    buffer_append_u8(&key, 7);
    cr_assert_eq(cell_key_place(bytes_of(key.data + 9, key.size - 9), &collection, &out),
                 STATUS_damaged);
    cr_assert_eq(out.size, 0);
    key.data[0] = CELL_DOCUMENT;
    cr_assert_eq(cell_key_timed(buffer_bytes(&key), &timed), STATUS_damaged);
    buffer_release(&key);
    buffer_release(&out);
}
