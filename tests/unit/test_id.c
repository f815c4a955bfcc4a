/*
 * Ids in their four forms, and names of collections.
 */
#include "wire/document/id.h"

#include "base/limits.h"
#include "tests/unit/fixture_value.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

static enum status take(struct bytes bytes, struct document_id *ret_id)
{
    struct cursor cursor = cursor_of(bytes);
    enum status status = document_id_take(&cursor, ret_id);
    cr_assert_eq(cursor.next == bytes.data, status != STATUS_ok);
    return status;
}

static bool text_is_id(struct bytes text)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct document_id id;
    pack_text(&out, text);
    return take(buffer_bytes(&out), &id) == STATUS_ok;
}

static void check_integer_text(const char *text, int64_t expected)
{
    struct document_id id;
    AUTO(buffer_release) struct buffer out = {0};
    cr_assert_eq(document_id_from_text(bytes_from_text(text), &id), STATUS_ok);
    cr_assert_not(id.is_text);
    cr_assert_eq(id.integer, expected);
    document_id_print(&id, &out);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text(text)));
}

static void check_plain_text(const char *text)
{
    struct document_id id;
    cr_assert_eq(document_id_from_text(bytes_from_text(text), &id), STATUS_ok);
    cr_assert(id.is_text);
    cr_assert(bytes_equal(id.text, bytes_from_text(text)));
}

// A random id; its text lies in `text`.
static struct document_id random_id(struct random *random, struct buffer *text)
{
    if (random_chance(random, 500000)) {
        return (struct document_id){.integer = (int64_t)natural_random(random)};
    }
    buffer_clear(text);
    buffer_append_u8(text, 'x');
    text_append_random(random, 10, text);
    return (struct document_id){.is_text = true, .text = buffer_bytes(text)};
}

Test(id, texts_have_bounds_and_no_nul)
{
    char text[DOCUMENT_ID_SIZE_MAX + 1];
    memset(text, 'x', sizeof text);
    cr_assert(text_is_id(bytes_of(text, DOCUMENT_ID_SIZE_MAX)));
    cr_assert_not(text_is_id(bytes_of(text, sizeof text)));
    cr_assert_not(text_is_id(bytes_of(text, 0)));
    cr_assert_not(text_is_id(bytes_of("a\0b", 3)));
    cr_assert_not(text_is_id(bytes_of("\xff", 1)));
}

Test(id, integers_are_signed_64_bits)
{
    struct document_id id;
    cr_assert_eq(take(bytes_of("\xd3\x80\0\0\0\0\0\0\0", 9), &id), STATUS_ok);
    cr_assert_eq(id.integer, INT64_MIN);
    cr_assert_eq(take(bytes_of("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9), &id), STATUS_ok);
    cr_assert_eq(id.integer, INT64_MAX);
    cr_assert_eq(take(bytes_of("\xcf\x80\0\0\0\0\0\0\0", 9), &id), STATUS_bad_request);
}

Test(id, other_types_are_refused)
{
    struct document_id id;
    cr_assert_eq(take(bytes_of("\xc0", 1), &id), STATUS_bad_request);
    cr_assert_eq(take(bytes_of("\xc3", 1), &id), STATUS_bad_request);
    cr_assert_eq(take(bytes_of("\xcb\x3f\xf0\0\0\0\0\0\0", 9), &id), STATUS_bad_request);
    cr_assert_eq(take(bytes_of("\xc4\x01x", 3), &id), STATUS_bad_request);
}

Test(id, survives_msgpack_and_keys)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 100000; i++) {
        AUTO(buffer_release) struct buffer packed = {0};
        AUTO(buffer_release) struct buffer key = {0};
        AUTO(buffer_release) struct buffer again = {0};
        struct document_id before = random_id(&random, &text);
        struct document_id after;
        document_id_pack(&before, &packed);
        cr_assert_eq(take(buffer_bytes(&packed), &after), STATUS_ok);
        cr_assert(document_id_equal(&before, &after));
        document_id_append_key(&before, &key);
        struct bytes rest = buffer_bytes(&key);
        cr_assert_eq(document_id_take_key(&rest, &again), STATUS_ok);
        cr_assert_eq(rest.size, 0);
        cr_assert(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
    }
}

Test(id, key_of_something_else_is_refused)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct bytes rest = bytes_of("\x10", 1);
    cr_assert_eq(document_id_take_key(&rest, &out), STATUS_bad_request);
    cr_assert_eq(rest.size, 1);
    cr_assert_eq(out.size, 0);
}

Test(id, on_the_command_line_is_a_text_unless_marked)
{
    check_integer_text("i:42", 42);
    check_integer_text("i:-9223372036854775808", INT64_MIN);
    check_integer_text("i:9223372036854775807", INT64_MAX);
    check_plain_text("42");
    check_plain_text("i:");
    check_plain_text("i:-");
    check_plain_text("i:4x");
    check_plain_text("order/i:5");
}

Test(id, on_the_command_line_has_the_same_bounds)
{
    struct document_id id;
    static const char *const texts[] = {"i:9223372036854775808", "i:-9223372036854775809", "",
                                        "i:99999999999999999999", "\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert_eq(document_id_from_text(bytes_from_text(texts[i]), &id), STATUS_bad_request,
                     "%s", texts[i]);
    }
}

Test(id, a_text_never_equals_an_integer)
{
    struct document_id text = {.is_text = true, .text = bytes_of(NULL, 0)};
    struct document_id integer = {.integer = 0};
    cr_assert_not(document_id_equal(&text, &integer));
    cr_assert(document_id_equal(&integer, &integer));
}

Test(id, names_of_collections_have_rules)
{
    char name[COLLECTION_NAME_SIZE_MAX + 1];
    memset(name, 'x', sizeof name);
    cr_assert(collection_name_is_valid(bytes_of(name, COLLECTION_NAME_SIZE_MAX)));
    cr_assert(collection_name_is_valid(bytes_from_text("Bücher 2/a$")));
    cr_assert_not(collection_name_is_valid(bytes_of(name, sizeof name)));
    cr_assert_not(collection_name_is_valid(bytes_of(NULL, 0)));
    cr_assert_not(collection_name_is_valid(bytes_from_text("$sessions")));
    cr_assert_not(collection_name_is_valid(bytes_of("a\0", 2)));
    cr_assert_not(collection_name_is_valid(bytes_of("\xc3", 1)));
}
