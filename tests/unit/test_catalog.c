/*
 * The collections in memory: loaded from the state, made, changed and dropped, and all of that
 * taken back when the transaction that did it failed. Damage in a cell must come out of the load,
 * not of a later transaction.
 */
#include "storage/catalog.h"

#include "storage/state_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct catalog *catalog;
static struct state *state;

static void setup(void)
{
    catalog = catalog_new();
    state = state_memory_new();
}

static void teardown(void)
{
    catalog_destroy(&catalog);
    state_destroy(&state);
}

TestSuite(catalog, .init = setup, .fini = teardown);

static struct collection *find(const char *name)
{
    return catalog_find(catalog, bytes_from_text(name));
}

static uint32_t id_of(const char *name)
{
    const struct collection *collection = find(name);
    return collection == NULL ? 0 : collection->record.id;
}

static struct collection *add(const char *name)
{
    return catalog_add(catalog, bytes_from_text(name), NULL);
}

static uint64_t documents_of(const char *name)
{
    return find(name)->statistics.documents;
}

static void write_cell(const struct buffer *key, struct bytes value)
{
    struct state_batch batch = {0};
    state_batch_put(&batch, buffer_bytes(key), value);
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

static void write_collection_cell(const char *name, struct bytes value)
{
    struct buffer key = {0};
    cell_key_collection(&key, bytes_from_text(name));
    write_cell(&key, value);
    buffer_release(&key);
}

static void write_collection(const char *name, uint32_t id, uint32_t index_id)
{
    struct buffer value = {0};
    struct index_record index = {.id = index_id,
                                 .name = bytes_from_text("i"),
                                 .fields = {bytes_from_text("a")},
                                 .field_count = 1};
    struct collection_record record = {.id = id, .indexes = &index, .index_count = index_id > 0};
    collection_record_encode(&record, &value);
    write_collection_cell(name, buffer_bytes(&value));
    buffer_release(&value);
}

static void write_statistics(uint32_t id, uint64_t documents, uint64_t bytes)
{
    struct buffer key = {0};
    struct buffer value = {0};
    struct collection_statistics statistics = {documents, bytes};
    cell_key_statistics(&key, id);
    collection_statistics_encode(&statistics, &value);
    write_cell(&key, buffer_bytes(&value));
    buffer_release(&key);
    buffer_release(&value);
}

static void write_counters(const struct id_counters *counters)
{
    struct buffer key = {0};
    struct buffer value = {0};
    cell_key_counters(&key);
    id_counters_encode(counters, &value);
    write_cell(&key, buffer_bytes(&value));
    buffer_release(&key);
    buffer_release(&value);
}

static void write_document(uint32_t collection, int64_t id)
{
    struct buffer key = {0};
    struct buffer value = {0};
    struct document_id document_id = {.integer = id};
    struct stored_document stored = {.version = 1, .document = bytes_from_text("\x81\xa1n\x01")};
    cell_key_document(&key, collection, &document_id);
    stored_document_encode(&stored, &value);
    write_cell(&key, buffer_bytes(&value));
    buffer_release(&key);
    buffer_release(&value);
}

Test(catalog, is_loaded_from_the_state)
{
    write_collection("a", 7, 3);
    write_collection("b", 2, 0);
    write_statistics(7, 5, 500);
    cr_assert_not(catalog_is_loaded(catalog));
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert(catalog_is_loaded(catalog));
    cr_assert_eq(catalog_count(catalog), 2);
    cr_assert(id_of("a") == 7 && id_of("b") == 2 && id_of("c") == 0);
    cr_assert(catalog_find_id(catalog, 2) == find("b") && catalog_find_id(catalog, 3) == NULL);
    cr_assert(find("a")->statistics.documents == 5 && find("a")->statistics.bytes == 500);
    cr_assert(bytes_equal(find("a")->record.indexes[0].name, bytes_from_text("i")));
    catalog_clear(catalog);
    cr_assert_not(catalog_is_loaded(catalog));
    cr_assert_eq(id_of("a"), 0);
}

Test(catalog, documents_without_statistics_are_counted_once)
{
    write_collection("a", 7, 0);
    for (int64_t id = 0; id < 10; id++) {
        write_document(id < 6 ? 7 : 8, id);
    }
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert(documents_of("a") == 6 && find("a")->statistics.bytes == 24);
    cr_assert_eq(catalog_counted_count(catalog), 1, "and are to be written");
}

Test(catalog, ids_are_above_all_that_were_ever_given)
{
    write_collection("a", 7, 9);
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert(add("b")->record.id == 8 && add("c")->record.id == 9);
    cr_assert_eq(catalog_next_index(catalog), 10);
    write_counters(&(struct id_counters){.collection = 20, .index = 30, .job = 40});
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert_eq(add("b")->record.id, 21);
    cr_assert_eq(catalog_next_index(catalog), 31);
    cr_assert_eq(catalog_next_job(catalog), 41);
    cr_assert_eq(catalog_counters(catalog)->job, 41);
}

Test(catalog, what_is_made_and_dropped_can_be_undone)
{
    struct collection *a = add("a");
    catalog_begin(catalog);
    add("b");
    catalog_remove(catalog, a);
    add("c");
    catalog_next_index(catalog);
    cr_assert(id_of("a") == 0 && id_of("b") == 2 && id_of("c") == 3);
    catalog_undo(catalog);
    cr_assert(id_of("a") == 1 && id_of("b") == 0 && id_of("c") == 0);
    cr_assert_eq(catalog_count(catalog), 1);
    cr_assert_eq(catalog_counters(catalog)->index, 0);
    cr_assert_eq(add("d")->record.id, 2);
}

Test(catalog, what_is_dropped_for_good_is_gone)
{
    struct collection *a = add("a");
    add("b");
    catalog_begin(catalog);
    catalog_remove(catalog, a);
    catalog_begin(catalog);
    catalog_undo(catalog);
    cr_assert(id_of("a") == 0 && id_of("b") == 2);
    size_t count;
    cr_assert_eq(catalog_counted(catalog, &count)[0], find("b"));
    cr_assert_eq(count, 1);
    cr_assert_eq(add("a")->record.id, 3, "no id is given twice");
}

Test(catalog, records_change_and_come_back)
{
    struct collection *a = add("a");
    struct index_record index = {.id = catalog_next_index(catalog),
                                 .name = bytes_from_text("i"),
                                 .fields = {bytes_from_text("x.y")},
                                 .field_count = 1};
    struct collection_record record = {.id = 1, .indexes = &index, .index_count = 1};
    catalog_begin(catalog);
    catalog_change(catalog, a, &record);
    cr_assert(bytes_equal(a->record.indexes[0].fields[0], bytes_from_text("x.y")));
    catalog_undo(catalog);
    cr_assert_eq(a->record.index_count, 0);
    catalog_change(catalog, a, &record);
    catalog_begin(catalog);
    catalog_undo(catalog);
    cr_assert_eq(a->record.index_count, 1);
}

Test(catalog, statistics_are_undone_with_their_transaction_alone)
{
    struct collection *a = add("a");
    catalog_settle(catalog);
    cr_assert_eq(catalog_counted_count(catalog), 0);
    catalog_begin(catalog);
    catalog_add_statistics(catalog, a, 1, 10);
    catalog_add_statistics(catalog, a, 1, 10);
    cr_assert(documents_of("a") == 2 && catalog_counted_count(catalog) == 1);
    catalog_begin(catalog);
    catalog_add_statistics(catalog, a, -1, -7);
    catalog_add_statistics(catalog, a, -1, 0);
    catalog_undo(catalog);
    cr_assert(documents_of("a") == 2 && a->statistics.bytes == 20);
    cr_assert_eq(catalog_counted_count(catalog), 1, "the first transaction's stay counted");
    catalog_settle(catalog);
    catalog_begin(catalog);
    catalog_add_statistics(catalog, a, 1, 1);
    catalog_undo(catalog);
    cr_assert_eq(catalog_counted_count(catalog), 0);
}

Test(catalog, new_collection_is_counted_until_the_entry_closes)
{
    catalog_begin(catalog);
    struct collection *a = add("a");
    catalog_add_statistics(catalog, a, 1, 10);
    cr_assert_eq(catalog_counted_count(catalog), 1);
    catalog_undo(catalog);
    cr_assert_eq(catalog_counted_count(catalog), 0);
    add("a");
    size_t count;
    cr_assert_eq(catalog_counted(catalog, &count)[0], find("a"));
    cr_assert_eq(count, 1);
    catalog_settle(catalog);
    cr_assert_eq(catalog_counted_count(catalog), 0);
}

Test(catalog, holds_as_many_collections_as_there_may_be)
{
    char name[16];
    for (unsigned i = 0; i < COLLECTION_COUNT_MAX; i++) {
        snprintf(name, sizeof name, "c%u", i);
        add(name);
    }
    cr_assert_eq(catalog_count(catalog), COLLECTION_COUNT_MAX);
    cr_assert(id_of("c0") == 1 && id_of("c1023") == 1024);
    catalog_begin(catalog);
    catalog_remove(catalog, find("c500"));
    cr_assert(id_of("c500") == 0 && id_of("c1023") == 1024 && id_of("c499") == 500);
    add("another");
    catalog_undo(catalog);
    cr_assert(id_of("c500") == 501 && id_of("another") == 0);
}

Test(catalog, damage_is_told_and_leaves_it_unloaded)
{
    write_collection("a", 1, 0);
    write_collection_cell("b", bytes_from_text("no record"));
    cr_assert_eq(catalog_load(catalog, state), STATUS_damaged);
    cr_assert_not(catalog_is_loaded(catalog));
    cr_assert_eq(catalog_count(catalog), 0);
    state_memory_fail_reads(state, STATUS_internal);
    cr_assert_eq(catalog_load(catalog, state), STATUS_internal);
    cr_assert_eq(state_memory_open_count(state), 0);
}
