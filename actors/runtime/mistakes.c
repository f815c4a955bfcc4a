/*
 * A list of sentences as one text, ready to be printed. Control characters in it (a value is quoted
 * as it was written) become '?', so that one mistake is always one line.
 */
#include "actors/runtime/mistakes.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_SIZE_MAX = 1024 };

void mistakes_init(struct mistakes *mistakes)
{
    *mistakes = (struct mistakes){0};
}

void mistakes_release(struct mistakes *mistakes)
{
    buffer_release(&mistakes->text);
    *mistakes = (struct mistakes){0};
}

static void append_clean(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool is_control = (unsigned char)*text < 0x20 || *text == 0x7f;
        buffer_append_u8(out, is_control ? '?' : (uint8_t)*text);
    }
}

void mistakes_add(struct mistakes *mistakes, struct place place, const char *format, ...)
{
    char line[16] = "";
    if (place.line > 0) {
        snprintf(line, sizeof line, ":%u", place.line);
    }
    char sentence[SENTENCE_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);

    append_clean(&mistakes->text, place.is_setting ? "--set " : "");
    append_clean(&mistakes->text, place.source);
    append_clean(&mistakes->text, line);
    append_clean(&mistakes->text, ": ");
    append_clean(&mistakes->text, sentence);
    buffer_append_u8(&mistakes->text, '\n');
    mistakes->count++;
}
