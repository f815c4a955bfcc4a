/*
 * Keys have numbers in the order in which they were added, however many there are.
 */
#include "client/key_table.h"

#include "base/status.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static struct bytes key_of(char text[16], uint32_t number)
{
    snprintf(text, 16, "k%" PRIu32, number);
    return bytes_from_text(text);
}

Test(key_table, numbers_keys_in_their_order)
{
    AUTO(key_table_release) struct key_table table = {0};
    char text[16];
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(key_table_find(&table, key_of(text, i)), KEY_NONE);
        cr_assert_eq(key_table_add(&table, key_of(text, i)), i);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(key_table_find(&table, key_of(text, i)), i);
    }
}

Test(key_table, adds_nothing_twice)
{
    AUTO(key_table_release) struct key_table table = {0};
    cr_assert_eq(key_table_add(&table, bytes_from_text("a")), 0);
    cr_assert_eq(key_table_add(&table, bytes_from_text("b")), 1);
    cr_assert_eq(key_table_add(&table, bytes_from_text("a")), 0);
    cr_assert_eq(table.count, 2);
}

static uint32_t add_document(struct key_table *table, const char *collection,
                             const struct document_id *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_of_document(bytes_from_text(collection), id, &key);
    return key_table_add(table, buffer_bytes(&key));
}

Test(key_table, tells_documents_of_different_collections_and_ids_apart)
{
    AUTO(key_table_release) struct key_table table = {0};
    struct document_id number = {.integer = 1};
    struct document_id text = {.is_text = true, .text = bytes_from_text("1")};
    cr_assert_eq(add_document(&table, "a", &number), 0);
    cr_assert_eq(add_document(&table, "a", &text), 1);
    cr_assert_eq(add_document(&table, "b", &text), 2);
    cr_assert_eq(add_document(&table, "a", &number), 0);
}
