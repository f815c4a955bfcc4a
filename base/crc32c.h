/*
 * CRC32C (Castagnoli, polynomial 0x1edc6f41), the checksum of the journal and of transfers.
 */
#ifndef SKEIN_BASE_CRC32C_H
#define SKEIN_BASE_CRC32C_H

#include "base/bytes.h"

// The CRC of `bytes` appended to something whose CRC is `seed`; 0 to begin.
// crc32c(crc32c(0, a), b) is the CRC of a followed by b.
uint32_t crc32c(uint32_t seed, struct bytes bytes);

// The same by table, on any processor; crc32c() chooses it where SSE 4.2 is missing.
uint32_t crc32c_portable(uint32_t seed, struct bytes bytes);

#endif
