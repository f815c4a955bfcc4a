/*
 * A hash table with open addressing, at most half full, of numbers into an array of places; keys
 * are kept one after another in one buffer. Nothing is ever taken out.
 */
#include "client/key_table.h"

#include "base/assert.h"
#include "base/siphash.h"

#include <stdlib.h>

enum { SLOTS_MIN = 64 };

void key_table_release(struct key_table *table)
{
    buffer_release(&table->bytes);
    free(table->places);
    free(table->slots);
    *table = (struct key_table){0};
}

static uint64_t hash_of(struct bytes key)
{
    return siphash((struct siphash_key){0}, key);
}

static struct bytes key_at(const struct key_table *table, uint32_t number)
{
    const struct key_place *place = &table->places[number];
    return bytes_of(table->bytes.data + place->at, place->size);
}

// The slot that holds the key, or the free one where it belongs. There are slots.
static uint32_t find_slot(const struct key_table *table, struct bytes key)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t slot = (uint32_t)hash_of(key) & mask;
    while (table->slots[slot] != 0 && !bytes_equal(key_at(table, table->slots[slot] - 1), key)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

uint32_t key_table_find(const struct key_table *table, struct bytes key)
{
    if (table->slot_count == 0) {
        return KEY_NONE;
    }
    uint32_t held = table->slots[find_slot(table, key)];
    return held == 0 ? KEY_NONE : held - 1;
}

static void grow(struct key_table *table)
{
    table->slot_count = table->slot_count == 0 ? SLOTS_MIN : 2 * table->slot_count;
    free(table->slots);
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    table->capacity = table->slot_count / 2;
    table->places = reallocarray(table->places, table->capacity, sizeof *table->places);
    ASSERT(table->slots != NULL && table->places != NULL);
    for (uint32_t i = 0; i < table->count; i++) {
        table->slots[find_slot(table, key_at(table, i))] = i + 1;
    }
}

uint32_t key_table_add(struct key_table *table, struct bytes key)
{
    uint32_t number = key_table_find(table, key);
    if (number != KEY_NONE) {
        return number;
    }
    if (table->count == table->capacity) {
        grow(table);
    }
    number = table->count;
    table->slots[find_slot(table, key)] = number + 1;
    table->places[number] = (struct key_place){.at = table->bytes.size, .size = key.size};
    buffer_append(&table->bytes, key);
    table->count++;
    return number;
}

void key_of_document(struct bytes collection, const struct document_id *id, struct buffer *out)
{
    buffer_append(out, collection);
    buffer_append_u8(out, 0);
    document_id_append_key(id, out);
}
