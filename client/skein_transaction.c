/*
 * Transactions, results and documents of the public interface. Nothing here talks to anybody.
 *
 * A transaction is kept as the operation maps it will be sent as. A mistake (an id that is none,
 * JSON that can't be read) stops it from growing and is told when it is committed, so that building
 * one needs no checks in between.
 */
#include "client/skein_internal.h"

#include "base/assert.h"
#include "wire/document/operation.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <stdio.h>
#include <stdlib.h>

void error_set(struct skein_error *error, enum skein_status status, const char *sentence)
{
    if (error != NULL) {
        *error = (struct skein_error){.status = status};
        snprintf(error->message, sizeof error->message, "%s", sentence);
    }
}

/*
 * Documents.
 */

void skein_document_release(struct skein_document *document)
{
    free(document->data);
    *document = (struct skein_document){0};
}

enum skein_status skein_document_from_json(const char *json, struct skein_document *ret_document,
                                           struct skein_error *ret_error)
{
    struct buffer packed = {0};
    struct json_fault fault;
    enum status status = json_to_msgpack(bytes_from_text(json), &packed, &fault);
    if (status != STATUS_ok) {
        buffer_release(&packed);
        error_set(ret_error, (enum skein_status)status, fault.sentence);
        return (enum skein_status)status;
    }
    *ret_document = (struct skein_document){.data = packed.data, .size = packed.size};
    return SKEIN_ok;
}

enum skein_status skein_bytes_to_json(struct skein_bytes bytes, char **ret_json)
{
    struct cursor cursor = cursor_of(bytes_of(bytes.data, bytes.size));
    struct buffer text = {0};
    enum status status = json_from_msgpack(&cursor, &text);
    if (status != STATUS_ok) {
        buffer_release(&text);
        return (enum skein_status)status;
    }
    buffer_append_u8(&text, 0);
    *ret_json = (char *)text.data;
    return SKEIN_ok;
}

/*
 * Transactions.
 */

struct skein_transaction *skein_transaction_new(void)
{
    struct skein_transaction *transaction = calloc(1, sizeof *transaction);
    ASSERT(transaction != NULL);
    return transaction;
}

void skein_transaction_destroy(struct skein_transaction **take_transaction)
{
    if (*take_transaction != NULL) {
        buffer_release(&(*take_transaction)->operations);
        free(*take_transaction);
    }
    *take_transaction = NULL;
}

void skein_transaction_clear(struct skein_transaction *transaction)
{
    buffer_clear(&transaction->operations);
    transaction->count = 0;
    transaction->clears++;
    transaction->fault = (struct skein_error){0};
}

// Keeps the first mistake.
static void keep_fault(struct skein_transaction *transaction, enum skein_status status,
                       const char *sentence)
{
    if (transaction->fault.status == SKEIN_ok) {
        error_set(&transaction->fault, status, sentence);
        transaction->fault.operation = transaction->count + 1;
    }
}

void transaction_add(struct skein_transaction *transaction, struct operation *operation,
                     const char *collection, const struct skein_id *id)
{
    operation->collection = bytes_from_text(collection == NULL ? "" : collection);
    if (!collection_name_is_valid(operation->collection)) {
        keep_fault(transaction, SKEIN_bad_request,
                   "the name of a collection has 1 to 128 bytes of UTF-8 and no $ in front");
    }
    if (id != NULL) {
        operation->has_id = true;
        operation->id = id_inside(id);
    }
    size_t size = operation->id.text.size;
    if (operation->has_id && operation->id.is_text && (size == 0 || size > DOCUMENT_ID_SIZE_MAX)) {
        keep_fault(transaction, SKEIN_bad_request, "a text id has 1 to 256 bytes");
    }
    size_t more = operation->document.size + operation->patch.size + operation->where.size;
    if (transaction->operations.size + more > TRANSACTION_SIZE_MAX) {
        keep_fault(transaction, SKEIN_too_large, "a transaction has at most 4 MiB");
    }
    if (transaction->fault.status == SKEIN_ok) {
        operation_pack(operation, &transaction->operations);
        transaction->count++;
    }
}

void skein_transaction_get(struct skein_transaction *transaction, const struct skein_key *key)
{
    struct operation operation = {.kind = OPERATION_get};
    transaction_add(transaction, &operation, key->collection, &key->id);
}

struct bytes transaction_take_map(struct skein_transaction *transaction, struct skein_bytes map,
                                  const char *sentence)
{
    struct bytes bytes = bytes_of(map.data, map.size);
    struct cursor cursor = cursor_of(bytes);
    enum value_kind kind = VALUE_NIL;
    bool is_map = cursor_peek(&cursor, &kind) == STATUS_ok && kind == VALUE_MAP;
    if (!is_map || cursor_skip(&cursor, NULL) != STATUS_ok || !cursor_at_end(&cursor)) {
        keep_fault(transaction, SKEIN_type, sentence);
    }
    return bytes;
}

static struct bytes take_document(struct skein_transaction *transaction,
                                  struct skein_bytes document)
{
    return transaction_take_map(transaction, document, "a document must be one msgpack map");
}

struct bytes transaction_take_where(struct skein_transaction *transaction, struct skein_bytes where)
{
    return where.size == 0
               ? bytes_of(NULL, 0)
               : transaction_take_map(transaction, where, "a condition must be one msgpack map");
}

void skein_transaction_put(struct skein_transaction *transaction, const struct skein_key *key,
                           struct skein_bytes document)
{
    struct operation operation = {.kind = OPERATION_put,
                                  .document = take_document(transaction, document)};
    transaction_add(transaction, &operation, key->collection, &key->id);
}

void skein_transaction_insert(struct skein_transaction *transaction, const char *collection,
                              const struct skein_id *id, struct skein_bytes document)
{
    struct operation operation = {.kind = OPERATION_insert,
                                  .document = take_document(transaction, document)};
    transaction_add(transaction, &operation, collection, id);
}

void skein_transaction_delete(struct skein_transaction *transaction, const struct skein_key *key)
{
    struct operation operation = {.kind = OPERATION_delete};
    transaction_add(transaction, &operation, key->collection, &key->id);
}

void skein_transaction_check(struct skein_transaction *transaction, const struct skein_key *key,
                             uint64_t document_version)
{
    struct operation operation = {.kind = OPERATION_check,
                                  .absent = document_version == 0,
                                  .has_document_version = document_version != 0,
                                  .document_version = document_version};
    transaction_add(transaction, &operation, key->collection, &key->id);
}

void skein_transaction_update(struct skein_transaction *transaction, const struct skein_key *key,
                              struct skein_bytes patch, const struct skein_condition *condition)
{
    struct operation operation = {
        .kind = OPERATION_update,
        .patch = transaction_take_map(transaction, patch, "a patch must be one msgpack map")};
    if (condition != NULL) {
        operation.where = transaction_take_where(transaction, condition->where);
        operation.upsert = condition->upsert;
    }
    transaction_add(transaction, &operation, key->collection, &key->id);
}

static struct bytes text_inside(const char *text)
{
    return bytes_from_text(text == NULL ? "" : text);
}

void transaction_add_find(struct skein_transaction *transaction, const struct skein_find *find)
{
    struct operation operation = {.kind = OPERATION_find,
                                  .where = transaction_take_where(transaction, find->where),
                                  .order = text_inside(find->order),
                                  .index = text_inside(find->index),
                                  .limit = find->limit,
                                  .cursor = text_inside(find->cursor)};
    transaction_add(transaction, &operation, find->collection, NULL);
}

void skein_transaction_find(struct skein_transaction *transaction, const struct skein_find *find)
{
    if (find->cursor != NULL) {
        keep_fault(transaction, SKEIN_bad_request, "a find of a transaction takes no cursor");
    }
    transaction_add_find(transaction, find);
}

void skein_transaction_json(struct skein_transaction *transaction, const char *json)
{
    AUTO(buffer_release) struct buffer packed = {0};
    struct json_fault fault;
    enum status status = json_to_msgpack(bytes_from_text(json), &packed, &fault);
    if (status != STATUS_ok) {
        keep_fault(transaction, (enum skein_status)status, fault.sentence);
    } else if (transaction->operations.size + packed.size > TRANSACTION_SIZE_MAX) {
        keep_fault(transaction, SKEIN_too_large, "a transaction has at most 4 MiB");
    } else if (transaction->fault.status == SKEIN_ok) {
        buffer_append(&transaction->operations, buffer_bytes(&packed));
        transaction->count++;
    }
}

enum skein_status transaction_pack(const struct skein_transaction *transaction, struct buffer *out,
                                   struct skein_error *ret_error)
{
    if (transaction->fault.status != SKEIN_ok) {
        *ret_error = transaction->fault;
        return transaction->fault.status;
    }
    if (transaction->count == 0) {
        error_set(ret_error, SKEIN_bad_request, "a transaction needs an operation");
        return SKEIN_bad_request;
    }
    pack_array(out, transaction->count);
    buffer_append(out, buffer_bytes(&transaction->operations));
    return SKEIN_ok;
}

/*
 * Results.
 */

void skein_results_release(struct skein_results *results)
{
    free(results->data);
    *results = (struct skein_results){0};
}

// Finds the map of one operation.
static enum status find_result(struct skein_bytes results, uint32_t operation,
                               struct cursor *ret_cursor)
{
    struct cursor cursor = cursor_of(bytes_of(results.data, results.size));
    uint32_t count;
    TRY(cursor_array(&cursor, &count));
    if (operation >= count) {
        return STATUS_bad_request;
    }
    for (uint32_t i = 0; i < operation; i++) {
        TRY(cursor_skip(&cursor, NULL));
    }
    *ret_cursor = cursor;
    return STATUS_ok;
}

// Reads the fields of a get; ret_document->data borrows from the cursor. Fields that are null, as
// they are for a document that is absent, stay zero.
static enum status read_get(struct cursor *cursor, struct bytes *ret_document,
                            uint64_t *ret_version, uint64_t *ret_time_us)
{
    uint32_t pairs;
    bool has_document = false;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        struct bytes raw;
        TRY(cursor_text(cursor, &name));
        TRY(cursor_skip(cursor, &raw));
        struct cursor number = cursor_of(raw);
        enum value_kind kind;
        TRY(cursor_peek(&number, &kind));
        bool is_document = bytes_equal(name, bytes_from_text("document"));
        has_document = has_document || is_document;
        if (kind == VALUE_NIL) {
            continue;
        }
        if (is_document) {
            *ret_document = raw;
        } else if (bytes_equal(name, bytes_from_text("document_version"))) {
            TRY(cursor_u64(&number, ret_version));
        } else if (bytes_equal(name, bytes_from_text("time"))) {
            TRY(cursor_u64(&number, ret_time_us));
        }
    }
    return has_document ? STATUS_ok : STATUS_bad_request;
}

enum skein_status skein_results_get(struct skein_bytes results, uint32_t operation,
                                    struct skein_document *ret_document)
{
    struct cursor cursor;
    struct bytes document = {0};
    struct skein_document read = {0};
    if (find_result(results, operation, &cursor) != STATUS_ok ||
        read_get(&cursor, &document, &read.document_version, &read.time_us) != STATUS_ok) {
        return SKEIN_bad_request;
    }
    if (document.size == 0) {
        return SKEIN_absent;
    }
    struct buffer copy = {0};
    buffer_append(&copy, document);
    read.data = copy.data;
    read.size = copy.size;
    *ret_document = read;
    return SKEIN_ok;
}
