/*
 * Reads and digests. Each message is answered from one snapshot: the mark that it names, or one
 * made for it, and the version in the reply is that of the applied record in the same snapshot, so
 * the two can't disagree. A version that isn't marked, and a time, are looked up in the history of
 * collections that keep one (storage/past.h).
 *
 *   query_run ─► on_read ───► query_read (storage/query_read.c) ─► each operation
 *             └► on_digest
 *
 * The digest is XXH3 over all cells in the order of their keys, each as
 *
 *   | key size, u32 LE | value size, u32 LE | key | value |
 *
 * No cell is local to a node: the applied record, too, is a function of the log (rule 23).
 * Memory is bounded by a few cells, RESULTS_SIZE_MAX, and the keys of a page that is sorted.
 */
#include "storage/query.h"

#include "base/assert.h"
#include "storage/query_internal.h"
#include "wire/document/sentence.h"

#include <endian.h>
#include <stdarg.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PATIENCE_CELLS = 256 }; // hashed between two looks at the patience

static void query_release(struct query *query)
{
    state_snapshot_destroy(query->view.state, &query->own);
    if (query->is_marked) {
        marks_give_back(query->marks, query->marked);
    }
    applied_release(&query->applied);
    buffer_release(&query->results);
    buffer_release(&query->key);
    buffer_release(&query->value);
    buffer_release(&query->name);
    collection_record_release(&query->collection);
}

enum status query_fail(struct query *query, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sentence_format(query->fault.sentence, 0, format, arguments);
    va_end(arguments);
    return status;
}

enum status query_fail_state(struct query *query, enum status status)
{
    if (status == STATUS_deadline) {
        return query_fail(query, status, "the read takes longer than it was given");
    }
    return query_fail(query, status, "the state on this storage node can't be read: %s",
                      status_name(status));
}

enum status query_get_cell(struct query *query, bool *ret_found)
{
    buffer_clear(&query->value);
    enum status status = view_get(&query->view, buffer_bytes(&query->key), &query->value);
    *ret_found = status == STATUS_ok;
    return status == STATUS_ok || status == STATUS_absent ? STATUS_ok
                                                          : query_fail_state(query, status);
}

static enum status load_applied(struct query *query)
{
    enum status status = applied_load(query->view.state, query->view.snapshot, &query->applied);
    return status == STATUS_ok ? status : query_fail_state(query, status);
}

static enum status open_newest(struct query *query)
{
    enum status status = state_snapshot_new(query->view.state, &query->own);
    if (status != STATUS_ok) {
        return query_fail_state(query, status);
    }
    query->view.snapshot = query->own;
    return load_applied(query);
}

static enum status fail_version(struct query *query, uint64_t version)
{
    return query_fail(query, STATUS_too_old,
                      "version %llu is not kept on this storage node, or not any more",
                      (unsigned long long)version);
}

static enum status open_mark(struct query *query, uint64_t version)
{
    if (marks_borrow(query->marks, version, &query->view.snapshot) != STATUS_ok) {
        return fail_version(query, version);
    }
    query->is_marked = true;
    query->marked = version;
    return load_applied(query);
}

// A mark if there is one, else the newest state, whose history has to say.
static enum status open_snapshot(struct query *query, const struct message_read *read)
{
    bool is_by_time = read->at_time_us != 0;
    if (!is_by_time) {
        enum status status = open_mark(query, read->at_version);
        if (status != STATUS_too_old) {
            return status;
        }
    }
    TRY(open_newest(query));
    query->is_past = true;
    query->past.version = is_by_time ? 0 : read->at_version;
    query->past.time_us = read->at_time_us;
    bool is_known = read->at_version > 0 && read->at_version <= query->applied.place.version;
    return is_by_time || is_known ? STATUS_ok : fail_version(query, read->at_version);
}

static enum status run_read(struct query *query, const struct message_read *read)
{
    if (read->level == READ_snapshot) {
        TRY(open_snapshot(query, read));
    } else {
        TRY(open_newest(query));
    }
    return query_read(query, read->operations);
}

static uint64_t version_of(const struct query *query)
{
    bool is_past_version = query->is_past && query->past.version != 0;
    return is_past_version ? query->past.version : query->applied.place.version;
}

static void on_read(struct query *query, const struct message_read *read, struct buffer *out)
{
    enum status status = run_read(query, read);
    struct message reply = {.kind = MESSAGE_read_reply};
    reply.read_reply.request = read->request;
    reply.read_reply.status = status;
    reply.read_reply.version = version_of(query);
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
    struct state *state = query->view.state;
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    struct state_cursor *cursor;
    struct bytes all = {0};
    TRY(state_cursor_new(state, query->view.snapshot, all, all, &cursor));
    struct bytes key;
    struct bytes value;
    bool is_over = false;
    for (uint64_t count = 0; !is_over && state_cursor_next(cursor, state, &key, &value); count++) {
        hash_cell(&hash, key, value);
        is_over = count % PATIENCE_CELLS == 0 && patience_is_over(query->patience);
    }
    TRY(state_cursor_destroy(state, &cursor));
    if (is_over) {
        return STATUS_deadline;
    }
    *ret_digest = XXH3_64bits_digest(&hash);
    return STATUS_ok;
}

static enum status run_digest(struct query *query, uint64_t version, uint64_t *ret_digest)
{
    TRY(open_mark(query, version));
    enum status status = hash_cells(query, ret_digest);
    return status == STATUS_ok ? status : query_fail_state(query, status);
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

static void run(struct query *query, const struct message *message, struct buffer *out)
{
    switch (message->kind) {
    case MESSAGE_read: on_read(query, &message->read, out); break;
    case MESSAGE_digest: on_digest(query, &message->digest, out); break;
    default: UNREACHABLE();
    }
}

void query_run(struct state *state, struct marks *marks, const struct message *message,
               struct buffer *out)
{
    query_run_patiently(state, marks, message, NULL, out);
}

void query_run_patiently(struct state *state, struct marks *marks, const struct message *message,
                         const struct patience *patience, struct buffer *out)
{
    AUTO(query_release)
    struct query query = {.view = {.state = state}, .marks = marks, .patience = patience};
    run(&query, message, out);
}

// A list that can't be read fails quickly.
bool query_may_take_long(const struct message *message)
{
    struct operations operations;
    struct operation operation;
    struct operation_fault fault;
    if (message->kind != MESSAGE_read) {
        return true;
    }
    if (operations_open(message->read.operations, &operations, &fault) != STATUS_ok) {
        return false;
    }
    while (operations_have_next(&operations) &&
           operations_next(&operations, &operation, &fault) == STATUS_ok) {
        if (operation.kind != OPERATION_get) {
            return true;
        }
    }
    return false;
}
