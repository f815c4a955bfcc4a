/*
 * Operations that make and drop collections and indexes. They come alone in their transaction; here
 * is checked that they may be, and storage/schema_write.h does it. Indexes on collections with
 * documents, and what is dropped, are left to jobs (storage/jobs.h).
 */
#include "base/assert.h"
#include "storage/results.h"
#include "storage/schema_write.h"
#include "storage/transaction_internal.h"
#include "wire/document/sentence.h"
#include "wire/document/settings.h"

// A failure that is about the operation's collection: `reason` goes on after its name.
static enum status fail_collection(struct transaction *self, const struct step *step,
                                   enum status status, const char *reason)
{
    return transaction_fail(self, step, status, "on collection \"%s\": %s",
                            quote_of(step->operation.collection).text, reason);
}

static enum status check_room(struct transaction *self, const struct step *step)
{
    if (catalog_count(self->documents->catalog) < COLLECTION_COUNT_MAX) {
        return STATUS_ok;
    }
    return transaction_fail(self, step, STATUS_too_large,
                            "would make the collection \"%s\", but there are %d already, which is "
                            "the limit",
                            quote_of(step->operation.collection).text, COLLECTION_COUNT_MAX);
}

enum status transaction_create_collection(struct transaction *transaction, const struct step *step)
{
    const struct operation *operation = &step->operation;
    struct collection_settings settings = {0};
    char reason[ERROR_MESSAGE_SIZE_MAX];
    if (catalog_find(transaction->documents->catalog, operation->collection) != NULL) {
        return fail_collection(transaction, step, STATUS_exists, "it exists already");
    }
    TRY(check_room(transaction, step));
    if (operation->settings.size > 0) {
        enum status status = collection_settings_take(operation->settings, &settings, reason);
        ASSERT(status == STATUS_ok); // run_operation() has checked them
    }
    struct collection_record record = {
        .ttl_s = settings.ttl_s,
        .ttl_field = settings.ttl_field,
        .history_s = settings.history_s,
        .check = settings.check,
    };
    schema_add_collection(transaction->documents, operation->collection, &record);
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

// The operation's collection, which has to be there.
static enum status find_collection(struct transaction *self, const struct step *step,
                                   struct collection **ret_collection)
{
    struct collection *collection = catalog_find(self->documents->catalog,
                                                 step->operation.collection);
    if (collection == NULL) {
        return fail_collection(self, step, STATUS_absent, "there is no such collection");
    }
    *ret_collection = collection;
    return STATUS_ok;
}

enum status transaction_drop_collection(struct transaction *transaction, const struct step *step)
{
    struct collection *collection = NULL;
    TRY(find_collection(transaction, step, &collection));
    enum status status = schema_drop_collection(transaction->documents, collection);
    if (status != STATUS_ok) {
        return transaction_fail(transaction, step, status, "%s", transaction->documents->sentence);
    }
    transaction->makes_jobs = true;
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

static enum status take_index(const struct operation *operation, struct index_record *ret_index)
{
    struct index_record index = {.name = operation->index, .is_unique = operation->unique};
    struct cursor cursor = cursor_of(operation->fields);
    uint32_t count;
    TRY(cursor_array(&cursor, &count));
    ASSERT(count <= INDEX_FIELDS_MAX);
    index.field_count = count;
    for (uint32_t i = 0; i < count; i++) {
        TRY(cursor_text(&cursor, &index.fields[i]));
    }
    *ret_index = index;
    return STATUS_ok;
}

enum status transaction_create_index(struct transaction *transaction, const struct step *step)
{
    const struct operation *operation = &step->operation;
    struct collection *collection = NULL;
    struct index_record index;
    TRY(transaction_make_collection(transaction, step, &collection));
    if (collection_record_index(&collection->record, operation->index) != NULL) {
        return transaction_fail(transaction, step, STATUS_exists,
                                "on collection \"%s\": it has an index \"%s\" already",
                                quote_of(operation->collection).text,
                                quote_of(operation->index).text);
    }
    if (collection->record.index_count == INDEX_COUNT_MAX) {
        return transaction_fail(transaction, step, STATUS_too_large,
                                "on collection \"%s\": it has %d indexes already, which is the "
                                "limit",
                                quote_of(operation->collection).text, INDEX_COUNT_MAX);
    }
    enum status status = take_index(operation, &index);
    ASSERT(status == STATUS_ok); // the parser has checked the fields
    schema_add_index(transaction->documents, collection, &index);
    transaction->makes_jobs = true;
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

enum status transaction_drop_index(struct transaction *transaction, const struct step *step)
{
    const struct operation *operation = &step->operation;
    struct collection *collection = NULL;
    TRY(find_collection(transaction, step, &collection));
    const struct index_record *index = collection_record_index(&collection->record,
                                                               operation->index);
    if (index == NULL) {
        return transaction_fail(
            transaction, step, STATUS_absent, "on collection \"%s\": it has no index \"%s\"",
            quote_of(operation->collection).text, quote_of(operation->index).text);
    }
    enum status status = schema_drop_index(transaction->documents, collection, index->id);
    if (status != STATUS_ok) {
        return transaction_fail(transaction, step, status, "%s", transaction->documents->sentence);
    }
    transaction->makes_jobs = true;
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

enum status transaction_make_collection(struct transaction *transaction, const struct step *step,
                                        struct collection **ret_collection)
{
    struct bytes name = step->operation.collection;
    struct collection *collection = catalog_find(transaction->documents->catalog, name);
    if (collection == NULL) {
        TRY(check_room(transaction, step));
        collection = schema_add_collection(transaction->documents, name, NULL);
    }
    *ret_collection = collection;
    return STATUS_ok;
}
