/*
 * Three bytes are four characters of six bits. A last group of one or two bytes is filled up with
 * zero bits and padded with '='.
 *
 * The decoder is strict, so that no two texts mean the same bytes: padding must be there, and only
 * at the end, and the bits that fill up a group must be zero. White space is no part of it.
 */
#include "base/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NO_DIGIT = 64 };

void base64_encode(struct bytes bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t count = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++) {
            group = group << 8 | (k < count ? bytes.data[i + k] : 0u);
        }
        uint8_t *to = buffer_extend(out, 4);
        for (size_t k = 0; k < 4; k++) {
            to[k] = k <= count ? (uint8_t)ALPHABET[group >> (18 - 6 * k) & 0x3f] : '=';
        }
    }
}

static uint32_t digit_of(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26u;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52u;
    }
    return character == '+' ? 62 : character == '/' ? 63 : NO_DIGIT;
}

// How many of the four characters are digits: 2 or 3 in the last group, else 4.
static size_t count_digits(const uint8_t *characters, bool is_last)
{
    if (!is_last || characters[3] != '=') {
        return 4;
    }
    return characters[2] == '=' ? 2 : 3;
}

static enum status decode_group(const uint8_t *characters, size_t digits, struct buffer *out)
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t digit = i < digits ? digit_of(characters[i]) : 0;
        if (digit == NO_DIGIT) {
            return STATUS_bad_request;
        }
        group = group << 6 | digit;
    }
    size_t count = digits - 1;
    if ((group & (0xffffffu >> (8 * count))) != 0) {
        return STATUS_bad_request;
    }
    for (size_t i = 0; i < count; i++) {
        buffer_append_u8(out, (uint8_t)(group >> (16 - 8 * i)));
    }
    return STATUS_ok;
}

enum status base64_decode(struct bytes text, struct buffer *out)
{
    if (text.size % 4 != 0) {
        return STATUS_bad_request;
    }
    size_t size = out->size;
    for (size_t i = 0; i < text.size; i += 4) {
        size_t digits = count_digits(text.data + i, i + 4 == text.size);
        if (decode_group(text.data + i, digits, out) != STATUS_ok) {
            buffer_truncate(out, size);
            return STATUS_bad_request;
        }
    }
    return STATUS_ok;
}
