/*
 * What was read becomes operations that check it: each document once, each find as it was.
 */
#include "client/read_set.h"

#include "base/status.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void add(struct read_set *set, const char *collection, const char *id, uint64_t version)
{
    struct document_id text = {.is_text = true, .text = bytes_from_text(id)};
    read_set_add(set, bytes_from_text(collection), &text, version);
}

// The operations as JSON.
static void expect(const struct read_set *set, uint32_t count, const char *json)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer text = {0};
    cr_assert_eq(read_set_pack(set, &packed), count);
    pack_array(&operations, count);
    buffer_append(&operations, buffer_bytes(&packed));
    struct cursor cursor = cursor_of(buffer_bytes(&operations));
    cr_assert_eq(json_from_msgpack(&cursor, &text), STATUS_ok);
    buffer_append_u8(&text, 0);
    cr_assert_str_eq((const char *)text.data, json);
}

Test(read_set, checks_nothing_when_nothing_was_read)
{
    AUTO(read_set_release) struct read_set set = {0};
    expect(&set, 0, "[]");
}

Test(read_set, checks_the_documents_of_a_collection_together)
{
    AUTO(read_set_release) struct read_set set = {0};
    add(&set, "c", "x", 5);
    add(&set, "d", "x", 6);
    add(&set, "c", "y", 0);
    expect(&set, 2,
           "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",5],[\"y\",0]]},"
           "{\"op\":\"unchanged\",\"collection\":\"d\",\"ids\":[[\"x\",6]]}]");
}

Test(read_set, checks_a_document_once_however_often_it_was_read)
{
    AUTO(read_set_release) struct read_set set = {0};
    add(&set, "c", "x", 5);
    add(&set, "c", "x", 5);
    expect(&set, 1, "[{\"op\":\"unchanged\",\"collection\":\"c\",\"ids\":[[\"x\",5]]}]");
}

Test(read_set, checks_a_find_as_it_was_asked)
{
    AUTO(read_set_release) struct read_set set = {0};
    struct operation find = {.kind = OPERATION_find,
                             .collection = bytes_from_text("c"),
                             .where = bytes_from_text("\x81\xa1"
                                                      "a\x01"),
                             .order = bytes_from_text("-a"),
                             .index = bytes_from_text("by_a"),
                             .limit = 7};
    read_set_add_find(&set, &find, 99);
    read_set_add_find(&set, &find, 99);
    static const char one[] =
        "{\"op\":\"unchanged\",\"collection\":\"c\",\"find\":{\"where\":{\"a\":1},"
        "\"index\":\"by_a\",\"order\":\"-a\",\"limit\":7},\"digest\":99}";
    char both[2 * sizeof one + 4];
    snprintf(both, sizeof both, "[%s,%s]", one, one);
    expect(&set, 2, both);
}

Test(read_set, makes_operations_that_can_be_read)
{
    AUTO(read_set_release) struct read_set set = {0};
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer canonical = {0};
    struct operation find = {
        .kind = OPERATION_find, .collection = bytes_from_text("c"), .limit = 1000};
    struct document_id number = {.integer = -3};
    read_set_add(&set, bytes_from_text("c"), &number, UINT64_MAX);
    read_set_add_find(&set, &find, UINT64_MAX);
    pack_array(&packed, 2);
    cr_assert_eq(read_set_pack(&set, &packed), 2);
    struct operation_fault fault;
    cr_assert_eq(operations_canonicalize(buffer_bytes(&packed), &canonical, &fault), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&packed), buffer_bytes(&canonical)));
}
