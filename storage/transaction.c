/*
 * Operations, one after another. Each reads through the overlay, so it sees what the ones before it
 * did, and appends one result map (storage/results.h).
 *
 *   transaction_run ──► walk ──► run_operation ──► transaction_write.c   insert put update delete
 *                                             ├──► transaction_read.c    get check find count
 *                                             │                          unchanged
 *                                             └──► transaction_schema.c  create and drop
 *
 * 1. All or nothing: overlay_begin() and catalog_begin() before the first operation, and their
 *    undoing after one that failed.
 * 2. Conditions, patches and settings are checked although writers have done so: no peer can put
 *    anything into the log that isn't sound.
 * 3. Each failure is made by transaction_fail(), with the operation's number and kind in its
 *    sentence.
 * 4. The executor runs nothing else meanwhile, so what a transaction looks at and what it writes is
 *    bounded, and it fails with the first operation that goes beyond.
 */
#include "storage/transaction.h"

#include "storage/results.h"
#include "storage/transaction_internal.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"
#include "wire/pack.h"

#include <stdarg.h>
#include <stdio.h>

void transaction_init(struct transaction *transaction, struct documents *documents)
{
    *transaction = (struct transaction){.documents = documents};
}

void transaction_release(struct transaction *transaction)
{
    buffer_release(&transaction->results);
    buffer_release(&transaction->document);
    buffer_release(&transaction->position);
}

static enum status do_operation(struct transaction *self, struct step *step)
{
    switch (step->operation.kind) {
    case OPERATION_get: return transaction_get(self, step);
    case OPERATION_insert: return transaction_insert(self, step);
    case OPERATION_put: return transaction_put(self, step);
    case OPERATION_update: return transaction_update(self, step);
    case OPERATION_delete: return transaction_delete(self, step);
    case OPERATION_check: return transaction_check(self, step);
    case OPERATION_find: return transaction_find(self, step);
    case OPERATION_count: return transaction_count(self, step);
    case OPERATION_unchanged: return transaction_unchanged(self, step);
    case OPERATION_create_collection: return transaction_create_collection(self, step);
    case OPERATION_drop_collection: return transaction_drop_collection(self, step);
    case OPERATION_create_index: return transaction_create_index(self, step);
    case OPERATION_drop_index: return transaction_drop_index(self, step);
    case OPERATION_history:
    case OPERATION_collections: break;
    }
    return transaction_fail(self, step, STATUS_bad_request,
                            "is an operation for reads: a transaction doesn't take it");
}

static enum status run_operation(struct transaction *self, struct step *step)
{
    TRY(operation_check_meaning(&step->operation, step->number, &self->fault));
    TRY(do_operation(self, step));
    if (self->results.size > RESULTS_SIZE_MAX) {
        return transaction_fail_room(self, step);
    }
    if (overlay_begun_size(self->documents->overlay) <= TRANSACTION_EFFECTS_SIZE_MAX) {
        return STATUS_ok;
    }
    return transaction_fail(self, step, STATUS_too_large,
                            "writes more than the %d KiB that a transaction may, indexes and "
                            "history included: make it two",
                            TRANSACTION_EFFECTS_SIZE_MAX / KIB);
}

static void pack_null(struct buffer *results, const char *field)
{
    pack_map(results, 1);
    pack_text_literal(results, field);
    pack_nil(results);
}

static enum status replay_operation(struct transaction *self, struct step *step)
{
    switch (step->operation.kind) {
    case OPERATION_get: results_pack_get(&self->results, NULL); break;
    case OPERATION_find: pack_null(&self->results, "documents"); break;
    case OPERATION_count: pack_null(&self->results, "count"); break;
    case OPERATION_insert:
        transaction_choose_id(self, step);
        results_pack_insert(&self->results, &step->operation.id);
        break;
    default: results_pack_empty(&self->results); break;
    }
    return STATUS_ok;
}

// Does `each` to all operations, with the results' array around.
static enum status walk(struct transaction *self, struct bytes blob,
                        enum status (*each)(struct transaction *self, struct step *step))
{
    struct operations operations;
    buffer_clear(&self->results);
    TRY(operations_open(blob, &operations, &self->fault));
    pack_array(&self->results, operations.count);
    while (operations_have_next(&operations)) {
        struct step step;
        TRY(operations_next(&operations, &step.operation, &self->fault));
        step.number = operations.taken;
        TRY(each(self, &step));
    }
    return STATUS_ok;
}

enum status transaction_run(struct transaction *transaction, struct bytes operations)
{
    overlay_begin(transaction->documents->overlay);
    catalog_begin(transaction->documents->catalog);
    transaction->makes_jobs = false;
    enum status status = walk(transaction, operations, run_operation);
    if (status != STATUS_ok) {
        transaction_undo(transaction);
    }
    return status;
}

void transaction_undo(struct transaction *transaction)
{
    overlay_undo(transaction->documents->overlay);
    catalog_undo(transaction->documents->catalog);
}

enum status transaction_replay(struct transaction *transaction, struct bytes operations)
{
    return walk(transaction, operations, replay_operation);
}

enum status transaction_fail(struct transaction *transaction, const struct step *step,
                             enum status status, const char *format, ...)
{
    struct operation_fault *fault = &transaction->fault;
    int begin = snprintf(fault->sentence, sizeof fault->sentence, "operation %u (%s) ",
                         step->number - 1, operation_kind_name(step->operation.kind));
    va_list arguments;
    va_start(arguments, format);
    sentence_format(fault->sentence, (size_t)begin, format, arguments);
    va_end(arguments);
    fault->operation = step->number;
    return status;
}

enum status transaction_fail_document(struct transaction *transaction, const struct step *step,
                                      enum status status, const char *reason)
{
    AUTO(buffer_release) struct buffer id = {0};
    document_id_print(&step->operation.id, &id);
    struct bytes collection = step->operation.collection;
    return transaction_fail(transaction, step, status, "on \"%.*s\" in collection \"%.*s\": %s",
                            (int)id.size, (const char *)id.data, (int)collection.size,
                            (const char *)collection.data, reason);
}

enum status transaction_fail_room(struct transaction *transaction, const struct step *step)
{
    return transaction_fail(transaction, step, STATUS_too_large,
                            "makes more than fits into an answer of %d bytes: ask for less at once",
                            RESULTS_SIZE_MAX);
}

enum status transaction_check_written(struct transaction *transaction, const struct step *step,
                                      enum status status)
{
    return status == STATUS_ok ? STATUS_ok
                               : transaction_fail_document(transaction, step, status,
                                                           transaction->documents->sentence);
}

enum status transaction_read_document(struct transaction *transaction, const struct step *step,
                                      struct document_place *ret_place)
{
    struct documents *documents = transaction->documents;
    const struct operation *operation = &step->operation;
    struct collection *collection = catalog_find(documents->catalog, operation->collection);
    enum status status = documents_read(documents, collection, &operation->id, ret_place);
    if (status == STATUS_ok) {
        status = documents_examine(documents, ret_place->stored.document,
                                   predicate_field_count(operation->where));
    }
    return status == STATUS_ok
               ? STATUS_ok
               : transaction_fail(transaction, step, status, "%s", documents->sentence);
}

void transaction_choose_id(const struct transaction *transaction, struct step *step)
{
    const struct documents *documents = transaction->documents;
    if (!step->operation.has_id) {
        generated_id(documents->version, documents->time_us, step->number - 1, step->generated);
        step->operation.id.is_text = true;
        step->operation.id.text = bytes_of(step->generated, GENERATED_ID_SIZE);
    }
}
