/*
 * Ids that an insert generates: 26 characters of Crockford's base 32, which sort by time and then
 * by version. They follow from where the transaction stands in the log, so that a repeated one gets
 * the same ids without having to keep them.
 */
#ifndef SKEIN_STORAGE_GENERATED_ID_H
#define SKEIN_STORAGE_GENERATED_ID_H

#include "base/bytes.h"

enum { GENERATED_ID_SIZE = 26 };

// The id of operation number `operation` (from 0, below 2^16) of the transaction that got `version`
// at `time_us`.
void generated_id(uint64_t version, uint64_t time_us, uint32_t operation,
                  uint8_t ret_id[GENERATED_ID_SIZE]);

#endif
