/*
 * CRC32C by the processor's own instruction where it has one (SSE 4.2, eight bytes a step), else by
 * a table of sixteen entries, half a byte a step, which is slow and small: it is for correctness,
 * every server of the last fifteen years takes the other way. The choice is made at run time, by a
 * test of one bit that the loader has filled in.
 */
#include "base/crc32c.h"

static const uint32_t HALF_BYTES[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

#if defined(__x86_64__)

#include <nmmintrin.h>

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(uint32_t seed,
                                                                        struct bytes bytes)
{
    uint64_t crc = ~seed;
    const uint8_t *next = bytes.data;
    size_t left = bytes.size;
    for (; left >= 8; left -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, sizeof word);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; left > 0; left--, next++) {
        crc = _mm_crc32_u8((uint32_t)crc, *next);
    }
    return ~(uint32_t)crc;
}

#else

static bool has_instruction(void)
{
    return false;
}

static uint32_t crc32c_by_instruction(uint32_t seed, struct bytes bytes)
{
    return crc32c_portable(seed, bytes);
}

#endif

uint32_t crc32c(uint32_t seed, struct bytes bytes)
{
    return has_instruction() ? crc32c_by_instruction(seed, bytes) : crc32c_portable(seed, bytes);
}

uint32_t crc32c_portable(uint32_t seed, struct bytes bytes)
{
    uint32_t crc = ~seed;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        crc = crc >> 4 ^ HALF_BYTES[crc & 0x0f];
        crc = crc >> 4 ^ HALF_BYTES[crc & 0x0f];
    }
    return ~crc;
}
