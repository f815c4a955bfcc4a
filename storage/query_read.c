/*
 * The operations of a read, each of which appends one result (storage/results.h).
 *
 * 1. All see the query's view. One that looks at a version or time that isn't marked takes gets
 *    only, from collections that keep history.
 * 2. A find ends its page when it has `limit` rows, when the next one doesn't fit into the answer,
 *    or when it has looked at PAGE_EXAMINED_MAX. If there are more, the version of a mark goes into
 *    a cursor; any other is no version to go on at, so the reader is told to come again with one.
 * 3. Finds of one collection decode its record once. One that doesn't exist is like an empty one.
 * 4. A count has no pages: it looks at as many documents as it must, as long as there is time.
 * 5. Every failure of an operation names it, with its number from 0.
 */
#include "base/assert.h"
#include "storage/query_internal.h"
#include "wire/document/find_cursor.h"
#include "wire/document/predicate.h"
#include "wire/pack.h"

#include <stdarg.h>
#include <stdio.h>

enum { EMPTY_MAP_SIZE = 1 };

// A step of the walk.
struct step {
    struct operation operation;
    uint32_t number; // of the operation, from 0
};

// `format` goes on after "operation 0 (find) ".
__attribute__((format(printf, 4, 5))) static enum status
fail(struct query *query, const struct step *step, enum status status, const char *format, ...)
{
    char what[ERROR_MESSAGE_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return query_fail(query, status, "operation %u (%s) %s", step->number,
                      operation_kind_name(step->operation.kind), what);
}

static enum status fail_room(struct query *query, const struct step *step)
{
    return fail(query, step, STATUS_too_large,
                "reads more than fits into an answer of %d bytes: read less at once",
                RESULTS_SIZE_MAX);
}

// Looks the operation's collection up, unless it is the one of the operation before.
static enum status find_collection(struct query *query, struct bytes name)
{
    if (bytes_equal(buffer_bytes(&query->name), name)) {
        return STATUS_ok;
    }
    buffer_clear(&query->name);
    collection_record_release(&query->collection);
    query->collection = (struct collection_record){0};
    buffer_clear(&query->key);
    cell_key_collection(&query->key, name);
    TRY(query_get_cell(query, &query->is_there));
    if (query->is_there &&
        collection_record_decode(buffer_bytes(&query->value), &query->collection) != STATUS_ok) {
        return query_fail_state(query, STATUS_damaged);
    }
    buffer_append(&query->name, name);
    return STATUS_ok;
}

static enum status fail_past(struct query *query, const struct step *step)
{
    char point[48] = "a time";
    if (query->past.version != 0) {
        snprintf(point, sizeof point, "version %llu", (unsigned long long)query->past.version);
    }
    return fail(query, step, STATUS_too_old,
                "asks for %s that isn't kept, or not any more: a get goes back as far as the "
                "\"history\" of its collection, everything else %d s, longer while "
                "it is read",
                point, HORIZON_MS / 1000);
}

static enum status read_past(struct query *query, const struct step *step,
                             struct stored_document *ret_stored, bool *ret_found)
{
    struct past_source source = {
        .view = &query->view,
        .collection = &query->collection,
        .now_us = query->applied.time_us,
    };
    enum status status = past_find(&source, &step->operation.id, &query->past, &query->value,
                                   ret_stored);
    *ret_found = status == STATUS_ok;
    switch (status) {
    case STATUS_ok:
    case STATUS_absent: return STATUS_ok;
    case STATUS_too_old: return fail_past(query, step);
    default: return query_fail_state(query, status);
    }
}

static enum status read_document(struct query *query, const struct step *step,
                                 struct stored_document *ret_stored, bool *ret_found)
{
    *ret_found = false;
    if (query->is_past) {
        return read_past(query, step, ret_stored, ret_found);
    }
    if (!query->is_there) {
        return STATUS_ok;
    }
    buffer_clear(&query->key);
    cell_key_document(&query->key, query->collection.id, &step->operation.id);
    TRY(query_get_cell(query, ret_found));
    if (*ret_found &&
        stored_document_decode(buffer_bytes(&query->value), ret_stored) != STATUS_ok) {
        return query_fail_state(query, STATUS_damaged);
    }
    return STATUS_ok;
}

static enum status run_get(struct query *query, const struct step *step)
{
    struct stored_document stored;
    bool found;
    TRY(read_document(query, step, &stored, &found));
    if (found && !results_have_room(&query->results, stored.document.size)) {
        return fail_room(query, step);
    }
    results_pack_get(&query->results, found ? &stored : NULL);
    return STATUS_ok;
}

// What is wrong with the condition is said here; finds and counts take it for granted.
static enum status check_where(struct query *query, const struct step *step)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    struct bytes where = step->operation.where;
    if (where.size > 0) {
        enum status status = predicate_check(where, sentence);
        if (status != STATUS_ok) {
            return fail(query, step, status, "has a condition that %s", sentence);
        }
    }
    return STATUS_ok;
}

// Takes the position out of the cursor; it borrows from `bytes`.
static enum status open_cursor(struct query *query, const struct step *step, struct buffer *bytes,
                               struct bytes *ret_position)
{
    struct find_cursor cursor;
    if (step->operation.cursor.size == 0) {
        return STATUS_ok;
    }
    if (find_cursor_decode(step->operation.cursor, bytes, &cursor) != STATUS_ok) {
        return fail(query, step, STATUS_bad_request,
                    "has a cursor that is damaged or is none; begin with the first page");
    }
    if (cursor.query != find_cursor_query(&step->operation)) {
        return fail(query, step, STATUS_bad_request,
                    "has a cursor of another find: collection, where, order and index must be "
                    "those of the first page");
    }
    if (!query->is_marked || cursor.version != query->marked) {
        return fail(query, step, STATUS_bad_request,
                    "has a cursor of version %llu in a read at another version",
                    (unsigned long long)cursor.version);
    }
    *ret_position = cursor.position;
    return STATUS_ok;
}

// Appends the rows of a page; ret_is_full: one of them has no room in the answer.
static void pack_rows(struct query *query, const struct step *step, struct find *find,
                      struct results_list *list, bool *ret_is_full)
{
    struct find_row row;
    *ret_is_full = false;
    while (!*ret_is_full && find_next(find, &row)) {
        *ret_is_full = !step->operation.explain && !results_find_row(&query->results, list, &row);
    }
    if (*ret_is_full) {
        find_put_back(find);
    }
}

// Appends what a page says about going on.
static void pack_end(struct query *query, const struct step *step, const struct results_list *list,
                     const struct buffer *position)
{
    bool has_more = position->size > 0 && !step->operation.explain;
    if (has_more && !query->is_marked) {
        results_find_more(&query->results, list);
        return;
    }
    AUTO(buffer_release) struct buffer text = {0};
    if (has_more) {
        struct find_cursor cursor = {
            .version = query->marked,
            .query = find_cursor_query(&step->operation),
            .position = buffer_bytes(position),
        };
        find_cursor_encode(&cursor, &text);
    }
    results_find_cursor(&query->results, list, buffer_bytes(&text));
}

static enum status pack_page(struct query *query, const struct step *step, struct find **find)
{
    AUTO(buffer_release) struct buffer position = {0};
    struct results_list list;
    bool is_full;
    results_find_begin(&query->results, &list);
    pack_rows(query, step, *find, &list, &is_full);
    bool has_more = find_has_more(*find, &position);
    struct find_statistics statistics;
    enum status status = find_destroy(find, &statistics);
    if (status != STATUS_ok) {
        return query_fail_state(query, status);
    }
    if (is_full && list.count == 0) {
        return fail_room(query, step);
    }
    ASSERT(has_more == (position.size > 0));
    results_find_end(&query->results, &list, &statistics);
    pack_end(query, step, &list, &position);
    return STATUS_ok;
}

static enum status begin_find(struct query *query, const struct step *step,
                              const struct find_request *request, struct find **ret_find)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    enum status status = find_new(request, ret_find, sentence);
    return status == STATUS_ok ? status : fail(query, step, status, "%s", sentence);
}

static enum status run_find(struct query *query, const struct step *step)
{
    AUTO(buffer_release) struct buffer cursor = {0};
    struct find_request request = {
        .view = &query->view,
        .collection = &query->collection,
        .operation = &step->operation,
        .rows_max = step->operation.limit > 0 ? step->operation.limit : PAGE_ROWS_DEFAULT,
        .examined_max = PAGE_EXAMINED_MAX,
        .examined_size_max = PAGE_EXAMINED_SIZE_MAX,
        .patience = query->patience,
    };
    struct find *find;
    TRY(check_where(query, step));
    TRY(open_cursor(query, step, &cursor, &request.after));
    TRY(begin_find(query, step, &request, &find));
    return pack_page(query, step, &find);
}

// How many documents there are in all.
static enum status count_all(struct query *query, uint64_t *ret_count)
{
    struct collection_statistics statistics = {0};
    buffer_clear(&query->key);
    cell_key_statistics(&query->key, query->collection.id);
    bool found;
    TRY(query_get_cell(query, &found));
    if (found &&
        collection_statistics_decode(buffer_bytes(&query->value), &statistics) != STATUS_ok) {
        return query_fail_state(query, STATUS_damaged);
    }
    *ret_count = statistics.documents;
    return STATUS_ok;
}

static enum status count_found(struct query *query, const struct step *step, uint64_t *ret_count,
                               struct find_statistics *ret_statistics)
{
    struct find_request request = {
        .view = &query->view,
        .collection = &query->collection,
        .operation = &step->operation,
        .rows_max = UINT64_MAX,
        .examined_max = UINT64_MAX,
        .examined_size_max = UINT64_MAX,
        .patience = query->patience,
    };
    struct find *find;
    struct find_row row;
    TRY(begin_find(query, step, &request, &find));
    while (find_next(find, &row)) {
        (*ret_count)++;
    }
    enum status status = find_destroy(&find, ret_statistics);
    return status == STATUS_ok ? status : query_fail_state(query, status);
}

// A named index is used even where the statistics would do, so that a wrong name is told.
static enum status run_count(struct query *query, const struct step *step)
{
    struct find_statistics statistics = {0};
    uint64_t count = 0;
    TRY(check_where(query, step));
    if (step->operation.where.size <= EMPTY_MAP_SIZE && step->operation.index.size == 0) {
        TRY(count_all(query, &count));
    } else {
        TRY(count_found(query, step, &count, &statistics));
    }
    results_pack_count(&query->results, count, &statistics);
    return STATUS_ok;
}

// Appends older versions as far as there is room; ret_is_complete: that were all.
static enum status pack_superseded(struct query *query, struct view_scan *scan,
                                   struct results_list *list, bool *ret_is_complete)
{
    struct bytes key;
    struct bytes value;
    while (view_scan_next(scan, &key, &value)) {
        struct stored_document stored;
        TRY(stored_document_decode(value, &stored));
        if (list->count == PAGE_ROWS_MAX ||
            !results_history_version(&query->results, list, &stored)) {
            *ret_is_complete = false;
            return STATUS_ok;
        }
    }
    *ret_is_complete = true;
    return STATUS_ok;
}

static enum status pack_history(struct query *query, const struct step *step,
                                struct results_list *list, bool *ret_is_complete)
{
    AUTO(buffer_release) struct buffer id = {0};
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    document_id_append_key(&step->operation.id, &id);
    cell_range_history(query->collection.id, buffer_bytes(&id), &from, &to);
    struct view_scan *scan;
    TRY(view_scan_new(&query->view, buffer_bytes(&from), buffer_bytes(&to), false, &scan));
    enum status status = pack_superseded(query, scan, list, ret_is_complete);
    enum status scan_status = view_scan_destroy(&scan);
    return status != STATUS_ok ? status : scan_status;
}

static enum status run_history(struct query *query, const struct step *step)
{
    struct results_list list;
    struct stored_document stored;
    bool found;
    bool is_complete = false;
    TRY(read_document(query, step, &stored, &found));
    results_history_begin(&query->results, &list);
    if (found && !results_history_version(&query->results, &list, &stored)) {
        return fail_room(query, step);
    }
    enum status status = pack_history(query, step, &list, &is_complete);
    if (status != STATUS_ok) {
        return query_fail_state(query, status);
    }
    results_history_end(&query->results, &list, is_complete);
    return STATUS_ok;
}

static enum status run_operation(struct query *query, const struct step *step)
{
    enum operation_kind kind = step->operation.kind;
    if (query->is_past && kind != OPERATION_get) {
        return fail_past(query, step);
    }
    if (kind == OPERATION_collections) {
        return query_collections(query);
    }
    TRY(find_collection(query, step->operation.collection));
    switch (kind) {
    case OPERATION_get: return run_get(query, step);
    case OPERATION_find: return run_find(query, step);
    case OPERATION_count: return run_count(query, step);
    case OPERATION_history: return run_history(query, step);
    default:
        return fail(query, step, STATUS_bad_request,
                    "is no read: send it as a transaction; reads are get, find, count, history and "
                    "collections");
    }
}

enum status query_read(struct query *query, struct bytes blob)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, &query->fault));
    if (operations.count > READ_OPERATIONS_MAX) {
        return query_fail(query, STATUS_too_large, "the read has %u operations, %d are allowed",
                          operations.count, READ_OPERATIONS_MAX);
    }
    pack_array(&query->results, operations.count);
    while (operations_have_next(&operations)) {
        struct step step = {.number = operations.taken};
        TRY(operations_next(&operations, &step.operation, &query->fault));
        TRY(run_operation(query, &step));
        if (query->results.size > RESULTS_SIZE_MAX) {
            return fail_room(query, &step);
        }
    }
    return STATUS_ok;
}
