/*
 * Paths, and the fields that they lead to: looked up in a document and found by a walk through all
 * of it, which takes no short cuts.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "wire/cursor.h"
#include "wire/document/path.h"

#include <inttypes.h>
#include <stdio.h>

// Whether the element or field `name` of a container is what the path's next name says.
static bool is_next(struct bytes name, uint32_t element, bool is_map, struct bytes wanted)
{
    char digits[16];
    int size = snprintf(digits, sizeof digits, "%" PRIu32, element);
    return bytes_equal(is_map ? name : bytes_of(digits, (size_t)size), wanted);
}

static bool find_slowly(struct bytes value, struct bytes path, struct bytes *ret_value)
{
    if (path.size == 0) {
        *ret_value = value;
        return true;
    }
    struct bytes wanted = path_take_name(&path);
    struct cursor cursor = cursor_of(value);
    struct value head;
    ASSERT(cursor_value(&cursor, &head) == STATUS_ok);
    bool is_map = head.kind == VALUE_MAP;
    if (!is_map && head.kind != VALUE_ARRAY) {
        return false;
    }
    for (uint32_t i = 0; i < head.count; i++) {
        struct bytes name = {0};
        struct bytes inner;
        ASSERT(!is_map || cursor_text(&cursor, &name) == STATUS_ok);
        ASSERT(cursor_skip(&cursor, &inner) == STATUS_ok);
        if (is_next(name, i, is_map, wanted)) {
            return find_slowly(inner, path, ret_value);
        }
    }
    return false;
}

static void check_names(struct bytes path)
{
    unsigned names = 0;
    while (path.size > 0) {
        uint32_t element;
        struct bytes name = path_take_name(&path);
        ASSERT(name.size > 0 && memchr(name.data, '.', name.size) == NULL);
        ASSERT(utf8_is_valid(name));
        (void)path_name_is_element(name, &element);
        names++;
    }
    ASSERT(names <= DOCUMENT_DEPTH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct bytes input = bytes_of(data, size);
    AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(fuzz_take_text(&input));
    struct bytes path = fuzz_copy_bytes(&copy);
    if (!path_is_valid(path)) {
        return 0;
    }
    check_names(path);
    while (input.size > 0 && fuzz_take_document(&input, &document)) {
        struct bytes found;
        struct bytes expected;
        bool is_there = find_slowly(buffer_bytes(&document), path, &expected);
        ASSERT(path_find(buffer_bytes(&document), path, &found) == is_there);
        ASSERT(!is_there || (found.data == expected.data && found.size == expected.size));
        buffer_clear(&document);
    }
    return 0;
}
