/*
 * Random transactions of all operations against a plain model of collections, documents, indexes,
 * statistics, expiry and history (tests/unit/fixture_world.h), which is copied before every
 * transaction and put back if that fails. Status, failing operation, version and every result have
 * to be the same. Sessions are in test_executor_model.c.
 *
 * Jobs run to their end as soon as a unique index is made; others are built, and expired documents
 * go, when the time moves.
 */
#include "storage/executor.h"

#include "base/text.h"
#include "tests/unit/fixture_value.h"
#include "tests/unit/fixture_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { US_PER_S = 1000000, OPERATIONS_MAX = 5 };

static void push_past(struct world *world, struct collection_model *collection, int id,
                      const struct item *item)
{
    unsigned *count = &collection->past_count[id];
    cr_assert_lt(*count, PASTS_MAX);
    collection->pasts[id][(*count)++] = (struct past){
        .item = *item,
        .until_us = world->asker.engine.time_us + (uint64_t)collection->history_s * US_PER_S,
    };
}

// Keeps what was there before a document was touched, and that it is gone if it is.
static void keep_past(struct world *world, struct collection_model *collection, int id,
                      const struct item *before)
{
    struct item gone = {.version = world->now.version, .time_us = world->asker.engine.time_us};
    if (collection->history_s == 0) {
        return;
    }
    if (before->is_there) {
        push_past(world, collection, id, before);
    }
    if (!collection->items[id].is_there) {
        push_past(world, collection, id, &gone);
    }
}

static void commit(struct world *world)
{
    world->now.version += world->changes;
    for (int number = 0; number < COLLECTIONS; number++) {
        struct collection_model *collection = &world->now.collections[number];
        for (int id = 0; id < IDS; id++) {
            if (collection->touched[id]) {
                keep_past(world, collection, id, &world->before.collections[number].items[id]);
                collection->touched[id] = false;
            }
        }
    }
}

static void compare_failure(const struct world *world)
{
    const struct executor_outcome *outcome = &world->asker.engine.outcome;
    cr_assert_eq(outcome->operation, world->failed, "operation %u of %s: %.*s", world->failed,
                 (const char *)world->json.data, (int)outcome->message.size,
                 (const char *)outcome->message.data);
}

// Runs on both sides what was gathered.
static void end_transaction(struct world *world)
{
    struct engine *engine = &world->asker.engine;
    world_end(world);
    enum status status = engine_do(engine, (const char *)world->json.data);
    cr_assert_eq(status, world->status, "%s, not %s: %s: %.*s", status_name(status),
                 status_name(world->status), (const char *)world->json.data,
                 (int)engine->outcome.message.size, (const char *)engine->outcome.message.data);
    world->ended[status]++;
    if (status != STATUS_ok) {
        world->now = world->before;
        compare_failure(world);
        return;
    }
    commit(world);
    cr_assert_eq(engine->outcome.version, world->now.version);
    engine_expect_results(engine, (const char *)world->results.data);
}

static void run_transaction(struct world *world)
{
    world_begin(world);
    for (uint64_t left = random_between(&world->random, 1, OPERATIONS_MAX); left > 0; left--) {
        world_add_operation(world);
    }
    end_transaction(world);
}

static bool has_twins(const struct collection_model *collection)
{
    for (int a = 0; a < IDS; a++) {
        for (int b = 0; b < a; b++) {
            const struct item *items = collection->items;
            if (items[a].is_there && items[b].is_there && items[a].u != MISSING &&
                items[a].u == items[b].u) {
                return true;
            }
        }
    }
    return false;
}

// All jobs come to their end; returns how many indexes were built, or turned out to be impossible.
static uint64_t finish_jobs(struct world *world)
{
    uint64_t built = 0;
    for (int number = 0; number < COLLECTIONS; number++) {
        struct collection_model *collection = &world->now.collections[number];
        if (collection->by_a == INDEX_building) {
            collection->by_a = INDEX_serving;
            built++;
        }
        if (collection->by_u == INDEX_building) {
            collection->by_u = has_twins(collection) ? INDEX_broken : INDEX_serving;
            built++;
        }
    }
    return built;
}

static void trim(struct world *world, struct collection_model *collection, int id)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < collection->past_count[id]; i++) {
        if (collection->pasts[id][i].until_us > world->asker.engine.time_us) {
            collection->pasts[id][kept++] = collection->pasts[id][i];
        }
    }
    collection->past_count[id] = kept;
}

static bool is_due(const struct world *world, const struct collection_model *collection, int id)
{
    const struct item *item = &collection->items[id];
    uint64_t ttl_us = (uint64_t)collection->ttl_s * US_PER_S;
    return item->is_there && ttl_us > 0 && item->time_us + ttl_us <= world->asker.engine.time_us;
}

static bool any_due(const struct world *world)
{
    for (int i = 0; i < COLLECTIONS * IDS; i++) {
        if (is_due(world, &world->now.collections[i / IDS], i % IDS)) {
            return true;
        }
    }
    return false;
}

// What is due expires at the next version.
static void expire(struct world *world)
{
    world->now.version += any_due(world);
    for (int i = 0; i < COLLECTIONS * IDS; i++) {
        struct collection_model *collection = &world->now.collections[i / IDS];
        int id = i % IDS;
        if (is_due(world, collection, id)) {
            struct item before = collection->items[id];
            collection->items[id].is_there = false;
            keep_past(world, collection, id, &before);
        }
        trim(world, collection, id);
    }
}

// The time goes on, and the primary does what has to be done then. Indexes that begin to serve take
// a version each, or share the one of what expires.
static void wait(struct world *world, uint64_t seconds)
{
    engine_wait(&world->asker.engine, seconds);
    uint64_t before = world->now.version;
    expire(world);
    uint64_t built = finish_jobs(world);
    uint64_t version = world->asker.engine.version;
    bool takes_one = built > 0 || world->now.version > before;
    cr_assert_geq(version, before + takes_one);
    cr_assert_leq(version, world->now.version + built);
    world->now.version = version;
    world->settled = world->now;
}

static void run_schema(struct world *world)
{
    world_begin(world);
    world_add_schema(world);
    end_transaction(world);
    for (int number = 0; number < COLLECTIONS; number++) {
        if (world->now.collections[number].by_u == INDEX_building) {
            wait(world, 0);
        }
    }
}

static void compare_history(struct world *world, int number, int id)
{
    AUTO(buffer_release) struct buffer ask = {0};
    AUTO(buffer_release) struct buffer wanted = {0};
    static const struct message_read any = {.level = READ_any};
    const struct collection_model *collection = &world->now.collections[number];
    struct past versions[PASTS_MAX + 1];
    unsigned count = collection->past_count[id];
    memcpy(versions, collection->pasts[id], count * sizeof versions[0]);
    if (collection->items[id].is_there) {
        versions[count++].item = collection->items[id];
    }
    text_append(&wanted, "[{\"versions\":[");
    for (unsigned i = 0; i < count; i++) {
        const struct item *item = &versions[count - 1 - i].item;
        text_append(&wanted, "%s{\"document\":", i > 0 ? "," : "");
        item->is_there ? item_print(&wanted, item) : text_append(&wanted, "null");
        text_append(&wanted, ",\"document_version\":%llu,\"time\":%llu}",
                    (unsigned long long)item->version, (unsigned long long)item->time_us);
    }
    text_append(&wanted, "],");
    text_append(&ask, "[{\"op\":\"history\",\"collection\":\"c%d\",\"id\":%d}]", number, id);
    buffer_append_u8(&ask, 0);
    asker_read(&world->asker, &any, (const char *)ask.data);
    cr_assert(bytes_starts_with(buffer_bytes(&world->asker.json), buffer_bytes(&wanted)),
              "%s\nis not\n%.*s", (const char *)world->asker.json.data, (int)wanted.size,
              (const char *)wanted.data);
}

// Counts that the cells of a state have to come to.
struct totals {
    size_t documents;
    size_t entries;
    size_t pasts;
    size_t expiries;
    bool has_broken; // whose entries are left as they are
};

static void compare_statistics(const struct world *world, int number, unsigned documents,
                               unsigned bytes)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "{\"name\":\"c%d\",\"documents\":%u,\"bytes\":%u,", number,
             documents, bytes);
    bool is_listed = strstr((const char *)world->asker.json.data, wanted) != NULL;
    cr_assert_eq(is_listed, world->now.collections[number].is_there, "%s in %s", wanted,
                 (const char *)world->asker.json.data);
}

static void add_totals(const struct world *world, int number, struct totals *totals)
{
    const struct collection_model *collection = &world->now.collections[number];
    unsigned documents = 0;
    unsigned bytes = 0;
    for (int id = 0; id < IDS; id++) {
        const struct item *item = &collection->items[id];
        documents += item->is_there;
        bytes += item->is_there ? item_size(item) : 0;
        totals->pasts += collection->past_count[id];
    }
    size_t indexes = (collection->by_a == INDEX_serving) +
                     (size_t)(collection->by_u == INDEX_serving);
    totals->documents += documents;
    totals->entries += documents * indexes;
    totals->expiries += collection->ttl_s > 0 ? documents : 0;
    totals->has_broken = totals->has_broken || collection->by_u == INDEX_broken;
    compare_statistics(world, number, documents, bytes);
}

// A collection that was dropped leaves timed cells until their time has come.
static void compare_timed(const struct world *world, enum cell_kind kind, size_t wanted)
{
    enum { LEFT_S_MAX = 100 };
    const struct engine *engine = &world->asker.engine;
    size_t cells = engine_cells(engine, kind);
    bool may_have_more = world->dropped_us > 0 &&
                         world->dropped_us + (uint64_t)LEFT_S_MAX * US_PER_S > engine->time_us;
    cr_assert(cells == wanted || (may_have_more && cells > wanted), "%zu cells, not %zu", cells,
              wanted);
}

// Statistics, history, and the number of all cells; nothing is left to be done.
static void compare_state(struct world *world)
{
    static const struct message_read any = {.level = READ_any};
    struct engine *engine = &world->asker.engine;
    struct totals totals = {0};
    asker_read(&world->asker, &any, "[{\"op\":\"collections\"}]");
    for (int number = 0; number < COLLECTIONS; number++) {
        add_totals(world, number, &totals);
    }
    cr_assert_eq(engine_cells(engine, CELL_DOCUMENT), totals.documents);
    cr_assert_eq(engine_cells(engine, CELL_HISTORY), totals.pasts);
    cr_assert(totals.has_broken || engine_cells(engine, CELL_INDEX) == totals.entries);
    compare_timed(world, CELL_EXPIRY, totals.expiries);
    compare_timed(world, CELL_TRIMMING, totals.pasts);
    cr_assert_eq(engine_cells(engine, CELL_JOB), 0);
    for (int i = 0; i < COLLECTIONS * IDS; i++) {
        if (world->now.collections[i / IDS].history_s > 0) {
            compare_history(world, i / IDS, i % IDS);
        }
    }
}

static void step(struct world *world)
{
    uint64_t dice = random_below(&world->random, 1000);
    if (dice < 900) {
        run_transaction(world);
    } else if (dice < 930) {
        run_schema(world);
    } else if (dice < 960) {
        engine_settle(&world->asker.engine);
        world->settled = world->now;
    } else if (dice < 965) {
        engine_depose(&world->asker.engine);
        world->now = world->settled;
    } else {
        wait(world, random_below(&world->random, 60));
        compare_state(world);
    }
}

static void world_release(struct world **take_world)
{
    asker_release(&(*take_world)->asker);
    buffer_release(&(*take_world)->json);
    buffer_release(&(*take_world)->results);
    free(*take_world);
    *take_world = NULL;
}

// Adds up how transactions ended.
static void run_world(uint64_t seed, unsigned steps, unsigned ended[STATUS_COUNT])
{
    AUTO(world_release) struct world *world = calloc(1, sizeof *world);
    random_init(&world->random, seed);
    asker_init(&world->asker);
    for (unsigned i = 0; i < steps; i++) {
        step(world);
    }
    wait(world, 1000);
    compare_state(world);
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        ended[status] += world->ended[status];
    }
}

Test(executor_random, follows_a_plain_model_of_all_operations, .timeout = 120)
{
    enum { SEEDS = 20 };
    unsigned ended[STATUS_COUNT] = {0};
    unsigned steps = rounds_of(8000);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run_world(seed, steps, ended);
    }
    static const enum status COMMON[] = {STATUS_ok,      STATUS_absent, STATUS_exists,
                                         STATUS_refused, STATUS_unique, STATUS_conflict};
    for (size_t i = 0; i < sizeof COMMON / sizeof COMMON[0]; i++) {
        cr_assert_gt(ended[COMMON[i]], SEEDS * steps / 100, "%u times %s", ended[COMMON[i]],
                     status_name(COMMON[i]));
    }
}
