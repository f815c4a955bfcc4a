/*
 * Journals whose files were made up: segments and records with sums that are right and content that
 * need not be, and then bytes that were changed. Whatever opens is a chain of whole entries, and
 * goes on as one.
 */
#include "tests/fuzz/fuzz.h"

#include "storage/journal.h"
#include "storage/journal_segment.h"
#include "tests/sim/disk.h"

#include <stdio.h>

enum { CLUSTER = 77, SEGMENTS_MAX = 3, RECORDS_MAX = 8, EDITS_MAX = 4 };

// What is wrong with a segment.
enum {
    SEGMENT_HAS_MARK = 1,
    SEGMENT_IS_APART = 2,    // does not continue the one before
    SEGMENT_IS_FOREIGN = 4,  // of another cluster
    SEGMENT_IS_CUT = 8,      // the file is too short
    SEGMENT_IS_DAMAGED = 16, // some bytes are changed
};

// What is wrong with a record.
enum {
    RECORD_IS_UNCHAINED = 1,
    RECORD_IS_MISPLACED = 2, // another position
    RECORD_IS_FOREIGN = 4,
    RECORD_IS_BOLD = 8, // says of any entry that it is durable
    RECORD_BEGINS_EPOCH = 16,
    RECORD_IS_TORN = 32,
    RECORD_IS_TWISTED = 64, // header and entry have different positions
};

// A journal on its way to the disk.
struct maker {
    struct disk *disk;
    struct entry_place end; // of the last entry made
};

static void make_record(struct maker *maker, struct segment *segment, struct bytes *input,
                        struct buffer *out)
{
    AUTO(buffer_release) struct buffer frame = {0};
    uint8_t flags = fuzz_take_u8(input);
    bool is_misplaced = (flags & RECORD_IS_MISPLACED) != 0;
    struct entry entry = {.kind = ENTRY_BATCH,
                          .epoch = maker->end.epoch + ((flags & RECORD_BEGINS_EPOCH) != 0),
                          .position = is_misplaced ? fuzz_take_u16(input) : maker->end.position + 1,
                          .version = maker->end.version + 1,
                          .previous_crc = maker->end.crc + ((flags & RECORD_IS_UNCHAINED) != 0)};
    entry.payload = fuzz_take(input, fuzz_take_u8(input));
    entry_encode(&entry, CLUSTER + ((flags & RECORD_IS_FOREIGN) != 0), &frame);
    struct record_header header = {.size = (uint32_t)frame.size,
                                   .position = entry.position + ((flags & RECORD_IS_TWISTED) != 0),
                                   .durable_position = maker->end.position};
    if (flags & RECORD_IS_BOLD) {
        header.durable_position = fuzz_take_u16(input);
    }
    if (flags & RECORD_IS_TORN) {
        size_t kept = fuzz_take_u16(input) % frame.size;
        memset(frame.data + kept, 0, frame.size - kept);
    }
    record_encode(segment, segment->used, &header, buffer_bytes(&frame), out);
    segment->used += record_size(frame.size);
    maker->end = entry_place_of(&entry);
}

static void make_mark(const struct segment *segment, struct bytes *input, struct buffer *out)
{
    const struct segment_mark mark = {.kind = fuzz_take_u8(input),
                                      .offset = fuzz_take_u16(input),
                                      .place = {.epoch = fuzz_take_u8(input),
                                                .position = fuzz_take_u16(input),
                                                .version = fuzz_take_u8(input),
                                                .crc = fuzz_take_u16(input)}};
    segment_mark_encode(segment, &mark, out->data + SEGMENT_MARK_OFFSET);
}

static void store_file(struct maker *maker, uint64_t position, struct bytes content)
{
    char name[DISK_NAME_SIZE_MAX];
    char number[SEGMENT_NAME_SIZE];
    struct disk_file *file;
    segment_name(position, number);
    snprintf(name, sizeof name, "journal/%s", number);
    ASSERT(disk_open(maker->disk, name, true, &file) == STATUS_ok);
    ASSERT(disk_write(maker->disk, file, 0, content) == STATUS_ok);
    ASSERT(disk_sync(maker->disk, file) == STATUS_ok);
    disk_close(maker->disk, &file);
}

static void damage(struct bytes *input, struct buffer *content)
{
    unsigned edits = fuzz_take_u8(input) % (EDITS_MAX + 1);
    for (unsigned i = 0; i < edits; i++) {
        size_t at = fuzz_take_u16(input) % content->size;
        content->data[at] ^= fuzz_take_u8(input);
    }
}

static void make_segment(struct maker *maker, struct bytes *input)
{
    AUTO(buffer_release) struct buffer content = {0};
    AUTO(buffer_release) struct buffer records = {0};
    uint8_t flags = fuzz_take_u8(input);
    unsigned count = fuzz_take_u8(input) % (RECORDS_MAX + 1);
    struct segment segment = {.cluster_id = CLUSTER + ((flags & SEGMENT_IS_FOREIGN) != 0),
                              .used = SEGMENT_HEADER_SIZE,
                              .size = SEGMENT_HEADER_SIZE +
                                      (uint64_t)fuzz_take_u8(input) * RECORD_ALIGNMENT * 4};
    if (flags & SEGMENT_IS_APART) {
        maker->end.position = fuzz_take_u16(input);
        maker->end.crc ^= fuzz_take_u8(input);
    }
    segment.base = maker->end;
    for (unsigned i = 0; i < count; i++) {
        make_record(maker, &segment, input, &records);
    }
    segment.size = segment.used > segment.size ? segment.used : segment.size;
    segment_header_encode(&segment, &content);
    if (flags & SEGMENT_HAS_MARK) {
        make_mark(&segment, input, &content);
    }
    buffer_append(&content, buffer_bytes(&records));
    size_t tail = (size_t)segment.size - content.size;
    memset(buffer_extend(&content, tail), 0, tail);
    if (flags & SEGMENT_IS_DAMAGED) {
        damage(input, &content);
    }
    if (flags & SEGMENT_IS_CUT) {
        buffer_truncate(&content, fuzz_take_u16(input) % content.size);
    }
    store_file(maker, segment.base.position + 1, buffer_bytes(&content));
}

// Everything that the journal holds is a chain from its base to its end.
static void check_chain(struct journal *journal)
{
    AUTO(buffer_release) struct buffer frames = {0};
    const struct journal_view *view = journal_view(journal);
    ASSERT(view->base.position <= view->end.position);
    if (view->base.position == view->end.position) {
        return;
    }
    ASSERT(journal_read(journal, view->base.position + 1, SIZE_MAX, &frames) == STATUS_ok);
    struct bytes rest = buffer_bytes(&frames);
    struct entry_place place = view->base;
    while (rest.size > 0) {
        struct entry entry;
        size_t size;
        ASSERT(entry_decode(rest, CLUSTER, &entry, &size) == STATUS_ok);
        ASSERT(entry.position == place.position + 1 && entry.previous_crc == place.crc);
        place = entry_place_of(&entry);
        fuzz_take(&rest, size);
    }
    ASSERT(place.position == view->end.position && place.crc == view->end.crc);
}

static void append_one(struct journal *journal)
{
    AUTO(buffer_release) struct buffer frame = {0};
    const struct entry_place end = journal_view(journal)->end;
    struct entry entry = {.kind = ENTRY_NOOP,
                          .epoch = end.epoch,
                          .position = end.position + 1,
                          .version = end.version,
                          .previous_crc = end.crc};
    entry_encode(&entry, CLUSTER, &frame);
    ASSERT(journal_append(journal, buffer_bytes(&frame)) == STATUS_ok);
    ASSERT(journal_sync(journal) == STATUS_ok);
    ASSERT(!journal_view(journal)->damaged);
}

// It goes on after its end, also after a power cut.
static void check_goes_on(struct sim_disk *disk, struct journal_options *options,
                          struct journal *journal, struct random *random)
{
    uint64_t end = journal_view(journal)->end.position;
    append_one(journal);
    check_chain(journal);
    journal_destroy(&journal);
    sim_disk_crash(disk, random);
    options->high_water = 0;
    ASSERT(journal_open(sim_disk_port(disk), options, &journal) == STATUS_ok);
    ASSERT(!journal_view(journal)->damaged && journal_view(journal)->end.position == end + 1);
    check_chain(journal);
    journal_destroy(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct random random;
    random_init(&random, size);
    struct sim_disk *disk = sim_disk_new();
    struct maker maker = {.disk = sim_disk_port(disk)};
    struct journal_options options = {.folder = "journal",
                                      .cluster_id = CLUSTER,
                                      .segment_size = 16 * KIB,
                                      .high_water = fuzz_take_u8(&input)};
    ASSERT(disk_make_folder(maker.disk, "journal") == STATUS_ok);
    for (unsigned i = 0; i < SEGMENTS_MAX && input.size > 0; i++) {
        make_segment(&maker, &input);
    }
    ASSERT(disk_sync_folder(maker.disk, "journal") == STATUS_ok);
    ASSERT(disk_sync_folder(maker.disk, "") == STATUS_ok);
    struct journal *journal;
    enum status status = journal_open(maker.disk, &options, &journal);
    ASSERT(status == STATUS_ok || status == STATUS_wrong_cluster ||
           status == STATUS_version_mismatch);
    if (status == STATUS_ok) {
        const struct journal_view *view = journal_view(journal);
        ASSERT(view->damaged || view->end.position >= options.high_water);
        ASSERT(!view->damaged || fuzz_is_sentence(view->damage));
        check_chain(journal);
        check_goes_on(disk, &options, journal, &random);
    }
    sim_disk_destroy(&disk);
    return 0;
}
