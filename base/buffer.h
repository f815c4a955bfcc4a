/*
 * A growable run of bytes that owns its memory. Running out of memory is a bug of the bounds in
 * base/limits.h and stops the process.
 */
#ifndef SKEIN_BASE_BUFFER_H
#define SKEIN_BASE_BUFFER_H

#include "base/bytes.h"

struct buffer {
    uint8_t *data;   // owned; NULL while capacity is 0
    size_t size;     // bytes in use
    size_t capacity; // bytes allocated
};

// An empty buffer; allocates nothing. `(struct buffer){0}` is one, too.
void buffer_init(struct buffer *buffer);

// Frees the memory and leaves an empty buffer. Safe on an empty one; fits AUTO().
void buffer_release(struct buffer *buffer);

// Makes room for `more` bytes beyond the size; existing pointers into the buffer become invalid.
void buffer_reserve(struct buffer *buffer, size_t more);

// Appends a copy of `bytes`, which may not point into the buffer itself.
void buffer_append(struct buffer *buffer, struct bytes bytes);

// Appends `size` bytes of undefined content and returns where they begin.
uint8_t *buffer_extend(struct buffer *buffer, size_t size);

// Keeps the first `size` bytes; size is at most the current one.
void buffer_truncate(struct buffer *buffer, size_t size);

// Size becomes 0, the memory is kept.
static inline void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

// What the buffer holds, borrowed until it is changed.
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->size);
}

static inline void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    *buffer_extend(buffer, 1) = value;
}

#endif
