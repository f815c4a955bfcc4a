/*
 * Words from the input are shown only as far as they are harmless: cut, and only if they are text.
 * Sentences are written when something is refused, so that nothing here needs to be fast.
 */
#include "wire/document/sentence.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/document/document.h"

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

// The last character goes if it has several bytes: some of them may be missing.
static void cut(char *begin)
{
    size_t size = strlen(begin);
    bool is_multibyte = size > 0 && ((uint8_t)begin[size - 1] & 0x80) != 0;
    while (is_multibyte && size > 1 && ((uint8_t)begin[size - 1] & 0xc0) == 0x80) {
        size--;
    }
    begin[is_multibyte ? size - 1 : size] = 0;
}

void sentence_format(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], size_t begin, const char *format,
                     va_list arguments)
{
    ASSERT(begin < ERROR_MESSAGE_SIZE_MAX);
    size_t room = ERROR_MESSAGE_SIZE_MAX - begin;
    int size = vsnprintf(ret_sentence + begin, room, format, arguments);
    ASSERT(size >= 0);
    if ((size_t)size >= room) {
        cut(ret_sentence + begin);
    }
}

enum status sentence_fail(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], enum status status,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sentence_format(ret_sentence, 0, format, arguments);
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
