/*
 * The overlay: cells as the entries that are not applied yet will make them, the open entry's among
 * them. Whoever executes asks here first and then the state. It holds the effects themselves, entry
 * by entry, and forgets an entry's when the state has them.
 */
#ifndef SKEIN_STORAGE_OVERLAY_H
#define SKEIN_STORAGE_OVERLAY_H

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

// The changes of the open entry, borrowed until the overlay changes.
const struct state_batch *overlay_open_batch(const struct overlay *overlay);

// The open entry becomes the one at `position`, which is above those of earlier ones.
void overlay_close(struct overlay *overlay, uint64_t position);

// Forgets the entries up to `position`: the state has them.
void overlay_applied(struct overlay *overlay, uint64_t position);

// Forgets everything, the open entry too.
void overlay_clear(struct overlay *overlay);

// Closed entries that are held.
size_t overlay_entry_count(const struct overlay *overlay);

#endif
