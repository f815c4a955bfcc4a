/*
 * A cursor's functions, with their statuses asserted. Names of canonical maps ascend, so that the
 * search for one that begins with '$' ends early.
 */
#include "wire/document/walk.h"

#include "base/assert.h"

struct value walk_head(struct cursor *cursor)
{
    struct value value = {0};
    enum status status = cursor_value(cursor, &value);
    ASSERT(status == STATUS_ok);
    return value;
}

struct bytes walk_value(struct cursor *cursor)
{
    struct bytes value = {0};
    enum status status = cursor_skip(cursor, &value);
    ASSERT(status == STATUS_ok);
    return value;
}

struct bytes walk_text(struct cursor *cursor)
{
    struct bytes text = {0};
    enum status status = cursor_text(cursor, &text);
    ASSERT(status == STATUS_ok);
    return text;
}

uint32_t walk_map(struct cursor *cursor)
{
    uint32_t pairs = 0;
    enum status status = cursor_map(cursor, &pairs);
    ASSERT(status == STATUS_ok);
    return pairs;
}

uint32_t walk_array(struct cursor *cursor)
{
    uint32_t count = 0;
    enum status status = cursor_array(cursor, &count);
    ASSERT(status == STATUS_ok);
    return count;
}

bool walk_is_operators(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    struct value head = walk_head(&cursor);
    if (head.kind != VALUE_MAP) {
        return false;
    }
    for (uint32_t i = 0; i < head.count; i++) {
        struct bytes name = walk_text(&cursor);
        if (name.size > 0 && name.data[0] >= '$') {
            return name.data[0] == '$';
        }
        walk_value(&cursor);
    }
    return false;
}
