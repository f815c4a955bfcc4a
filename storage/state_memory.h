/*
 * The state port in memory: the twin of storage/rocksdb for the simulator and tests. It forgets at
 * a crash what was not flushed, writes that fail can be asked for, and nothing in it is random.
 */
#ifndef SKEIN_STORAGE_STATE_MEMORY_H
#define SKEIN_STORAGE_STATE_MEMORY_H

#include "storage/state.h"

// An empty state.
struct state *state_memory_new(void);

// What a crash does: the cells are those of the last flush again. Snapshots and cursors are gone
// before.
void state_memory_crash(struct state *state);

// What a process finds that starts after a crash of its predecessor: nulls `*take_state` and
// returns a new state with the cells of its last flush. Snapshots and cursors are gone before.
struct state *state_memory_reopen(struct state **take_state);

// The state flushes by itself after `writes` more writes, once, as RocksDB does at moments of its
// own choice. 0 takes it back.
void state_memory_flush_after(struct state *state, uint64_t writes);

// From now on reads (get, snapshot, cursor), or writes and flushes, fail with this status and do
// nothing; STATUS_ok heals them. A cursor that is open already ends early with the reads' failure.
void state_memory_fail_reads(struct state *state, enum status status);
void state_memory_fail_writes(struct state *state, enum status status);

// Number of snapshots and cursors that are open; to find those that were forgotten.
size_t state_memory_open_count(struct state *state);

#endif
