/*
 * Keys and values of cells. Records come back as they were encoded, keys are in the order that
 * scans rely on, and bytes that are no such record are damage, never an assertion.
 */
#include "storage/cells.h"

#include "wire/pack.h"

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

Test(cells, collection_record_comes_back)
{
    struct buffer value = {0};
    struct collection_record record = {.id = UINT32_MAX};
    collection_record_encode(&record, &value);
    record.id = 0;
    cr_assert_eq(collection_record_decode(buffer_bytes(&value), &record), STATUS_ok);
    cr_assert_eq(record.id, UINT32_MAX);
    collection_record_release(&record);
    buffer_release(&value);
}

Test(cells, collection_record_of_a_later_version_is_understood)
{
    struct buffer value = {0};
    pack_map(&value, 3);
    pack_text_literal(&value, "partitions");
    pack_array(&value, 1);
    pack_u64(&value, 1);
    pack_text_literal(&value, "id");
    pack_u64(&value, 7);
    pack_text_literal(&value, "views");
    pack_nil(&value);
    struct collection_record record;
    cr_assert_eq(collection_record_decode(buffer_bytes(&value), &record), STATUS_ok);
    cr_assert_eq(record.id, 7);
    collection_record_release(&record);
    buffer_release(&value);
}

Test(cells, collection_record_that_is_none_is_damaged)
{
    static const uint8_t no_map[] = {0x90};
    static const uint8_t no_id[] = {0x80};
    static const uint8_t id_zero[] = {0x81, 0xa2, 'i', 'd', 0x00};
    static const uint8_t id_text[] = {0x81, 0xa2, 'i', 'd', 0xa1, 'x'};
    static const uint8_t cut[] = {0x82, 0xa2, 'i', 'd', 0x01};
    static const uint8_t behind[] = {0x81, 0xa2, 'i', 'd', 0x01, 0x00};
    static const uint8_t huge[] = {0x81, 0xa2, 'i', 'd', 0xcf, 0, 0, 0, 1, 0, 0, 0, 0};
    static const struct bytes RECORDS[] = {
        {NULL, 0},
        {no_map, sizeof no_map},
        {no_id, sizeof no_id},
        {id_zero, sizeof id_zero},
        {id_text, sizeof id_text},
        {cut, sizeof cut},
        {behind, sizeof behind},
        {huge, sizeof huge},
    };
    for (size_t i = 0; i < sizeof RECORDS / sizeof RECORDS[0]; i++) {
        struct collection_record record = {.id = 99};
        cr_assert_eq(collection_record_decode(RECORDS[i], &record), STATUS_damaged, "%zu", i);
        cr_assert_eq(record.id, 99);
    }
}

Test(cells, stored_document_comes_back)
{
    struct buffer value = {0};
    struct stored_document stored = {
        .version = UINT64_MAX - 1, .time_us = 77, .document = bytes_from_text("\x80")};
    stored_document_encode(&stored, &value);
    cr_assert_eq(value.size, 17);
    cr_assert_eq(value.data[0], 0xfe, "little endian");
    struct stored_document read;
    cr_assert_eq(stored_document_decode(buffer_bytes(&value), &read), STATUS_ok);
    cr_assert(read.version == stored.version && read.time_us == 77);
    cr_assert(bytes_equal(read.document, stored.document));
    cr_assert_eq(stored_document_decode(bytes_of(value.data, 15), &read), STATUS_damaged);
    buffer_release(&value);
}
