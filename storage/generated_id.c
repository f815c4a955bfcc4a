/*
 * The shape of a ULID: 130 bits, of which the two in front are zero.
 *
 *   |  time, ms (48 bits)  |  version (64 bits)  |  operation (16 bits)  |
 *
 * Versions are never used twice in a timeline, so these aren't either.
 */
#include "storage/generated_id.h"

#include "base/assert.h"

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { BITS_PER_CHARACTER = 5 };

void generated_id(uint64_t version, uint64_t time_us, uint32_t operation,
                  uint8_t ret_id[GENERATED_ID_SIZE])
{
    ASSERT(operation <= UINT16_MAX);
    uint64_t time_ms = time_us / 1000 & 0xffffffffffff;
    __uint128_t bits = (__uint128_t)time_ms << 80 | (__uint128_t)version << 16 | operation;
    for (size_t i = GENERATED_ID_SIZE; i > 0; i--) {
        ret_id[i - 1] = (uint8_t)ALPHABET[(unsigned)bits & 31];
        bits >>= BITS_PER_CHARACTER;
    }
}
