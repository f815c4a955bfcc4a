/*
 * A borrowed run of bytes: a pointer and a size, owned by somebody else who outlives it.
 * The empty run may have a NULL pointer.
 */
#ifndef SKEIN_BASE_BYTES_H
#define SKEIN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *data; // first byte; may be NULL when size is 0
    size_t size;         // in bytes
};

// Room to be filled by somebody else.
struct bytes_out {
    uint8_t *data; // first byte
    size_t size;   // room, in bytes
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

// The bytes of a NUL-terminated text, without the NUL.
static inline struct bytes bytes_from_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// Order by unsigned bytes; a prefix comes before what it begins. Returns <0, 0 or >0.
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

static inline bool bytes_starts_with(struct bytes whole, struct bytes prefix)
{
    return whole.size >= prefix.size &&
           (prefix.size == 0 || memcmp(whole.data, prefix.data, prefix.size) == 0);
}

#endif
