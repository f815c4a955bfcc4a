/*
 * The state port on RocksDB 7.8.
 *
 * 1. Writes skip RocksDB's own log: the journal is the log (architecture, decision 4). A batch goes
 *    into one memtable as a whole, and memtables of the one column family become table files in
 *    order, each in one atomic step. So what a crash leaves is a batch boundary (rule 22).
 * 2. state_flush() is the only promise of durability. RocksDB flushes full memtables on its own,
 *    too, but not when it is closed: closing is quick, and loses what a crash would lose.
 * 3. Errors come as texts. take_error() turns each into a status, keeps its words for the operator
 *    and frees it:  "Corruption:"  damaged · "No space left" read_only · everything else internal.
 *    A failed flush leaves the memtable in memory, so that reads go on. Of a full disk RocksDB
 *    recovers by itself about 5 s after there is space again: until then writes fail with read_only
 *    and can be repeated as they were. It has no way to be told, and other errors stay until the
 *    database is opened again: the node stops at internal.
 * 4. Once it has so recovered, rocksdb_flush() in 7.8.3 answers ok without waiting (seen on a small
 *    tmpfs: what was written after the recovery was lost in a close after that ok). So flush()
 *    counts the memtables that wait instead of believing it.
 *    On a disk without room for it a flush isn't begun: a table file that failed for want of space
 *    may meet an assertion of RocksDB's own the next time (7.8.3, writable_file_writer.h). Nor is a
 *    batch taken that might fill the memtable, so that RocksDB would begin one.
 * 5. Blocks are checked on every read from disk; an iterator that met a damaged one is merely at
 *    its end, so cursor_destroy always asks for the error.
 * 6. Iterators and snapshots are destroyed before the database (it aborts otherwise); the port asks
 *    its callers for that, and open_count checks it.
 * 7. Resident memory is bounded: two memtables, one cache which also holds indexes and filters, and
 *    the readers of at most open_files_max tables. Indexes and filters are cut into small blocks:
 *    whole, those of one table are larger than a shard of a small cache, so that every get would
 *    read them again (measured: 46 us a get instead of 3).
 * 8. A filter in front of each memtable spares most gets the way through it: 1.7 us instead of 2.2,
 *    for 0.2 us more a put.
 */
#include "storage/rocksdb/state_rocksdb.h"

#include "base/assert.h"

#include <poll.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum {
    BLOCK_SIZE = 4 * 1024,
    METADATA_BLOCK_SIZE = 4 * 1024,
    CACHE_SHARD_BITS = 2,
    BLOCK_FORMAT_VERSION = 5,
    BLOOM_BITS_PER_KEY = 10,
    WRITE_BUFFER_COUNT = 2,
    BACKGROUND_JOBS = 2,
    INFO_LOG_LEVEL_WARN = 2,
    INFO_LOG_SIZE_MAX = 1024 * 1024,
    INFO_LOG_FILES_MAX = 3,
    MANIFEST_SIZE_MAX = 4 * 1024 * 1024,
    SYNC_STEP_SIZE = 1024 * 1024,
    ERROR_TEXT_SIZE_MAX = 512,
    FLUSH_POLL_MS = 1,
    FLUSH_MARGIN_SIZE = 4 * 1024 * 1024, // beside the memtables: tables' indexes, the manifest
};

// The part of a write buffer that its filter takes: at least ten bits for each cell.
static const double MEMTABLE_FILTER_RATIO = 0.02;

struct state_rocksdb {
    struct state state;                   // first: the port
    rocksdb_t *database;                  // owned
    rocksdb_options_t *options;           // owned; must outlive the database
    rocksdb_cache_t *cache;               // owned
    rocksdb_writeoptions_t *write;        // no log
    rocksdb_readoptions_t *read;          // the newest state, checksums verified
    rocksdb_flushoptions_t *flush;        // waits
    rocksdb_writebatch_t *batch;          // of the writing thread, reused
    char *path;                           // owned; of the database
    atomic_size_t open_count;             // snapshots and cursors
    pthread_mutex_t error_lock;           // guards last_error
    char last_error[ERROR_TEXT_SIZE_MAX]; // what RocksDB said last; empty for nothing
};

struct state_snapshot {
    const rocksdb_snapshot_t *snapshot; // owned through the database
    rocksdb_readoptions_t *read;        // owned; reads at the snapshot
};

struct state_cursor {
    rocksdb_iterator_t *iterator; // owned; pins the version it was made at
    rocksdb_readoptions_t *read;  // owned; outlives the iterator
    struct buffer from;           // owned; bounds that the iterator borrows
    struct buffer to;             // the same
    bool is_backwards;
    bool moved; // stands on a cell that was handed out
};

static struct state_rocksdb *rocksdb_of(struct state *state)
{
    return (struct state_rocksdb *)state;
}

static bool text_begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum status classify(const char *error)
{
    if (text_begins(error, "Corruption:")) {
        return STATUS_damaged;
    }
    if (strstr(error, "No space left on device") != NULL) {
        return STATUS_read_only;
    }
    bool locked = strstr(error, "lock hold by current process") != NULL ||
                  strstr(error, "While lock file") != NULL;
    return locked ? STATUS_in_use : STATUS_internal;
}

// Frees the error of a call and says what it means; ok when there is none.
static enum status take_error(struct state_rocksdb *self, char **take_text)
{
    if (*take_text == NULL) {
        return STATUS_ok;
    }
    enum status status = classify(*take_text);
    ASSERT(pthread_mutex_lock(&self->error_lock) == 0);
    snprintf(self->last_error, sizeof self->last_error, "%s", *take_text);
    ASSERT(pthread_mutex_unlock(&self->error_lock) == 0);
    rocksdb_free(*take_text);
    *take_text = NULL;
    return status;
}

static enum status get(struct state *state, const struct state_snapshot *snapshot, struct bytes key,
                       struct buffer *out)
{
    struct state_rocksdb *self = rocksdb_of(state);
    char *error = NULL;
    rocksdb_pinnableslice_t *slice = rocksdb_get_pinned(
        self->database, snapshot != NULL ? snapshot->read : self->read, (const char *)key.data,
        key.size, &error);
    TRY(take_error(self, &error));
    if (slice == NULL) {
        return STATUS_absent;
    }
    size_t size;
    const char *value = rocksdb_pinnableslice_value(slice, &size);
    buffer_append(out, bytes_of(value, size));
    rocksdb_pinnableslice_destroy(slice);
    return STATUS_ok;
}

static uint64_t property(struct state_rocksdb *self, const char *name)
{
    uint64_t value = 0;
    int failed = rocksdb_property_int(self->database, name, &value);
    ASSERT(failed == 0);
    return value;
}

// Whether the disk can take what a flush would write.
static bool has_room(struct state_rocksdb *self)
{
    struct statvfs disk;
    if (statvfs(self->path, &disk) != 0) {
        return true; // the flush will tell
    }
    uint64_t wanted = property(self, "rocksdb.cur-size-all-mem-tables") + FLUSH_MARGIN_SIZE;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= wanted;
}

// Whether the memtable may be full after a batch. A cell takes more there than in the batch.
static bool may_fill(struct state_rocksdb *self, const struct state_batch *batch)
{
    uint64_t active = property(self, "rocksdb.cur-size-active-mem-table");
    size_t full = rocksdb_options_get_write_buffer_size(self->options);
    return active + 2 * batch->cells.size >= full / 8 * 7;
}

static enum status write_batch(struct state *state, const struct state_batch *batch)
{
    struct state_rocksdb *self = rocksdb_of(state);
    if (may_fill(self, batch) && !has_room(self)) {
        return STATUS_read_only;
    }
    rocksdb_writebatch_clear(self->batch);
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(batch, &offset, &key, &value, &removed)) {
        if (removed) {
            rocksdb_writebatch_delete(self->batch, (const char *)key.data, key.size);
        } else {
            rocksdb_writebatch_put(self->batch, (const char *)key.data, key.size,
                                   (const char *)value.data, value.size);
        }
    }
    char *error = NULL;
    rocksdb_write(self->database, self->write, self->batch, &error);
    return take_error(self, &error);
}

static enum status start_flush(struct state_rocksdb *self)
{
    char *error = NULL;
    rocksdb_flush(self->database, self->flush, &error);
    return take_error(self, &error);
}

// See 4: what was written is durable when no memtable waits for its flush any more. RocksDB gives
// no event for that in C, so it is asked again and again, which after a good flush is once.
static enum status flush(struct state *state)
{
    struct state_rocksdb *self = rocksdb_of(state);
    if (!has_room(self)) {
        return STATUS_read_only;
    }
    uint64_t errors = property(self, "rocksdb.background-errors");
    TRY(start_flush(self));
    while (property(self, "rocksdb.num-immutable-mem-table") > 0) {
        uint64_t errors_now = property(self, "rocksdb.background-errors");
        if (errors_now != errors) {
            TRY(start_flush(self)); // tells what happened, unless it is over already
            errors = errors_now;
        }
        poll(NULL, 0, FLUSH_POLL_MS);
    }
    return STATUS_ok;
}

static enum status snapshot_new(struct state *state, struct state_snapshot **ret_snapshot)
{
    struct state_rocksdb *self = rocksdb_of(state);
    struct state_snapshot *snapshot = malloc(sizeof *snapshot);
    ASSERT(snapshot != NULL);
    snapshot->snapshot = rocksdb_create_snapshot(self->database);
    snapshot->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(snapshot->read, snapshot->snapshot);
    atomic_fetch_add(&self->open_count, 1);
    *ret_snapshot = snapshot;
    return STATUS_ok;
}

static void snapshot_destroy(struct state *state, struct state_snapshot **take_snapshot)
{
    struct state_rocksdb *self = rocksdb_of(state);
    struct state_snapshot *snapshot = *take_snapshot;
    *take_snapshot = NULL;
    rocksdb_readoptions_destroy(snapshot->read);
    rocksdb_release_snapshot(self->database, snapshot->snapshot);
    free(snapshot);
    atomic_fetch_sub(&self->open_count, 1);
}

// The bounds are the cursor's own copies.
static rocksdb_readoptions_t *scan_options(const struct state_cursor *cursor,
                                           const struct state_snapshot *snapshot, bool spares_cache)
{
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(read, !spares_cache);
    if (snapshot != NULL) {
        rocksdb_readoptions_set_snapshot(read, snapshot->snapshot);
    }
    if (cursor->from.size > 0) {
        rocksdb_readoptions_set_iterate_lower_bound(read, (const char *)cursor->from.data,
                                                    cursor->from.size);
    }
    if (cursor->to.size > 0) {
        rocksdb_readoptions_set_iterate_upper_bound(read, (const char *)cursor->to.data,
                                                    cursor->to.size);
    }
    return read;
}

// Both ends of an iterator are those of its bounds.
static enum status cursor_new(struct state *state, const struct state_snapshot *snapshot,
                              const struct state_range *range, struct state_cursor **ret_cursor)
{
    struct state_rocksdb *self = rocksdb_of(state);
    struct state_cursor *cursor = calloc(1, sizeof *cursor);
    ASSERT(cursor != NULL);
    buffer_append(&cursor->from, range->from);
    buffer_append(&cursor->to, range->to);
    cursor->is_backwards = range->is_backwards;
    cursor->read = scan_options(cursor, snapshot, range->spares_cache);
    cursor->iterator = rocksdb_create_iterator(self->database, cursor->read);
    if (range->is_backwards) {
        rocksdb_iter_seek_to_last(cursor->iterator);
    } else {
        rocksdb_iter_seek_to_first(cursor->iterator);
    }
    atomic_fetch_add(&self->open_count, 1);
    *ret_cursor = cursor;
    return STATUS_ok;
}

static void move_on(struct state_cursor *cursor)
{
    if (!cursor->moved || !rocksdb_iter_valid(cursor->iterator)) {
        cursor->moved = true;
    } else if (cursor->is_backwards) {
        rocksdb_iter_prev(cursor->iterator);
    } else {
        rocksdb_iter_next(cursor->iterator);
    }
}

static bool cursor_next(struct state_cursor *cursor, struct bytes *ret_key, struct bytes *ret_value)
{
    move_on(cursor);
    if (!rocksdb_iter_valid(cursor->iterator)) {
        return false;
    }
    size_t key_size;
    size_t value_size;
    const char *key = rocksdb_iter_key(cursor->iterator, &key_size);
    const char *value = rocksdb_iter_value(cursor->iterator, &value_size);
    *ret_key = bytes_of(key, key_size);
    *ret_value = bytes_of(value, value_size);
    return true;
}

static enum status cursor_destroy(struct state *state, struct state_cursor **take_cursor)
{
    struct state_rocksdb *self = rocksdb_of(state);
    struct state_cursor *cursor = *take_cursor;
    *take_cursor = NULL;
    char *error = NULL;
    rocksdb_iter_get_error(cursor->iterator, &error);
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->read);
    buffer_release(&cursor->from);
    buffer_release(&cursor->to);
    free(cursor);
    atomic_fetch_sub(&self->open_count, 1);
    return take_error(self, &error);
}

static void destroy(struct state **take_state)
{
    struct state_rocksdb *self = rocksdb_of(*take_state);
    *take_state = NULL;
    ASSERT(atomic_load(&self->open_count) == 0);
    if (self->database != NULL) {
        rocksdb_cancel_all_background_work(self->database, 1);
        rocksdb_close(self->database);
    }
    rocksdb_writebatch_destroy(self->batch);
    free(self->path);
    rocksdb_flushoptions_destroy(self->flush);
    rocksdb_readoptions_destroy(self->read);
    rocksdb_writeoptions_destroy(self->write);
    rocksdb_options_destroy(self->options);
    rocksdb_cache_destroy(self->cache);
    ASSERT(pthread_mutex_destroy(&self->error_lock) == 0);
    free(self);
}

static const struct state_operations OPERATIONS = {
    .get = get,
    .write = write_batch,
    .flush = flush,
    .snapshot = snapshot_new,
    .snapshot_destroy = snapshot_destroy,
    .cursor = cursor_new,
    .cursor_next = cursor_next,
    .cursor_destroy = cursor_destroy,
    .destroy = destroy,
};

static rocksdb_block_based_table_options_t *table_options(rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_SIZE);
    rocksdb_block_based_options_set_format_version(table, BLOCK_FORMAT_VERSION);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_block_based_options_set_index_type(
        table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(table, 1);
    rocksdb_block_based_options_set_metadata_block_size(table, METADATA_BLOCK_SIZE);
    rocksdb_filterpolicy_t *filter = rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY);
    rocksdb_block_based_options_set_filter_policy(table, filter); // takes it
    return table;
}

// Options for which the C interface has no setter come as a text.
static rocksdb_options_t *base_options(void)
{
    rocksdb_options_t *defaults = rocksdb_options_create();
    rocksdb_options_t *options = rocksdb_options_create();
    char *error = NULL;
    rocksdb_get_options_from_string(defaults, "avoid_flush_during_shutdown=true", options, &error);
    ASSERT(error == NULL);
    rocksdb_options_destroy(defaults);
    return options;
}

static void set_memory_options(rocksdb_options_t *options,
                               const struct state_rocksdb_options *wanted)
{
    size_t write_buffer_size = wanted->write_buffer_size != 0 ? wanted->write_buffer_size
                                                              : STATE_WRITE_BUFFER_SIZE;
    int open_files_max = wanted->open_files_max != 0 ? wanted->open_files_max
                                                     : STATE_OPEN_FILES_MAX;
    rocksdb_options_set_write_buffer_size(options, write_buffer_size);
    rocksdb_options_set_max_write_buffer_number(options, WRITE_BUFFER_COUNT);
    rocksdb_options_set_arena_block_size(options, write_buffer_size / 16);
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_FILTER_RATIO);
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
    rocksdb_options_set_max_open_files(options, open_files_max);
    rocksdb_options_set_max_manifest_file_size(options, MANIFEST_SIZE_MAX);
}

static void set_log_options(rocksdb_options_t *options)
{
    rocksdb_options_set_info_log_level(options, INFO_LOG_LEVEL_WARN);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_SIZE_MAX);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES_MAX);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
}

static rocksdb_options_t *database_options(const struct state_rocksdb_options *wanted,
                                           rocksdb_cache_t *cache)
{
    rocksdb_options_t *options = base_options();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_bytes_per_sync(options, SYNC_STEP_SIZE);
    set_memory_options(options, wanted);
    set_log_options(options);
    rocksdb_block_based_table_options_t *table = table_options(cache);
    rocksdb_options_set_block_based_table_factory(options, table); // copies it
    rocksdb_block_based_options_destroy(table);
    return options;
}

static rocksdb_cache_t *cache_new(size_t size)
{
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, size);
    rocksdb_lru_cache_options_set_num_shard_bits(options, CACHE_SHARD_BITS);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

static struct state_rocksdb *closed_new(const struct state_rocksdb_options *wanted)
{
    struct state_rocksdb *self = calloc(1, sizeof *self);
    ASSERT(self != NULL && pthread_mutex_init(&self->error_lock, NULL) == 0);
    self->state.operations = &OPERATIONS;
    size_t cache_size = wanted->cache_size != 0 ? wanted->cache_size : STATE_CACHE_SIZE;
    self->cache = cache_new(cache_size);
    self->options = database_options(wanted, self->cache);
    self->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(self->write, 1);
    self->read = rocksdb_readoptions_create();
    self->flush = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(self->flush, 1);
    self->batch = rocksdb_writebatch_create();
    return self;
}

enum status state_rocksdb_open(const char *path, const struct state_rocksdb_options *options,
                               struct state **ret_state, struct buffer *ret_error)
{
    static const struct state_rocksdb_options defaults = {0};
    struct state_rocksdb *self = closed_new(options != NULL ? options : &defaults);
    struct state *state = &self->state;
    char *error = NULL;
    self->path = strdup(path);
    ASSERT(self->path != NULL);
    self->database = rocksdb_open(self->options, path, &error);
    enum status status = take_error(self, &error);
    if (status != STATUS_ok) {
        state_rocksdb_last_error(state, ret_error);
        state_destroy(&state);
        return status;
    }
    *ret_state = state;
    return STATUS_ok;
}

void state_rocksdb_last_error(struct state *state, struct buffer *out)
{
    struct state_rocksdb *self = rocksdb_of(state);
    ASSERT(pthread_mutex_lock(&self->error_lock) == 0);
    buffer_append(out, bytes_from_text(self->last_error));
    ASSERT(pthread_mutex_unlock(&self->error_lock) == 0);
}

uint64_t state_rocksdb_memory(struct state *state)
{
    static const char *const PROPERTIES[] = {
        "rocksdb.cur-size-all-mem-tables",
        "rocksdb.estimate-table-readers-mem",
        "rocksdb.block-cache-usage",
    };
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof PROPERTIES / sizeof PROPERTIES[0]; i++) {
        sum += property(rocksdb_of(state), PROPERTIES[i]);
    }
    return sum;
}
