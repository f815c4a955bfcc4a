/*
 * The collections in memory: loaded from the state, made, and taken away again when the transaction
 * that made them failed. Damage in a cell must come out of the load, not of a later transaction.
 */
#include "storage/catalog.h"

#include "storage/state_memory.h"

#include <criterion/criterion.h>

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

static uint32_t find(const char *name)
{
    const struct collection_record *record = catalog_find(catalog, bytes_from_text(name));
    return record == NULL ? 0 : record->id;
}

static void write_cell(const char *name, struct bytes value)
{
    struct state_batch batch = {0};
    struct buffer key = {0};
    cell_key_collection(&key, bytes_from_text(name));
    state_batch_put(&batch, buffer_bytes(&key), value);
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
    buffer_release(&key);
}

static void write_collection(const char *name, uint32_t id)
{
    struct buffer value = {0};
    struct collection_record record = {.id = id};
    collection_record_encode(&record, &value);
    write_cell(name, buffer_bytes(&value));
    buffer_release(&value);
}

Test(catalog, is_loaded_from_the_state)
{
    write_collection("a", 7);
    write_collection("b", 2);
    cr_assert_not(catalog_is_loaded(catalog));
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert(catalog_is_loaded(catalog));
    cr_assert_eq(catalog_count(catalog), 2);
    cr_assert(find("a") == 7 && find("b") == 2 && find("c") == 0);
    catalog_clear(catalog);
    cr_assert_not(catalog_is_loaded(catalog));
    cr_assert_eq(find("a"), 0);
}

Test(catalog, new_collection_gets_an_id_above_all_others)
{
    write_collection("a", 7);
    cr_assert_eq(catalog_load(catalog, state), STATUS_ok);
    cr_assert_eq(catalog_add(catalog, bytes_from_text("b"))->id, 8);
    cr_assert_eq(catalog_add(catalog, bytes_from_text("c"))->id, 9);
    cr_assert_eq(find("c"), 9);
}

Test(catalog, truncate_takes_the_last_ones_away)
{
    catalog_add(catalog, bytes_from_text("a"));
    catalog_add(catalog, bytes_from_text("b"));
    catalog_add(catalog, bytes_from_text("c"));
    catalog_truncate(catalog, 1);
    cr_assert(find("a") == 1 && find("b") == 0 && find("c") == 0);
    cr_assert_eq(catalog_add(catalog, bytes_from_text("c"))->id, 2);
}

Test(catalog, damage_is_told_and_leaves_it_unloaded)
{
    write_collection("a", 1);
    write_cell("b", bytes_from_text("no record"));
    cr_assert_eq(catalog_load(catalog, state), STATUS_damaged);
    cr_assert_not(catalog_is_loaded(catalog));
    state_memory_fail_reads(state, STATUS_internal);
    cr_assert_eq(catalog_load(catalog, state), STATUS_internal);
    cr_assert_eq(state_memory_open_count(state), 0);
}
