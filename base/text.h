/*
 * Texts: formatted ones at the end of a buffer, and copies in place.
 */
#ifndef SKEIN_BASE_TEXT_H
#define SKEIN_BASE_TEXT_H

#include "base/buffer.h"

#include <stdarg.h>

// Appends what printf would print, without a NUL.
__attribute__((format(printf, 2, 3))) void text_append(struct buffer *out, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_append_list(struct buffer *out, const char *format,
                                                            va_list arguments);

// Copies the text with its NUL into a place of `size` bytes, which it fits.
void text_copy(char *into, size_t size, const char *text);

#endif
