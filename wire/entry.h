/*
 * The frame of a log entry: the same bytes in an append message, in the journal of every node and
 * in the memory of a primary. All integers are little endian.
 *
 *   0        4        8  9  10   12       16               24               32
 *   +--------+--------+--+--+----+--------+----------------+----------------+
 *   | size   | crc    |fo|ki|flag|prev crc| epoch          | position       |
 *   +--------+--------+--+--+----+--------+----------------+----------------+
 *   | commit position | version         | time_us          | transactions   | reserved
 *   32                40                48                 56        60     64 .. 72
 *   +-----------------------------------------------------------------------+
 *   | payload (size - 72 bytes)                                             |
 *   +-----------------------------------------------------------------------+
 *
 * The CRC32C covers the cluster id and then every byte from offset 8 on, so also the CRC of the
 * entry before: a chain (rule 18).
 */
#ifndef SKEIN_WIRE_ENTRY_H
#define SKEIN_WIRE_ENTRY_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

enum entry_kind {
    ENTRY_NOOP = 1,          // first entry of an epoch; empty payload
    ENTRY_BATCH = 2,         // effects of transactions, storage/effects.h
    ENTRY_CONFIGURATION = 3, // a configuration message; the first entry of a cluster is one, too
};

enum {
    ENTRY_FORMAT = 1,
    ENTRY_FLAG_MARK = 1, // every node keeps a snapshot after applying it
};

struct entry {
    uint8_t kind;             // enum entry_kind
    uint16_t flags;           // ENTRY_FLAG_*
    uint32_t crc;             // of this entry; set by entry_encode and entry_decode
    uint32_t previous_crc;    // of the entry before; 0 for position 1
    uint64_t epoch;           // of the primary that made it
    uint64_t position;        // from 1
    uint64_t commit_position; // what its primary knew committed when it made it
    uint64_t version;         // number of transactions committed once it is
    uint64_t time_us;         // of its transactions, since 1970; never goes backwards
    uint32_t transactions;    // transactions in it that took a version
    struct bytes payload;     // borrowed
};

// Where a log ends, or where one began that was cut in front.
struct entry_place {
    uint64_t epoch;    // 0 before the first entry
    uint64_t position; // 0 before the first entry
    uint64_t version;  // version after the entry
    uint32_t crc;      // CRC of the entry
};

// Appends the frame of `entry` to `out` and sets entry->crc.
void entry_encode(struct entry *entry, uint64_t cluster_id, struct buffer *out);

// Reads one entry at the start of `bytes`; ret_entry borrows from it, ret_size is the size of the
// frame. Fails with bad_request when the frame is cut short, of another format or out of bounds,
// and with damaged when its CRC is wrong for this cluster.
MUST_CHECK enum status entry_decode(struct bytes bytes, uint64_t cluster_id,
                                    struct entry *ret_entry, size_t *ret_size);

// The place right after `entry`.
struct entry_place entry_place_of(const struct entry *entry);

#endif
