/*
 * One segment file of the journal: its layout, the index of its records in memory, and reading
 * records through a window. Internal to the journal.
 *
 * A segment file begins with a block of SEGMENT_HEADER_SIZE bytes; records follow, each aligned to
 * 8 bytes, up to the first that isn't there; the rest of the file is zeros, allocated beforehand.
 *
 *   header, at 0                                    mark, at 512, zeros but during a removal
 *   +----------------+--------+--------+            +--------+--------+--------+--------+
 *   | magic          | format | crc    |            | magic  | crc    | kind   | 0      |
 *   +----------------+--------+--------+            +--------+--------+--------+--------+
 *   | cluster id     | file size       |            | offset          | epoch           |
 *   +----------------+-----------------+            +-----------------+-----------------+
 *   | base epoch     | base position   |            | position        | version         |
 *   +----------------+--------+--------+            +--------+--------+-----------------+
 *   | base version   |base crc| 0      |            | crc    | 0      |
 *   +----------------+--------+--------+            +--------+--------+
 *
 *   record
 *   +--------+--------+--------+--------+-----------------+-----------------+
 *   | magic  | crc    | size   | 0      | position        |durable position |
 *   +--------+--------+--------+--------+-----------------+-----------------+
 *   | frame of the entry (size bytes, wire/entry.h), zeros up to 8 bytes    |
 *   +-----------------------------------------------------------------------+
 *
 * The CRC of a record's header covers cluster id, base position and offset, too: a record that was
 * written to another place, or that a document holds as its content, is none.
 */
#ifndef SKEIN_STORAGE_JOURNAL_SEGMENT_H
#define SKEIN_STORAGE_JOURNAL_SEGMENT_H

#include "base/buffer.h"
#include "base/limits.h"
#include "storage/disk.h"
#include "wire/entry.h"

enum {
    SEGMENT_HEADER_SIZE = 4 * KIB,
    SEGMENT_MARK_OFFSET = 512, // in a sector of its own
    SEGMENT_MARK_SIZE = 56,
    SEGMENT_NAME_SIZE = 17, // 16 hex digits, the position of the first entry, and NUL
    RECORD_HEADER_SIZE = 32,
    RECORD_ALIGNMENT = 8,
    WINDOW_SIZE = 256 * KIB, // what a window reads at a time, unless a record is larger
};

// Where a record begins.
struct segment_point {
    uint64_t position; // of its entry
    uint64_t offset;   // in the file
};

// What the journal knows of a segment file.
struct segment {
    uint64_t cluster_id;          // of its entries
    uint64_t size;                // of the file
    uint64_t used;                // where the next record goes
    struct entry_place base;      // of the entry before its first
    struct segment_point *points; // owned; a sparse index, by position
    size_t point_count;
    size_t point_capacity;
};

enum segment_mark_kind {
    SEGMENT_MARK_CUT = 1, // what is after `place` is being removed, also all later segments
    SEGMENT_MARK_RESET =
        2, // the journal is being replaced by an empty one that begins after `place`
};

// A removal under way, so that a crash in the middle of it can't be taken for damage.
struct segment_mark {
    uint32_t kind;            // enum segment_mark_kind
    uint64_t offset;          // CUT: end of the last record kept
    struct entry_place place; // CUT: of the last entry kept; RESET: the new base
};

struct record_header {
    uint32_t size;             // of the frame
    uint64_t position;         // of the entry
    uint64_t durable_position; // entries up to here were durable here when this was written
};

enum record_state {
    RECORD_NONE,   // no record begins there
    RECORD_BROKEN, // its header is whole, its entry is not
    RECORD_WHOLE,
};

struct record {
    struct record_header header;
    struct entry entry; // of a whole record; borrows from the window
    struct bytes frame; // of a whole record; borrows from the window
    uint64_t next;      // offset after it
};

// A part of a file in memory.
struct window {
    struct disk *disk;      // borrowed
    struct disk_file *file; // borrowed; NULL while it shows nothing
    uint64_t offset;        // in the file, of the first byte in memory
    struct buffer buffer;   // owned
};

// Encodes a whole header block, with no mark, into `out` (emptied first).
void segment_header_encode(const struct segment *segment, struct buffer *out);

// Reads the header block into the fields of `ret_segment`, which then holds no record. damaged: it
// is no header; version_mismatch: it is one of another format.
MUST_CHECK enum status segment_header_decode(struct bytes block, struct segment *ret_segment);

// Encodes a mark for this segment.
void segment_mark_encode(const struct segment *segment, const struct segment_mark *mark,
                         uint8_t out[SEGMENT_MARK_SIZE]);

// Reads the mark in the header block; false if there is none.
bool segment_mark_decode(const struct segment *segment, struct bytes block,
                         struct segment_mark *ret_mark);

// The name of the segment file whose first entry is at `position`, and back (false: no such name).
void segment_name(uint64_t position, char out[SEGMENT_NAME_SIZE]);
bool segment_name_parse(const char *name, uint64_t *ret_position);

// Frees the index.
void segment_release(struct segment *segment);

// A record of an entry at `position` now begins at `offset`, beyond all others.
void segment_note(struct segment *segment, uint64_t position, uint64_t offset);

// The records from `offset` on are gone.
void segment_forget(struct segment *segment, uint64_t offset);

// Finds where the record of `position` begins, which the segment holds. damaged: a header on the
// way is not whole.
MUST_CHECK enum status segment_find(const struct segment *segment, struct window *window,
                                    uint64_t position, uint64_t *ret_offset);

// Bytes that the record of a frame of `size` bytes takes.
static inline uint64_t record_size(uint64_t size)
{
    return (RECORD_HEADER_SIZE + size + RECORD_ALIGNMENT - 1) & ~(uint64_t)(RECORD_ALIGNMENT - 1);
}

// Appends a record to `out`, to be written at `offset` of the segment.
void record_encode(const struct segment *segment, uint64_t offset,
                   const struct record_header *header, struct bytes frame, struct buffer *out);

// Reads what is at `offset`: header and entry are checked, but not how they continue the chain.
MUST_CHECK enum status record_read(const struct segment *segment, struct window *window,
                                   uint64_t offset, struct record *ret_record,
                                   enum record_state *ret_state);

// Looks from `offset` on, which is a multiple of 8, for the first place where a record may begin.
// *ret_offset is the size of the segment when there is none; *tail_end is moved to the end of the
// last bytes passed that are not zero.
MUST_CHECK enum status segment_search(const struct segment *segment, struct window *window,
                                      uint64_t offset, uint64_t *ret_offset, uint64_t *tail_end);

void window_init(struct window *window, struct disk *disk);
void window_release(struct window *window);

// Shows `file` from now on, as it is now; NULL for none.
void window_open(struct window *window, struct disk_file *file);

// `size` bytes at `offset`, fewer only at the end of the file; borrowed until the next call.
MUST_CHECK enum status window_get(struct window *window, uint64_t offset, size_t size,
                                  struct bytes *ret_bytes);

#endif
