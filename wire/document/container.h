/*
 * Writing a map or an array whose count is known only at its end.
 */
#ifndef SKEIN_WIRE_DOCUMENT_CONTAINER_H
#define SKEIN_WIRE_DOCUMENT_CONTAINER_H

#include "base/buffer.h"

struct container {
    bool is_map;      // otherwise an array
    size_t begin;     // of its head in the buffer
    size_t head_size; // bytes that were left for the head
};

// Leaves room in `out` for the head of a container of about `count` pairs or elements, which are
// appended next.
struct container container_open(struct buffer *out, bool is_map, uint32_t count);

// Writes the head, in its shortest form, of what was appended since.
void container_close(const struct container *container, struct buffer *out, uint32_t count);

#endif
