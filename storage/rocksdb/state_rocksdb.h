/*
 * The state port on RocksDB: one database in one folder, one column family, no write-ahead log.
 * What it loses in a crash is applied again from the journal.
 */
#ifndef SKEIN_STORAGE_ROCKSDB_STATE_ROCKSDB_H
#define SKEIN_STORAGE_ROCKSDB_STATE_ROCKSDB_H

#include "storage/state.h"

struct state_rocksdb_options {
    size_t cache_size;        // bytes of blocks kept in memory; 0: STATE_CACHE_SIZE
    size_t write_buffer_size; // bytes of one of the two write buffers; 0: STATE_WRITE_BUFFER_SIZE
    int open_files_max;       // table files kept open; 0: STATE_OPEN_FILES_MAX
};

enum {
    STATE_CACHE_SIZE = 16 * 1024 * 1024,
    STATE_WRITE_BUFFER_SIZE = 16 * 1024 * 1024,
    STATE_OPEN_FILES_MAX = 256,
};

// Opens the database in the folder `path`, made if it isn't there (the folder above it must be).
// NULL options are the defaults. Fails with in_use (another process, or another state of this one,
// has it), damaged, read_only (disk full) or internal; what RocksDB said is then appended to
// ret_error.
MUST_CHECK enum status state_rocksdb_open(const char *path,
                                          const struct state_rocksdb_options *options,
                                          struct state **ret_state, struct buffer *ret_error);

// Appends what RocksDB said when a call last failed with something else than absent; nothing when
// none did. For the operator. Any thread.
void state_rocksdb_last_error(struct state *state, struct buffer *out);

// Bytes that memtables, cached blocks and table readers take now. For the operator. Any thread.
uint64_t state_rocksdb_memory(struct state *state);

#endif
