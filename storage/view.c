/*
 * Reading through the overlay into a state. A scan merges two streams that are in the same order:
 *
 *   changes of the overlay   b=2   d removed   f=9
 *   cells of the state       a=1   b=1   d=4   e=5        a=1  b=2  e=5  f=9
 *
 * 1. Both stand with their next cell read. The smaller key (backwards: the larger) comes next; of
 *    equal keys the change counts and the cell is passed.
 * 2. A change that removes its cell is passed, too.
 * 3. Key and value of what was given stay as they are until the next call: a stream moves on only
 *    then.
 */
#include "storage/view.h"

#include "base/assert.h"

#include <stdlib.h>

struct view_scan {
    struct state *state;          // borrowed
    struct state_cursor *cursor;  // owned
    struct overlay_scan *changes; // owned; NULL when there are none
    bool is_backwards;
    bool wants_cell;   // the cell was given or passed: the cursor has to move on
    bool wants_change; // the same of the change
    bool has_cell;     // `key` and `value` are there
    bool has_change;   // `change` is there
    struct bytes key;  // of the next cell
    struct bytes value;
    struct batch_change change; // the next one
};

enum status view_get(const struct view *view, struct bytes key, struct buffer *out)
{
    struct bytes value;
    bool removed;
    if (view->overlay == NULL || !overlay_get(view->overlay, key, &value, &removed)) {
        return state_get(view->state, view->snapshot, key, out);
    }
    if (removed) {
        return STATUS_absent;
    }
    buffer_append(out, value);
    return STATUS_ok;
}

enum status view_scan_new(const struct view *view, struct bytes from, struct bytes to,
                          bool is_backwards, struct view_scan **ret_scan)
{
    struct state_range range = {
        .from = from,
        .to = to,
        .is_backwards = is_backwards,
        .spares_cache = view->spares_cache,
    };
    struct state_cursor *cursor;
    TRY(state_cursor_new_range(view->state, view->snapshot, &range, &cursor));
    struct view_scan *scan = calloc(1, sizeof *scan);
    ASSERT(scan != NULL);
    scan->state = view->state;
    scan->cursor = cursor;
    scan->is_backwards = is_backwards;
    if (view->overlay != NULL) {
        scan->changes = overlay_scan_new(view->overlay, from, to, is_backwards);
    }
    scan->wants_cell = true;
    scan->wants_change = scan->changes != NULL;
    *ret_scan = scan;
    return STATUS_ok;
}

static void move_on(struct view_scan *scan)
{
    if (scan->wants_cell) {
        scan->has_cell = state_cursor_next(scan->cursor, scan->state, &scan->key, &scan->value);
        scan->wants_cell = false;
    }
    if (scan->wants_change) {
        scan->has_change = overlay_scan_next(scan->changes, &scan->change);
        scan->wants_change = false;
    }
}

// Which comes first: <0 the cell, >0 the change, 0 both at once.
static int compare_heads(const struct view_scan *scan)
{
    if (!scan->has_change) {
        return -1;
    }
    if (!scan->has_cell) {
        return 1;
    }
    int order = bytes_compare(scan->key, scan->change.key);
    return scan->is_backwards ? -order : order;
}

bool view_scan_next(struct view_scan *scan, struct bytes *ret_key, struct bytes *ret_value)
{
    for (;;) {
        move_on(scan);
        if (!scan->has_cell && !scan->has_change) {
            return false;
        }
        int order = compare_heads(scan);
        scan->wants_cell = order <= 0;
        scan->wants_change = order >= 0;
        if (order < 0) {
            *ret_key = scan->key;
            *ret_value = scan->value;
            return true;
        }
        if (!scan->change.is_removed) {
            *ret_key = scan->change.key;
            *ret_value = scan->change.value;
            return true;
        }
    }
}

enum status view_scan_destroy(struct view_scan **take_scan)
{
    struct view_scan *scan = *take_scan;
    *take_scan = NULL;
    if (scan == NULL) {
        return STATUS_ok;
    }
    enum status status = state_cursor_destroy(scan->state, &scan->cursor);
    overlay_scan_destroy(&scan->changes);
    free(scan);
    return status;
}
