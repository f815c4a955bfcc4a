/*
 * The cursor over msgpack: stepping over a value and walking through all that is in it go equally
 * far, and what the cursor takes is what msgpack-c takes.
 */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "wire/cursor.h"

#include <msgpack.h>

// Takes a value with all that is in it, one head after another.
static enum status walk(struct cursor *cursor)
{
    uint64_t left = 1;
    while (left > 0) {
        struct value value;
        enum value_kind kind;
        enum status peeked = cursor_peek(cursor, &kind);
        TRY(cursor_value(cursor, &value));
        ASSERT(peeked == STATUS_ok && kind == value.kind);
        left--;
        if (value.kind == VALUE_ARRAY) {
            left += value.count;
        } else if (value.kind == VALUE_MAP) {
            left += 2 * (uint64_t)value.count;
        }
    }
    return STATUS_ok;
}

// msgpack-c takes the same bytes. It is asked only for what was checked: it believes any count.
static void check_twin(struct bytes taken)
{
    msgpack_unpacked unpacked;
    size_t offset = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_unpack_return result = msgpack_unpack_next(&unpacked, (const char *)taken.data,
                                                       taken.size, &offset);
    ASSERT(result == MSGPACK_UNPACK_SUCCESS && offset == taken.size);
    msgpack_unpacked_destroy(&unpacked);
}

// Each taker takes the value or leaves the cursor where it was; at most one of them takes it.
static void check_takers(struct bytes input)
{
    struct bytes bytes;
    uint64_t natural;
    uint32_t count;
    bool flag;
    unsigned taken = 0;
    for (unsigned i = 0; i < 6; i++) {
        struct cursor cursor = cursor_of(input);
        enum status status = STATUS_ok;
        switch (i) {
        case 0: status = cursor_u64(&cursor, &natural); break;
        case 1: status = cursor_flag(&cursor, &flag); break;
        case 2: status = cursor_text(&cursor, &bytes); break;
        case 3: status = cursor_binary(&cursor, &bytes); break;
        case 4: status = cursor_array(&cursor, &count); break;
        default: status = cursor_map(&cursor, &count); break;
        }
        taken += status == STATUS_ok;
        ASSERT(status == STATUS_ok || cursor.next == input.data);
    }
    ASSERT(taken <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct cursor skipping = cursor_of(input);
    struct cursor walking = skipping;
    struct bytes taken;
    check_takers(input);
    enum status status = cursor_skip(&skipping, &taken);
    if (status == STATUS_ok) {
        ASSERT(taken.data == data && taken.size <= size);
        ASSERT(skipping.next == data + taken.size);
        ASSERT(walk(&walking) == STATUS_ok && walking.next == skipping.next);
        check_twin(taken);
    } else {
        ASSERT(skipping.next == data);
        ASSERT(status == STATUS_too_deep || walk(&walking) != STATUS_ok);
    }
    return 0;
}
