/*
 * The frame of an entry. Integers are stored byte by byte, little endian, so that a journal can be
 * read on any machine; the compiler makes single moves of it.
 *
 * 1. Everything but size and CRC is under the CRC, and so is the cluster id, which the frame
 *    doesn't hold: an entry of another cluster is damage here (rules 18 and 31).
 * 2. The size is checked against the bounds before the CRC is computed over it.
 * 3. A kind or flag that we don't know still decodes: the node that meets one stops (rule 38).
 */
#include "wire/entry.h"

#include "base/assert.h"
#include "base/crc32c.h"

enum {
    OFFSET_SIZE = 0,
    OFFSET_CRC = 4,
    OFFSET_FORMAT = 8,
    OFFSET_KIND = 9,
    OFFSET_FLAGS = 10,
    OFFSET_PREVIOUS_CRC = 12,
    OFFSET_EPOCH = 16,
    OFFSET_POSITION = 24,
    OFFSET_COMMIT_POSITION = 32,
    OFFSET_VERSION = 40,
    OFFSET_TIME = 48,
    OFFSET_TRANSACTIONS = 56,
    OFFSET_RESERVED = 60,
    OFFSET_END = 72,
};

static_assert((int)OFFSET_END == ENTRY_HEADER_SIZE, "the header is as drawn");

static void store(uint8_t *to, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t load(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}

static uint32_t frame_crc(const uint8_t *frame, size_t size, uint64_t cluster_id)
{
    uint8_t cluster[8];
    store(cluster, 8, cluster_id);
    uint32_t crc = crc32c(0, bytes_of(cluster, sizeof cluster));
    return crc32c(crc, bytes_of(frame + OFFSET_FORMAT, size - OFFSET_FORMAT));
}

void entry_encode(struct entry *entry, uint64_t cluster_id, struct buffer *out)
{
    ASSERT(entry->payload.size <= ENTRY_PAYLOAD_SIZE_MAX);
    size_t size = ENTRY_HEADER_SIZE + entry->payload.size;
    uint8_t *frame = buffer_extend(out, size);
    store(frame + OFFSET_SIZE, 4, size);
    store(frame + OFFSET_FORMAT, 1, ENTRY_FORMAT);
    store(frame + OFFSET_KIND, 1, entry->kind);
    store(frame + OFFSET_FLAGS, 2, entry->flags);
    store(frame + OFFSET_PREVIOUS_CRC, 4, entry->previous_crc);
    store(frame + OFFSET_EPOCH, 8, entry->epoch);
    store(frame + OFFSET_POSITION, 8, entry->position);
    store(frame + OFFSET_COMMIT_POSITION, 8, entry->commit_position);
    store(frame + OFFSET_VERSION, 8, entry->version);
    store(frame + OFFSET_TIME, 8, entry->time_us);
    store(frame + OFFSET_TRANSACTIONS, 4, entry->transactions);
    memset(frame + OFFSET_RESERVED, 0, OFFSET_END - OFFSET_RESERVED);
    if (entry->payload.size > 0) {
        memcpy(frame + ENTRY_HEADER_SIZE, entry->payload.data, entry->payload.size);
    }
    entry->crc = frame_crc(frame, size, cluster_id);
    store(frame + OFFSET_CRC, 4, entry->crc);
}

static enum status check_frame(struct bytes bytes, size_t *ret_size)
{
    if (bytes.size < ENTRY_HEADER_SIZE) {
        return STATUS_bad_request;
    }
    size_t size = load(bytes.data + OFFSET_SIZE, 4);
    bool is_sound = size >= ENTRY_HEADER_SIZE &&
                    size <= ENTRY_HEADER_SIZE + ENTRY_PAYLOAD_SIZE_MAX && size <= bytes.size &&
                    bytes.data[OFFSET_FORMAT] == ENTRY_FORMAT;
    if (!is_sound) {
        return STATUS_bad_request;
    }
    *ret_size = size;
    return STATUS_ok;
}

enum status entry_decode(struct bytes bytes, uint64_t cluster_id, struct entry *ret_entry,
                         size_t *ret_size)
{
    size_t size;
    TRY(check_frame(bytes, &size));
    const uint8_t *frame = bytes.data;
    uint32_t crc = (uint32_t)load(frame + OFFSET_CRC, 4);
    if (crc != frame_crc(frame, size, cluster_id)) {
        return STATUS_damaged;
    }
    *ret_entry = (struct entry){
        .kind = frame[OFFSET_KIND],
        .flags = (uint16_t)load(frame + OFFSET_FLAGS, 2),
        .crc = crc,
        .previous_crc = (uint32_t)load(frame + OFFSET_PREVIOUS_CRC, 4),
        .epoch = load(frame + OFFSET_EPOCH, 8),
        .position = load(frame + OFFSET_POSITION, 8),
        .commit_position = load(frame + OFFSET_COMMIT_POSITION, 8),
        .version = load(frame + OFFSET_VERSION, 8),
        .time_us = load(frame + OFFSET_TIME, 8),
        .transactions = (uint32_t)load(frame + OFFSET_TRANSACTIONS, 4),
        .payload = bytes_of(frame + ENTRY_HEADER_SIZE, size - ENTRY_HEADER_SIZE),
    };
    *ret_size = size;
    return STATUS_ok;
}

struct entry_place entry_place_of(const struct entry *entry)
{
    return (struct entry_place){.epoch = entry->epoch,
                                .position = entry->position,
                                .version = entry->version,
                                .crc = entry->crc};
}
