/*
 * Walking to a field. Maps are in canonical form, so their names ascend and a walk through one ends
 * at the first name behind the wanted one; elements of arrays are counted off.
 *
 * A number of an element has no leading zeros, so that no element has two paths. What is no number
 * in an array, and anything in a value that holds no others, isn't there.
 */
#include "wire/document/path.h"

#include "base/utf8.h"
#include "wire/document/walk.h"

enum { ELEMENT_DIGITS_MAX = 9 }; // more elements than a document has room for

bool path_is_valid(struct bytes path)
{
    bool is_text = path.size >= 1 && path.size <= PATH_SIZE_MAX && path.data[0] != '$' &&
                   memchr(path.data, 0, path.size) == NULL && utf8_is_valid(path);
    if (!is_text) {
        return false;
    }
    unsigned names = 1;
    size_t name_size = 0;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] != '.') {
            name_size++;
            continue;
        }
        if (name_size == 0) {
            return false;
        }
        names++;
        name_size = 0;
    }
    return name_size > 0 && names <= DOCUMENT_DEPTH_MAX;
}

struct bytes path_take_name(struct bytes *path)
{
    const uint8_t *dot = memchr(path->data, '.', path->size);
    struct bytes name = *path;
    if (dot == NULL) {
        *path = bytes_of(NULL, 0);
        return name;
    }
    name.size = (size_t)(dot - path->data);
    *path = bytes_of(dot + 1, path->size - name.size - 1);
    return name;
}

bool path_name_is_element(struct bytes name, uint32_t *ret_element)
{
    if (name.size == 0 || name.size > ELEMENT_DIGITS_MAX ||
        (name.size > 1 && name.data[0] == '0')) {
        return false;
    }
    uint32_t element = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') {
            return false;
        }
        element = 10 * element + (uint32_t)(name.data[i] - '0');
    }
    *ret_element = element;
    return true;
}

static bool find_in_map(struct cursor *cursor, uint32_t pairs, struct bytes name,
                        struct bytes *ret_value)
{
    for (uint32_t i = 0; i < pairs; i++) {
        int order = bytes_compare(walk_text(cursor), name);
        if (order > 0) {
            return false;
        }
        struct bytes value = walk_value(cursor);
        if (order == 0) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool find_in_array(struct cursor *cursor, uint32_t count, struct bytes name,
                          struct bytes *ret_value)
{
    uint32_t element;
    if (!path_name_is_element(name, &element) || element >= count) {
        return false;
    }
    for (uint32_t i = 0; i < element; i++) {
        walk_value(cursor);
    }
    *ret_value = walk_value(cursor);
    return true;
}

static bool find_in_value(struct bytes value, struct bytes name, struct bytes *ret_value)
{
    struct cursor cursor = cursor_of(value);
    struct value head = walk_head(&cursor);
    switch (head.kind) {
    case VALUE_MAP: return find_in_map(&cursor, head.count, name, ret_value);
    case VALUE_ARRAY: return find_in_array(&cursor, head.count, name, ret_value);
    default: return false;
    }
}

bool path_find(struct bytes document, struct bytes path, struct bytes *ret_value)
{
    struct bytes value = document;
    struct bytes rest = path;
    while (rest.size > 0) {
        struct bytes name = path_take_name(&rest);
        if (!find_in_value(value, name, &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}
