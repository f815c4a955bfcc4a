/*
 * The order of values and of their keys is one: the values of a document's fields are compared with
 * each other both ways. A key turns back into an equal value, ascending and descending.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/key.h"
#include "wire/value_order.h"

enum { VALUES_MAX = 6 };

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void make_key(struct bytes value, struct buffer *key)
{
    struct cursor cursor = cursor_of(value);
    ASSERT(key_append_value(key, &cursor) == STATUS_ok && cursor_at_end(&cursor));
}

static void check_descending(struct bytes value, struct bytes key)
{
    AUTO(buffer_release) struct buffer descending = {0};
    AUTO(buffer_release) struct buffer taken = {0};
    buffer_append(&descending, key);
    key_complement(&descending, 0);
    struct bytes rest = buffer_bytes(&descending);
    ASSERT(key_take_descending_value(&rest, &taken) == STATUS_ok && rest.size == 0);
    ASSERT(value_compare(value, buffer_bytes(&taken)) == 0);
}

static void check_round_trip(struct bytes value, struct bytes key)
{
    AUTO(buffer_release) struct buffer taken = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct bytes rest = key;
    ASSERT(key_take_value(&rest, &taken) == STATUS_ok && rest.size == 0);
    ASSERT(value_compare(value, buffer_bytes(&taken)) == 0);
    make_key(buffer_bytes(&taken), &again);
    ASSERT(bytes_equal(key, buffer_bytes(&again)));
    struct bytes skipped;
    rest = key;
    ASSERT(key_skip_value(&rest, &skipped) == STATUS_ok && bytes_equal(skipped, key));
    check_descending(value, key);
}

static void compare(struct bytes a, struct bytes b, struct bytes a_key, struct bytes b_key)
{
    int order = sign(value_compare(a, b));
    ASSERT(order == sign(bytes_compare(a_key, b_key)));
    ASSERT(order == -sign(value_compare(b, a)));
    ASSERT(value_type_of(a) == value_type_of(b) || order != 0);
}

// The key of a value, descending, and of another one behind it, without which a text and one that
// goes on with a NUL would be in the wrong order.
static void make_descending(struct bytes key, struct buffer *out)
{
    static const uint8_t null[] = {0xc0};
    struct cursor cursor = cursor_of(bytes_of(null, sizeof null));
    buffer_append(out, key);
    key_complement(out, 0);
    ASSERT(key_append_value(out, &cursor) == STATUS_ok);
}

static void compare_descending(struct bytes a_key, struct bytes b_key)
{
    AUTO(buffer_release) struct buffer a = {0};
    AUTO(buffer_release) struct buffer b = {0};
    make_descending(a_key, &a);
    make_descending(b_key, &b);
    int order = sign(bytes_compare(a_key, b_key));
    ASSERT(order == -sign(bytes_compare(buffer_bytes(&a), buffer_bytes(&b))));
}

static void check_values(const struct bytes *values, struct buffer *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        check_round_trip(values[i], buffer_bytes(&keys[i]));
        for (uint32_t j = 0; j < i; j++) {
            compare(values[i], values[j], buffer_bytes(&keys[i]), buffer_bytes(&keys[j]));
            compare_descending(buffer_bytes(&keys[i]), buffer_bytes(&keys[j]));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct bytes input = bytes_of(data, size);
    struct bytes values[VALUES_MAX];
    struct buffer keys[VALUES_MAX] = {0};
    uint32_t count;
    if (!fuzz_take_document(&input, &document)) {
        return 0;
    }
    struct cursor cursor = cursor_of(buffer_bytes(&document));
    ASSERT(cursor_map(&cursor, &count) == STATUS_ok);
    count = count < VALUES_MAX ? count : VALUES_MAX;
    for (uint32_t i = 0; i < count; i++) {
        ASSERT(cursor_skip(&cursor, NULL) == STATUS_ok);
        ASSERT(cursor_skip(&cursor, &values[i]) == STATUS_ok);
        make_key(values[i], &keys[i]);
    }
    check_values(values, keys, count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_release(&keys[i]);
    }
    return 0;
}
