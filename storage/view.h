/*
 * A view: what one transaction or one read sees. The cells of a state, the newest ones or those of
 * a snapshot, and before them the changes of an overlay. Everything that reads documents and
 * indexes reads through a view, so finds are the same code in a transaction and in a query.
 */
#ifndef SKEIN_STORAGE_VIEW_H
#define SKEIN_STORAGE_VIEW_H

#include "storage/overlay.h"
#include "storage/state.h"

// Borrows all; a plain value.
struct view {
    struct state *state;
    const struct state_snapshot *snapshot; // NULL: the newest state
    const struct overlay *overlay;         // NULL: none
    bool spares_cache; // its scans are long: what they read shall not push out what gets need
};

// A place in the cells of a view, in key order.
struct view_scan;

// Appends the value of `key` to `out`; absent when there is no such cell. Statuses as in state.h.
MUST_CHECK enum status view_get(const struct view *view, struct bytes key, struct buffer *out);

// A scan over the cells with from <= key < to (an empty `to`: no end), from the first to the last
// or backwards, standing before the first one. The overlay doesn't change while there is a scan.
MUST_CHECK enum status view_scan_new(const struct view *view, struct bytes from, struct bytes to,
                                     bool is_backwards, struct view_scan **ret_scan);

// Moves to the next cell; key and value are borrowed until the next call. False at the end or on an
// error, which view_scan_destroy tells.
MUST_CHECK bool view_scan_next(struct view_scan *scan, struct bytes *ret_key,
                               struct bytes *ret_value);
MUST_CHECK enum status view_scan_destroy(struct view_scan **take_scan);

#endif
