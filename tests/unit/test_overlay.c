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
    cr_assert_eq(overlay_begun_size(overlay), 0);
    size_t size = overlay_open_batch(overlay)->cells.size;
    put("a", "3");
    put("a", "4");
    erase("b");
    put("c", "3");
    cr_assert_eq(overlay_begun_count(overlay), 4);
    cr_assert_eq(overlay_begun_size(overlay), overlay_open_batch(overlay)->cells.size - size);
    cr_assert_gt(overlay_begun_size(overlay), size);
    overlay_undo(overlay);
    cr_assert_eq(overlay_begun_size(overlay), 0);
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

// Lists what a scan gives as one text: "a=1 b d=3", a removed cell without a value.
static void expect_scan(const char *from, const char *to, bool is_backwards, const char *wanted)
{
    struct overlay_scan *scan = overlay_scan_new(overlay, bytes_from_text(from),
                                                 bytes_from_text(to), is_backwards);
    struct buffer found = {0};
    struct batch_change change;
    while (overlay_scan_next(scan, &change)) {
        buffer_append(&found, bytes_from_text(found.size > 0 ? " " : ""));
        buffer_append(&found, change.key);
        buffer_append(&found, bytes_from_text(change.is_removed ? "" : "="));
        buffer_append(&found, change.value);
    }
    cr_assert_not(overlay_scan_next(scan, &change), "the end does not last");
    cr_assert(bytes_equal(buffer_bytes(&found), bytes_from_text(wanted)), "%.*s is not %s",
              (int)found.size, (const char *)found.data, wanted);
    overlay_scan_destroy(&scan);
    buffer_release(&found);
}

Test(overlay, scan_gives_the_newest_change_of_each_key_in_both_directions)
{
    put("b", "1");
    put("d", "1");
    put("f", "1");
    close_at(7);
    put("b", "2");
    put("a", "2");
    put("b", "3");
    close_at(8);
    put("e", "4");
    erase("d");
    expect_scan("", "", false, "a=2 b=3 d e=4 f=1");
    expect_scan("", "", true, "f=1 e=4 d b=3 a=2");
    expect_scan("b", "e", false, "b=3 d");
    expect_scan("aa", "ea", true, "e=4 d b=3");
    expect_scan("c", "c", false, "");
    expect_scan("e", "b", true, "");
}

Test(overlay, scan_sees_what_was_written_and_undone_since_the_last_one)
{
    put("b", "1");
    expect_scan("", "", false, "b=1");
    overlay_begin(overlay);
    put("a", "2");
    put("b", "2");
    put("c", "2");
    expect_scan("", "", false, "a=2 b=2 c=2");
    overlay_undo(overlay);
    expect_scan("", "", false, "b=1");
    put("a", "3");
    expect_scan("", "", true, "b=1 a=3");
}

Test(overlay, scan_of_an_empty_overlay_is_none)
{
    overlay_clear(overlay);
    cr_assert_null(overlay_scan_new(overlay, (struct bytes){0}, (struct bytes){0}, false));
    overlay_open(overlay);
    expect_scan("", "", false, "");
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
    snprintf(text, 16, "key %04u", number);
    return bytes_from_text(text);
}

static uint32_t newest_value(const struct life *life, unsigned key)
{
    uint32_t newest = 0;
    for (size_t entry = 0; entry <= life->closed; entry++) {
        newest = life->values[entry][key] != 0 ? life->values[entry][key] : newest;
    }
    return newest;
}

static void check_life(const struct life *life)
{
    for (unsigned key = 0; key < KEYS; key++) {
        uint32_t wanted = newest_value(life, key);
        char text[16];
        struct bytes value;
        bool removed;
        bool found = overlay_get(overlay, key_of(key, text), &value, &removed);
        cr_assert_eq(found, wanted != 0);
        cr_assert(!found || removed || bytes_equal(value, bytes_of(&wanted, sizeof wanted)));
        cr_assert(!found || removed == (wanted % 7 == 0));
    }
}

static void check_scan(struct life *life)
{
    char from[16];
    char to[16];
    unsigned begin = (unsigned)random_below(&life->random, KEYS);
    unsigned end = begin + (unsigned)random_below(&life->random, KEYS - begin + 1);
    bool is_backwards = random_chance(&life->random, 500000);
    struct overlay_scan *scan = overlay_scan_new(overlay, key_of(begin, from), key_of(end, to),
                                                 is_backwards);
    struct batch_change change;
    for (unsigned i = begin; i < end; i++) {
        unsigned key = is_backwards ? end - 1 - (i - begin) : i;
        uint32_t wanted = newest_value(life, key);
        char text[16];
        if (wanted != 0) {
            cr_assert(overlay_scan_next(scan, &change));
            cr_assert(bytes_equal(change.key, key_of(key, text)));
            cr_assert_eq(change.is_removed, wanted % 7 == 0);
            cr_assert(change.is_removed ||
                      bytes_equal(change.value, bytes_of(&wanted, sizeof wanted)));
        }
    }
    cr_assert_not(overlay_scan_next(scan, &change));
    overlay_scan_destroy(&scan);
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
        if (random_chance(&life.random, 200000)) {
            check_scan(&life);
        }
        if (i % 10 == 0) {
            check_life(&life);
        }
    }
    check_life(&life);
}
