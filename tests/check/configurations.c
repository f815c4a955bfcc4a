/*
 * Open addressing with linear steps, at most half full.
 */
#include "tests/check/configurations.h"

#include "tests/check/array.h"

enum { CAPACITY_MIN = 1024 };

void configurations_init(struct configurations *configurations)
{
    *configurations = (struct configurations){0};
}

void configurations_release(struct configurations *configurations)
{
    free(configurations->slots);
    *configurations = (struct configurations){0};
}

static bool is_free(const struct configuration_hash *slot)
{
    return slot->high == 0 && slot->low == 0;
}

// The slot that holds the hash, or the free one where it belongs.
static struct configuration_hash *find_slot(const struct configurations *configurations,
                                            const struct configuration_hash *hash)
{
    size_t mask = configurations->capacity - 1;
    size_t slot = (size_t)hash->low & mask;
    while (!is_free(&configurations->slots[slot]) &&
           (configurations->slots[slot].high != hash->high ||
            configurations->slots[slot].low != hash->low)) {
        slot = (slot + 1) & mask;
    }
    return &configurations->slots[slot];
}

static void grow(struct configurations *configurations)
{
    struct configurations larger = {
        .capacity = configurations->capacity == 0 ? CAPACITY_MIN : 2 * configurations->capacity,
        .count = configurations->count};
    larger.slots = array_new(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < configurations->capacity; i++) {
        if (!is_free(&configurations->slots[i])) {
            *find_slot(&larger, &configurations->slots[i]) = configurations->slots[i];
        }
    }
    free(configurations->slots);
    *configurations = larger;
}

bool configurations_add(struct configurations *configurations, struct configuration_hash hash)
{
    if (2 * configurations->count >= configurations->capacity) {
        grow(configurations);
    }
    struct configuration_hash *slot = find_slot(configurations, &hash);
    if (!is_free(slot)) {
        return false;
    }
    *slot = hash;
    configurations->count++;
    return true;
}
