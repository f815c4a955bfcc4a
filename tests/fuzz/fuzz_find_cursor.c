/*
 * Cursors of finds: a text is taken apart only if it is what a cursor is written as. The sum of a
 * cursor keeps chance out, so inputs are also made into texts here, with a sum that is right.
 */
#include "tests/fuzz/fuzz.h"

#include "base/base64.h"
#include "wire/document/find_cursor.h"

static bool check_text(struct bytes text)
{
    AUTO(buffer_release) struct buffer bytes = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct find_cursor cursor;
    if (find_cursor_decode(text, &bytes, &cursor) != STATUS_ok) {
        return false;
    }
    find_cursor_encode(&cursor, &again);
    ASSERT(bytes_equal(text, buffer_bytes(&again)));
    return true;
}

static void check_cursor(struct bytes input)
{
    AUTO(buffer_release) struct buffer text = {0};
    AUTO(buffer_release) struct buffer bytes = {0};
    struct find_cursor decoded;
    struct find_cursor cursor = {.version = fuzz_take_u64(&input), .query = fuzz_take_u64(&input)};
    size_t damaged = fuzz_take_u16(&input);
    uint8_t change = fuzz_take_u8(&input);
    cursor.position = input;
    find_cursor_encode(&cursor, &text);
    if (text.size > FIND_CURSOR_TEXT_MAX) {
        ASSERT(!check_text(buffer_bytes(&text)));
        return;
    }
    ASSERT(find_cursor_decode(buffer_bytes(&text), &bytes, &decoded) == STATUS_ok);
    ASSERT(decoded.version == cursor.version && decoded.query == cursor.query);
    ASSERT(bytes_equal(decoded.position, cursor.position));
    text.data[damaged % text.size] ^= change;
    ASSERT(change == 0 || !check_text(buffer_bytes(&text)));
}

static void check_base64(struct bytes text)
{
    AUTO(buffer_release) struct buffer bytes = {0};
    AUTO(buffer_release) struct buffer again = {0};
    if (base64_decode(text, &bytes) == STATUS_ok) {
        base64_encode(buffer_bytes(&bytes), &again);
        ASSERT(bytes_equal(text, buffer_bytes(&again)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    (void)check_text(input);
    check_base64(input);
    check_cursor(input);
    return 0;
}
