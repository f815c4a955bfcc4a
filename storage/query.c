/*
 * Reads and digests. Each message is answered from one snapshot: the mark that it names, or one
 * made for it, and the version in the reply is that of the applied record in the same snapshot, so
 * the two can't disagree.
 *
 * The digest is XXH3 over all cells in the order of their keys, each as
 *
 *   | key size, u32 LE | value size, u32 LE | key | value |
 *
 * No cell is local to a node: the applied record, too, is a function of the log (rule 23).
 * Memory is bounded by one cell and RESULTS_SIZE_MAX.
 */
#include "storage/query.h"

#include "base/assert.h"
#include "storage/apply.h"
#include "storage/results.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

// One query under way.
struct query {
    struct state *state;                   // borrowed
    struct marks *marks;                   // borrowed
    const struct state_snapshot *snapshot; // read at; borrowed from a mark or from `own`
    struct state_snapshot *own;            // owned; NULL when a mark is read
    bool borrowed;                         // `snapshot` is the mark of version `marked`
    uint64_t marked;                       // see there
    struct applied applied;                // where the snapshot stands
    struct operation_fault fault;          // why it failed
    struct buffer results;                 // of a read
    struct buffer key;                     // of the cell at hand
    struct buffer value;                   // of the cell at hand
    struct buffer collection;              // name of the collection looked up last
    uint32_t collection_id;                // its id; 0: there is none
};

static void query_release(struct query *query)
{
    state_snapshot_destroy(query->state, &query->own);
    if (query->borrowed) {
        marks_give_back(query->marks, query->marked);
    }
    applied_release(&query->applied);
    buffer_release(&query->results);
    buffer_release(&query->key);
    buffer_release(&query->value);
    buffer_release(&query->collection);
}

__attribute__((format(printf, 3, 4))) static enum status
fail(struct query *query, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(query->fault.sentence, sizeof query->fault.sentence, format, arguments);
    va_end(arguments);
    return status;
}

static enum status fail_state(struct query *query, enum status status)
{
    return fail(query, status, "the state on this storage node can't be read: %s",
                status_name(status));
}

static enum status load_applied(struct query *query)
{
    enum status status = applied_load(query->state, query->snapshot, &query->applied);
    return status == STATUS_ok ? status : fail_state(query, status);
}

static enum status open_newest(struct query *query)
{
    enum status status = state_snapshot_new(query->state, &query->own);
    if (status != STATUS_ok) {
        return fail_state(query, status);
    }
    query->snapshot = query->own;
    return load_applied(query);
}

static enum status open_mark(struct query *query, uint64_t version)
{
    enum status status = marks_borrow(query->marks, version, &query->snapshot);
    if (status != STATUS_ok) {
        return fail(query, status, "version %llu is not kept on this storage node, or not any more",
                    (unsigned long long)version);
    }
    query->borrowed = true;
    query->marked = version;
    return load_applied(query);
}

static enum status get_cell(struct query *query, bool *ret_found)
{
    buffer_clear(&query->value);
    enum status status = state_get(query->state, query->snapshot, buffer_bytes(&query->key),
                                   &query->value);
    *ret_found = status == STATUS_ok;
    return status == STATUS_ok || status == STATUS_absent ? STATUS_ok : fail_state(query, status);
}

// Finds the id of a collection; 0 when there is none.
static enum status find_collection(struct query *query, struct bytes name, uint32_t *ret_id)
{
    if (bytes_equal(buffer_bytes(&query->collection), name)) {
        *ret_id = query->collection_id;
        return STATUS_ok;
    }
    buffer_clear(&query->key);
    cell_key_collection(&query->key, name);
    bool found;
    TRY(get_cell(query, &found));
    AUTO(collection_record_release) struct collection_record record = {0};
    if (found && collection_record_decode(buffer_bytes(&query->value), &record) != STATUS_ok) {
        return fail_state(query, STATUS_damaged);
    }
    buffer_clear(&query->collection);
    buffer_append(&query->collection, name);
    query->collection_id = record.id;
    *ret_id = record.id;
    return STATUS_ok;
}

static enum status read_document(struct query *query, const struct operation *operation,
                                 struct stored_document *ret_stored, bool *ret_found)
{
    uint32_t collection = 0;
    *ret_found = false;
    TRY(find_collection(query, operation->collection, &collection));
    if (collection == 0) {
        return STATUS_ok;
    }
    buffer_clear(&query->key);
    cell_key_document(&query->key, collection, &operation->id);
    TRY(get_cell(query, ret_found));
    if (*ret_found &&
        stored_document_decode(buffer_bytes(&query->value), ret_stored) != STATUS_ok) {
        return fail_state(query, STATUS_damaged);
    }
    return STATUS_ok;
}

static enum status read_one(struct query *query, const struct operation *operation, uint32_t number)
{
    if (operation->kind != OPERATION_get) {
        return fail(query, STATUS_bad_request,
                    "operation %u (%s) is no get, and a read takes nothing else", number - 1,
                    operation_kind_name(operation->kind));
    }
    struct stored_document stored;
    bool found;
    TRY(read_document(query, operation, &stored, &found));
    if (found && !results_have_room(&query->results, stored.document.size)) {
        return fail(query, STATUS_too_large,
                    "operation %u (get) reads more than fits into an answer of %d bytes: read less "
                    "at once",
                    number - 1, RESULTS_SIZE_MAX);
    }
    results_pack_get(&query->results, found ? &stored : NULL);
    return STATUS_ok;
}

static enum status read_all(struct query *query, struct bytes blob)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, &query->fault));
    if (operations.count > READ_OPERATIONS_MAX) {
        return fail(query, STATUS_too_large, "the read has %u operations, %d are allowed",
                    operations.count, READ_OPERATIONS_MAX);
    }
    pack_array(&query->results, operations.count);
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, &query->fault));
        TRY(read_one(query, &operation, operations.taken));
    }
    return STATUS_ok;
}

static enum status run_read(struct query *query, const struct message_read *read)
{
    if (read->level == READ_snapshot) {
        TRY(open_mark(query, read->at_version));
    } else {
        TRY(open_newest(query));
    }
    return read_all(query, read->operations);
}

static void on_read(struct query *query, const struct message_read *read, struct buffer *out)
{
    enum status status = run_read(query, read);
    struct message reply = {.kind = MESSAGE_read_reply};
    reply.read_reply.request = read->request;
    reply.read_reply.status = status;
    reply.read_reply.version = query->applied.place.version;
    if (status == STATUS_ok) {
        reply.read_reply.results = buffer_bytes(&query->results);
    } else {
        reply.read_reply.message = bytes_from_text(query->fault.sentence);
    }
    message_encode(&reply, out);
}

static void hash_cell(XXH3_state_t *hash, struct bytes key, struct bytes value)
{
    uint32_t sizes[2] = {htole32((uint32_t)key.size), htole32((uint32_t)value.size)};
    XXH3_64bits_update(hash, sizes, sizeof sizes);
    XXH3_64bits_update(hash, key.data, key.size);
    XXH3_64bits_update(hash, value.data, value.size);
}

static enum status hash_cells(struct query *query, uint64_t *ret_digest)
{
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    struct state_cursor *cursor;
    struct bytes all = {0};
    TRY(state_cursor_new(query->state, query->snapshot, all, all, &cursor));
    struct bytes key;
    struct bytes value;
    while (state_cursor_next(cursor, query->state, &key, &value)) {
        hash_cell(&hash, key, value);
    }
    TRY(state_cursor_destroy(query->state, &cursor));
    *ret_digest = XXH3_64bits_digest(&hash);
    return STATUS_ok;
}

static enum status run_digest(struct query *query, uint64_t version, uint64_t *ret_digest)
{
    TRY(open_mark(query, version));
    enum status status = hash_cells(query, ret_digest);
    return status == STATUS_ok ? status : fail_state(query, status);
}

static void on_digest(struct query *query, const struct message_digest *digest, struct buffer *out)
{
    struct message reply = {.kind = MESSAGE_digest_reply};
    reply.digest_reply.request = digest->request;
    reply.digest_reply.status = run_digest(query, digest->version, &reply.digest_reply.digest);
    reply.digest_reply.version = digest->version;
    reply.digest_reply.chain = query->applied.chain;
    reply.digest_reply.position = query->applied.place.position;
    message_encode(&reply, out);
}

void query_run(struct state *state, struct marks *marks, const struct message *message,
               struct buffer *out)
{
    AUTO(query_release) struct query query = {.state = state, .marks = marks};
    switch (message->kind) {
    case MESSAGE_read: on_read(&query, &message->read, out); break;
    case MESSAGE_digest: on_digest(&query, &message->digest, out); break;
    default: UNREACHABLE();
    }
}
