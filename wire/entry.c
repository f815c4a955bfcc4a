/*
 * The frame of an entry. Integers are stored little endian, so that a journal can be read on any
 * machine.
 *
 * 1. Everything but size and CRC is under the CRC, and so is the cluster id, which the frame
 *    doesn't hold: an entry of another cluster is damage here (rules 18 and 31).
 * 2. The size is checked against the bounds before the CRC is computed over it.
 * 3. A kind or flag that we don't know still decodes: the node that meets one stops (rule 38).
 */
#include "wire/entry.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

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

static uint32_t frame_crc(const uint8_t *frame, size_t size, uint64_t cluster_id)
{
    uint8_t cluster[8];
    store_u64(cluster, cluster_id);
    uint32_t crc = crc32c(0, bytes_of(cluster, sizeof cluster));
    return crc32c(crc, bytes_of(frame + OFFSET_FORMAT, size - OFFSET_FORMAT));
}

void entry_encode(struct entry *entry, uint64_t cluster_id, struct buffer *out)
{
    ASSERT(entry->payload.size <= ENTRY_PAYLOAD_SIZE_MAX);
    size_t size = ENTRY_HEADER_SIZE + entry->payload.size;
    uint8_t *frame = buffer_extend(out, size);
    store_u32(frame + OFFSET_SIZE, (uint32_t)size);
    frame[OFFSET_FORMAT] = ENTRY_FORMAT;
    frame[OFFSET_KIND] = entry->kind;
    frame[OFFSET_FLAGS] = (uint8_t)entry->flags;
    frame[OFFSET_FLAGS + 1] = (uint8_t)(entry->flags >> 8);
    store_u32(frame + OFFSET_PREVIOUS_CRC, entry->previous_crc);
    store_u64(frame + OFFSET_EPOCH, entry->epoch);
    store_u64(frame + OFFSET_POSITION, entry->position);
    store_u64(frame + OFFSET_COMMIT_POSITION, entry->commit_position);
    store_u64(frame + OFFSET_VERSION, entry->version);
    store_u64(frame + OFFSET_TIME, entry->time_us);
    store_u32(frame + OFFSET_TRANSACTIONS, entry->transactions);
    memset(frame + OFFSET_RESERVED, 0, OFFSET_END - OFFSET_RESERVED);
    if (entry->payload.size > 0) {
        memcpy(frame + ENTRY_HEADER_SIZE, entry->payload.data, entry->payload.size);
    }
    entry->crc = frame_crc(frame, size, cluster_id);
    store_u32(frame + OFFSET_CRC, entry->crc);
}

static enum status check_frame(struct bytes bytes, size_t *ret_size)
{
    if (bytes.size < ENTRY_HEADER_SIZE) {
        return STATUS_bad_request;
    }
    size_t size = load_u32(bytes.data + OFFSET_SIZE);
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
    uint32_t crc = load_u32(frame + OFFSET_CRC);
    if (crc != frame_crc(frame, size, cluster_id)) {
        return STATUS_damaged;
    }
    *ret_entry = (struct entry){
        .kind = frame[OFFSET_KIND],
        .flags = (uint16_t)(frame[OFFSET_FLAGS] | frame[OFFSET_FLAGS + 1] << 8),
        .crc = crc,
        .previous_crc = load_u32(frame + OFFSET_PREVIOUS_CRC),
        .epoch = load_u64(frame + OFFSET_EPOCH),
        .position = load_u64(frame + OFFSET_POSITION),
        .commit_position = load_u64(frame + OFFSET_COMMIT_POSITION),
        .version = load_u64(frame + OFFSET_VERSION),
        .time_us = load_u64(frame + OFFSET_TIME),
        .transactions = load_u32(frame + OFFSET_TRANSACTIONS),
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
