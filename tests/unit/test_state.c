/*
 * One suite for both implementations of the state port: every claim runs against the memory twin
 * and against RocksDB in a folder of its own, each with and without a cache, which is too small.
 * After that, what only one of them has.
 */
#include "storage/state.h"

#include "base/random.h"
#include "storage/rocksdb/state_rocksdb.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct state *state;
    bool is_memory;
    bool is_cached;
    char path[FOLDER_PATH_SIZE]; // RocksDB: its folder
    struct state_batch batch;
    struct buffer value;
};

static struct bytes text(const char *text_)
{
    return bytes_from_text(text_);
}

static struct state *open_rocksdb(const char *path)
{
    struct state *state = NULL;
    struct buffer error = {0};
    const struct state_rocksdb_options options = {.write_buffer_size = 256 * 1024};
    enum status status = state_rocksdb_open(path, &options, &state, &error);
    cr_assert_eq(status, STATUS_ok, "%.*s", (int)error.size, (const char *)error.data);
    buffer_release(&error);
    return state;
}

static void use_cache(struct fixture *f)
{
    if (f->is_cached) {
        state_use_cache(f->state, 4);
    }
}

static void fixture_init(struct fixture *f, bool is_memory, bool is_cached)
{
    *f = (struct fixture){.is_memory = is_memory, .is_cached = is_cached};
    if (is_memory) {
        f->state = state_memory_new();
    } else {
        folder_make(f->path);
        f->state = open_rocksdb(f->path);
    }
    use_cache(f);
}

static void fixture_release(struct fixture *f)
{
    state_destroy(&f->state);
    state_batch_release(&f->batch);
    buffer_release(&f->value);
    if (!f->is_memory) {
        folder_remove(f->path);
    }
}

static void on_both(void (*claim)(struct fixture *f))
{
    for (unsigned i = 0; i < 4; i++) {
        struct fixture f;
        fixture_init(&f, i % 2 == 0, i / 2 == 1);
        claim(&f);
        fixture_release(&f);
    }
}

// What a process finds that starts after a crash of its predecessor.
static void crash(struct fixture *f)
{
    if (f->is_memory) {
        f->state = state_memory_reopen(&f->state);
    } else {
        state_destroy(&f->state);
        f->state = open_rocksdb(f->path);
    }
    use_cache(f);
}

static void write_out(struct fixture *f)
{
    cr_assert_eq(state_write(f->state, &f->batch), STATUS_ok);
    state_batch_clear(&f->batch);
}

static void put(struct fixture *f, const char *key, const char *value)
{
    state_batch_put(&f->batch, text(key), text(value));
    write_out(f);
}

static void erase(struct fixture *f, const char *key)
{
    state_batch_remove(&f->batch, text(key));
    write_out(f);
}

static void expect_at(struct fixture *f, const struct state_snapshot *snapshot, const char *key,
                      const char *wanted)
{
    buffer_clear(&f->value);
    enum status status = state_get(f->state, snapshot, text(key), &f->value);
    if (wanted == NULL) {
        cr_assert_eq(status, STATUS_absent, "%s is there", key);
        return;
    }
    cr_assert_eq(status, STATUS_ok, "%s is not there", key);
    cr_assert(bytes_equal(buffer_bytes(&f->value), text(wanted)), "%s is not %s", key, wanted);
}

static void expect(struct fixture *f, const char *key, const char *wanted)
{
    expect_at(f, NULL, key, wanted);
}

// Appends the keys in a range as one text: "a b c".
static void list_range(struct fixture *f, const struct state_snapshot *snapshot,
                       const struct state_range *range, struct buffer *out)
{
    struct state_cursor *cursor;
    cr_assert_eq(state_cursor_new_range(f->state, snapshot, range, &cursor), STATUS_ok);
    struct bytes key;
    struct bytes value;
    while (state_cursor_next(cursor, f->state, &key, &value)) {
        if (out->size > 0) {
            buffer_append_u8(out, ' ');
        }
        buffer_append(out, key);
    }
    cr_assert_not(state_cursor_next(cursor, f->state, &key, &value), "the end does not last");
    cr_assert_eq(state_cursor_destroy(f->state, &cursor), STATUS_ok);
    cr_assert_null(cursor);
}

static void expect_listed(struct fixture *f, const struct state_snapshot *snapshot,
                          const struct state_range *range, const char *wanted)
{
    struct buffer found = {0};
    list_range(f, snapshot, range, &found);
    cr_assert(bytes_equal(buffer_bytes(&found), text(wanted)), "%.*s is not %s", (int)found.size,
              (const char *)found.data, wanted);
    buffer_release(&found);
}

static void expect_range(struct fixture *f, const struct state_snapshot *snapshot, const char *from,
                         const char *to, const char *wanted)
{
    struct state_range range = {.from = text(from), .to = text(to)};
    expect_listed(f, snapshot, &range, wanted);
}

static void expect_backwards(struct fixture *f, const char *from, const char *to,
                             const char *wanted)
{
    struct state_range range = {.from = text(from), .to = text(to), .is_backwards = true};
    expect_listed(f, NULL, &range, wanted);
}

static struct state_snapshot *snapshot_of(struct fixture *f)
{
    struct state_snapshot *snapshot = NULL;
    cr_assert_eq(state_snapshot_new(f->state, &snapshot), STATUS_ok);
    return snapshot;
}

static void gives_back_what_was_put(struct fixture *f)
{
    expect(f, "key", NULL);
    put(f, "key", "one");
    expect(f, "key", "one");
    put(f, "key", "two");
    expect(f, "key", "two");
    put(f, "empty", "");
    expect(f, "empty", "");
    expect(f, "ke", NULL);
    expect(f, "keys", NULL);
}

Test(state, gives_back_what_was_put)
{
    on_both(gives_back_what_was_put);
}

static void get_appends_to_what_is_there(struct fixture *f)
{
    put(f, "key", "value");
    buffer_append(&f->value, text("before "));
    cr_assert_eq(state_get(f->state, NULL, text("key"), &f->value), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&f->value), text("before value")));
    cr_assert_eq(state_get(f->state, NULL, text("other"), &f->value), STATUS_absent);
    cr_assert(bytes_equal(buffer_bytes(&f->value), text("before value")));
}

Test(state, get_appends_to_what_is_there)
{
    on_both(get_appends_to_what_is_there);
}

static void forgets_what_was_removed(struct fixture *f)
{
    put(f, "a", "1");
    put(f, "b", "2");
    erase(f, "a");
    erase(f, "never there");
    expect(f, "a", NULL);
    expect_range(f, NULL, "", "", "b");
    put(f, "a", "3");
    expect(f, "a", "3");
}

Test(state, forgets_what_was_removed)
{
    on_both(forgets_what_was_removed);
}

static void last_change_of_a_key_in_a_batch_wins(struct fixture *f)
{
    state_batch_put(&f->batch, text("a"), text("1"));
    state_batch_remove(&f->batch, text("a"));
    state_batch_put(&f->batch, text("a"), text("2"));
    state_batch_put(&f->batch, text("b"), text("1"));
    state_batch_remove(&f->batch, text("b"));
    write_out(f);
    expect(f, "a", "2");
    expect(f, "b", NULL);
}

Test(state, last_change_of_a_key_in_a_batch_wins)
{
    on_both(last_change_of_a_key_in_a_batch_wins);
}

static void orders_keys_by_unsigned_bytes(struct fixture *f)
{
    put(f, "b", "");
    put(f, "\xff", "");
    put(f, "aa", "");
    put(f, "\x01", "");
    put(f, "a", "");
    expect_range(f, NULL, "", "", "\x01 a aa b \xff");
}

Test(state, orders_keys_by_unsigned_bytes)
{
    on_both(orders_keys_by_unsigned_bytes);
}

static void cursor_keeps_to_its_bounds(struct fixture *f)
{
    put(f, "a", "");
    put(f, "b", "");
    put(f, "ba", "");
    put(f, "c", "");
    expect_range(f, NULL, "b", "c", "b ba");
    expect_range(f, NULL, "aa", "bz", "b ba");
    expect_range(f, NULL, "b", "", "b ba c");
    expect_range(f, NULL, "", "b", "a");
    expect_range(f, NULL, "b", "b", "");
    expect_range(f, NULL, "d", "", "");
}

Test(state, cursor_keeps_to_its_bounds)
{
    on_both(cursor_keeps_to_its_bounds);
}

static void cursor_goes_backwards(struct fixture *f)
{
    expect_backwards(f, "", "", "");
    put(f, "a", "");
    put(f, "b", "");
    put(f, "ba", "");
    put(f, "c", "");
    expect_backwards(f, "", "", "c ba b a");
    expect_backwards(f, "b", "c", "ba b");
    expect_backwards(f, "aa", "bz", "ba b");
    expect_backwards(f, "b", "", "c ba b");
    expect_backwards(f, "", "b", "a");
    expect_backwards(f, "b", "b", "");
    expect_backwards(f, "", "a", "");
    expect_backwards(f, "d", "", "");
}

Test(state, cursor_goes_backwards)
{
    on_both(cursor_goes_backwards);
}

static void cursor_sees_one_version(struct fixture *f)
{
    put(f, "a", "1");
    put(f, "b", "1");
    struct state_cursor *cursor;
    cr_assert_eq(state_cursor_new(f->state, NULL, text(""), text(""), &cursor), STATUS_ok);
    put(f, "aa", "2");
    erase(f, "b");
    struct bytes key;
    struct bytes value;
    cr_assert(state_cursor_next(cursor, f->state, &key, &value) && bytes_equal(key, text("a")));
    cr_assert(state_cursor_next(cursor, f->state, &key, &value) && bytes_equal(key, text("b")));
    cr_assert(bytes_equal(value, text("1")));
    cr_assert_not(state_cursor_next(cursor, f->state, &key, &value));
    cr_assert_eq(state_cursor_destroy(f->state, &cursor), STATUS_ok);
}

Test(state, cursor_sees_one_version)
{
    on_both(cursor_sees_one_version);
}

static void snapshot_is_not_touched_by_later_writes(struct fixture *f)
{
    put(f, "a", "1");
    put(f, "b", "1");
    struct state_snapshot *first = snapshot_of(f);
    put(f, "a", "2");
    erase(f, "b");
    struct state_snapshot *second = snapshot_of(f);
    put(f, "c", "3");
    cr_assert_eq(state_flush(f->state), STATUS_ok);
    expect_at(f, first, "a", "1");
    expect_range(f, first, "", "", "a b");
    expect_at(f, second, "b", NULL);
    expect_range(f, second, "", "", "a");
    expect_range(f, NULL, "", "", "a c");
    state_snapshot_destroy(f->state, &first);
    cr_assert_null(first);
    expect_at(f, second, "a", "2");
    state_snapshot_destroy(f->state, &second);
}

Test(state, snapshot_is_not_touched_by_later_writes)
{
    on_both(snapshot_is_not_touched_by_later_writes);
}

static void what_was_flushed_survives_a_crash(struct fixture *f)
{
    put(f, "a", "1");
    put(f, "b", "1");
    cr_assert_eq(state_flush(f->state), STATUS_ok);
    erase(f, "b");
    cr_assert_eq(state_flush(f->state), STATUS_ok);
    crash(f);
    expect_range(f, NULL, "", "", "a");
    cr_assert_eq(state_flush(f->state), STATUS_ok, "nothing to flush is fine");
}

Test(state, what_was_flushed_survives_a_crash)
{
    on_both(what_was_flushed_survives_a_crash);
}

static void what_was_not_flushed_is_lost_in_a_crash(struct fixture *f)
{
    put(f, "a", "1");
    cr_assert_eq(state_flush(f->state), STATUS_ok);
    put(f, "a", "2");
    put(f, "b", "2");
    expect(f, "a", "2");
    crash(f);
    expect(f, "a", "1");
    expect_range(f, NULL, "", "", "a");
}

Test(state, what_was_not_flushed_is_lost_in_a_crash)
{
    on_both(what_was_not_flushed_is_lost_in_a_crash);
}

// Writes batches of `size` cells: batch n sets all of them to n.
static void write_batches(struct fixture *f, uint64_t first, uint64_t last, unsigned size)
{
    for (uint64_t n = first; n <= last; n++) {
        for (unsigned cell = 0; cell < size; cell++) {
            char key[16];
            char value[128];
            snprintf(key, sizeof key, "%02u", cell);
            snprintf(value, sizeof value, "%0100llu", (unsigned long long)n);
            state_batch_put(&f->batch, text(key), text(value));
        }
        write_out(f);
    }
}

// The batch whose content the state has; fails the test if it has parts of several.
static uint64_t batch_found(struct state *state, unsigned size)
{
    struct buffer first = {0};
    struct buffer other = {0};
    for (unsigned cell = 0; cell < size; cell++) {
        char key[16];
        snprintf(key, sizeof key, "%02u", cell);
        buffer_clear(&other);
        enum status status = state_get(state, NULL, text(key), cell == 0 ? &first : &other);
        if (status == STATUS_absent) {
            cr_assert_eq(first.size, 0, "a batch was torn");
            continue;
        }
        cr_assert_eq(status, STATUS_ok);
        cr_assert(cell == 0 || bytes_equal(buffer_bytes(&first), buffer_bytes(&other)),
                  "a batch was torn");
    }
    buffer_append_u8(&first, 0);
    uint64_t batch = strtoull((const char *)first.data, NULL, 10);
    buffer_release(&first);
    buffer_release(&other);
    return batch;
}

static void crash_keeps_whole_batches(struct fixture *f)
{
    write_batches(f, 1, 40, 60);
    cr_assert_eq(state_flush(f->state), STATUS_ok);
    write_batches(f, 41, 300, 60); // more than the write buffers hold
    crash(f);
    uint64_t found = batch_found(f->state, 60);
    cr_assert(found >= 40 && found <= 300, "%llu", (unsigned long long)found);
}

Test(state, crash_keeps_whole_batches, .timeout = 60)
{
    on_both(crash_keeps_whole_batches);
}

/*
 * Random histories against a plain model: cell `i` of the model is key "i", its value a number; 0
 * is a cell that isn't there.
 */
enum { MODEL_KEYS = 200, MODEL_SNAPSHOTS = 4, MODEL_STEPS = 4000 };

struct model {
    uint32_t newest[MODEL_KEYS];
    uint32_t flushed[MODEL_KEYS];
    uint32_t marked[MODEL_SNAPSHOTS][MODEL_KEYS];
    struct state_snapshot *snapshots[MODEL_SNAPSHOTS]; // NULL for none
    uint32_t next_value;
};

static struct bytes model_key(unsigned cell, char key[16])
{
    snprintf(key, 16, "%04u", cell);
    return text(key);
}

static void compare_walk(struct fixture *f, const struct state_snapshot *snapshot,
                         const uint32_t *cells, const unsigned bounds[2], bool is_backwards)
{
    char from[16];
    char to[16];
    char key_text[16];
    struct state_range range = {.from = model_key(bounds[0], from),
                                .to = model_key(bounds[1], to),
                                .is_backwards = is_backwards,
                                .spares_cache = is_backwards};
    struct state_cursor *cursor;
    cr_assert_eq(state_cursor_new_range(f->state, snapshot, &range, &cursor), STATUS_ok);
    struct bytes key;
    struct bytes value;
    for (unsigned i = bounds[0]; i < bounds[1]; i++) {
        unsigned cell = is_backwards ? bounds[1] - 1 - (i - bounds[0]) : i;
        if (cells[cell] == 0) {
            continue;
        }
        cr_assert(state_cursor_next(cursor, f->state, &key, &value));
        cr_assert(bytes_equal(key, model_key(cell, key_text)));
        cr_assert(bytes_equal(value, bytes_of(&cells[cell], sizeof cells[cell])));
    }
    cr_assert_not(state_cursor_next(cursor, f->state, &key, &value));
    cr_assert_eq(state_cursor_destroy(f->state, &cursor), STATUS_ok);
}

static void compare_with_model(struct fixture *f, const struct state_snapshot *snapshot,
                               const uint32_t *cells, unsigned from, unsigned to)
{
    unsigned bounds[2] = {from, to};
    compare_walk(f, snapshot, cells, bounds, false);
    compare_walk(f, snapshot, cells, bounds, true);
}

static void write_random_batch(struct fixture *f, struct model *model, struct random *random)
{
    uint64_t count = random_between(random, 1, 12);
    for (uint64_t i = 0; i < count; i++) {
        unsigned cell = (unsigned)random_below(random, MODEL_KEYS);
        char key[16];
        bool is_removed = random_chance(random, 300000);
        model->newest[cell] = is_removed ? 0 : ++model->next_value;
        if (is_removed) {
            state_batch_remove(&f->batch, model_key(cell, key));
        } else {
            state_batch_put(&f->batch, model_key(cell, key),
                            bytes_of(&model->newest[cell], sizeof model->newest[cell]));
        }
    }
    write_out(f);
}

static void drop_snapshots(struct fixture *f, struct model *model)
{
    for (unsigned i = 0; i < MODEL_SNAPSHOTS; i++) {
        state_snapshot_destroy(f->state, &model->snapshots[i]);
    }
}

static void step_snapshot(struct fixture *f, struct model *model, struct random *random)
{
    unsigned i = (unsigned)random_below(random, MODEL_SNAPSHOTS);
    if (model->snapshots[i] == NULL) {
        model->snapshots[i] = snapshot_of(f);
        memcpy(model->marked[i], model->newest, sizeof model->newest);
        return;
    }
    compare_with_model(f, model->snapshots[i], model->marked[i], 0, MODEL_KEYS);
    if (random_chance(random, 500000)) {
        state_snapshot_destroy(f->state, &model->snapshots[i]);
    }
}

static void step_model(struct fixture *f, struct model *model, struct random *random)
{
    uint64_t dice = random_below(random, 1000);
    unsigned from = (unsigned)random_below(random, MODEL_KEYS);
    if (dice < 700) {
        write_random_batch(f, model, random);
    } else if (dice < 900) {
        compare_with_model(f, NULL, model->newest, from, MODEL_KEYS);
    } else if (dice < 985) {
        step_snapshot(f, model, random);
    } else if (dice < 995) {
        cr_assert_eq(state_flush(f->state), STATUS_ok);
        memcpy(model->flushed, model->newest, sizeof model->newest);
    } else {
        drop_snapshots(f, model);
        crash(f);
        memcpy(model->newest, model->flushed, sizeof model->newest);
    }
}

static void follows_a_plain_model(struct fixture *f)
{
    struct random random;
    random_init(&random, 7);
    struct model *model = calloc(1, sizeof *model);
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        step_model(f, model, &random);
    }
    compare_with_model(f, NULL, model->newest, 0, MODEL_KEYS);
    drop_snapshots(f, model);
    free(model);
}

Test(state, follows_a_plain_model, .timeout = 120)
{
    on_both(follows_a_plain_model);
}

Test(state, destroying_nothing_is_fine)
{
    struct state *state = NULL;
    state_destroy(&state);
    struct state *memory = state_memory_new();
    struct state_snapshot *snapshot = NULL;
    struct state_cursor *cursor = NULL;
    state_snapshot_destroy(memory, &snapshot);
    cr_assert_eq(state_cursor_destroy(memory, &cursor), STATUS_ok);
    cr_assert_eq(state_memory_open_count(memory), 0);
    state_destroy(&memory);
    cr_assert_null(memory);
}
