/*
 * A word is UTF-8 (the decoder of messages has checked it) without spaces and control characters.
 *
 * Names and endpoints come from other processes and end up in fixed arrays, in log lines of the
 * form key=value, and in tables on a terminal. What could break one of these is refused where it
 * comes in, so that nobody has to escape it later.
 */
#include "cluster/word.h"

enum { SPACE = 0x20, DELETE = 0x7f };

enum status word_copy(struct bytes word, char *ret_text, size_t room)
{
    if (word.size >= room) {
        return STATUS_bad_request;
    }
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] <= SPACE || word.data[i] == DELETE) {
            return STATUS_bad_request;
        }
    }
    if (word.size > 0) {
        memcpy(ret_text, word.data, word.size);
    }
    ret_text[word.size] = '\0';
    return STATUS_ok;
}

bool word_is(const char *text, struct bytes word)
{
    return bytes_equal(bytes_from_text(text), word);
}
