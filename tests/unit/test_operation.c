/*
 * The parser of operations. Operations are written as JSON here, since that is how people write
 * them; a name in the test data that isn't in the table of the header must be refused.
 */
#include "wire/document/operation.h"

#include "base/utf8.h"
#include "tests/unit/fixture_value.h"
#include "wire/document/document.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void pack_json(const char *json, struct buffer *out)
{
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), out, &fault), STATUS_ok, "%s: %s", json,
                 fault.sentence);
}

// Parses the first of `json`, an array; the operation borrows from `blob`.
static struct operation parse(const char *json, struct buffer *blob)
{
    struct operations operations;
    struct operation operation;
    struct operation_fault fault;
    buffer_clear(blob);
    pack_json(json, blob);
    cr_assert_eq(operations_open(buffer_bytes(blob), &operations, &fault), STATUS_ok);
    cr_assert_eq(operations_next(&operations, &operation, &fault), STATUS_ok, "%s", fault.sentence);
    return operation;
}

// Walks all of a blob; the status is that of the first mistake.
static enum status walk(struct bytes blob, struct operation_fault *ret_fault)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, ret_fault));
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, ret_fault));
    }
    return STATUS_ok;
}

static void check_good_sentence(const struct operation_fault *fault, const char *about)
{
    cr_assert_not_null(strstr(fault->sentence, about), "\"%s\" says nothing about %s",
                       fault->sentence, about);
    cr_assert(utf8_is_valid(bytes_from_text(fault->sentence)));
}

// Refused, by walking and by canonicalizing, with a sentence that holds `about`.
static void check_refused(struct bytes blob, enum status expected, uint32_t number,
                          const char *about)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct operation_fault fault = {.operation = 77};
    cr_assert_eq(walk(blob, &fault), expected, "%s", fault.sentence);
    cr_assert_eq(fault.operation, number, "%s", fault.sentence);
    check_good_sentence(&fault, about);
    cr_assert_eq(operations_canonicalize(blob, &out, &fault), expected);
    cr_assert_eq(out.size, 0);
}

static void check_json_refused(const char *json, const char *about)
{
    AUTO(buffer_release) struct buffer blob = {0};
    pack_json(json, &blob);
    check_refused(buffer_bytes(&blob), STATUS_bad_request, 1, about);
}

// Canonicalizing `json` gives exactly `expected`, written in the canonical order already.
static void check_becomes(const char *json, const char *expected)
{
    AUTO(buffer_release) struct buffer blob = {0};
    AUTO(buffer_release) struct buffer wanted = {0};
    AUTO(buffer_release) struct buffer out = {0};
    struct operation_fault fault;
    pack_json(json, &blob);
    pack_json(expected, &wanted);
    cr_assert_eq(operations_canonicalize(buffer_bytes(&blob), &out, &fault), STATUS_ok, "%s",
                 fault.sentence);
    cr_assert(bytes_equal(buffer_bytes(&out), buffer_bytes(&wanted)), "%s", json);
}

static bool is_json(struct bytes value, const char *json)
{
    AUTO(buffer_release) struct buffer expected = {0};
    pack_json(json, &expected);
    return bytes_equal(value, buffer_bytes(&expected));
}

Test(operation, parses_what_writes)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation put = parse(
        "[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"a\":1}}]", &blob);
    cr_assert_eq(put.kind, OPERATION_put);
    cr_assert(bytes_equal(put.collection, bytes_from_text("c")));
    cr_assert(put.has_id && put.id.is_text && bytes_equal(put.id.text, bytes_from_text("x")));
    cr_assert(is_json(put.document, "{\"a\":1}"));
    struct operation insert = parse("[{\"op\":\"insert\",\"collection\":\"c\",\"document\":{}}]",
                                    &blob);
    cr_assert_eq(insert.kind, OPERATION_insert);
    cr_assert_not(insert.has_id);
    struct operation update = parse("[{\"op\":\"update\",\"collection\":\"c\",\"id\":-5,"
                                    "\"patch\":{\"a\":2},\"where\":{\"b\":3},\"upsert\":true}]",
                                    &blob);
    cr_assert(is_json(update.patch, "{\"a\":2}") && is_json(update.where, "{\"b\":3}"));
    cr_assert(update.upsert && !update.id.is_text && update.id.integer == -5);
}

Test(operation, parses_what_checks)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation check = parse(
        "[{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"document_version\":0}]", &blob);
    cr_assert(check.has_document_version && check.document_version == 0 && !check.absent);
    check = parse("[{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"absent\":true}]", &blob);
    cr_assert(check.absent && !check.has_document_version);
    struct operation ids = parse(
        "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",5],[7,0]]}]", &blob);
    cr_assert(is_json(ids.ids, "[[\"x\",5],[7,0]]") && !ids.has_find);
    struct operation found = parse("[{\"op\":\"unchanged\",\"collection\":\"c\",\"digest\":9,"
                                   "\"find\":{\"where\":{},\"limit\":10}}]",
                                   &blob);
    cr_assert(found.has_find && found.digest == 9 && found.limit == 10);
    cr_assert(is_json(found.where, "{}") && found.ids.size == 0);
}

Test(operation, parses_what_searches)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation find = parse("[{\"limit\":3,\"order\":\"-a.b\",\"index\":\"i\","
                                  "\"where\":{\"a\":1},\"collection\":\"c\",\"op\":\"find\"}]",
                                  &blob);
    cr_assert_eq(find.kind, OPERATION_find);
    cr_assert_eq(find.limit, 3);
    cr_assert(bytes_equal(find.order, bytes_from_text("-a.b")));
    cr_assert(bytes_equal(find.index, bytes_from_text("i")));
    struct operation count = parse("[{\"op\":\"count\",\"collection\":\"c\"}]", &blob);
    cr_assert_eq(count.kind, OPERATION_count);
    cr_assert_eq(count.where.size, 0);
    cr_assert_str_eq(operation_kind_name(count.kind), "count");
}

Test(operation, walks_all_and_stops_at_the_end)
{
    AUTO(buffer_release) struct buffer blob = {0};
    pack_json("[{\"op\":\"get\",\"collection\":\"c\",\"id\":\"x\"},"
              "{\"op\":\"delete\",\"collection\":\"c\",\"id\":\"x\",\"where\":{}}]",
              &blob);
    struct operation_fault fault;
    cr_assert_eq(walk(buffer_bytes(&blob), &fault), STATUS_ok);
    buffer_append_u8(&blob, 0xc0);
    check_refused(buffer_bytes(&blob), STATUS_bad_request, 0, "further bytes");
}

Test(operation, list_has_bounds)
{
    AUTO(buffer_release) struct buffer blob = {0};
    check_refused(bytes_of("\x80", 1), STATUS_bad_request, 0, "array");
    check_refused(bytes_of(NULL, 0), STATUS_bad_request, 0, "array");
    check_refused(bytes_of("\x90", 1), STATUS_bad_request, 0, "empty");
    check_refused(bytes_of("\x91\xc0", 2), STATUS_bad_request, 1, "map");
    pack_array(&blob, TRANSACTION_OPERATIONS_MAX + 1);
    memset(buffer_extend(&blob, TRANSACTION_OPERATIONS_MAX + 1), 0xc0,
           TRANSACTION_OPERATIONS_MAX + 1);
    check_refused(buffer_bytes(&blob), STATUS_too_large, 0, "4097");
    buffer_extend(&blob, TRANSACTION_SIZE_MAX);
    check_refused(buffer_bytes(&blob), STATUS_too_large, 0, "larger");
}

Test(operation, fields_are_needed_known_and_single)
{
    check_json_refused("[{\"collection\":\"c\"}]", "\"op\"");
    check_json_refused("[{\"op\":\"get\",\"id\":1}]", "\"collection\"");
    check_json_refused("[{\"op\":\"get\",\"collection\":\"c\"}]", "\"id\"");
    check_json_refused("[{\"op\":\"put\",\"collection\":\"c\",\"id\":1}]", "\"document\"");
    check_json_refused("[{\"op\":\"update\",\"collection\":\"c\",\"id\":1}]", "\"patch\"");
    check_json_refused("[{\"op\":\"get\",\"collection\":\"c\",\"id\":1,\"where\":{}}]",
                       "\"where\"");
    check_json_refused("[{\"op\":\"get\",\"collection\":\"c\",\"id\":1,\"ttl\":1}]", "\"ttl\"");
    check_json_refused("[{\"op\":\"merge\",\"collection\":\"c\",\"id\":1}]", "\"merge\"");
    check_refused(bytes_of("\x91\x82\xa2op\xa3get\xa2op\xa3get", 16), STATUS_bad_request, 1,
                  "twice");
    check_refused(bytes_of("\x91\x81\x01\x01", 4), STATUS_bad_request, 1, "not a text");
}

Test(operation, choices_are_exact)
{
    check_json_refused("[{\"op\":\"check\",\"collection\":\"c\",\"id\":1}]", "exactly one");
    check_json_refused("[{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"where\":{},"
                       "\"absent\":true}]",
                       "exactly one");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\"}]", "exactly one");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{}}]", "digest");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[],\"digest\":1}]",
                       "digest");
}

Test(operation, values_have_their_types)
{
    check_json_refused("[{\"op\":5,\"collection\":\"c\"}]", "\"op\"");
    check_json_refused("[{\"op\":\"count\",\"collection\":\"$c\"}]", "\"collection\"");
    check_json_refused("[{\"op\":\"get\",\"collection\":\"c\",\"id\":1.5}]", "\"id\"");
    check_json_refused("[{\"op\":\"get\",\"collection\":\"c\",\"id\":\"\"}]", "\"id\"");
    check_json_refused("[{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"absent\":false}]",
                       "\"absent\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":0}]", "\"limit\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":-1}]", "\"limit\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"\"}]", "\"order\"");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[1]]}]", "\"ids\"");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[1]}]", "\"ids\"");
    check_json_refused("[{\"op\":\"unchanged\",\"collection\":\"c\",\"digest\":1,"
                       "\"find\":{\"find\":{}}}]",
                       "\"find\"");
}

Test(operation, documents_that_are_no_maps_are_of_the_wrong_type)
{
    AUTO(buffer_release) struct buffer blob = {0};
    pack_json("[{\"op\":\"count\",\"collection\":\"c\"},"
              "{\"op\":\"put\",\"collection\":\"c\",\"id\":1,\"document\":[]}]",
              &blob);
    check_refused(buffer_bytes(&blob), STATUS_type, 2, "\"document\"");
}

Test(operation, mistakes_in_documents_are_told_by_canonicalizing)
{
    AUTO(buffer_release) struct buffer blob = {0};
    AUTO(buffer_release) struct buffer out = {0};
    struct operation_fault fault;
    pack_array(&blob, 1);
    pack_map(&blob, 4);
    pack_text_literal(&blob, "op");
    pack_text_literal(&blob, "put");
    pack_text_literal(&blob, "collection");
    pack_text_literal(&blob, "c");
    pack_text_literal(&blob, "id");
    pack_u64(&blob, 1);
    pack_text_literal(&blob, "document");
    buffer_append(&blob, bytes_of("\x82\xa1x\x01\xa1x\x02", 7));
    cr_assert_eq(walk(buffer_bytes(&blob), &fault), STATUS_ok);
    cr_assert_eq(operations_canonicalize(buffer_bytes(&blob), &out, &fault), STATUS_bad_request);
    cr_assert_str_eq(fault.sentence, "operation 0 has a field \"document\" that has the same field "
                                     "name twice in one map");
    cr_assert_eq(out.size, 0);
}

Test(operation, canonical_form_orders_fields_and_rewrites_documents)
{
    check_becomes("[{\"document\":{\"b\":{\"d\":1,\"c\":2},\"a\":0},\"id\":\"x\",\"collection\":"
                  "\"c\",\"op\":\"put\"}]",
                  "[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"a\":0,\"b\":"
                  "{\"c\":2,\"d\":1}}}]");
    check_becomes("[{\"op\":\"update\",\"upsert\":true,\"where\":{\"z\":1,\"y\":2},\"patch\":"
                  "{\"b\":1,\"a\":2},\"collection\":\"c\",\"id\":4}]",
                  "[{\"op\":\"update\",\"collection\":\"c\",\"id\":4,\"patch\":{\"a\":2,\"b\":1},"
                  "\"where\":{\"y\":2,\"z\":1},\"upsert\":true}]");
    check_becomes("[{\"op\":\"update\",\"upsert\":false,\"patch\":{},\"collection\":\"c\","
                  "\"id\":4}]",
                  "[{\"op\":\"update\",\"collection\":\"c\",\"id\":4,\"patch\":{}}]");
    check_becomes("[{\"digest\":1,\"find\":{\"limit\":1,\"order\":\"-x\",\"index\":\"i\",\"where\":"
                  "{\"b\":1,\"a\":1}},\"collection\":\"c\",\"op\":\"unchanged\"}]",
                  "[{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{\"where\":{\"a\":1,\"b\":"
                  "1},\"index\":\"i\",\"order\":\"-x\",\"limit\":1},\"digest\":1}]");
    check_becomes("[{\"ids\":[[\"x\",5],[7,0]],\"collection\":\"c\",\"op\":\"unchanged\"},"
                  "{\"op\":\"check\",\"collection\":\"c\",\"document_version\":3,\"id\":1},"
                  "{\"op\":\"check\",\"collection\":\"c\",\"absent\":true,\"id\":1}]",
                  "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",5],[7,0]]},"
                  "{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"document_version\":3},"
                  "{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"absent\":true}]");
}

Test(operation, canonical_form_shortens_numbers)
{
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(buffer_release) struct buffer expected = {0};
    struct operation_fault fault;
    static const char longest[] = "\xdd\0\0\0\x01\xdf\0\0\0\x03\xd9\x02op\xd9\x03get\xd9\x0a"
                                  "collection\xd9\x01"
                                  "c\xd9\x02id\xd3\0\0\0\0\0\0\0\x05";
    struct bytes blob = bytes_of(longest, sizeof longest - 1);
    cr_assert_eq(operations_canonicalize(blob, &out, &fault), STATUS_ok, "%s", fault.sentence);
    pack_json("[{\"op\":\"get\",\"collection\":\"c\",\"id\":5}]", &expected);
    cr_assert(bytes_equal(buffer_bytes(&out), buffer_bytes(&expected)));
}

Test(operation, names_from_the_input_are_quoted_in_part_and_only_if_they_are_text)
{
    AUTO(buffer_release) struct buffer blob = {0};
    char name[2000];
    memset(name, 'x', sizeof name);
    memcpy(name + 63, "ä", 2);
    pack_array(&blob, 1);
    pack_map(&blob, 1);
    pack_text(&blob, bytes_of(name, sizeof name));
    pack_nil(&blob);
    check_refused(buffer_bytes(&blob), STATUS_bad_request, 1, "unknown field \"xxx");
    check_refused(bytes_of("\x91\x81\xa1\xff\x01", 5), STATUS_bad_request, 1, "\"?\"");
}

// A random list of operations, good or not quite.
static void append_random(struct random *random, struct buffer *out)
{
    static const char *const samples[] = {
        "[{\"op\":\"put\",\"collection\":\"c\",\"id\":\"x\",\"document\":{\"b\":1,\"a\":[2.5]}}]",
        "[{\"op\":\"update\",\"collection\":\"c\",\"id\":300,\"patch\":{\"a\":2},\"where\":{\"b\":"
        "3},\"upsert\":true},{\"op\":\"get\",\"collection\":\"c\",\"id\":1}]",
        "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",5],[7,0]]},"
        "{\"op\":\"check\",\"collection\":\"c\",\"id\":1,\"document_version\":7}]",
        "[{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{\"where\":{\"a\":1},\"limit\":9},"
        "\"digest\":77}]",
        "[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"-a\",\"index\":\"i\",\"limit\":1}]"};
    pack_json(samples[random_below(random, 5)], out);
}

Test(operation, canonical_form_is_a_fixed_point_also_of_damaged_lists)
{
    struct random random;
    random_init(&random, 1);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 200000; i++) {
        AUTO(buffer_release) struct buffer blob = {0};
        AUTO(buffer_release) struct buffer once = {0};
        AUTO(buffer_release) struct buffer twice = {0};
        struct operation_fault fault;
        append_random(&random, &blob);
        bytes_damage(&random, &blob);
        if (operations_canonicalize(buffer_bytes(&blob), &once, &fault) != STATUS_ok) {
            cr_assert(utf8_is_valid(bytes_from_text(fault.sentence)));
            continue;
        }
        cr_assert_eq(operations_canonicalize(buffer_bytes(&once), &twice, &fault), STATUS_ok);
        cr_assert(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
        accepted++;
    }
    cr_assert_gt(accepted, 2000);
}
