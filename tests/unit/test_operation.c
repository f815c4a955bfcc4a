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

Test(operation, parses_what_makes_and_drops)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation create = parse(
        "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":{\"ttl\":5}}]", &blob);
    cr_assert_eq(create.kind, OPERATION_create_collection);
    cr_assert(is_json(create.settings, "{\"ttl\":5}"));
    create = parse("[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":"
                   "[\"a\",\"b.c\"],\"unique\":true}]",
                   &blob);
    cr_assert_eq(create.kind, OPERATION_create_index);
    cr_assert(create.unique && bytes_equal(create.index, bytes_from_text("i")));
    cr_assert(is_json(create.fields, "[\"a\",\"b.c\"]"));
    struct operation drop = parse("[{\"op\":\"drop_collection\",\"collection\":\"c\"}]", &blob);
    cr_assert_eq(drop.kind, OPERATION_drop_collection);
    drop = parse("[{\"op\":\"drop_index\",\"collection\":\"c\",\"index\":\"i\"}]", &blob);
    cr_assert_eq(drop.kind, OPERATION_drop_index);
}

Test(operation, parses_what_only_reads_have)
{
    AUTO(buffer_release) struct buffer blob = {0};
    struct operation find = parse("[{\"op\":\"find\",\"collection\":\"c\",\"cursor\":\"xyz\","
                                  "\"explain\":true}]",
                                  &blob);
    cr_assert(find.explain && bytes_equal(find.cursor, bytes_from_text("xyz")));
    struct operation history = parse("[{\"op\":\"history\",\"collection\":\"c\",\"id\":1}]", &blob);
    cr_assert_eq(history.kind, OPERATION_history);
    struct operation collections = parse("[{\"op\":\"collections\"}]", &blob);
    cr_assert_eq(collections.kind, OPERATION_collections);
    cr_assert_eq(collections.collection.size, 0);
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

Test(operation, names_and_paths_are_checked)
{
    char json[256];
    char name[INDEX_NAME_SIZE_MAX + 2];
    memset(name, 'i', sizeof name);
    name[sizeof name - 1] = 0;
    snprintf(json, sizeof json, "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"%s\"}]", name);
    check_json_refused(json, "\"index\"");
    AUTO(buffer_release) struct buffer blob = {0};
    snprintf(json, sizeof json, "[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"%s\"}]",
             name + 1);
    cr_assert_eq(parse(json, &blob).index.size, INDEX_NAME_SIZE_MAX);
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"\"}]", "\"index\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"index\":\"a\\u0000b\"}]",
                       "\"index\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"a..b\"}]", "\"order\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"-\"}]", "\"order\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"$a\"}]", "\"order\"");
    check_json_refused("[{\"op\":\"find\",\"collection\":\"c\",\"cursor\":\"\"}]", "\"cursor\"");
    cr_assert_gt(
        parse("[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"-$id\"}]", &blob).order.size, 0);
}

Test(operation, fields_of_an_index_are_one_to_eight_different_paths)
{
    static const char *const GOOD[] = {"[\"a\"]",
                                       "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]"};
    static const char *const BAD[] = {
        "[]",         "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]",
        "\"a\"",      "[\"a\",\"b\",\"a\"]",
        "[\"a..b\"]", "[1]"};
    char json[256];
    AUTO(buffer_release) struct buffer blob = {0};
    for (size_t i = 0; i < 2; i++) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":%s}]",
                 GOOD[i]);
        cr_assert(is_json(parse(json, &blob).fields, GOOD[i]));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        snprintf(json, sizeof json,
                 "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":%s}]",
                 BAD[i]);
        check_json_refused(json, "\"fields\"");
    }
}

Test(operation, page_has_a_limit)
{
    AUTO(buffer_release) struct buffer blob = {0};
    cr_assert_eq(parse("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":1000}]", &blob).limit,
                 PAGE_ROWS_MAX);
    buffer_clear(&blob);
    pack_json("[{\"op\":\"find\",\"collection\":\"c\",\"limit\":1001}]", &blob);
    check_refused(buffer_bytes(&blob), STATUS_too_large, 1, "\"limit\" of 1001");
}

Test(operation, schema_changes_come_alone)
{
    AUTO(buffer_release) struct buffer blob = {0};
    pack_json("[{\"op\":\"count\",\"collection\":\"c\"},"
              "{\"op\":\"drop_collection\",\"collection\":\"c\"}]",
              &blob);
    check_refused(buffer_bytes(&blob), STATUS_bad_request, 2,
                  "(drop_collection) that must be alone");
}

// Parsed, but refused for what it means when it is made canonical.
static void check_meaningless(const char *json, enum status expected, const char *about)
{
    AUTO(buffer_release) struct buffer blob = {0};
    AUTO(buffer_release) struct buffer out = {0};
    struct operation_fault fault;
    pack_json(json, &blob);
    cr_assert_eq(walk(buffer_bytes(&blob), &fault), STATUS_ok);
    cr_assert_eq(operations_canonicalize(buffer_bytes(&blob), &out, &fault), expected);
    check_good_sentence(&fault, about);
    cr_assert_eq(out.size, 0);
}

Test(operation, conditions_patches_and_settings_are_checked_by_canonicalizing)
{
    check_meaningless("[{\"op\":\"find\",\"collection\":\"c\",\"where\":{\"a\":{\"$foo\":1}}}]",
                      STATUS_bad_request, "operation 0 has a field \"where\" that has the unknown");
    check_meaningless("[{\"op\":\"unchanged\",\"collection\":\"c\",\"digest\":1,\"find\":"
                      "{\"where\":{\"$or\":[]}}}]",
                      STATUS_bad_request, "\"where\"");
    check_meaningless("[{\"op\":\"update\",\"collection\":\"c\",\"id\":1,\"patch\":"
                      "{\"a\":{\"$foo\":1}}}]",
                      STATUS_bad_request, "\"patch\" that has the unknown operator");
    check_meaningless("[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":"
                      "{\"tll\":1}}]",
                      STATUS_bad_request, "\"settings\" that has the unknown setting \"tll\"");
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

Test(operation, canonical_form_of_what_makes_and_drops)
{
    check_becomes(
        "[{\"settings\":{\"ttl\":\"a\",\"check\":[{\"b\":1,\"a\":2}]},\"collection\":\"c\","
        "\"op\":\"create_collection\"}]",
        "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":{\"check\":"
        "[{\"a\":2,\"b\":1}],\"ttl\":\"a\"}}]");
    check_becomes("[{\"unique\":true,\"fields\":[\"b\",\"a\"],\"index\":\"i\",\"op\":"
                  "\"create_index\",\"collection\":\"c\"}]",
                  "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":"
                  "[\"b\",\"a\"],\"unique\":true}]");
    check_becomes("[{\"explain\":true,\"cursor\":\"x\",\"limit\":2,\"collection\":\"c\",\"op\":"
                  "\"find\"},{\"op\":\"collections\"},{\"index\":\"i\",\"op\":\"count\","
                  "\"collection\":\"c\"}]",
                  "[{\"op\":\"find\",\"collection\":\"c\",\"limit\":2,\"cursor\":\"x\",\"explain\":"
                  "true},{\"op\":\"collections\"},{\"op\":\"count\",\"collection\":\"c\",\"index\":"
                  "\"i\"}]");
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
        "[{\"op\":\"find\",\"collection\":\"c\",\"order\":\"-a\",\"index\":\"i\",\"limit\":1}]",
        "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"i\",\"fields\":[\"a\"]}]",
        "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":{\"check\":[{\"a\":{"
        "\"$gt\":5}}],\"history\":7,\"ttl\":\"a.b\"}}]",
        "[{\"op\":\"update\",\"collection\":\"c\",\"id\":1,\"patch\":{\"a\":{\"$inc\":2,\"min\":"
        "0}}}]"};
    pack_json(samples[random_below(random, 8)], out);
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
