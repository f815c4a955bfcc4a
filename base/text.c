/*
 * A text is measured first, so that it is whole however long it is.
 */
#include "base/text.h"

#include "base/assert.h"

#include <stdio.h>

void text_append(struct buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_append_list(out, format, arguments);
    va_end(arguments);
}

void text_append_list(struct buffer *out, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(size >= 0);
    char *text = (char *)buffer_extend(out, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    buffer_truncate(out, out->size - 1);
}

void text_copy(char *into, size_t size, const char *text)
{
    size_t needed = strlen(text) + 1;
    ASSERT(needed <= size);
    memcpy(into, text, needed);
}
