/*
 * Checking that bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
 */
#ifndef SKEIN_BASE_UTF8_H
#define SKEIN_BASE_UTF8_H

#include "base/bytes.h"

// True if `text` is well-formed UTF-8. The empty text is.
bool utf8_is_valid(struct bytes text);

// The longest beginning of `text` with at most `size_max` bytes that doesn't end within a
// character. `text` is valid UTF-8.
struct bytes utf8_prefix(struct bytes text, size_t size_max);

#endif
