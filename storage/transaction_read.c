/*
 * Operations that only read: get, check, find, count and unchanged.
 *
 * 1. A find or a count that would look at more than FIND_EXAMINED_MAX rows fails, and so does one
 *    that would look at more bytes than are left of TRANSACTION_EXAMINED_SIZE_MAX.
 * 2. A find gives all its documents or fails: a transaction has no pages. Only a `limit` cuts it.
 * 3. `unchanged` reads again what a client has read before, at an older version; so the two compare
 *    versions of documents and, of a find, the digest of its rows in their order.
 */
#include "storage/find.h"
#include "storage/results.h"
#include "storage/transaction_internal.h"
#include "wire/document/find_digest.h"
#include "wire/document/operation_fields.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"

#include <stdio.h>

enum { EMPTY_MAP_SIZE = 1 };

enum status transaction_get(struct transaction *transaction, const struct step *step)
{
    struct document_place place;
    TRY(transaction_read_document(transaction, step, &place));
    if (place.is_there && !results_have_room(&transaction->results, place.stored.document.size)) {
        return transaction_fail_room(transaction, step);
    }
    results_pack_get(&transaction->results, place.is_there ? &place.stored : NULL);
    return STATUS_ok;
}

static enum status check_version(struct transaction *self, const struct step *step,
                                 const struct document_place *place)
{
    uint64_t version = place->is_there ? place->stored.version : 0;
    uint64_t wanted = step->operation.absent ? 0 : step->operation.document_version;
    if (version == wanted) {
        return STATUS_ok;
    }
    char reason[128];
    snprintf(reason, sizeof reason,
             "its version is %llu, not %llu (0 stands for no document); read it again",
             (unsigned long long)version, (unsigned long long)wanted);
    return transaction_fail_document(self, step, STATUS_refused, reason);
}

static enum status check_where(struct transaction *self, const struct step *step,
                               const struct document_place *place)
{
    if (!place->is_there) {
        return transaction_fail_document(self, step, STATUS_refused, "there is no such document");
    }
    return predicate_holds(step->operation.where, place->stored.document)
               ? STATUS_ok
               : transaction_fail_document(self, step, STATUS_refused, "\"where\" doesn't hold");
}

enum status transaction_check(struct transaction *transaction, const struct step *step)
{
    struct document_place place;
    TRY(transaction_read_document(transaction, step, &place));
    TRY(step->operation.where.size > 0 ? check_where(transaction, step, &place)
                                       : check_version(transaction, step, &place));
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

// Begins the operation's find; no find if there is no such collection, where there is nothing.
static enum status begin_find(struct transaction *self, const struct step *step, uint64_t rows_max,
                              struct find **ret_find)
{
    const struct operation *operation = &step->operation;
    const struct collection *collection = catalog_find(self->documents->catalog,
                                                       operation->collection);
    char reason[ERROR_MESSAGE_SIZE_MAX];
    *ret_find = NULL;
    if (collection == NULL && operation->index.size > 0) {
        return transaction_fail(
            self, step, STATUS_absent, "names the index \"%s\", and there is no collection \"%s\"",
            quote_of(operation->index).text, quote_of(operation->collection).text);
    }
    if (collection == NULL) {
        return STATUS_ok;
    }
    struct find_request request = {
        .view = &self->documents->view,
        .collection = &collection->record,
        .operation = operation,
        .rows_max = rows_max,
        .examined_max = FIND_EXAMINED_MAX,
        .examined_size_max = TRANSACTION_EXAMINED_SIZE_MAX - self->documents->examined_size,
    };
    enum status status = find_new(&request, ret_find, reason);
    return status == STATUS_ok ? STATUS_ok : transaction_fail(self, step, status, "%s", reason);
}

// Fails a find that ended before all its rows were there.
static enum status fail_early(struct transaction *self, const struct step *step,
                              const struct find_statistics *statistics)
{
    struct quote collection = quote_of(step->operation.collection);
    if (!statistics->is_cut) {
        return transaction_fail(self, step, STATUS_too_large,
                                "finds more than %d documents in collection \"%s\": give a limit",
                                PAGE_ROWS_MAX, collection.text);
    }
    if (statistics->examined == FIND_EXAMINED_MAX) {
        return transaction_fail(self, step, STATUS_too_large,
                                "would look at more than %d documents in collection \"%s\": an "
                                "index would help, or a limit",
                                FIND_EXAMINED_MAX, collection.text);
    }
    return transaction_fail(self, step, STATUS_too_large,
                            "would look at more than %d MiB of documents in one transaction: an "
                            "index on collection \"%s\" would help, or a limit",
                            TRANSACTION_EXAMINED_SIZE_MAX / MIB, collection.text);
}

// Ends a find. All its rows have to have been there, unless it was to end before.
static enum status end_find(struct transaction *self, const struct step *step,
                            struct find **take_find, bool is_limited,
                            struct find_statistics *ret_statistics)
{
    if (*take_find == NULL) {
        *ret_statistics = (struct find_statistics){0};
        return STATUS_ok;
    }
    buffer_clear(&self->position);
    bool has_more = !is_limited && find_has_more(*take_find, &self->position);
    enum status status = find_destroy(take_find, ret_statistics);
    self->documents->examined_size += ret_statistics->examined_size;
    if (status != STATUS_ok) {
        return transaction_fail(self, step, status,
                                "met a state that can't be read: %s on the storage node",
                                status_name(status));
    }
    return has_more ? fail_early(self, step, ret_statistics) : STATUS_ok;
}

// Appends all rows; false if there is no room for one.
static bool pack_rows(struct transaction *self, struct find *find, struct results_list *list,
                      uint64_t *ret_count)
{
    struct find_row row;
    *ret_count = 0;
    while (find != NULL && find_next(find, &row)) {
        if (!results_find_row(&self->results, list, &row)) {
            return false;
        }
        ++*ret_count;
    }
    return true;
}

enum status transaction_find(struct transaction *transaction, const struct step *step)
{
    const struct operation *operation = &step->operation;
    struct find *find = NULL;
    struct find_statistics statistics;
    struct results_list list;
    uint64_t count;
    if (operation->cursor.size > 0 || operation->explain) {
        return transaction_fail(transaction, step, STATUS_bad_request,
                                "has a field \"cursor\" or \"explain\", which are for reads");
    }
    uint64_t rows_max = operation->limit > 0 ? operation->limit : PAGE_ROWS_MAX;
    TRY(begin_find(transaction, step, rows_max, &find));
    results_find_begin(&transaction->results, &list);
    bool has_room = pack_rows(transaction, find, &list, &count);
    bool is_limited = !has_room || (operation->limit > 0 && count == operation->limit);
    TRY(end_find(transaction, step, &find, is_limited, &statistics));
    if (!has_room) {
        return transaction_fail_room(transaction, step);
    }
    results_find_end(&transaction->results, &list, &statistics);
    return STATUS_ok;
}

enum status transaction_count(struct transaction *transaction, const struct step *step)
{
    const struct operation *operation = &step->operation;
    const struct collection *collection = catalog_find(transaction->documents->catalog,
                                                       operation->collection);
    struct find_statistics statistics = {0};
    uint64_t count = 0;
    if (operation->where.size <= EMPTY_MAP_SIZE && operation->index.size == 0) {
        count = collection != NULL ? collection->statistics.documents : 0;
        results_pack_count(&transaction->results, count, &statistics);
        return STATUS_ok;
    }
    struct find *find = NULL;
    struct find_row row;
    TRY(begin_find(transaction, step, UINT64_MAX, &find));
    while (find != NULL && find_next(find, &row)) {
        count++;
    }
    TRY(end_find(transaction, step, &find, false, &statistics));
    results_pack_count(&transaction->results, count, &statistics);
    return STATUS_ok;
}

// Holds the next document of an `unchanged` against the version that was read.
static enum status check_unchanged(struct transaction *self, struct step *step,
                                   struct cursor *cursor)
{
    struct document_place place;
    uint64_t wanted = 0;
    if (operation_take_pair(cursor, &step->operation.id, &wanted) != STATUS_ok) {
        return transaction_fail(self, step, STATUS_bad_request, "has ids that can't be read");
    }
    TRY(transaction_read_document(self, step, &place));
    uint64_t version = place.is_there ? place.stored.version : 0;
    if (version == wanted) {
        return STATUS_ok;
    }
    char reason[128];
    snprintf(reason, sizeof reason, "it was read at version %llu and is at %llu now (0: absent)",
             (unsigned long long)wanted, (unsigned long long)version);
    return transaction_fail_document(self, step, STATUS_conflict, reason);
}

static enum status check_ids(struct transaction *self, const struct step *step)
{
    struct step document = *step; // each id in turn
    struct cursor cursor = cursor_of(step->operation.ids);
    uint32_t count = 0;
    if (cursor_array(&cursor, &count) != STATUS_ok) {
        return transaction_fail(self, step, STATUS_bad_request, "has ids that can't be read");
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(check_unchanged(self, &document, &cursor));
    }
    return STATUS_ok;
}

static enum status check_find(struct transaction *self, const struct step *step)
{
    const struct operation *operation = &step->operation;
    struct find *find = NULL;
    struct find_statistics statistics;
    struct find_row row;
    uint64_t digest = find_digest_empty();
    uint64_t count = 0;
    TRY(begin_find(self, step, operation->limit > 0 ? operation->limit : UINT64_MAX, &find));
    while (find != NULL && find_next(find, &row)) {
        digest = find_digest_add(digest, &row.id, row.stored.version);
        count++;
    }
    bool is_limited = operation->limit > 0 && count == operation->limit;
    TRY(end_find(self, step, &find, is_limited, &statistics));
    if (digest == operation->digest) {
        return STATUS_ok;
    }
    return transaction_fail(self, step, STATUS_conflict,
                            "on collection \"%s\": a find that was read gives other documents now",
                            quote_of(operation->collection).text);
}

enum status transaction_unchanged(struct transaction *transaction, const struct step *step)
{
    TRY(step->operation.has_find ? check_find(transaction, step) : check_ids(transaction, step));
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}
