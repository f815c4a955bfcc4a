/*
 * Taking inputs apart. Everything here is total: no input is refused.
 */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "wire/cursor.h"
#include "wire/document/document.h"

#include <stdlib.h>

static uint64_t take_number(struct bytes *input, size_t size)
{
    struct bytes taken = fuzz_take(input, size);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.size; i++) {
        number |= (uint64_t)taken.data[i] << (8 * i);
    }
    return number;
}

uint8_t fuzz_take_u8(struct bytes *input)
{
    return (uint8_t)take_number(input, 1);
}

uint16_t fuzz_take_u16(struct bytes *input)
{
    return (uint16_t)take_number(input, 2);
}

uint64_t fuzz_take_u64(struct bytes *input)
{
    return take_number(input, 8);
}

struct bytes fuzz_take(struct bytes *input, size_t size)
{
    struct bytes taken = bytes_of(input->data, size < input->size ? size : input->size);
    if (taken.size > 0) {
        *input = bytes_of(input->data + taken.size, input->size - taken.size);
    }
    return taken;
}

struct bytes fuzz_take_text(struct bytes *input)
{
    const uint8_t *end = input->size == 0 ? NULL : memchr(input->data, 0, input->size);
    if (end == NULL) {
        return fuzz_take(input, input->size);
    }
    struct bytes text = fuzz_take(input, (size_t)(end - input->data));
    fuzz_take(input, 1);
    return text;
}

struct fuzz_copy fuzz_copy_of(struct bytes bytes)
{
    struct fuzz_copy copy = {.data = malloc(bytes.size > 0 ? bytes.size : 1), .size = bytes.size};
    ASSERT(copy.data != NULL);
    if (bytes.size > 0) {
        memcpy(copy.data, bytes.data, bytes.size);
    }
    return copy;
}

void fuzz_copy_release(struct fuzz_copy *copy)
{
    free(copy->data);
    *copy = (struct fuzz_copy){0};
}

bool fuzz_take_document(struct bytes *input, struct buffer *out)
{
    struct cursor cursor = cursor_of(*input);
    struct bytes raw;
    if (cursor_skip(&cursor, &raw) != STATUS_ok) {
        return false;
    }
    *input = cursor_rest(&cursor);
    return document_canonicalize(raw, out, NULL) == STATUS_ok;
}

bool fuzz_is_sentence(const char *text)
{
    size_t size = strnlen(text, ERROR_MESSAGE_SIZE_MAX);
    return size > 0 && size < ERROR_MESSAGE_SIZE_MAX && utf8_is_valid(bytes_of(text, size));
}

bool fuzz_contains(struct bytes whole, const char *part)
{
    return whole.size > 0 && memmem(whole.data, whole.size, part, strlen(part)) != NULL;
}
