/*
 * A head takes 1, 3 or 5 bytes. The guess decides how many are left free for it; only when the
 * count turns out to need another size, what was written behind is moved.
 */
#include "wire/document/container.h"

enum { HEAD_SIZE_MAX = 5, SHORT_COUNT_MAX = 15 };

// Writes a head and returns its size.
static size_t encode_head(uint8_t head[HEAD_SIZE_MAX], bool is_map, uint32_t count)
{
    if (count <= SHORT_COUNT_MAX) {
        head[0] = (uint8_t)((is_map ? 0x80 : 0x90) | count);
        return 1;
    }
    size_t number_size = count <= UINT16_MAX ? 2 : 4;
    head[0] = (uint8_t)((is_map ? 0xde : 0xdc) + (number_size == 4));
    for (size_t i = 0; i < number_size; i++) {
        head[1 + i] = (uint8_t)(count >> (8 * (number_size - 1 - i)));
    }
    return 1 + number_size;
}

struct container container_open(struct buffer *out, bool is_map, uint32_t count)
{
    uint8_t head[HEAD_SIZE_MAX];
    struct container container = {.is_map = is_map, .begin = out->size};
    container.head_size = encode_head(head, is_map, count);
    buffer_extend(out, container.head_size);
    return container;
}

void container_close(const struct container *container, struct buffer *out, uint32_t count)
{
    uint8_t head[HEAD_SIZE_MAX];
    size_t size = encode_head(head, container->is_map, count);
    size_t begin = container->begin;
    size_t content_size = out->size - begin - container->head_size;
    if (size > container->head_size) {
        buffer_extend(out, size - container->head_size);
    }
    if (size != container->head_size) {
        memmove(out->data + begin + size, out->data + begin + container->head_size, content_size);
        buffer_truncate(out, begin + size + content_size);
    }
    memcpy(out->data + begin, head, size);
}
