/*
 * Views: the newest change counts, and scans in both directions give what gets give. The last test
 * compares a view over random changes with a state in which they were written.
 */
#include "storage/view.h"

#include "base/random.h"
#include "storage/state_memory.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct state *state;
static struct overlay *overlay;
static struct view view;

static void setup(void)
{
    state = state_memory_new();
    overlay = overlay_new();
    overlay_open(overlay);
    view = (struct view){.state = state, .overlay = overlay};
}

static void teardown(void)
{
    cr_assert_eq(state_memory_open_count(state), 0, "a cursor was forgotten");
    overlay_destroy(&overlay);
    state_destroy(&state);
}

TestSuite(view, .init = setup, .fini = teardown);

static struct bytes text(const char *text_)
{
    return bytes_from_text(text_);
}

static void write_cell(const char *key, const char *value)
{
    struct state_batch batch = {0};
    state_batch_put(&batch, text(key), text(value));
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

static void change_cell(const char *key, const char *value)
{
    overlay_put(overlay, text(key), text(value));
}

static void expect_get(const char *key, const char *wanted)
{
    AUTO(buffer_release) struct buffer value = {0};
    enum status status = view_get(&view, text(key), &value);
    cr_assert_eq(status, wanted == NULL ? STATUS_absent : STATUS_ok, "%s", key);
    cr_assert(wanted == NULL || bytes_equal(buffer_bytes(&value), text(wanted)), "%s", key);
}

static void expect_scan(const char *from, const char *to, bool is_backwards, const char *wanted)
{
    AUTO(buffer_release) struct buffer found = {0};
    struct view_scan *scan;
    cr_assert_eq(view_scan_new(&view, text(from), text(to), is_backwards, &scan), STATUS_ok);
    struct bytes key;
    struct bytes value;
    while (view_scan_next(scan, &key, &value)) {
        buffer_append(&found, text(found.size > 0 ? " " : ""));
        buffer_append(&found, key);
        buffer_append(&found, text("="));
        buffer_append(&found, value);
    }
    cr_assert_not(view_scan_next(scan, &key, &value), "the end does not last");
    cr_assert_eq(view_scan_destroy(&scan), STATUS_ok);
    cr_assert_null(scan);
    cr_assert(bytes_equal(buffer_bytes(&found), text(wanted)), "%.*s is not %s", (int)found.size,
              (const char *)found.data, wanted);
}

static void fill(void)
{
    write_cell("a", "1");
    write_cell("b", "1");
    write_cell("d", "1");
    write_cell("e", "1");
    change_cell("b", "2");
    overlay_remove(overlay, text("d"));
    change_cell("f", "2");
    change_cell("0", "2");
    overlay_remove(overlay, text("g"));
}

Test(view, get_asks_the_overlay_first)
{
    fill();
    expect_get("a", "1");
    expect_get("b", "2");
    expect_get("d", NULL);
    expect_get("f", "2");
    expect_get("g", NULL);
    expect_get("h", NULL);
}

Test(view, scan_merges_state_and_overlay_in_both_directions)
{
    fill();
    expect_scan("", "", false, "0=2 a=1 b=2 e=1 f=2");
    expect_scan("", "", true, "f=2 e=1 b=2 a=1 0=2");
    expect_scan("b", "f", false, "b=2 e=1");
    expect_scan("b", "f", true, "e=1 b=2");
    expect_scan("c", "e", false, "");
    expect_scan("g", "", true, "");
}

Test(view, scan_without_an_overlay_is_the_one_of_the_state)
{
    fill();
    view.overlay = NULL;
    expect_scan("", "", false, "a=1 b=1 d=1 e=1");
    expect_scan("a", "e", true, "d=1 b=1 a=1");
    expect_get("d", "1");
}

Test(view, of_a_snapshot_does_not_see_later_writes)
{
    struct state_snapshot *snapshot;
    write_cell("a", "1");
    cr_assert_eq(state_snapshot_new(state, &snapshot), STATUS_ok);
    write_cell("a", "2");
    write_cell("b", "2");
    view = (struct view){.state = state, .snapshot = snapshot};
    expect_get("a", "1");
    expect_scan("", "", false, "a=1");
    state_snapshot_destroy(state, &snapshot);
}

Test(view, failures_of_the_state_are_told)
{
    write_cell("a", "1");
    write_cell("b", "1");
    struct view_scan *scan;
    struct bytes key;
    struct bytes value;
    cr_assert_eq(view_scan_new(&view, text(""), text(""), false, &scan), STATUS_ok);
    cr_assert(view_scan_next(scan, &key, &value));
    state_memory_fail_reads(state, STATUS_damaged);
    cr_assert_not(view_scan_next(scan, &key, &value));
    cr_assert_eq(view_scan_destroy(&scan), STATUS_damaged);
    struct buffer out = {0};
    cr_assert_eq(view_get(&view, text("a"), &out), STATUS_damaged);
    cr_assert_eq(view_scan_new(&view, text(""), text(""), false, &scan), STATUS_damaged);
    buffer_release(&out);
}

/*
 * Random cells, in a state and changed by an overlay, beside a state in which all was written.
 */
enum { CELLS = 60, ROUNDS = 300, SCANS = 20 };

static void change_random(struct random *random, struct state_batch *written)
{
    char key[8];
    char value[16];
    snprintf(key, sizeof key, "%02u", (unsigned)random_below(random, CELLS));
    snprintf(value, sizeof value, "%u", (unsigned)random_below(random, 1000));
    if (random_chance(random, 300000)) {
        overlay_remove(overlay, text(key));
        state_batch_remove(written, text(key));
    } else {
        change_cell(key, value);
        state_batch_put(written, text(key), text(value));
    }
}

static void compare_scans(const struct view *a, const struct view *b, struct random *random)
{
    char from[8];
    char to[8];
    snprintf(from, sizeof from, "%02u", (unsigned)random_below(random, CELLS));
    snprintf(to, sizeof to, "%02u", (unsigned)random_below(random, CELLS));
    bool is_backwards = random_chance(random, 500000);
    struct view_scan *scans[2];
    struct bytes keys[2];
    struct bytes values[2];
    cr_assert_eq(view_scan_new(a, text(from), text(to), is_backwards, &scans[0]), STATUS_ok);
    cr_assert_eq(view_scan_new(b, text(from), text(to), is_backwards, &scans[1]), STATUS_ok);
    bool found = true;
    while (found) {
        found = view_scan_next(scans[0], &keys[0], &values[0]);
        cr_assert_eq(view_scan_next(scans[1], &keys[1], &values[1]), found);
        cr_assert(!found || bytes_equal(keys[0], keys[1]));
        cr_assert(!found || bytes_equal(values[0], values[1]));
    }
    cr_assert_eq(view_scan_destroy(&scans[0]), STATUS_ok);
    cr_assert_eq(view_scan_destroy(&scans[1]), STATUS_ok);
}

static void live_once(struct state *written, struct random *random)
{
    struct state_batch batch = {0};
    for (uint64_t i = random_below(random, 20); i > 0; i--) {
        change_random(random, &batch);
    }
    cr_assert_eq(state_write(written, &batch), STATUS_ok);
    struct view other = {.state = written};
    for (int i = 0; i < SCANS; i++) {
        compare_scans(&view, &other, random);
    }
    if (random_chance(random, 300000)) {
        cr_assert_eq(state_write(state, overlay_open_batch(overlay)), STATUS_ok);
        overlay_clear(overlay);
        overlay_open(overlay);
    }
    state_batch_release(&batch);
}

Test(view, is_what_a_state_would_be_with_all_changes_written)
{
    struct random random;
    random_init(&random, 5);
    struct state *written = state_memory_new();
    for (int i = 0; i < ROUNDS; i++) {
        live_once(written, &random);
    }
    state_destroy(&written);
}
