/*
 * Texts: formatted ones at the end of a buffer (sentences for the operator), and copies in place.
 */
#ifndef SKEIN_ACTORS_RUNTIME_TEXT_H
#define SKEIN_ACTORS_RUNTIME_TEXT_H

#include "base/buffer.h"

// Appends what printf would print, without a NUL; cut to 1 KiB.
__attribute__((format(printf, 2, 3))) void text_append(struct buffer *out, const char *format, ...);

// Copies the text with its NUL into a place of `size` bytes, which it fits.
void text_copy(char *into, size_t size, const char *text);

#endif
