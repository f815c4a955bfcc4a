/*
 * A chain of hashes: each document's version and id are hashed under the digest of those before it
 * as the key, so that order counts. A hash that spreads well keeps it from happening that two
 * different results have one digest, and one that is hard to steer keeps those who choose ids from
 * making it happen.
 */
#include "wire/document/find_digest.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/little_endian.h"
#include "base/siphash.h"

enum { HEAD_SIZE = 8 + 1, TEXT = 1, INTEGER = 2 };

static const uint64_t KEY_HIGH = 0x7463656a62757366; // any constant

uint64_t find_digest_empty(void)
{
    return 0;
}

uint64_t find_digest_add(uint64_t digest, const struct document_id *id, uint64_t document_version)
{
    uint8_t row[HEAD_SIZE + DOCUMENT_ID_SIZE_MAX];
    size_t size = HEAD_SIZE;
    store_u64(row, document_version);
    row[8] = id->is_text ? TEXT : INTEGER;
    if (id->is_text) {
        ASSERT(id->text.size <= DOCUMENT_ID_SIZE_MAX);
        memcpy(row + HEAD_SIZE, id->text.data, id->text.size);
        size += id->text.size;
    } else {
        store_u64(row + HEAD_SIZE, (uint64_t)id->integer);
        size += 8;
    }
    return siphash((struct siphash_key){.low = digest, .high = KEY_HIGH}, bytes_of(row, size));
}
