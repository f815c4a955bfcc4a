/*
 * Growable bytes. Capacity doubles, so that appending n bytes one by one costs O(n) in all, and
 * never shrinks: a buffer that is cleared and filled again and again stops allocating soon.
 *
 * There is no bound here; whoever appends what others sent checks a bound of base/limits.h first.
 */
#include "base/buffer.h"

#include "base/assert.h"

#include <stdlib.h>

enum { BUFFER_CAPACITY_MIN = 64 };

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t wanted = buffer->size + more;
    ASSERT(wanted >= more);
    if (wanted <= buffer->capacity) {
        return;
    }
    size_t capacity = buffer->capacity == 0 ? BUFFER_CAPACITY_MIN : buffer->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    buffer->data = realloc(buffer->data, capacity);
    ASSERT(buffer->data != NULL);
    buffer->capacity = capacity;
}

void buffer_append(struct buffer *buffer, struct bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(buffer_extend(buffer, bytes.size), bytes.data, bytes.size);
    }
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    buffer_reserve(buffer, size);
    // Even adding 0 to NULL is undefined in C: an empty buffer of which nothing is wanted.
    uint8_t *begin = buffer->size == 0 ? buffer->data : buffer->data + buffer->size;
    buffer->size += size;
    return begin;
}

void buffer_truncate(struct buffer *buffer, size_t size)
{
    ASSERT(size <= buffer->size);
    buffer->size = size;
}
