/*
 * Operations, one after another. Each reads through the overlay, so it sees what the ones before it
 * did, and appends one result map (storage/results.h).
 *
 * 1. All or nothing: overlay_begin() before the first operation, overlay_undo() after one that
 *    failed; collections that it made go with it.
 * 2. A put reads nothing: the key is all it needs.
 * 3. Documents are stored in canonical form. Writers send them so; what isn't is rewritten, so that
 *    no peer can put anything else into the log.
 * 4. Each failure is made by fail(), with the operation's number and kind in its sentence.
 */
#include "storage/transaction.h"

#include "base/assert.h"
#include "storage/generated_id.h"
#include "storage/results.h"
#include "wire/document/document.h"
#include "wire/pack.h"

#include <stdarg.h>
#include <stdio.h>

// A step of the walk.
struct step {
    struct operation operation;
    uint32_t number; // of the operation, from 1
};

void transaction_init(struct transaction *transaction, struct state *state, struct overlay *overlay,
                      struct catalog *catalog)
{
    *transaction = (struct transaction){.state = state, .overlay = overlay, .catalog = catalog};
}

void transaction_release(struct transaction *transaction)
{
    buffer_release(&transaction->results);
    buffer_release(&transaction->key);
    buffer_release(&transaction->value);
    buffer_release(&transaction->document);
}

// `format` goes on after "operation 1 (put) ".
__attribute__((format(printf, 4, 5))) static enum status
fail(struct transaction *self, const struct step *step, enum status status, const char *format, ...)
{
    struct operation_fault *fault = &self->fault;
    int begin = snprintf(fault->sentence, sizeof fault->sentence, "operation %u (%s) ",
                         step->number - 1, operation_kind_name(step->operation.kind));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->sentence + begin, sizeof fault->sentence - (size_t)begin, format, arguments);
    va_end(arguments);
    fault->operation = step->number;
    return status;
}

// The same for a failure that is about the document named: `reason` goes on after its name.
static enum status fail_document(struct transaction *self, const struct step *step,
                                 enum status status, const char *reason)
{
    AUTO(buffer_release) struct buffer id = {0};
    document_id_print(&step->operation.id, &id);
    struct bytes collection = step->operation.collection;
    return fail(self, step, status, "on \"%.*s\" in collection \"%.*s\": %s", (int)id.size,
                (const char *)id.data, (int)collection.size, (const char *)collection.data, reason);
}

static enum status fail_state(struct transaction *self, const struct step *step, enum status status)
{
    return fail(self, step, status, "met a state that can't be read: %s on the storage node",
                status_name(status));
}

// Takes the stored document out of a cell's value.
static enum status open_stored(struct transaction *self, const struct step *step,
                               struct bytes value, struct stored_document *ret_stored)
{
    enum status status = stored_document_decode(value, ret_stored);
    return status == STATUS_ok ? status : fail_state(self, step, status);
}

// The key of the operation's document; false if there is no such collection.
static bool set_key(struct transaction *self, const struct operation *operation)
{
    const struct collection_record *collection = catalog_find(self->catalog, operation->collection);
    if (collection == NULL) {
        return false;
    }
    buffer_clear(&self->key);
    cell_key_document(&self->key, collection->id, &operation->id);
    return true;
}

// Reads the operation's document; ret_stored is borrowed until the next read or change.
static enum status read_document(struct transaction *self, const struct step *step,
                                 struct stored_document *ret_stored, bool *ret_found)
{
    *ret_found = false;
    if (!set_key(self, &step->operation)) {
        return STATUS_ok;
    }
    struct bytes key = buffer_bytes(&self->key);
    struct bytes value;
    bool removed;
    if (overlay_get(self->overlay, key, &value, &removed)) {
        *ret_found = !removed;
        return removed ? STATUS_ok : open_stored(self, step, value, ret_stored);
    }
    buffer_clear(&self->value);
    enum status status = state_get(self->state, NULL, key, &self->value);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    if (status != STATUS_ok) {
        return fail_state(self, step, status);
    }
    *ret_found = true;
    return open_stored(self, step, buffer_bytes(&self->value), ret_stored);
}

// Sees to it that the operation's collection is there.
static enum status make_collection(struct transaction *self, const struct step *step)
{
    struct bytes name = step->operation.collection;
    if (catalog_find(self->catalog, name) != NULL) {
        return STATUS_ok;
    }
    if (catalog_count(self->catalog) == COLLECTION_COUNT_MAX) {
        return fail(self, step, STATUS_too_large,
                    "would make the collection \"%.*s\", but there are %d already, which is the "
                    "limit",
                    (int)name.size, (const char *)name.data, COLLECTION_COUNT_MAX);
    }
    buffer_clear(&self->key);
    buffer_clear(&self->value);
    cell_key_collection(&self->key, name);
    collection_record_encode(catalog_add(self->catalog, name), &self->value);
    overlay_put(self->overlay, buffer_bytes(&self->key), buffer_bytes(&self->value));
    return STATUS_ok;
}

static enum status canonical_document(struct transaction *self, const struct step *step,
                                      struct bytes *ret_document)
{
    struct bytes raw = step->operation.document;
    if (document_is_canonical(raw)) {
        *ret_document = raw;
        return STATUS_ok;
    }
    const char *reason = "is malformed";
    buffer_clear(&self->document);
    enum status status = document_canonicalize(raw, &self->document, &reason);
    if (status != STATUS_ok) {
        return fail(self, step, status, "has a document that %s", reason);
    }
    *ret_document = buffer_bytes(&self->document);
    return STATUS_ok;
}

// Writes the operation's document.
static enum status write_document(struct transaction *self, const struct step *step)
{
    struct stored_document stored = {.version = self->version, .time_us = self->time_us};
    TRY(canonical_document(self, step, &stored.document));
    TRY(make_collection(self, step));
    ASSERT(set_key(self, &step->operation));
    buffer_clear(&self->value);
    stored_document_encode(&stored, &self->value);
    overlay_put(self->overlay, buffer_bytes(&self->key), buffer_bytes(&self->value));
    return STATUS_ok;
}

static enum status run_get(struct transaction *self, const struct step *step)
{
    struct stored_document stored;
    bool found;
    TRY(read_document(self, step, &stored, &found));
    if (found && !results_have_room(&self->results, stored.document.size)) {
        return fail(self, step, STATUS_too_large,
                    "reads more than fits into an answer of %d bytes: read less at once",
                    RESULTS_SIZE_MAX);
    }
    results_pack_get(&self->results, found ? &stored : NULL);
    return STATUS_ok;
}

// Gives an insert without an id a generated one, whose text is kept in `room`.
static void choose_id(const struct transaction *self, struct step *step,
                      uint8_t room[GENERATED_ID_SIZE])
{
    if (!step->operation.has_id) {
        generated_id(self->version, self->time_us, step->number - 1, room);
        step->operation.id.is_text = true;
        step->operation.id.text = bytes_of(room, GENERATED_ID_SIZE);
    }
}

static enum status run_insert(struct transaction *self, struct step *step)
{
    uint8_t room[GENERATED_ID_SIZE];
    choose_id(self, step, room);
    struct stored_document stored;
    bool found;
    TRY(read_document(self, step, &stored, &found));
    if (found) {
        return fail_document(self, step, STATUS_exists, "it exists already; put would replace it");
    }
    TRY(write_document(self, step));
    results_pack_insert(&self->results, &step->operation.id);
    return STATUS_ok;
}

static enum status run_put(struct transaction *self, const struct step *step)
{
    TRY(write_document(self, step));
    results_pack_empty(&self->results);
    return STATUS_ok;
}

static enum status fail_where(struct transaction *self, const struct step *step)
{
    return fail(self, step, STATUS_bad_request,
                "has a condition in \"where\", which this version of Skein doesn't take");
}

static enum status run_delete(struct transaction *self, const struct step *step)
{
    if (step->operation.where.size > 0) {
        return fail_where(self, step);
    }
    struct stored_document stored;
    bool found;
    TRY(read_document(self, step, &stored, &found));
    if (!found) {
        return fail_document(self, step, STATUS_absent, "there is no such document");
    }
    overlay_remove(self->overlay, buffer_bytes(&self->key));
    results_pack_empty(&self->results);
    return STATUS_ok;
}

// An absent document has version 0.
static enum status run_check(struct transaction *self, const struct step *step)
{
    if (step->operation.where.size > 0) {
        return fail_where(self, step);
    }
    struct stored_document stored;
    bool found;
    TRY(read_document(self, step, &stored, &found));
    uint64_t version = found ? stored.version : 0;
    uint64_t wanted = step->operation.absent ? 0 : step->operation.document_version;
    if (version != wanted) {
        char reason[128];
        snprintf(reason, sizeof reason,
                 "its version is %llu, not %llu (0 stands for no document); read it again",
                 (unsigned long long)version, (unsigned long long)wanted);
        return fail_document(self, step, STATUS_refused, reason);
    }
    results_pack_empty(&self->results);
    return STATUS_ok;
}

static enum status run_operation(struct transaction *self, struct step *step)
{
    switch (step->operation.kind) {
    case OPERATION_get: return run_get(self, step);
    case OPERATION_insert: return run_insert(self, step);
    case OPERATION_put: return run_put(self, step);
    case OPERATION_delete: return run_delete(self, step);
    case OPERATION_check: return run_check(self, step);
    case OPERATION_update:
    case OPERATION_find:
    case OPERATION_count:
    case OPERATION_unchanged:
    case OPERATION_create_collection:
    case OPERATION_drop_collection:
    case OPERATION_create_index:
    case OPERATION_drop_index:
    case OPERATION_history:
    case OPERATION_collections: break;
    }
    return fail(self, step, STATUS_bad_request,
                "is not among the operations that this version of Skein takes: get, insert, put, "
                "delete and check");
}

static enum status replay_operation(struct transaction *self, struct step *step)
{
    uint8_t room[GENERATED_ID_SIZE];
    switch (step->operation.kind) {
    case OPERATION_get: results_pack_get(&self->results, NULL); break;
    case OPERATION_insert:
        choose_id(self, step, room);
        results_pack_insert(&self->results, &step->operation.id);
        step->operation.id = (struct document_id){0}; // it may point to `room`
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
    overlay_begin(transaction->overlay);
    transaction->collections_before = catalog_count(transaction->catalog);
    enum status status = walk(transaction, operations, run_operation);
    if (status != STATUS_ok) {
        transaction_undo(transaction);
    }
    return status;
}

void transaction_undo(struct transaction *transaction)
{
    overlay_undo(transaction->overlay);
    catalog_truncate(transaction->catalog, transaction->collections_before);
}

enum status transaction_replay(struct transaction *transaction, struct bytes operations)
{
    return walk(transaction, operations, replay_operation);
}
