/*
 * Reading ordered keys that may be anything: what is taken and what is skipped is the same, and a
 * value that is taken has the key that it was taken from.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/key.h"

static void check_taken(struct bytes key, struct bytes value)
{
    AUTO(buffer_release) struct buffer again = {0};
    struct cursor cursor = cursor_of(value);
    ASSERT(key_append_value(&again, &cursor) == STATUS_ok && cursor_at_end(&cursor));
    ASSERT(bytes_equal(key, buffer_bytes(&again)));
}

static bool take_ascending(struct bytes *rest)
{
    AUTO(buffer_release) struct buffer value = {0};
    struct bytes key = *rest;
    struct bytes skipping = *rest;
    struct bytes skipped;
    enum status status = key_take_value(rest, &value);
    if (status != STATUS_ok) {
        ASSERT(rest->data == key.data && rest->size == key.size && value.size == 0);
        return false;
    }
    key.size -= rest->size;
    ASSERT(key_skip_value(&skipping, &skipped) == STATUS_ok && bytes_equal(skipped, key));
    check_taken(key, buffer_bytes(&value));
    return true;
}

static bool take_descending(struct bytes *rest)
{
    AUTO(buffer_release) struct buffer value = {0};
    AUTO(buffer_release) struct buffer plain = {0};
    struct bytes key = *rest;
    if (key_take_descending_value(rest, &value) != STATUS_ok) {
        ASSERT(rest->data == key.data && rest->size == key.size && value.size == 0);
        return false;
    }
    key.size -= rest->size;
    buffer_append(&plain, key);
    key_complement(&plain, 0);
    check_taken(buffer_bytes(&plain), buffer_bytes(&value));
    return true;
}

static bool take_number(struct bytes *rest, unsigned width)
{
    AUTO(buffer_release) struct buffer again = {0};
    struct bytes key = *rest;
    uint8_t small;
    uint32_t middle;
    uint64_t large;
    if (width == 1 && key_take_u8(rest, &small) == STATUS_ok) {
        key_append_u8(&again, small);
    } else if (width == 4 && key_take_u32(rest, &middle) == STATUS_ok) {
        key_append_u32(&again, middle);
    } else if (width == 8 && key_take_u64(rest, &large) == STATUS_ok) {
        key_append_u64(&again, large);
    }
    ASSERT(again.size == 0 || again.size == width);
    ASSERT(again.size == 0 || bytes_equal(buffer_bytes(&again), bytes_of(key.data, width)));
    return again.size == width;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size);
    bool has_more = true;
    while (has_more && rest.size > 0) {
        switch (fuzz_take_u8(&rest) % 5) {
        case 0: has_more = take_descending(&rest); break;
        case 1: has_more = take_number(&rest, 1); break;
        case 2: has_more = take_number(&rest, 4); break;
        case 3: has_more = take_number(&rest, 8); break;
        default: has_more = take_ascending(&rest); break;
        }
    }
    return 0;
}
