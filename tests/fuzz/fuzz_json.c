/*
 * JSON: a text that can be read is written so that reading it gives the same value, byte by byte.
 * And any msgpack value that can be written as JSON is one line of valid UTF-8.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "wire/json.h"

static void write_json(struct bytes value, struct buffer *out)
{
    struct cursor cursor = cursor_of(value);
    ASSERT(json_from_msgpack(&cursor, out) == STATUS_ok && cursor_at_end(&cursor));
}

static void check_read(struct bytes text)
{
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer json = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct json_fault fault;
    buffer_append_u8(&value, 'x');
    enum status status = json_to_msgpack(text, &value, &fault);
    if (status != STATUS_ok) {
        ASSERT(status == STATUS_bad_request || status == STATUS_too_deep);
        ASSERT(value.size == 1 && fuzz_is_sentence(fault.sentence));
        return;
    }
    struct bytes made = bytes_of(value.data + 1, value.size - 1);
    write_json(made, &json);
    ASSERT(json_to_msgpack(buffer_bytes(&json), &again, &fault) == STATUS_ok);
    ASSERT(bytes_equal(made, buffer_bytes(&again)));
}

static void check_written(struct bytes input)
{
    AUTO(buffer_release) struct buffer json = {0};
    struct cursor cursor = cursor_of(input);
    buffer_append_u8(&json, 'x');
    if (json_from_msgpack(&cursor, &json) != STATUS_ok) {
        ASSERT(json.size == 1 && cursor.next == input.data);
        return;
    }
    ASSERT(json.size > 1 && utf8_is_valid(buffer_bytes(&json)));
    for (size_t i = 0; i < json.size; i++) {
        ASSERT(json.data[i] >= ' ');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    check_read(input);
    check_written(input);
    return 0;
}
