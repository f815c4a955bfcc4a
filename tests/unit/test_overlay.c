/*
 * The overlay: newest change first, undo, entries that are applied out from under it. The last test
 * lives through thousands of random transactions and entries beside plain arrays.
 */
#include "storage/overlay.h"

#include "base/random.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct overlay *overlay;

static void setup(void)
{
    overlay = overlay_new();
    overlay_open(overlay);
}

static void teardown(void)
{
    overlay_destroy(&overlay);
}

TestSuite(overlay, .init = setup, .fini = teardown);

static void put(const char *key, const char *value)
{
    overlay_put(overlay, bytes_from_text(key), bytes_from_text(value));
}

static void erase(const char *key)
{
    overlay_remove(overlay, bytes_from_text(key));
}

// NULL: nothing here; "": removed.
static void expect(const char *key, const char *wanted)
{
    struct bytes value = {0};
    bool removed = false;
    bool found = overlay_get(overlay, bytes_from_text(key), &value, &removed);
    cr_assert_eq(found, wanted != NULL, "%s", key);
    if (found) {
        cr_assert_eq(removed, wanted[0] == 0, "%s", key);
        cr_assert(removed || bytes_equal(value, bytes_from_text(wanted)), "%s", key);
    }
}

static void close_at(uint64_t position)
{
    overlay_close(overlay, position);
    overlay_open(overlay);
}

Test(overlay, shows_the_newest_change)
{
    expect("a", NULL);
    put("a", "1");
    expect("a", "1");
    put("a", "2");
    expect("a", "2");
    erase("a");
    expect("a", "");
    put("a", "3");
    expect("a", "3");
    expect("b", NULL);
}

Test(overlay, keeps_the_changes_of_an_entry_until_it_is_applied)
{
    put("a", "1");
    put("b", "1");
    close_at(10);
    put("a", "2");
    close_at(11);
    put("c", "3");
    overlay_applied(overlay, 10);
    expect("a", "2");
    expect("b", NULL);
    cr_assert_eq(overlay_entry_count(overlay), 1);
    overlay_applied(overlay, 11);
    expect("a", NULL);
    expect("c", "3");
    cr_assert_eq(overlay_entry_count(overlay), 0);
    overlay_applied(overlay, 99);
    expect("c", "3");
}

Test(overlay, undo_takes_back_the_changes_since_begin)
{
    put("a", "1");
    close_at(1);
    put("a", "2");
    put("b", "2");
    overlay_begin(overlay);
    cr_assert_eq(overlay_begun_count(overlay), 0);
    put("a", "3");
    put("a", "4");
    erase("b");
    put("c", "3");
    cr_assert_eq(overlay_begun_count(overlay), 4);
    overlay_undo(overlay);
    expect("a", "2");
    expect("b", "2");
    expect("c", NULL);
    cr_assert_eq(overlay_begun_count(overlay), 0);
    cr_assert_eq(overlay_open_batch(overlay)->count, 2);
    put("c", "5");
    expect("c", "5");
}

Test(overlay, undo_brings_back_what_an_earlier_entry_did)
{
    put("a", "1");
    close_at(1);
    overlay_begin(overlay);
    put("a", "2");
    overlay_undo(overlay);
    expect("a", "1");
    overlay_applied(overlay, 1);
    expect("a", NULL);
}

Test(overlay, clear_forgets_all)
{
    put("a", "1");
    close_at(1);
    put("b", "2");
    overlay_clear(overlay);
    expect("a", NULL);
    expect("b", NULL);
    cr_assert_eq(overlay_entry_count(overlay), 0);
    overlay_open(overlay);
    cr_assert_eq(overlay_open_batch(overlay)->count, 0);
    put("b", "3");
    close_at(1);
    expect("b", "3");
}

Test(overlay, open_batch_is_what_the_entry_did)
{
    put("a", "1");
    erase("b");
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    const struct state_batch *batch = overlay_open_batch(overlay);
    cr_assert(state_batch_next(batch, &offset, &key, &value, &removed));
    cr_assert(bytes_equal(key, bytes_from_text("a")) && !removed);
    cr_assert(state_batch_next(batch, &offset, &key, &value, &removed));
    cr_assert(bytes_equal(key, bytes_from_text("b")) && removed);
    cr_assert_not(state_batch_next(batch, &offset, &key, &value, &removed));
}

/*
 * A long random life, with several entries at a time, against plain arrays.
 */
enum { KEYS = 300, ENTRIES = 4 };

struct life {
    struct random random;
    uint32_t values[ENTRIES + 1][KEYS]; // by entry, the open one last; 0: not changed by it
    uint32_t begun[KEYS];               // of the open entry at the last begin
    size_t closed;
    uint64_t position;
    uint32_t next;
};

static struct bytes key_of(unsigned number, char text[16])
{
    snprintf(text, 16, "key %u", number);
    return bytes_from_text(text);
}

static void check_life(const struct life *life)
{
    for (unsigned key = 0; key < KEYS; key++) {
        uint32_t wanted = 0;
        for (size_t entry = 0; entry <= life->closed; entry++) {
            wanted = life->values[entry][key] != 0 ? life->values[entry][key] : wanted;
        }
        char text[16];
        struct bytes value;
        bool removed;
        bool found = overlay_get(overlay, key_of(key, text), &value, &removed);
        cr_assert_eq(found, wanted != 0);
        cr_assert(!found || removed || bytes_equal(value, bytes_of(&wanted, sizeof wanted)));
        cr_assert(!found || removed == (wanted % 7 == 0));
    }
}

static void change_some(struct life *life)
{
    uint32_t *open = life->values[life->closed];
    for (uint64_t i = random_between(&life->random, 1, 40); i > 0; i--) {
        unsigned key = (unsigned)random_below(&life->random, KEYS);
        uint32_t value = ++life->next;
        char text[16];
        if (value % 7 == 0) {
            overlay_remove(overlay, key_of(key, text));
        } else {
            overlay_put(overlay, key_of(key, text), bytes_of(&value, sizeof value));
        }
        open[key] = value;
    }
}

static void live_once(struct life *life)
{
    uint32_t *open = life->values[life->closed];
    overlay_begin(overlay);
    memcpy(life->begun, open, sizeof life->begun);
    change_some(life);
    if (random_chance(&life->random, 300000)) {
        overlay_undo(overlay);
        memcpy(open, life->begun, sizeof life->begun);
    }
    if (life->closed < ENTRIES && random_chance(&life->random, 200000)) {
        close_at(++life->position);
        life->closed++;
        memset(life->values[life->closed], 0, sizeof life->values[0]);
    }
    if (life->closed > 0 && random_chance(&life->random, 200000)) {
        overlay_applied(overlay, life->position - life->closed + 1);
        memmove(life->values[0], life->values[1], life->closed * sizeof life->values[0]);
        life->closed--;
    }
}

Test(overlay, follows_plain_arrays)
{
    static struct life life;
    random_init(&life.random, 3);
    for (int i = 0; i < 5000; i++) {
        live_once(&life);
        if (i % 10 == 0) {
            check_life(&life);
        }
    }
    check_life(&life);
}
