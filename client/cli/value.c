/*
 * Answers come from other processes: what is malformed is not there.
 */
#include "client/cli/value.h"

bool value_field(struct bytes map, const char *name, struct bytes *ret_value)
{
    struct cursor cursor = cursor_of(map);
    uint32_t pairs;
    if (cursor_map(&cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes field, value;
        if (cursor_text(&cursor, &field) != STATUS_ok ||
            cursor_skip(&cursor, &value) != STATUS_ok) {
            return false;
        }
        if (bytes_equal(field, bytes_from_text(name))) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

uint64_t value_number(struct bytes map, const char *name)
{
    struct bytes value;
    uint64_t number;
    if (!value_field(map, name, &value)) {
        return 0;
    }
    struct cursor cursor = cursor_of(value);
    return cursor_u64(&cursor, &number) == STATUS_ok ? number : 0;
}

struct bytes value_text(struct bytes map, const char *name)
{
    struct bytes value, text;
    if (!value_field(map, name, &value)) {
        return bytes_of(NULL, 0);
    }
    struct cursor cursor = cursor_of(value);
    return cursor_text(&cursor, &text) == STATUS_ok ? text : bytes_of(NULL, 0);
}

bool value_is_true(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    bool flag;
    return cursor_flag(&cursor, &flag) == STATUS_ok && flag;
}

bool value_element(struct bytes array, const char *name, struct bytes text,
                   struct bytes *ret_element)
{
    struct cursor cursor = cursor_of(array);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct bytes element;
        if (cursor_skip(&cursor, &element) != STATUS_ok) {
            return false;
        }
        if (bytes_equal(value_text(element, name), text)) {
            *ret_element = element;
            return true;
        }
    }
    return false;
}
