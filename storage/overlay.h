/*
 * The overlay: cells as the entries that are not applied yet will make them, the open entry's among
 * them. Whoever executes asks here first and then the state. It holds the effects themselves, entry
 * by entry, and forgets an entry's when the state has them.
 */
#ifndef SKEIN_STORAGE_OVERLAY_H
#define SKEIN_STORAGE_OVERLAY_H

#include "storage/batch_order.h"
#include "storage/state.h"

struct overlay;

struct overlay *overlay_new(void);
void overlay_destroy(struct overlay **take_overlay);

// Opens the next entry, which takes the changes from now on. None is open.
void overlay_open(struct overlay *overlay);

// Changes a cell in the open entry.
void overlay_put(struct overlay *overlay, struct bytes key, struct bytes value);
void overlay_remove(struct overlay *overlay, struct bytes key);

// Whether an entry here changes the cell. ret_removed says how, ret_value is the newest value,
// borrowed until the overlay changes.
bool overlay_get(const struct overlay *overlay, struct bytes key, struct bytes *ret_value,
                 bool *ret_removed);

// Remembers where the open entry stands, so that overlay_undo() takes back all changes since.
void overlay_begin(struct overlay *overlay);
void overlay_undo(struct overlay *overlay);

// Changes in the open entry since overlay_begin().
uint32_t overlay_begun_count(const struct overlay *overlay);

// Bytes of them.
size_t overlay_begun_size(const struct overlay *overlay);

// The changes of the open entry, borrowed until the overlay changes.
const struct state_batch *overlay_open_batch(const struct overlay *overlay);

// The open entry becomes the one at `position`, which is above those of earlier ones.
void overlay_close(struct overlay *overlay, uint64_t position);

// Forgets the entries up to `position`: the state has them.
void overlay_applied(struct overlay *overlay, uint64_t position);

// Forgets everything, the open entry too.
void overlay_clear(struct overlay *overlay);

// The newest changes of the cells with from <= key < to (an empty `to`: no end) in the order of
// their keys, or backwards. NULL when the overlay holds nothing. The overlay doesn't change while
// there is a scan, and is asked by one thread.
struct overlay_scan;
struct overlay_scan *overlay_scan_new(const struct overlay *overlay, struct bytes from,
                                      struct bytes to, bool is_backwards);
void overlay_scan_destroy(struct overlay_scan **take_scan);

// Takes the next change; false at the end. Key and value are borrowed from the overlay.
bool overlay_scan_next(struct overlay_scan *scan, struct batch_change *ret_change);

// Closed entries that are held.
size_t overlay_entry_count(const struct overlay *overlay);

#endif
