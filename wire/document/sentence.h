/*
 * Sentences about what is wrong with a part of a request, or rather their ends: whoever holds the
 * whole says what it is about.
 */
#ifndef SKEIN_WIRE_DOCUMENT_SENTENCE_H
#define SKEIN_WIRE_DOCUMENT_SENTENCE_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

#include <stdarg.h>

enum { QUOTE_SIZE_MAX = 64 };

// A word from the input as it may be shown; ends with a NUL.
struct quote {
    char text[QUOTE_SIZE_MAX + 1];
};

// The beginning of a word in a sentence, "?" for one that isn't UTF-8 or holds a NUL.
struct quote quote_of(struct bytes word);

// Writes on from `begin` on; what is too long is cut, and ends with a whole character.
__attribute__((format(printf, 3, 0))) void
sentence_format(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], size_t begin, const char *format,
                va_list arguments);

// Writes a sentence, cut to its room, and hands the status back.
__attribute__((format(printf, 3, 4))) enum status
sentence_fail(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], enum status status, const char *format,
              ...);

// Fails unless `map` is a map in canonical form, with what document_canonicalize() says or with
// bad_request.
MUST_CHECK enum status sentence_check_canonical(struct bytes map,
                                                char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

#endif
