/*
 * The state port: an ordered map of cells (key to value, both bytes) with atomic batches, snapshots
 * and an explicit point up to which it is durable. storage/rocksdb implements it for the daemons,
 * storage/state_memory for the simulator and tests; one test suite runs against both.
 *
 * What is written is visible at once and becomes durable at some later time, whole batches in
 * order: after a crash the state is that of some batch boundary (rule 22), and what was missing is
 * applied again from the journal.
 *
 * Threads: writes and flushes come from one thread each; reads, snapshots and cursors from any.
 *
 * Statuses: ok; absent; read_only (disk full); damaged (a block's checksum is wrong); internal.
 */
#ifndef SKEIN_STORAGE_STATE_H
#define SKEIN_STORAGE_STATE_H

#include "base/buffer.h"
#include "base/status.h"

struct state;
struct state_snapshot; // one version of all cells
struct state_cursor;   // a place in the cells, in key order
struct cell_cache;

// Changes to be written together. Filled by state_batch_put and state_batch_remove.
struct state_batch {
    struct buffer cells; // u32 key size, u32 value size (UINT32_MAX: removed), key, value; repeated
    uint32_t count;      // changes in it
};

// The cells with from <= key < to.
struct state_range {
    struct bytes from;
    struct bytes to;   // empty: no end
    bool is_backwards; // from the last one to the first
    bool spares_cache; // reads so much that it shall not push out of the cache what gets need
};

struct state_operations {
    enum status (*get)(struct state *state, const struct state_snapshot *snapshot, struct bytes key,
                       struct buffer *out);
    enum status (*write)(struct state *state, const struct state_batch *batch);
    enum status (*flush)(struct state *state);
    enum status (*snapshot)(struct state *state, struct state_snapshot **ret_snapshot);
    void (*snapshot_destroy)(struct state *state, struct state_snapshot **take_snapshot);
    enum status (*cursor)(struct state *state, const struct state_snapshot *snapshot,
                          const struct state_range *range, struct state_cursor **ret_cursor);
    bool (*cursor_next)(struct state_cursor *cursor, struct bytes *ret_key,
                        struct bytes *ret_value);
    enum status (*cursor_destroy)(struct state *state, struct state_cursor **take_cursor);
    void (*destroy)(struct state **take_state);
};

struct state {
    const struct state_operations *operations;
    struct cell_cache *cache; // owned; NULL: none
};

// Puts a cache in front of the gets of a state that has none: room for `cells` small cells.
void state_use_cache(struct state *state, size_t cells);

void state_batch_init(struct state_batch *batch);
void state_batch_release(struct state_batch *batch);
void state_batch_clear(struct state_batch *batch);
void state_batch_put(struct state_batch *batch, struct bytes key, struct bytes value);
void state_batch_remove(struct state_batch *batch, struct bytes key);

// Appends changes that came as the bytes of another batch's `cells`. bad_request: they don't add up
// to changes, the batch is then as before.
MUST_CHECK enum status state_batch_append(struct state_batch *batch, struct bytes cells);

// Takes the next change of a batch, from *offset on (0 at first). False at the end. A removed cell
// has ret_removed set and an empty value.
bool state_batch_next(const struct state_batch *batch, size_t *offset, struct bytes *ret_key,
                      struct bytes *ret_value, bool *ret_removed);

// Appends the value of `key` to `out`; absent when there is no such cell. A NULL snapshot reads
// the newest state.
MUST_CHECK enum status state_get(struct state *state, const struct state_snapshot *snapshot,
                                 struct bytes key, struct buffer *out);

// Writes all changes at once: after a crash all of them are there or none.
MUST_CHECK enum status state_write(struct state *state, const struct state_batch *batch);

// Returns when everything written before the call is durable. May take long; other calls go on.
MUST_CHECK enum status state_flush(struct state *state);

// The cells as they are now, kept readable until it is destroyed. Destroy it before the state.
MUST_CHECK enum status state_snapshot_new(struct state *state,
                                          struct state_snapshot **ret_snapshot);
void state_snapshot_destroy(struct state *state, struct state_snapshot **take_snapshot);

// A cursor over the cells with from <= key < to (an empty `to`: no end), standing before the first,
// for reading all of them once. A NULL snapshot takes one of its own for the cursor's life.
MUST_CHECK enum status state_cursor_new(struct state *state, const struct state_snapshot *snapshot,
                                        struct bytes from, struct bytes to,
                                        struct state_cursor **ret_cursor);

// The same with all that can be said about a range; a cursor that goes backwards stands behind the
// last cell. `range` is borrowed for the call only.
MUST_CHECK enum status state_cursor_new_range(struct state *state,
                                              const struct state_snapshot *snapshot,
                                              const struct state_range *range,
                                              struct state_cursor **ret_cursor);

// Moves to the next cell; key and value are borrowed until the next call. False at the end or on an
// error, which state_cursor_destroy tells.
MUST_CHECK bool state_cursor_next(struct state_cursor *cursor, struct state *state,
                                  struct bytes *ret_key, struct bytes *ret_value);

// Always check the answer: a damaged block ends a scan early.
MUST_CHECK enum status state_cursor_destroy(struct state *state, struct state_cursor **take_cursor);

// Closes it; unflushed writes may be lost (and are in the twin, as after a crash, unless flushed).
void state_destroy(struct state **take_state);

#endif
