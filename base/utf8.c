/*
 * A walk over the text. Runs of ASCII, which most texts are, pass eight bytes at a time; any other
 * character is checked by its first byte, which gives its size and the range of its second byte
 * (Unicode 15, table 3-7), so that overlong forms, surrogates and what lies above U+10FFFF fall out
 * without decoding the character.
 */
#include "base/utf8.h"

static const uint64_t HIGH_BITS = 0x8080808080808080;

static size_t ascii_size(const uint8_t *next, const uint8_t *end)
{
    const uint8_t *begin = next;
    while (end - next >= 8) {
        uint64_t word;
        memcpy(&word, next, sizeof word);
        if ((word & HIGH_BITS) != 0) {
            break;
        }
        next += 8;
    }
    while (next < end && *next < 0x80) {
        next++;
    }
    return (size_t)(next - begin);
}

static bool is_between(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

// The size of a character that begins with `first`, 0 if none does.
static size_t character_size(uint8_t first)
{
    if (is_between(first, 0xc2, 0xdf)) {
        return 2;
    }
    if (is_between(first, 0xe0, 0xef)) {
        return 3;
    }
    return is_between(first, 0xf0, 0xf4) ? 4 : 0;
}

static bool is_second(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0: return is_between(second, 0xa0, 0xbf);
    case 0xed: return is_between(second, 0x80, 0x9f);
    case 0xf0: return is_between(second, 0x90, 0xbf);
    case 0xf4: return is_between(second, 0x80, 0x8f);
    default: return is_between(second, 0x80, 0xbf);
    }
}

// The size of the character of several bytes at `next`, 0 if it is malformed.
static size_t multibyte_size(const uint8_t *next, const uint8_t *end)
{
    size_t size = character_size(*next);
    if (size == 0 || (size_t)(end - next) < size || !is_second(next[0], next[1])) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (!is_between(next[i], 0x80, 0xbf)) {
            return 0;
        }
    }
    return size;
}

bool utf8_is_valid(struct bytes text)
{
    if (text.size == 0) {
        return true;
    }
    const uint8_t *next = text.data;
    const uint8_t *end = text.data + text.size;
    for (;;) {
        next += ascii_size(next, end);
        if (next == end) {
            return true;
        }
        size_t size = multibyte_size(next, end);
        if (size == 0) {
            return false;
        }
        next += size;
    }
}

struct bytes utf8_prefix(struct bytes text, size_t size_max)
{
    if (text.size <= size_max) {
        return text;
    }
    size_t size = size_max;
    while (size > 0 && is_between(text.data[size], 0x80, 0xbf)) {
        size--;
    }
    return bytes_of(text.data, size);
}
