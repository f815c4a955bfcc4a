/*
 * The layout of a segment file, and reading it.
 *
 * 1. Everything that is read is checked before it is believed: a header or mark by its CRC, a
 *    record by the CRC of its header and that of its entry. The CRCs of mark and record header
 *    cover also where they belong, so bytes that a misdirected write or a copy put elsewhere are
 *    nothing.
 * 2. Sizes are bounded by the segment before anything is read by them.
 * 3. The index holds the first record and then one about each POINT_DISTANCE bytes, so a record is
 *    found by reading at most so much, and ten million entries of 300 bytes take under 1 MiB.
 * 4. A window reads ahead WINDOW_SIZE bytes; memory is bounded by that or the largest record.
 */
#include "storage/journal_segment.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SEGMENT_FORMAT = 1,
    SEGMENT_MAGIC_SIZE = 8,
    SEGMENT_FIELDS_SIZE = 64, // of the header, in the first sector
    MARK_MAGIC = 0x4b52414d,
    RECORD_MAGIC = 0x44524352,
    POINT_DISTANCE = 64 * KIB,
};

static_assert((int)SEGMENT_FIELDS_SIZE <= SEGMENT_MARK_OFFSET, "header and mark are apart");
static_assert((int)SEGMENT_MARK_OFFSET + SEGMENT_MARK_SIZE <= SEGMENT_HEADER_SIZE,
              "both are in the header block");
static_assert(SEGMENT_HEADER_SIZE % RECORD_ALIGNMENT == 0, "the first record is aligned");
static_assert(WINDOW_SIZE >= 2 * RECORD_HEADER_SIZE, "a window holds a header");

static const uint8_t SEGMENT_MAGIC[SEGMENT_MAGIC_SIZE] = "SKEINSEG";

static uint32_t header_crc(const uint8_t *block)
{
    uint32_t crc = crc32c(0, bytes_of(block, 12));
    return crc32c(crc, bytes_of(block + 16, SEGMENT_FIELDS_SIZE - 16));
}

static void place_store(uint8_t *to, const struct entry_place *place)
{
    store_u64(to, place->epoch);
    store_u64(to + 8, place->position);
    store_u64(to + 16, place->version);
    store_u32(to + 24, place->crc);
    store_u32(to + 28, 0);
}

static struct entry_place place_load(const uint8_t *from)
{
    return (struct entry_place){.epoch = load_u64(from),
                                .position = load_u64(from + 8),
                                .version = load_u64(from + 16),
                                .crc = load_u32(from + 24)};
}

void segment_header_encode(const struct segment *segment, struct buffer *out)
{
    buffer_clear(out);
    uint8_t *block = buffer_extend(out, SEGMENT_HEADER_SIZE);
    memset(block, 0, SEGMENT_HEADER_SIZE);
    memcpy(block, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE);
    store_u32(block + 8, SEGMENT_FORMAT);
    store_u64(block + 16, segment->cluster_id);
    store_u64(block + 24, segment->size);
    place_store(block + 32, &segment->base);
    store_u32(block + 12, header_crc(block));
}

enum status segment_header_decode(struct bytes block, struct segment *ret_segment)
{
    if (block.size < SEGMENT_HEADER_SIZE ||
        memcmp(block.data, SEGMENT_MAGIC, SEGMENT_MAGIC_SIZE) != 0 ||
        load_u32(block.data + 12) != header_crc(block.data)) {
        return STATUS_damaged;
    }
    if (load_u32(block.data + 8) != SEGMENT_FORMAT) {
        return STATUS_version_mismatch;
    }
    *ret_segment = (struct segment){.cluster_id = load_u64(block.data + 16),
                                    .size = load_u64(block.data + 24),
                                    .used = SEGMENT_HEADER_SIZE,
                                    .base = place_load(block.data + 32)};
    return STATUS_ok;
}

// The CRC of something that belongs to one place of one segment only.
static uint32_t bound_crc(const struct segment *segment, uint64_t offset, struct bytes bytes)
{
    uint8_t where[24];
    store_u64(where, segment->cluster_id);
    store_u64(where + 8, segment->base.position);
    store_u64(where + 16, offset);
    return crc32c(crc32c(0, bytes_of(where, sizeof where)), bytes);
}

void segment_mark_encode(const struct segment *segment, const struct segment_mark *mark,
                         uint8_t out[SEGMENT_MARK_SIZE])
{
    memset(out, 0, SEGMENT_MARK_SIZE);
    store_u32(out, MARK_MAGIC);
    store_u32(out + 8, mark->kind);
    store_u64(out + 16, mark->offset);
    place_store(out + 24, &mark->place);
    struct bytes covered = bytes_of(out + 8, SEGMENT_MARK_SIZE - 8);
    store_u32(out + 4, bound_crc(segment, SEGMENT_MARK_OFFSET, covered));
}

bool segment_mark_decode(const struct segment *segment, struct bytes block,
                         struct segment_mark *ret_mark)
{
    const uint8_t *in = block.data + SEGMENT_MARK_OFFSET;
    struct bytes covered = bytes_of(in + 8, SEGMENT_MARK_SIZE - 8);
    if (load_u32(in) != MARK_MAGIC ||
        load_u32(in + 4) != bound_crc(segment, SEGMENT_MARK_OFFSET, covered)) {
        return false;
    }
    *ret_mark = (struct segment_mark){
        .kind = load_u32(in + 8), .offset = load_u64(in + 16), .place = place_load(in + 24)};
    return true;
}

void segment_name(uint64_t position, char out[SEGMENT_NAME_SIZE])
{
    snprintf(out, SEGMENT_NAME_SIZE, "%016llx", (unsigned long long)position);
}

bool segment_name_parse(const char *name, uint64_t *ret_position)
{
    if (strlen(name) != SEGMENT_NAME_SIZE - 1 || strspn(name, "0123456789abcdef") != strlen(name)) {
        return false;
    }
    *ret_position = strtoull(name, NULL, 16);
    return true;
}

void segment_release(struct segment *segment)
{
    free(segment->points);
    *segment = (struct segment){0};
}

void segment_note(struct segment *segment, uint64_t position, uint64_t offset)
{
    size_t count = segment->point_count;
    if (count > 0 && offset - segment->points[count - 1].offset < POINT_DISTANCE) {
        return;
    }
    if (count == segment->point_capacity) {
        segment->point_capacity = count == 0 ? 4 : count * 2;
        size_t size = segment->point_capacity * sizeof *segment->points;
        segment->points = realloc(segment->points, size);
        ASSERT(segment->points != NULL);
    }
    segment->points[count] = (struct segment_point){.position = position, .offset = offset};
    segment->point_count++;
}

void segment_forget(struct segment *segment, uint64_t offset)
{
    while (segment->point_count > 0 && segment->points[segment->point_count - 1].offset >= offset) {
        segment->point_count--;
    }
}

static uint64_t point_before(const struct segment *segment, uint64_t position)
{
    size_t low = 0;
    size_t high = segment->point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segment->points[middle].position <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    ASSERT(low > 0);
    return segment->points[low - 1].offset;
}

static bool header_decode(const struct segment *segment, uint64_t offset, struct bytes bytes,
                          struct record_header *ret_header)
{
    if (bytes.size < RECORD_HEADER_SIZE || load_u32(bytes.data) != RECORD_MAGIC) {
        return false;
    }
    struct bytes covered = bytes_of(bytes.data + 8, RECORD_HEADER_SIZE - 8);
    if (load_u32(bytes.data + 4) != bound_crc(segment, offset, covered)) {
        return false;
    }
    struct record_header header = {.size = load_u32(bytes.data + 8),
                                   .position = load_u64(bytes.data + 16),
                                   .durable_position = load_u64(bytes.data + 24)};
    bool is_sound = header.size >= ENTRY_HEADER_SIZE &&
                    header.size <= ENTRY_HEADER_SIZE + ENTRY_PAYLOAD_SIZE_MAX &&
                    header.position > header.durable_position &&
                    record_size(header.size) <= segment->size - offset;
    if (is_sound) {
        *ret_header = header;
    }
    return is_sound;
}

enum status segment_find(const struct segment *segment, struct window *window, uint64_t position,
                         uint64_t *ret_offset)
{
    uint64_t offset = point_before(segment, position);
    while (offset < segment->used) {
        struct bytes bytes;
        TRY(window_get(window, offset, RECORD_HEADER_SIZE, &bytes));
        struct record_header header;
        if (!header_decode(segment, offset, bytes, &header) || header.position > position) {
            return STATUS_damaged;
        }
        if (header.position == position) {
            *ret_offset = offset;
            return STATUS_ok;
        }
        offset += record_size(header.size);
    }
    return STATUS_damaged;
}

void record_encode(const struct segment *segment, uint64_t offset,
                   const struct record_header *header, struct bytes frame, struct buffer *out)
{
    ASSERT(header->size == frame.size);
    size_t size = (size_t)record_size(frame.size);
    uint8_t *to = buffer_extend(out, size);
    memset(to, 0, RECORD_HEADER_SIZE);
    store_u32(to, RECORD_MAGIC);
    store_u32(to + 8, header->size);
    store_u64(to + 16, header->position);
    store_u64(to + 24, header->durable_position);
    struct bytes covered = bytes_of(to + 8, RECORD_HEADER_SIZE - 8);
    store_u32(to + 4, bound_crc(segment, offset, covered));
    memcpy(to + RECORD_HEADER_SIZE, frame.data, frame.size);
    size_t filled = RECORD_HEADER_SIZE + frame.size;
    memset(to + filled, 0, size - filled);
}

enum status record_read(const struct segment *segment, struct window *window, uint64_t offset,
                        struct record *ret_record, enum record_state *ret_state)
{
    *ret_state = RECORD_NONE;
    struct bytes bytes;
    TRY(window_get(window, offset, RECORD_HEADER_SIZE, &bytes));
    struct record record = {0};
    if (!header_decode(segment, offset, bytes, &record.header)) {
        return STATUS_ok;
    }
    size_t size = RECORD_HEADER_SIZE + record.header.size;
    TRY(window_get(window, offset, size, &bytes));
    record.next = offset + record_size(record.header.size);
    *ret_state = RECORD_BROKEN;
    if (bytes.size == size) {
        record.frame = bytes_of(bytes.data + RECORD_HEADER_SIZE, record.header.size);
        size_t frame_size = 0;
        enum status status = entry_decode(record.frame, segment->cluster_id, &record.entry,
                                          &frame_size);
        bool is_whole = status == STATUS_ok && frame_size == record.frame.size &&
                        record.entry.position == record.header.position;
        *ret_state = is_whole ? RECORD_WHOLE : RECORD_BROKEN;
    }
    *ret_record = record;
    return STATUS_ok;
}

// All that is in memory from `offset` on, which is not before what is.
static struct bytes window_rest(const struct window *window, uint64_t offset)
{
    size_t skip = (size_t)(offset - window->offset);
    size_t held = window->buffer.size - skip;
    // Even adding 0 to NULL is undefined in C: a window on an empty file.
    return held == 0 ? bytes_of(NULL, 0) : bytes_of(window->buffer.data + skip, held);
}

enum status segment_search(const struct segment *segment, struct window *window, uint64_t offset,
                           uint64_t *ret_offset, uint64_t *tail_end)
{
    while (offset < segment->size) {
        struct bytes bytes;
        TRY(window_get(window, offset, RECORD_ALIGNMENT, &bytes));
        bytes = window_rest(window, offset);
        size_t words = bytes.size / RECORD_ALIGNMENT;
        for (size_t i = 0; i < words; i++) {
            uint64_t word = load_u64(bytes.data + i * RECORD_ALIGNMENT);
            if (word != 0) {
                *tail_end = offset + (i + 1) * RECORD_ALIGNMENT;
            }
            if ((uint32_t)word == RECORD_MAGIC) {
                *ret_offset = offset + i * RECORD_ALIGNMENT;
                return STATUS_ok;
            }
        }
        if (words == 0) {
            break;
        }
        offset += words * RECORD_ALIGNMENT;
    }
    *ret_offset = segment->size;
    return STATUS_ok;
}

void window_init(struct window *window, struct disk *disk)
{
    *window = (struct window){.disk = disk};
}

void window_release(struct window *window)
{
    buffer_release(&window->buffer);
    *window = (struct window){0};
}

void window_open(struct window *window, struct disk_file *file)
{
    window->file = file;
    window->offset = 0;
    buffer_clear(&window->buffer);
}

static enum status window_fill(struct window *window, uint64_t offset, size_t size)
{
    uint64_t file_size;
    TRY(disk_size(window->disk, window->file, &file_size));
    uint64_t left = offset < file_size ? file_size - offset : 0;
    size_t wanted = size < WINDOW_SIZE ? WINDOW_SIZE : size;
    if (wanted > left) {
        wanted = (size_t)left;
    }
    window->offset = offset;
    buffer_clear(&window->buffer);
    struct bytes_out into = {.data = buffer_extend(&window->buffer, wanted), .size = wanted};
    size_t got = 0;
    enum status status = disk_read(window->disk, window->file, offset, into, &got);
    buffer_truncate(&window->buffer, status == STATUS_ok ? got : 0);
    return status;
}

enum status window_get(struct window *window, uint64_t offset, size_t size, struct bytes *ret_bytes)
{
    bool is_held = offset >= window->offset &&
                   offset + size <= window->offset + window->buffer.size;
    if (!is_held) {
        TRY(window_fill(window, offset, size));
    }
    struct bytes held = window_rest(window, offset);
    *ret_bytes = bytes_of(held.data, held.size < size ? held.size : size);
    return STATUS_ok;
}
