/*
 * One document at a time, and whole transactions, whose end is waited for.
 */
#include "client/skein_internal.h"

#include "wire/cursor.h"

#include <stdio.h>

struct document_id id_inside(const struct skein_id *id)
{
    return (struct document_id){.is_text = id->text != NULL,
                                .text = bytes_from_text(id->text == NULL ? "" : id->text),
                                .integer = id->integer};
}

enum skein_status call_take_document(struct skein_call *call, struct bytes results,
                                     struct skein_document *ret_document)
{
    struct skein_bytes outside = {.data = results.data, .size = results.size};
    enum skein_status found = skein_results_get(outside, 0, ret_document);
    if (found == SKEIN_absent) {
        error_set(&call->error, SKEIN_absent, "there is no such document");
    } else if (found != SKEIN_ok) {
        error_set(&call->error, SKEIN_internal, "the answer can't be understood");
    }
    return call->error.status;
}

enum skein_status skein_get(struct skein *skein, struct skein_call *call,
                            const struct skein_key *key, struct skein_document *ret_document)
{
    call_begin(call);
    *ret_document = (struct skein_document){0};
    AUTO(skein_transaction_destroy) struct skein_transaction *get = skein_transaction_new();
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer results = {0};
    skein_transaction_get(get, key);
    if (transaction_pack(get, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_read ask = call_read(skein, call, buffer_bytes(&operations));
    if (call_run_read(skein, call, &ask, &results) != SKEIN_ok) {
        return call->error.status;
    }
    return call_take_document(call, buffer_bytes(&results), ret_document);
}

enum skein_status skein_commit(struct skein *skein, struct skein_call *call,
                               const struct skein_transaction *transaction,
                               struct skein_results *ret_results)
{
    struct buffer results = {0};
    enum skein_status status = call_run_transaction(skein, call, transaction, &results);
    if (ret_results != NULL) {
        *ret_results = (struct skein_results){.data = results.data, .size = results.size};
    } else {
        buffer_release(&results);
    }
    return status;
}

enum skein_status skein_put(struct skein *skein, struct skein_call *call,
                            const struct skein_key *key, struct skein_bytes document)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_put(transaction, key, document);
    return skein_commit(skein, call, transaction, NULL);
}

// Copies the id in the result of an insert, if it is a text.
static enum status read_inserted_id(struct bytes results, char ret_id[SKEIN_ID_SIZE_MAX + 1])
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    struct bytes name;
    struct bytes id;
    TRY(cursor_array(&cursor, &count));
    TRY(cursor_map(&cursor, &count));
    TRY(cursor_text(&cursor, &name));
    TRY(cursor_text(&cursor, &id));
    snprintf(ret_id, SKEIN_ID_SIZE_MAX + 1, "%.*s", (int)id.size, (const char *)id.data);
    return STATUS_ok;
}

enum skein_status skein_insert(struct skein *skein, struct skein_call *call, const char *collection,
                               const struct skein_id *id, struct skein_bytes document)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_insert(transaction, collection, id, document);
    AUTO(buffer_release) struct buffer results = {0};
    bool is_done = call_run_transaction(skein, call, transaction, &results) == SKEIN_ok;
    if (is_done && read_inserted_id(buffer_bytes(&results), call->id) != STATUS_ok) {
        call->id[0] = '\0'; // an integer
    }
    return call->error.status;
}

enum skein_status skein_update(struct skein *skein, struct skein_call *call,
                               const struct skein_key *key, struct skein_bytes patch,
                               const struct skein_condition *condition)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_update(transaction, key, patch, condition);
    return skein_commit(skein, call, transaction, NULL);
}

enum skein_status skein_delete(struct skein *skein, struct skein_call *call,
                               const struct skein_key *key)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_delete(transaction, key);
    return skein_commit(skein, call, transaction, NULL);
}

enum skein_status skein_status_of(struct skein *skein, struct skein_call *call, const char *session,
                                  uint64_t sequence)
{
    call_begin(call);
    struct client_status ask = {.session = bytes_from_text(session),
                                .sequence = sequence,
                                .timeout_ms = call_timeout_ms(skein, call)};
    return call_run_status(skein, call, &ask);
}
