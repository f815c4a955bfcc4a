/*
 * Every document must have its entry in each index; then an index with as many entries as there are
 * documents has no other ones. Cells of indexes and collections that no record names are left
 * behind.
 */
#include "tests/sim/cells_check.h"

#include "base/assert.h"
#include "storage/cells.h"
#include "storage/document_write.h"
#include "wire/key.h"

enum { OWNED_MAX = 64 };

// Cells of a kind that belong to something.
struct owned {
    enum cell_kind kind;
    uint32_t owner; // id of the collection, or of the index
    uint64_t count; // that there should be
    uint64_t found;
    bool is_any; // of an index that can't be: nobody keeps it right
};

struct cells {
    struct state *state;
    struct owned owned[OWNED_MAX];
    size_t owned_count;
    const char *wrong; // the first thing that was found; NULL for none
};

static void complain(struct cells *cells, const char *what)
{
    cells->wrong = cells->wrong == NULL ? what : cells->wrong;
}

static struct state_cursor *open_range(struct state *state, struct bytes from, struct bytes to)
{
    struct state_cursor *cursor;
    ASSERT(state_cursor_new(state, NULL, from, to, &cursor) == STATUS_ok);
    return cursor;
}

static struct state_cursor *open_kind(struct state *state, enum cell_kind kind)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(kind, &from, &to);
    return open_range(state, buffer_bytes(&from), buffer_bytes(&to));
}

static void close_range(struct state *state, struct state_cursor *cursor)
{
    ASSERT(state_cursor_destroy(state, &cursor) == STATUS_ok);
}

static struct owned *own(struct cells *cells, enum cell_kind kind, uint32_t owner)
{
    ASSERT(cells->owned_count < OWNED_MAX);
    struct owned *owned = &cells->owned[cells->owned_count++];
    *owned = (struct owned){.kind = kind, .owner = owner};
    return owned;
}

// Whether there is such a cell, with that value.
static bool has_cell(struct cells *cells, const struct buffer *key, struct bytes value)
{
    AUTO(buffer_release) struct buffer found = {0};
    return state_get(cells->state, NULL, buffer_bytes(key), &found) == STATUS_ok &&
           bytes_equal(buffer_bytes(&found), value);
}

static void check_entry(struct cells *cells, const struct index_record *index, struct bytes id,
                        const struct stored_document *stored)
{
    AUTO(buffer_release) struct buffer key = {0};
    bool is_shared;
    if (index->state == INDEX_READY &&
        (index_entry_key_at(index, stored->document, id, &key, &is_shared) != STATUS_ok ||
         !has_cell(cells, &key, id))) {
        complain(cells, "a document is missing in an index");
    }
}

static void check_expiry(struct cells *cells, const struct collection_record *record,
                         struct bytes at, const struct stored_document *stored)
{
    uint64_t time_us = document_expires_us(record, stored);
    if (time_us != TIME_NEVER) {
        AUTO(buffer_release) struct buffer key = {0};
        cell_key_expiry_at(&key, time_us, at);
        if (!has_cell(cells, &key, (struct bytes){0})) {
            complain(cells, "a document will not expire");
        }
    }
}

static void check_document(struct cells *cells, const struct collection_record *record,
                           struct bytes key, struct bytes value,
                           struct collection_statistics *statistics)
{
    struct stored_document stored;
    struct bytes id;
    if (cell_key_document_id(key, &id) != STATUS_ok ||
        stored_document_decode(value, &stored) != STATUS_ok) {
        complain(cells, "a document can't be read");
        return;
    }
    statistics->documents++;
    statistics->bytes += stored.document.size;
    for (size_t i = 0; i < record->index_count; i++) {
        check_entry(cells, &record->indexes[i], id, &stored);
    }
    check_expiry(cells, record, bytes_of(key.data + 1, key.size - 1), &stored);
}

static void check_statistics(struct cells *cells, const struct collection_record *record,
                             const struct collection_statistics *wanted)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    struct collection_statistics statistics = {0};
    cell_key_statistics(&key, record->id);
    enum status status = state_get(cells->state, NULL, buffer_bytes(&key), &value);
    if (status == STATUS_ok) {
        status = collection_statistics_decode(buffer_bytes(&value), &statistics);
    }
    bool is_right = statistics.documents == wanted->documents && statistics.bytes == wanted->bytes;
    if ((status != STATUS_ok && status != STATUS_absent) || !is_right) {
        complain(cells, "the statistics of a collection are wrong");
    }
}

static void check_collection(struct cells *cells, const struct collection_record *record)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    struct collection_statistics statistics = {0};
    struct bytes key;
    struct bytes value;
    cell_key_collection_kind(&from, CELL_DOCUMENT, record->id);
    cell_key_collection_kind(&to, CELL_DOCUMENT, record->id + 1);
    struct state_cursor *cursor = open_range(cells->state, buffer_bytes(&from), buffer_bytes(&to));
    while (state_cursor_next(cursor, cells->state, &key, &value)) {
        check_document(cells, record, key, value, &statistics);
    }
    close_range(cells->state, cursor);
    check_statistics(cells, record, &statistics);
    own(cells, CELL_DOCUMENT, record->id)->count = statistics.documents;
    for (size_t i = 0; i < record->index_count; i++) {
        struct owned *owned = own(cells, CELL_INDEX, record->indexes[i].id);
        owned->count = statistics.documents;
        owned->is_any = record->indexes[i].state == INDEX_FAILED;
        if (record->indexes[i].state == INDEX_BUILDING) {
            complain(cells, "an index is built by no job");
        }
    }
}

static void check_collections(struct cells *cells)
{
    struct state_cursor *cursor = open_kind(cells->state, CELL_COLLECTION);
    struct bytes key;
    struct bytes value;
    while (state_cursor_next(cursor, cells->state, &key, &value)) {
        AUTO(collection_record_release) struct collection_record record = {0};
        if (collection_record_decode(value, &record) == STATUS_ok) {
            check_collection(cells, &record);
        } else {
            complain(cells, "a collection can't be read");
        }
    }
    close_range(cells->state, cursor);
}

static void count_owned(struct cells *cells, enum cell_kind kind, uint32_t owner)
{
    for (size_t i = 0; i < cells->owned_count; i++) {
        struct owned *owned = &cells->owned[i];
        if (owned->kind == kind && owned->owner == owner) {
            owned->found++;
            return;
        }
    }
    complain(cells, kind == CELL_INDEX ? "entries of an index that was dropped are left"
                                       : "documents of a collection that was dropped are left");
}

// Counts the cells of a kind by whom they belong to.
static void count_kind(struct cells *cells, enum cell_kind kind)
{
    struct state_cursor *cursor = open_kind(cells->state, kind);
    struct bytes key;
    struct bytes value;
    while (state_cursor_next(cursor, cells->state, &key, &value)) {
        struct bytes rest = bytes_of(key.data + 1, key.size - 1);
        uint32_t owner = 0;
        ASSERT(key_take_u32(&rest, &owner) == STATUS_ok);
        count_owned(cells, kind, owner);
    }
    close_range(cells->state, cursor);
}

const char *cells_check(struct state *state)
{
    struct cells cells = {.state = state};
    check_collections(&cells);
    count_kind(&cells, CELL_DOCUMENT);
    count_kind(&cells, CELL_INDEX);
    for (size_t i = 0; i < cells.owned_count; i++) {
        const struct owned *owned = &cells.owned[i];
        if (!owned->is_any && owned->found != owned->count) {
            complain(&cells, "an index has other entries than its collection has documents");
        }
    }
    return cells.wrong;
}

bool cells_have_jobs(struct state *state)
{
    struct state_cursor *cursor = open_kind(state, CELL_JOB);
    struct bytes key;
    struct bytes value;
    bool has_job = state_cursor_next(cursor, state, &key, &value);
    close_range(state, cursor);
    return has_job;
}
