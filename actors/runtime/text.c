/*
 * One bound for all texts, so that nothing is measured twice.
 */
#include "actors/runtime/text.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_SIZE_MAX = 1024 };

void text_append(struct buffer *out, const char *format, ...)
{
    char text[TEXT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    buffer_append(out, bytes_from_text(text));
}

void text_copy(char *into, size_t size, const char *text)
{
    size_t needed = strlen(text) + 1;
    ASSERT(needed <= size);
    memcpy(into, text, needed);
}
