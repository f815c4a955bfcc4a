/*
 * Cursors of finds: what is made can be taken apart, and nothing else.
 */
#include "wire/document/find_cursor.h"

#include "base/random.h"

#include <criterion/criterion.h>

static void encode(uint64_t version, struct bytes position, struct buffer *text)
{
    struct find_cursor cursor = {.version = version, .query = 77, .position = position};
    find_cursor_encode(&cursor, text);
}

Test(find_cursor, comes_back_as_it_was_made)
{
    struct random random;
    random_init(&random, 3);
    for (size_t size = 0; size < 300; size++) {
        AUTO(buffer_release) struct buffer text = {0};
        AUTO(buffer_release) struct buffer bytes = {0};
        uint8_t position[300];
        for (size_t i = 0; i < size; i++) {
            position[i] = (uint8_t)random_next(&random);
        }
        uint64_t version = random_next(&random);
        encode(version, bytes_of(position, size), &text);
        struct find_cursor cursor;
        cr_assert_eq(find_cursor_decode(buffer_bytes(&text), &bytes, &cursor), STATUS_ok);
        cr_assert_eq(cursor.version, version);
        cr_assert_eq(cursor.query, 77);
        cr_assert(bytes_equal(cursor.position, bytes_of(position, size)));
    }
}

Test(find_cursor, is_a_text_that_needs_no_escapes_in_a_url)
{
    AUTO(buffer_release) struct buffer text = {0};
    encode(UINT64_MAX, bytes_from_text("\xff\xfe\xfb position"), &text);
    for (size_t i = 0; i < text.size; i++) {
        char byte = (char)text.data[i];
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_';
        cr_assert(is_plain, "%c", byte);
    }
}

Test(find_cursor, is_refused_with_any_byte_changed_or_cut_off)
{
    AUTO(buffer_release) struct buffer text = {0};
    AUTO(buffer_release) struct buffer bytes = {0};
    struct find_cursor cursor;
    encode(5, bytes_from_text("abc"), &text);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t kept = text.data[i];
        text.data[i] = kept == 'A' ? 'B' : 'A';
        cr_assert_eq(find_cursor_decode(buffer_bytes(&text), &bytes, &cursor), STATUS_bad_request);
        text.data[i] = kept;
        struct bytes shorter = bytes_of(text.data, i);
        cr_assert_eq(find_cursor_decode(shorter, &bytes, &cursor), STATUS_bad_request);
    }
    cr_assert_eq(find_cursor_decode(buffer_bytes(&text), &bytes, &cursor), STATUS_ok);
}

Test(find_cursor, is_refused_when_it_is_none)
{
    static const char *const TEXTS[] = {"", "A", "x y", "AQ==", "a+b/", "\xff\xff\xff\xff"};
    AUTO(buffer_release) struct buffer bytes = {0};
    struct find_cursor cursor;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        cr_assert_eq(find_cursor_decode(bytes_from_text(TEXTS[i]), &bytes, &cursor),
                     STATUS_bad_request);
    }
}

Test(find_cursor, belongs_to_one_query_whatever_its_limit)
{
    struct operation find = {.kind = OPERATION_find,
                             .collection = bytes_from_text("birds"),
                             .order = bytes_from_text("legs")};
    uint64_t query = find_cursor_query(&find);
    find.limit = 7;
    cr_assert_eq(find_cursor_query(&find), query);
    find.order = bytes_from_text("-legs");
    cr_assert_neq(find_cursor_query(&find), query);
    find.order = bytes_of(NULL, 0);
    find.index = bytes_from_text("legs");
    cr_assert_neq(find_cursor_query(&find), query);
    find.index = bytes_of(NULL, 0);
    find.collection = bytes_from_text("birdslegs");
    cr_assert_neq(find_cursor_query(&find), query);
}
