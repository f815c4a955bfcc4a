/*
 * Building transactions and reading results with libskein's public interface.
 */
#include "client/skein_internal.h"
#include "wire/document/operation.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct skein_key KEY = {.collection = "birds", .id = {.text = "greylag"}};

static struct skein_bytes map(void)
{
    return (struct skein_bytes){.data = "\x81\xa1"
                                        "a\x01",
                                .size = 4};
}

// Packs the transaction and destroys it.
static enum skein_status pack(struct skein_transaction *transaction, struct buffer *out,
                              struct skein_error *ret_error)
{
    enum skein_status status = transaction_pack(transaction, out, ret_error);
    skein_transaction_destroy(&transaction);
    return status;
}

static void check_mistake(struct skein_transaction *transaction, enum skein_status expected,
                          uint32_t operation)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct skein_error error = {0};
    cr_assert_eq(pack(transaction, &out, &error), expected);
    cr_assert_eq(error.status, expected);
    cr_assert_eq(error.operation, operation);
    cr_assert_gt(strlen(error.message), 10);
}

Test(skein_transaction, packs_what_a_writer_takes)
{
    AUTO(buffer_release) struct buffer blob = {0};
    AUTO(buffer_release) struct buffer canonical = {0};
    struct skein_transaction *transaction = skein_transaction_new();
    struct skein_id number = skein_integer_id(-4);
    struct skein_condition condition = {.where = map(), .upsert = true};
    struct skein_find find = {
        .collection = "birds", .where = map(), .order = "-legs", .index = "by_legs", .limit = 5};
    skein_transaction_get(transaction, &KEY);
    skein_transaction_put(transaction, &KEY, map());
    skein_transaction_insert(transaction, "birds", NULL, map());
    skein_transaction_insert(transaction, "birds", &number, map());
    skein_transaction_update(transaction, &KEY, map(), NULL);
    skein_transaction_update(transaction, &KEY, map(), &condition);
    skein_transaction_find(transaction, &find);
    skein_transaction_delete(transaction, &KEY);
    skein_transaction_check(transaction, &KEY, 0);
    skein_transaction_check(transaction, &KEY, 17);
    skein_transaction_json(transaction, "{\"op\": \"count\", \"collection\": \"birds\"}");
    struct skein_error error;
    cr_assert_eq(pack(transaction, &blob, &error), SKEIN_ok);
    struct operation_fault fault;
    cr_assert_eq(operations_canonicalize(buffer_bytes(&blob), &canonical, &fault), STATUS_ok, "%s",
                 fault.sentence);
}

Test(skein_transaction, tells_the_first_mistake_when_it_is_packed)
{
    struct skein_transaction *transaction = skein_transaction_new();
    struct skein_key bad = {.collection = "", .id = skein_text_id("x")};
    skein_transaction_get(transaction, &KEY);
    skein_transaction_get(transaction, &bad);
    skein_transaction_json(transaction, "{");
    check_mistake(transaction, SKEIN_bad_request, 2);
}

Test(skein_transaction, refuses_documents_that_are_no_map)
{
    static const struct skein_bytes BAD[] = {
        {"\x01", 1}, {"\x81\xa1", 2}, {"\x80\x80", 2}, {NULL, 0}};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct skein_transaction *transaction = skein_transaction_new();
        skein_transaction_put(transaction, &KEY, BAD[i]);
        check_mistake(transaction, SKEIN_type, 1);
    }
}

Test(skein_transaction, refuses_patches_and_conditions_that_are_no_map)
{
    struct skein_bytes bad = {"\x80\x80", 2};
    struct skein_condition condition = {.where = bad};
    struct skein_find find = {.collection = "birds", .where = bad};
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_update(transaction, &KEY, bad, NULL);
    check_mistake(transaction, SKEIN_type, 1);
    transaction = skein_transaction_new();
    skein_transaction_update(transaction, &KEY, map(), &condition);
    check_mistake(transaction, SKEIN_type, 1);
    transaction = skein_transaction_new();
    skein_transaction_find(transaction, &find);
    check_mistake(transaction, SKEIN_type, 1);
}

Test(skein_transaction, has_no_pages)
{
    struct skein_find find = {.collection = "birds", .cursor = "abc"};
    struct skein_transaction *transaction = skein_transaction_new();
    skein_transaction_find(transaction, &find);
    check_mistake(transaction, SKEIN_bad_request, 1);
}

Test(skein_transaction, refuses_ids_and_json_that_are_none)
{
    struct skein_transaction *transaction = skein_transaction_new();
    struct skein_key empty = {.collection = "birds", .id = skein_text_id("")};
    skein_transaction_delete(transaction, &empty);
    check_mistake(transaction, SKEIN_bad_request, 1);
    transaction = skein_transaction_new();
    skein_transaction_json(transaction, "{\"op\": ");
    check_mistake(transaction, SKEIN_bad_request, 1);
    check_mistake(skein_transaction_new(), SKEIN_bad_request, 0);
}

Test(skein_transaction, can_be_cleared_and_used_again)
{
    struct skein_transaction *transaction = skein_transaction_new();
    struct skein_error error;
    AUTO(buffer_release) struct buffer out = {0};
    skein_transaction_json(transaction, "nonsense");
    skein_transaction_clear(transaction);
    skein_transaction_get(transaction, &KEY);
    cr_assert_eq(pack(transaction, &out, &error), SKEIN_ok);
}

Test(skein_transaction, makes_documents_of_json_and_back)
{
    struct skein_document document;
    struct skein_error error;
    char *json;
    cr_assert_eq(skein_document_from_json("{\"a\": [1, \"x\", null]}", &document, &error),
                 SKEIN_ok);
    cr_assert_eq(skein_bytes_to_json(skein_document_bytes(&document), &json), SKEIN_ok);
    cr_assert_str_eq(json, "{\"a\":[1,\"x\",null]}");
    free(json);
    skein_document_release(&document);
    cr_assert_eq(skein_document_from_json("{", &document, &error), SKEIN_bad_request);
    cr_assert_gt(strlen(error.message), 10);
    cr_assert_eq(skein_document_from_json("{", &document, NULL), SKEIN_bad_request);
}

// Results that a cluster could have sent, from JSON.
static struct skein_document results_of(const char *json)
{
    struct skein_document results;
    cr_assert_eq(skein_document_from_json(json, &results, NULL), SKEIN_ok);
    return results;
}

Test(skein_transaction, reads_the_documents_that_were_got)
{
    struct skein_document results = results_of(
        "[{}, {\"document\": {\"a\": 1}, \"document_version\": 7, \"time\": 9}, "
        "{\"document\": null, \"document_version\": null, \"time\": null}]");
    struct skein_bytes bytes = skein_document_bytes(&results);
    struct skein_document document;
    cr_assert_eq(skein_results_get(bytes, 1, &document), SKEIN_ok);
    cr_assert_eq(document.document_version, 7);
    cr_assert_eq(document.time_us, 9);
    cr_assert_eq(document.size, map().size);
    cr_assert_eq(memcmp(document.data, map().data, map().size), 0);
    skein_document_release(&document);
    cr_assert_eq(skein_results_get(bytes, 2, &document), SKEIN_absent);
    cr_assert_eq(skein_results_get(bytes, 0, &document), SKEIN_bad_request);
    cr_assert_eq(skein_results_get(bytes, 3, &document), SKEIN_bad_request);
    bytes.size -= 3;
    cr_assert_eq(skein_results_get(bytes, 2, &document), SKEIN_bad_request);
    skein_document_release(&results);
}
