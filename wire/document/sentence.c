/*
 * Words from the input are shown only as far as they are harmless: cut, and only if they are text.
 * Sentences are written when something is refused, so that nothing here needs to be fast.
 */
#include "wire/document/sentence.h"

#include "base/utf8.h"
#include "wire/document/document.h"

#include <stdarg.h>
#include <stdio.h>

struct quote quote_of(struct bytes word)
{
    bool is_text = utf8_is_valid(word) &&
                   (word.size == 0 || memchr(word.data, 0, word.size) == NULL);
    struct bytes shown = is_text ? utf8_prefix(word, QUOTE_SIZE_MAX) : bytes_from_text("?");
    struct quote quote = {0};
    if (shown.size > 0) {
        memcpy(quote.text, shown.data, shown.size);
    }
    return quote;
}

enum status sentence_fail(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], enum status status,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret_sentence, ERROR_MESSAGE_SIZE_MAX, format, arguments);
    va_end(arguments);
    return status;
}

enum status sentence_check_canonical(struct bytes map, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    if (document_is_canonical(map)) {
        return STATUS_ok;
    }
    AUTO(buffer_release) struct buffer canonical = {0};
    const char *reason = "";
    enum status status = document_canonicalize(map, &canonical, &reason);
    if (status != STATUS_ok) {
        return sentence_fail(ret_sentence, status, "%s", reason);
    }
    return sentence_fail(ret_sentence, STATUS_bad_request, "is not in canonical form");
}
