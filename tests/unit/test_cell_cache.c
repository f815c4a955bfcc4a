// The cell cache: what it keeps, what it gives way to, and that it never tells an old value.
#include "storage/cell_cache.h"

#include "base/limits.h"
#include "base/random.h"
#include "storage/state.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { SET = 4, KEYS = 40, STEPS = 200000, KEY_SIZE = 16 };

struct fixture {
    struct cell_cache *cache;
    struct state_batch batch;
    struct buffer value;
    uint64_t turn;
};

static void fixture_init(struct fixture *f, size_t cells)
{
    *f = (struct fixture){.cache = cell_cache_new(cells)};
}

static void fixture_release(struct fixture *f)
{
    cell_cache_destroy(&f->cache);
    state_batch_release(&f->batch);
    buffer_release(&f->value);
}

static bool get(struct fixture *f, const char *key)
{
    buffer_clear(&f->value);
    return cell_cache_get(f->cache, bytes_from_text(key), &f->value, &f->turn);
}

static void keep(struct fixture *f, const char *key, const char *value)
{
    cr_assert_not(get(f, key));
    cell_cache_keep(f->cache, f->turn, bytes_from_text(key), bytes_from_text(value));
}

static void put(struct fixture *f, const char *key, const char *value)
{
    state_batch_clear(&f->batch);
    state_batch_put(&f->batch, bytes_from_text(key), bytes_from_text(value));
    cell_cache_write(f->cache, &f->batch);
}

static void expect(struct fixture *f, const char *key, const char *wanted)
{
    cr_assert(get(f, key), "%s is not there", key);
    cr_assert(bytes_equal(buffer_bytes(&f->value), bytes_from_text(wanted)));
}

Test(cell_cache, what_was_read_is_kept_and_follows_writes)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep(&f, "a", "1");
    expect(&f, "a", "1");
    put(&f, "a", "a longer one");
    expect(&f, "a", "a longer one");
    put(&f, "a", "");
    expect(&f, "a", "");
    fixture_release(&f);
}

Test(cell_cache, what_is_removed_is_forgotten)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep(&f, "a", "1");
    state_batch_remove(&f.batch, bytes_from_text("a"));
    cell_cache_write(f.cache, &f.batch);
    cr_assert_not(get(&f, "a"));
    fixture_release(&f);
}

Test(cell_cache, what_is_written_is_not_brought_in)
{
    struct fixture f;
    fixture_init(&f, SET);
    put(&f, "a", "1");
    cr_assert_not(get(&f, "a"));
    fixture_release(&f);
}

Test(cell_cache, a_read_that_a_write_overtook_is_not_kept)
{
    struct fixture f;
    fixture_init(&f, SET);
    cr_assert_not(get(&f, "a"));
    uint64_t turn = f.turn;
    put(&f, "a", "new");
    cell_cache_keep(f.cache, turn, bytes_from_text("a"), bytes_from_text("old"));
    cr_assert_not(get(&f, "a"));
    fixture_release(&f);
}

Test(cell_cache, the_one_used_longest_ago_gives_way)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep(&f, "a", "1");
    keep(&f, "b", "2");
    keep(&f, "c", "3");
    keep(&f, "d", "4");
    expect(&f, "a", "1");
    keep(&f, "e", "5");
    cr_assert_not(get(&f, "b"));
    expect(&f, "a", "1");
    expect(&f, "c", "3");
    fixture_release(&f);
}

static void keep_size(struct fixture *f, size_t size)
{
    struct buffer value AUTO(buffer_release) = {0};
    memset(buffer_extend(&value, size), 'x', size);
    cr_assert_not(get(f, "k"));
    cell_cache_keep(f->cache, f->turn, bytes_from_text("k"), buffer_bytes(&value));
}

Test(cell_cache, a_cell_over_the_limit_is_not_kept)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep_size(&f, CACHED_CELL_SIZE_MAX);
    cr_assert_not(get(&f, "k"));
    keep_size(&f, CACHED_CELL_SIZE_MAX - 1);
    cr_assert(get(&f, "k"));
    fixture_release(&f);
}

Test(cell_cache, a_cell_that_grows_over_the_limit_is_forgotten)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep(&f, "k", "1");
    struct buffer value AUTO(buffer_release) = {0};
    memset(buffer_extend(&value, CACHED_CELL_SIZE_MAX), 'x', CACHED_CELL_SIZE_MAX);
    state_batch_put(&f.batch, bytes_from_text("k"), buffer_bytes(&value));
    cell_cache_write(f.cache, &f.batch);
    cr_assert_not(get(&f, "k"));
    fixture_release(&f);
}

Test(cell_cache, clearing_forgets_everything_and_what_is_being_read)
{
    struct fixture f;
    fixture_init(&f, SET);
    keep(&f, "a", "1");
    cr_assert_not(get(&f, "b"));
    cell_cache_clear(f.cache);
    cell_cache_keep(f.cache, f.turn, bytes_from_text("b"), bytes_from_text("2"));
    cr_assert_not(get(&f, "a"));
    cr_assert_not(get(&f, "b"));
    fixture_release(&f);
}

static void step(struct fixture *f, struct random *random, unsigned values[static KEYS])
{
    unsigned key = (unsigned)random_below(random, KEYS);
    char key_text[KEY_SIZE];
    char value_text[KEY_SIZE];
    snprintf(key_text, sizeof key_text, "key %u", key);
    snprintf(value_text, sizeof value_text, "%u", values[key]);
    if (random_below(random, 4) == 0) {
        snprintf(value_text, sizeof value_text, "%u", ++values[key]);
        put(f, key_text, value_text);
    } else if (get(f, key_text)) {
        cr_assert(bytes_equal(buffer_bytes(&f->value), bytes_from_text(value_text)));
    } else {
        cell_cache_keep(f->cache, f->turn, bytes_from_text(key_text), bytes_from_text(value_text));
    }
}

Test(cell_cache, never_tells_an_old_value)
{
    struct fixture f;
    struct random random;
    unsigned values[KEYS] = {0};
    fixture_init(&f, KEYS / 2);
    random_init(&random, 1);
    for (int i = 0; i < STEPS; i++) {
        step(&f, &random, values);
    }
    fixture_release(&f);
}
