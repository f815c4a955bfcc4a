/*
 * What the fuzz targets share: the call of libFuzzer, and taking an input apart.
 *
 * A target checks what it claims with ASSERT. Inputs are short: what takes parts off them takes
 * less, or zeros, at their end, so that every input means something.
 */
#ifndef SKEIN_TESTS_FUZZ_FUZZ_H
#define SKEIN_TESTS_FUZZ_FUZZ_H

#include "base/assert.h"
#include "base/buffer.h"
#include "base/status.h"

// One execution. Returns 0, always. libFuzzer's name; every target defines it.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Take a number off the front of the input, little endian.
uint8_t fuzz_take_u8(struct bytes *input);
uint16_t fuzz_take_u16(struct bytes *input);
uint64_t fuzz_take_u64(struct bytes *input);

// Takes `size` bytes off the front of the input, or all that there are.
struct bytes fuzz_take(struct bytes *input, size_t size);

// Takes what stands before the first NUL off the front of the input, and the NUL; all of it if
// there is none.
struct bytes fuzz_take_text(struct bytes *input);

// A copy of bytes in memory of exactly their size, so that reading beyond them is found, too.
struct fuzz_copy {
    uint8_t *data; // owned
    size_t size;
};

struct fuzz_copy fuzz_copy_of(struct bytes bytes);
void fuzz_copy_release(struct fuzz_copy *copy);

static inline struct bytes fuzz_copy_bytes(const struct fuzz_copy *copy)
{
    return bytes_of(copy->data, copy->size);
}

// Takes the next msgpack value of the input, a map, and appends its canonical form; false, with
// nothing appended, if it has none.
bool fuzz_take_document(struct bytes *input, struct buffer *out);

// Whether `text`, that ends with a NUL, is a sentence for a person: valid UTF-8, not empty, and it
// fits ERROR_MESSAGE_SIZE_MAX bytes.
bool fuzz_is_sentence(const char *text);

// Whether some bytes hold these, which end with a NUL.
bool fuzz_contains(struct bytes whole, const char *part);

#endif
