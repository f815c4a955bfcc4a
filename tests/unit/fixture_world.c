/*
 * Each add_ function chooses an operation, prints it, and unless one before has failed does it to
 * the model and prints its result. What fails with what, and in which order it is looked for, is
 * the data model's.
 */
#include "tests/unit/fixture_world.h"

#include "base/text.h"
#include "wire/document/find_digest.h"

#include <criterion/criterion.h>

enum { VALUES = 6 };

void world_begin(struct world *world)
{
    world->before = world->now;
    world->status = STATUS_ok;
    world->failed = 0;
    world->count = 0;
    world->changes = false;
    buffer_clear(&world->json);
    buffer_clear(&world->results);
    text_append(&world->json, "[");
    text_append(&world->results, "[");
}

bool world_chance(struct world *world, unsigned percent)
{
    return random_below(&world->random, 100) < percent;
}

static int any_value(struct world *world)
{
    return world_chance(world, 25) ? MISSING : (int)random_below(&world->random, VALUES);
}

static void print_field(struct buffer *out, const char *name, int value, bool *is_first)
{
    if (value != MISSING) {
        text_append(out, "%s\"%s\":%d", *is_first ? "" : ",", name, value);
        *is_first = false;
    }
}

void item_print(struct buffer *out, const struct item *item)
{
    bool is_first = true;
    text_append(out, "{");
    print_field(out, "a", item->a, &is_first);
    print_field(out, "n", item->n, &is_first);
    print_field(out, "u", item->u, &is_first);
    text_append(out, "}");
}

// Bytes of a document in canonical form, whose numbers are all small.
unsigned item_size(const struct item *item)
{
    int fields = (item->a != MISSING) + (item->n != MISSING) + (item->u != MISSING);
    return 1 + 3 * (unsigned)fields;
}

static void print_row(struct buffer *out, int id, const struct item *item)
{
    text_append(out, "{\"id\":%d,\"document\":", id);
    item_print(out, item);
    text_append(out, ",\"document_version\":%llu,\"time\":%llu}", (unsigned long long)item->version,
                (unsigned long long)item->time_us);
}

// What one operation is on.
struct place {
    struct collection_model *collection;
    int number; // of the collection
    int id;
    struct item *item;
};

static struct place any_place(struct world *world)
{
    int number = (int)random_below(&world->random, COLLECTIONS);
    int id = (int)random_below(&world->random, IDS);
    struct collection_model *collection = &world->now.collections[number];
    return (struct place){collection, number, id, &collection->items[id]};
}

static void begin_operation(struct world *world, const char *name, int collection)
{
    text_append(&world->json, "%s{\"op\":\"%s\",\"collection\":\"c%d\"",
                world->count > 0 ? "," : "", name, collection);
    world->count++;
}

static void begin_keyed(struct world *world, const char *name, const struct place *place)
{
    begin_operation(world, name, place->number);
    text_append(&world->json, ",\"id\":%d", place->id);
}

static bool has_failed(const struct world *world)
{
    return world->status != STATUS_ok;
}

// The operation that was printed last fails so; ok: nothing happens.
static void fail(struct world *world, enum status status)
{
    if (!has_failed(world) && status != STATUS_ok) {
        world->status = status;
        world->failed = world->count;
    }
}

// Room for the result of the operation that was printed last.
static struct buffer *result(struct world *world)
{
    text_append(&world->results, "%s", world->results.size > 1 ? "," : "");
    return &world->results;
}

static bool is_taken(const struct place *place, int u)
{
    for (int id = 0; id < IDS && u != MISSING; id++) {
        const struct item *other = &place->collection->items[id];
        if (id != place->id && other->is_there && other->u == u) {
            return true;
        }
    }
    return false;
}

// Writes the item, or fails.
static enum status write_item(struct world *world, const struct place *place, struct item item)
{
    struct collection_model *collection = place->collection;
    if (collection->has_check && (item.n == MISSING || item.n >= N_MAX)) {
        return STATUS_refused;
    }
    if (collection->by_u == INDEX_serving && is_taken(place, item.u)) {
        return STATUS_unique;
    }
    item.is_there = true;
    item.version = world->now.version + 1;
    item.time_us = world->asker.engine.time_us;
    *place->item = item;
    collection->is_there = true;
    collection->touched[place->id] = true;
    world->changes = true;
    return STATUS_ok;
}

static struct item any_item(struct world *world)
{
    return (struct item){.a = any_value(world), .n = any_value(world), .u = any_value(world)};
}

static void add_put(struct world *world)
{
    struct place place = any_place(world);
    struct item item = any_item(world);
    bool is_insert = world_chance(world, 40);
    begin_keyed(world, is_insert ? "insert" : "put", &place);
    text_append(&world->json, ",\"document\":");
    item_print(&world->json, &item);
    text_append(&world->json, "}");
    if (has_failed(world)) {
        return;
    }
    bool exists = is_insert && place.item->is_there;
    fail(world, exists ? STATUS_exists : write_item(world, &place, item));
    if (!has_failed(world)) {
        struct buffer *out = result(world);
        is_insert ? text_append(out, "{\"id\":%d}", place.id) : text_append(out, "{}");
    }
}

// A condition on "a", or none.
static int any_condition(struct world *world, unsigned percent)
{
    int value = (int)random_below(&world->random, VALUES);
    if (!world_chance(world, percent)) {
        return MISSING;
    }
    text_append(&world->json, ",\"where\":{\"a\":%d}", value);
    return value;
}

static bool holds(int condition, const struct item *item)
{
    return condition == MISSING || item->a == condition;
}

// One of several patches, printed and done to the item.
static enum status patch_item(struct world *world, struct item *item)
{
    int value = (int)random_below(&world->random, VALUES);
    switch (random_below(&world->random, 5)) {
    case 0:
        text_append(&world->json, ",\"patch\":{\"n\":{\"$inc\":%d,\"max\":%d}}", value, N_MAX / 2);
        item->n = (item->n == MISSING ? 0 : item->n) + value;
        return item->n > N_MAX / 2 ? STATUS_refused : STATUS_ok;
    case 1:
        text_append(&world->json, ",\"patch\":{\"n\":{\"$max\":%d}}", 10 * value);
        item->n = item->n > 10 * value ? item->n : 10 * value;
        return STATUS_ok;
    case 2:
        text_append(&world->json, ",\"patch\":{\"a\":{\"$unset\":true},\"u\":%d}", value);
        item->a = MISSING;
        item->u = value;
        return STATUS_ok;
    case 3:
        text_append(&world->json, ",\"patch\":{\"a\":%d,\"u\":{\"$unset\":true}}", value);
        item->a = value;
        item->u = MISSING;
        return STATUS_ok;
    default: text_append(&world->json, ",\"patch\":{}"); return STATUS_ok;
    }
}

static void add_update(struct world *world)
{
    struct place place = any_place(world);
    struct item item = {.a = MISSING, .n = MISSING, .u = MISSING};
    if (place.item->is_there) {
        item = *place.item;
    }
    begin_keyed(world, "update", &place);
    enum status patched = patch_item(world, &item);
    int condition = any_condition(world, 20);
    bool upserts = world_chance(world, 30);
    text_append(&world->json, upserts ? ",\"upsert\":true}" : "}");
    if (has_failed(world)) {
        return;
    }
    if (!place.item->is_there && !upserts) {
        fail(world, STATUS_absent);
    } else if (place.item->is_there && !holds(condition, place.item)) {
        fail(world, STATUS_refused);
    } else {
        fail(world, patched == STATUS_ok ? write_item(world, &place, item) : patched);
    }
    if (!has_failed(world)) {
        text_append(result(world), "{}");
    }
}

static void add_delete(struct world *world)
{
    struct place place = any_place(world);
    begin_keyed(world, "delete", &place);
    int condition = any_condition(world, 20);
    text_append(&world->json, "}");
    if (has_failed(world)) {
        return;
    }
    if (!place.item->is_there || !holds(condition, place.item)) {
        fail(world, place.item->is_there ? STATUS_refused : STATUS_absent);
        return;
    }
    place.item->is_there = false;
    place.collection->touched[place.id] = true;
    world->changes = true;
    text_append(result(world), "{}");
}

static void add_get(struct world *world)
{
    struct place place = any_place(world);
    begin_keyed(world, "get", &place);
    text_append(&world->json, "}");
    if (has_failed(world)) {
        return;
    }
    struct buffer *out = result(world);
    if (!place.item->is_there) {
        text_append(out, "{\"document\":null,\"document_version\":null,\"time\":null}");
        return;
    }
    text_append(out, "{\"document\":");
    item_print(out, place.item);
    text_append(out, ",\"document_version\":%llu,\"time\":%llu}",
                (unsigned long long)place.item->version, (unsigned long long)place.item->time_us);
}

static void add_check(struct world *world)
{
    struct place place = any_place(world);
    uint64_t version = place.item->is_there ? place.item->version : 0;
    uint64_t wanted = version + world_chance(world, 20);
    bool is_good = wanted == version;
    begin_keyed(world, "check", &place);
    if (world_chance(world, 30)) {
        int condition = any_condition(world, 100);
        is_good = place.item->is_there && holds(condition, place.item);
    } else if (wanted == 0) {
        text_append(&world->json, ",\"absent\":true");
    } else {
        text_append(&world->json, ",\"document_version\":%llu", (unsigned long long)wanted);
    }
    text_append(&world->json, "}");
    fail(world, is_good ? STATUS_ok : STATUS_refused);
    if (!has_failed(world)) {
        text_append(result(world), "{}");
    }
}

// The name of an index to be used, or none; absent if it doesn't serve.
static enum status any_index(struct world *world, const struct place *place)
{
    bool is_by_a = world_chance(world, 50);
    enum index index = is_by_a ? place->collection->by_a : place->collection->by_u;
    if (!world_chance(world, 30)) {
        return STATUS_ok;
    }
    text_append(&world->json, ",\"index\":\"%s\"", is_by_a ? "by_a" : "by_u");
    return place->collection->is_there && index == INDEX_serving ? STATUS_ok : STATUS_absent;
}

// Numbers of the items that a condition holds for, in the order of their ids or backwards.
static int find_items(const struct place *place, int condition, bool is_backwards, int found[IDS])
{
    int count = 0;
    for (int i = 0; i < IDS; i++) {
        int id = is_backwards ? IDS - 1 - i : i;
        const struct item *item = &place->collection->items[id];
        if (item->is_there && holds(condition, item)) {
            found[count++] = id;
        }
    }
    return count;
}

static void add_find(struct world *world)
{
    struct place place = any_place(world);
    int found[IDS];
    bool is_backwards = world_chance(world, 50);
    int limit = world_chance(world, 30) ? (int)random_between(&world->random, 1, 4) : IDS;
    begin_operation(world, "find", place.number);
    int condition = any_condition(world, 70);
    enum status status = any_index(world, &place);
    text_append(&world->json, ",\"order\":\"%s$id\",\"limit\":%d}", is_backwards ? "-" : "", limit);
    fail(world, status);
    if (has_failed(world)) {
        return;
    }
    int count = find_items(&place, condition, is_backwards, found);
    struct buffer *out = result(world);
    text_append(out, "{\"documents\":[");
    for (int i = 0; i < count && i < limit; i++) {
        text_append(out, "%s", i > 0 ? "," : "");
        print_row(out, found[i], &place.collection->items[found[i]]);
    }
    text_append(out, "]}");
}

static void add_count(struct world *world)
{
    struct place place = any_place(world);
    int found[IDS];
    begin_operation(world, "count", place.number);
    int condition = any_condition(world, 50);
    enum status status = any_index(world, &place);
    text_append(&world->json, "}");
    fail(world, status);
    if (!has_failed(world)) {
        text_append(result(world), "{\"count\":%d}", find_items(&place, condition, false, found));
    }
}

static void add_unchanged_ids(struct world *world)
{
    struct place place = any_place(world);
    bool is_same = true;
    begin_operation(world, "unchanged", place.number);
    text_append(&world->json, ",\"ids\":[");
    for (int id = 0; id < IDS; id++) {
        const struct item *item = &place.collection->items[id];
        uint64_t version = item->is_there ? item->version : 0;
        bool is_wrong = world_chance(world, 3);
        is_same = is_same && !is_wrong;
        text_append(&world->json, "%s[%d,%llu]", id > 0 ? "," : "", id,
                    (unsigned long long)(version + is_wrong));
    }
    text_append(&world->json, "]}");
    fail(world, is_same ? STATUS_ok : STATUS_conflict);
    if (!has_failed(world)) {
        text_append(result(world), "{}");
    }
}

static void add_unchanged_find(struct world *world)
{
    struct place place = any_place(world);
    int found[IDS];
    int condition = (int)random_below(&world->random, VALUES);
    bool is_wrong = world_chance(world, 20);
    uint64_t digest = find_digest_empty();
    int count = find_items(&place, condition, false, found);
    for (int i = 0; i < count; i++) {
        struct document_id id = {.integer = found[i]};
        uint64_t version = place.collection->items[found[i]].version;
        digest = find_digest_add(digest, &id, version);
    }
    is_wrong = is_wrong || digest > INT64_MAX; // which JSON has no number for
    begin_operation(world, "unchanged", place.number);
    text_append(&world->json, ",\"find\":{\"where\":{\"a\":%d},\"order\":\"$id\"},\"digest\":%llu}",
                condition, (unsigned long long)((digest ^ is_wrong) & INT64_MAX));
    fail(world, is_wrong ? STATUS_conflict : STATUS_ok);
    if (!has_failed(world)) {
        text_append(result(world), "{}");
    }
}

void world_add_operation(struct world *world)
{
    static void (*const ADD[])(struct world *) = {
        add_put,   add_put,    add_put,  add_update, add_update,        add_update,
        add_get,   add_delete, add_find, add_count,  add_unchanged_ids, add_unchanged_find,
        add_check, add_find,
    };
    ADD[random_below(&world->random, sizeof ADD / sizeof ADD[0])](world);
}

static void add_create_collection(struct world *world)
{
    struct place place = any_place(world);
    struct collection_model made = {
        .is_there = true,
        .ttl_s = world_chance(world, 50) ? 40 : 0,
        .history_s = world_chance(world, 60) ? 100 : 0,
        .has_check = world_chance(world, 30),
    };
    struct buffer *json = &world->json;
    begin_operation(world, "create_collection", place.number);
    text_append(json, ",\"settings\":{\"check\":[%s]",
                made.has_check ? "{\"n\":{\"$lt\":60}}" : "");
    if (made.ttl_s > 0) {
        text_append(json, ",\"ttl\":%u", made.ttl_s);
    }
    if (made.history_s > 0) {
        text_append(json, ",\"history\":%u", made.history_s);
    }
    text_append(json, "}}");
    if (place.collection->is_there) {
        fail(world, STATUS_exists);
        return;
    }
    *place.collection = made;
    world->changes = true;
    text_append(result(world), "{}");
}

static void add_drop_collection(struct world *world)
{
    struct place place = any_place(world);
    begin_operation(world, "drop_collection", place.number);
    text_append(&world->json, "}");
    if (!place.collection->is_there) {
        fail(world, STATUS_absent);
        return;
    }
    *place.collection = (struct collection_model){0};
    world->dropped_us = world->asker.engine.time_us;
    world->changes = true;
    text_append(result(world), "{}");
}

static bool is_empty(const struct collection_model *collection)
{
    for (int id = 0; id < IDS; id++) {
        if (collection->items[id].is_there) {
            return false;
        }
    }
    return true;
}

static void add_create_index(struct world *world)
{
    struct place place = any_place(world);
    bool is_unique = world_chance(world, 40);
    enum index *index = is_unique ? &place.collection->by_u : &place.collection->by_a;
    begin_operation(world, "create_index", place.number);
    text_append(&world->json, ",\"index\":\"by_%s\",\"fields\":[\"%s\"],\"unique\":%s}",
                is_unique ? "u" : "a", is_unique ? "u" : "a", is_unique ? "true" : "false");
    if (*index != INDEX_none) {
        fail(world, STATUS_exists);
        return;
    }
    *index = is_empty(place.collection) ? INDEX_serving : INDEX_building;
    place.collection->is_there = true;
    world->changes = true;
    text_append(result(world), "{}");
}

static void add_drop_index(struct world *world)
{
    struct place place = any_place(world);
    bool is_by_a = world_chance(world, 50);
    enum index *index = is_by_a ? &place.collection->by_a : &place.collection->by_u;
    begin_operation(world, "drop_index", place.number);
    text_append(&world->json, ",\"index\":\"by_%s\"}", is_by_a ? "a" : "u");
    if (*index == INDEX_none) {
        fail(world, STATUS_absent);
        return;
    }
    *index = INDEX_none;
    world->changes = true;
    text_append(result(world), "{}");
}

void world_add_schema(struct world *world)
{
    static void (*const ADD[])(struct world *) = {
        add_create_collection, add_create_collection, add_create_index,    add_create_index,
        add_create_index,      add_drop_index,        add_drop_collection,
    };
    ADD[random_below(&world->random, sizeof ADD / sizeof ADD[0])](world);
}

void world_end(struct world *world)
{
    buffer_append(&world->json, bytes_of("]", 2));
    buffer_append(&world->results, bytes_of("]", 2));
}
