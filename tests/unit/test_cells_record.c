/*
 * Values of cells. Records come back as they were encoded, and bytes that are no such record are
 * damage, never an assertion.
 */
#include "storage/cells.h"

#include "base/random.h"
#include "tests/unit/fixture_value.h"
#include "wire/document/document.h"
#include "wire/json.h"
#include "wire/key.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void pack_document(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &raw, &fault), STATUS_ok, "%s", json);
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), out, NULL), STATUS_ok);
}

static struct index_record index_on(const char *first, const char *second, bool is_unique)
{
    struct index_record index = {.id = 7,
                                 .name = bytes_from_text("i"),
                                 .fields = {bytes_from_text(first)},
                                 .field_count = 1,
                                 .is_unique = is_unique,
                                 .state = INDEX_READY};
    if (second != NULL) {
        index.fields[index.field_count++] = bytes_from_text(second);
    }
    return index;
}

Test(cells_record, collection_record_comes_back)
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

Test(cells_record, settings_and_indexes_come_back)
{
    struct buffer value = {0};
    struct index_record indexes[] = {index_on("a", "b.c", true), index_on("x", NULL, false)};
    indexes[1].state = INDEX_FAILED;
    struct collection_record record = {.id = 3,
                                       .ttl_field = bytes_from_text("at"),
                                       .history_s = 60,
                                       .check = bytes_from_text("\x91\x80"),
                                       .indexes = indexes,
                                       .index_count = 2};
    struct collection_record read;
    collection_record_encode(&record, &value);
    cr_assert_eq(collection_record_decode(buffer_bytes(&value), &read), STATUS_ok);
    memset(value.data, 0, value.size); // it owns what it needs
    cr_assert(read.history_s == 60 && read.ttl_s == 0 && bytes_equal(read.check, record.check));
    cr_assert(bytes_equal(read.ttl_field, record.ttl_field));
    cr_assert(read.index_count == 2 && read.indexes[0].is_unique && !read.indexes[1].is_unique);
    cr_assert(bytes_equal(read.indexes[0].fields[1], bytes_from_text("b.c")));
    cr_assert_eq(read.indexes[1].state, INDEX_FAILED);
    cr_assert_eq(collection_record_index(&read, bytes_from_text("i")), &read.indexes[0]);
    cr_assert_null(collection_record_index(&read, bytes_from_text("j")));
    buffer_release(&value);
    collection_record_release(&read);
}

Test(cells_record, damaged_records_are_never_half_taken)
{
    struct buffer whole = {0};
    struct index_record indexes[] = {index_on("a", "b.c", true), index_on("x", NULL, false)};
    struct collection_record record = {
        .id = 3, .check = bytes_from_text("\x91\x80"), .indexes = indexes, .index_count = 2};
    struct random random;
    unsigned taken = 0;
    collection_record_encode(&record, &whole);
    random_init(&random, 1);
    for (unsigned i = 0; i < 20000; i++) {
        AUTO(buffer_release) struct buffer value = {0};
        struct collection_record read;
        buffer_append(&value, buffer_bytes(&whole));
        bytes_damage(&random, &value);
        if (collection_record_decode(buffer_bytes(&value), &read) == STATUS_ok) {
            cr_assert(read.id != 0 && read.index_count <= INDEX_COUNT_MAX);
            collection_record_release(&read);
            taken++;
        }
    }
    cr_assert_lt(taken, 15000);
    buffer_release(&whole);
}

Test(cells_record, collection_record_of_a_later_version_is_understood)
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

Test(cells_record, collection_record_that_is_none_is_damaged)
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

Test(cells_record, stored_document_comes_back)
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

Test(cells_record, deletion_in_history_comes_back)
{
    struct buffer value = {0};
    struct stored_document deletion = {.version = 5, .time_us = 77};
    struct stored_document read;
    stored_document_encode(&deletion, &value);
    cr_assert_eq(value.size, 16);
    cr_assert_eq(stored_document_decode(buffer_bytes(&value), &read), STATUS_ok);
    cr_assert(read.version == 5 && read.time_us == 77 && read.document.size == 0);
    buffer_release(&value);
}

Test(cells_record, jobs_come_back)
{
    struct buffer value = {0};
    struct job_record job = {.kind = JOB_CLEAR_COLLECTION,
                             .collection = 3,
                             .done = 1000,
                             .next = bytes_from_text("next"),
                             .record = bytes_from_text("record")};
    struct job_record read;
    job_record_encode(&job, &value);
    cr_assert_eq(job_record_decode(buffer_bytes(&value), &read), STATUS_ok);
    cr_assert(read.kind == job.kind && read.collection == 3 && read.index == 0);
    cr_assert(read.done == 1000 && bytes_equal(read.next, job.next));
    cr_assert(bytes_equal(read.record, job.record));
    cr_assert_eq(job_record_decode(bytes_of(value.data, value.size - 1), &read), STATUS_damaged);
    job.kind = (enum job_kind)4;
    buffer_clear(&value);
    job_record_encode(&job, &value);
    cr_assert_eq(job_record_decode(buffer_bytes(&value), &read), STATUS_version_mismatch);
    buffer_release(&value);
}

Test(cells_record, counters_and_statistics_come_back)
{
    struct buffer value = {0};
    struct id_counters counters = {UINT32_MAX, 2, UINT64_MAX};
    struct collection_statistics statistics = {UINT64_MAX, 7};
    id_counters_encode(&counters, &value);
    counters = (struct id_counters){0};
    cr_assert_eq(id_counters_decode(buffer_bytes(&value), &counters), STATUS_ok);
    cr_assert(counters.collection == UINT32_MAX && counters.index == 2);
    cr_assert_eq(counters.job, UINT64_MAX);
    cr_assert_eq(id_counters_decode(bytes_from_text("x"), &counters), STATUS_damaged);
    buffer_clear(&value);
    collection_statistics_encode(&statistics, &value);
    statistics = (struct collection_statistics){0};
    cr_assert_eq(collection_statistics_decode(buffer_bytes(&value), &statistics), STATUS_ok);
    cr_assert(statistics.documents == UINT64_MAX && statistics.bytes == 7);
    cr_assert_eq(collection_statistics_decode(bytes_of(value.data, 5), &statistics),
                 STATUS_damaged);
    buffer_release(&value);
}

// The key of the entry of document 9 in an index; whether it is shared.
static bool entry_of(const struct index_record *index, const char *json, struct buffer *key)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct document_id id = {.integer = 9};
    bool is_shared = false;
    buffer_clear(key);
    pack_document(json, &document);
    cr_assert_eq(index_entry_key(index, buffer_bytes(&document), &id, key, &is_shared), STATUS_ok);
    return is_shared;
}

Test(cells_record, entries_are_in_order_of_their_values)
{
    static const char *const ORDERED[] = {"{\"b\":{\"c\":5}}",
                                          "{\"a\":-1}",
                                          "{\"a\":1}",
                                          "{\"a\":1,\"b\":{\"c\":0}}",
                                          "{\"a\":1.5}",
                                          "{\"a\":2}",
                                          "{\"a\":\"10\"}",
                                          "{\"a\":\"10\",\"b\":{\"c\":[]}}",
                                          "{\"a\":[1],\"b\":\"x\"}",
                                          "{\"a\":{}}"};
    struct index_record index = index_on("a", "b.c", false);
    struct buffer last = {0};
    struct buffer key = {0};
    cell_key_index(&last, 7);
    for (size_t i = 0; i < sizeof ORDERED / sizeof ORDERED[0]; i++) {
        cr_assert_not(entry_of(&index, ORDERED[i], &key));
        cr_assert_lt(bytes_compare(buffer_bytes(&last), buffer_bytes(&key)), 0, "%zu", i);
        buffer_clear(&last);
        buffer_append(&last, buffer_bytes(&key));
    }
    buffer_release(&last);
    buffer_release(&key);
}

Test(cells_record, entries_are_shared_if_all_fields_are_there)
{
    struct index_record index = index_on("a", "b.c", true);
    struct buffer key = {0};
    struct buffer longer = {0};
    cr_assert(entry_of(&index, "{\"a\":1,\"b\":{\"c\":null}}", &key));
    cr_assert_not(entry_of(&index, "{\"a\":1}", &longer));
    cr_assert(bytes_starts_with(buffer_bytes(&longer), buffer_bytes(&key)) &&
              longer.size > key.size);
    cr_assert_not(entry_of(&index, "{\"b\":{\"c\":1}}", &key));
    buffer_release(&key);
    buffer_release(&longer);
}

// Whether a text of `size` characters fits an index.
static enum status entry_status(size_t size, size_t *ret_key_size)
{
    AUTO(buffer_release) struct buffer document = {0};
    AUTO(buffer_release) struct buffer key = {0};
    struct index_record index = index_on("a", "b", false);
    struct document_id id = {.integer = 9};
    bool is_shared;
    char *text = malloc(size);
    memset(text, 'x', size);
    pack_map(&document, 2);
    pack_text_literal(&document, "a");
    pack_u64(&document, 1);
    pack_text_literal(&document, "b");
    pack_text(&document, bytes_of(text, size));
    free(text);
    key_append_u8(&key, 0xee);
    enum status status = index_entry_key(&index, buffer_bytes(&document), &id, &key, &is_shared);
    *ret_key_size = key.size;
    return status;
}

Test(cells_record, entries_have_a_limit)
{
    enum { NUMBER_SIZE = 11, TEXT_EXCESS = 2 };
    size_t key_size;
    size_t room = INDEX_KEY_SIZE_MAX - NUMBER_SIZE - TEXT_EXCESS;
    cr_assert_eq(entry_status(room, &key_size), STATUS_ok);
    cr_assert_leq(key_size, CELL_KEY_SIZE_MAX);
    cr_assert_eq(entry_status(room + 1, &key_size), STATUS_too_large);
    cr_assert_eq(key_size, 1, "the key is as it was before");
}
