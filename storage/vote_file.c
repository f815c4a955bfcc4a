/*
 * The vote file: two copies, of which one is whole at every moment (rules 2 and 19).
 *
 *   0        4        8        12       16                24
 *   +--------+--------+--------+--------+-----------------+---------------------+
 *   | magic  | crc    | format | size   | counter         | content, then zeros |  2072 bytes
 *   +--------+--------+--------+--------+-----------------+---------------------+
 *
 * 1. The counter grows by one with each content. Copy a is written and synced, then copy b; only
 *    then is the content promised to anybody. So of two whole copies the one with the higher
 *    counter may be taken: at worst it is a promise that nobody was told of.
 * 2. A copy is overwritten in place, in space that it has from the start: a full disk can't stop a
 *    promise. A crash tears the copy being written and leaves the other one alone.
 * 3. A copy gets its name when it is whole and durable ("vote/a.new" becomes "vote/a"), so a copy
 *    that is there and not whole was written to or is damaged, never half made.
 * 4. Opening may have read what is in the page cache only. So the newest copy is written again
 *    where it was found, which changes no byte on a disk that has it, and synced; then the other
 *    copy is made the same.
 * 5. After a failed write nothing is written any more (rule 21).
 */
#include "storage/vote_file.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    VOTE_FORMAT = 1,
    VOTE_MAGIC = 0x45544f56,
    VOTE_HEADER_SIZE = 24,
    COPY_SIZE = VOTE_HEADER_SIZE + VOTE_CONTENT_SIZE_MAX,
    COPY_COUNT = 2,
};

static const char VOTE_FOLDER[] = "vote";
static const char *const COPY_NAMES[COPY_COUNT] = {"vote/a", "vote/b"};

struct vote_file {
    struct disk *disk;                  // borrowed
    struct disk_file *file[COPY_COUNT]; // owned
    uint64_t counter;                   // of the content now
    bool has_failed;                    // after a failed write
};

// One copy as it was found.
struct copy {
    bool exists;              // there is a file
    bool is_whole;            // and it can be trusted
    uint32_t format;          // of a whole one
    uint64_t counter;         // of a whole one
    struct bytes content;     // of a whole one; borrows from `bytes`
    uint8_t bytes[COPY_SIZE]; // as read
};

static uint32_t copy_crc(const uint8_t *bytes)
{
    return crc32c(0, bytes_of(bytes + 8, COPY_SIZE - 8));
}

static void copy_encode(uint64_t counter, struct bytes content, uint8_t out[COPY_SIZE])
{
    ASSERT(content.size <= VOTE_CONTENT_SIZE_MAX);
    memset(out, 0, COPY_SIZE);
    store_u32(out, VOTE_MAGIC);
    store_u32(out + 8, VOTE_FORMAT);
    store_u32(out + 12, (uint32_t)content.size);
    store_u64(out + 16, counter);
    if (content.size > 0) {
        memcpy(out + VOTE_HEADER_SIZE, content.data, content.size);
    }
    store_u32(out + 4, copy_crc(out));
}

static void copy_decode(struct copy *copy)
{
    const uint8_t *bytes = copy->bytes;
    size_t size = load_u32(bytes + 12);
    copy->is_whole = load_u32(bytes) == VOTE_MAGIC && load_u32(bytes + 4) == copy_crc(bytes) &&
                     size <= VOTE_CONTENT_SIZE_MAX;
    copy->format = load_u32(bytes + 8);
    copy->counter = load_u64(bytes + 16);
    copy->content = bytes_of(bytes + VOTE_HEADER_SIZE, copy->is_whole ? size : 0);
}

static enum status copy_load(struct vote_file *self, unsigned index, struct copy *copy)
{
    enum status status = disk_open(self->disk, COPY_NAMES[index], false, &self->file[index]);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    TRY(status);
    copy->exists = true;
    struct bytes_out into = {.data = copy->bytes, .size = COPY_SIZE};
    size_t got = 0;
    TRY(disk_read(self->disk, self->file[index], 0, into, &got));
    copy_decode(copy);
    copy->is_whole = copy->is_whole && got == COPY_SIZE;
    return STATUS_ok;
}

// Writes one copy in place and syncs it.
static enum status copy_store(struct vote_file *self, unsigned index, struct bytes content)
{
    uint8_t bytes[COPY_SIZE];
    copy_encode(self->counter, content, bytes);
    TRY(disk_write(self->disk, self->file[index], 0, bytes_of(bytes, sizeof bytes)));
    return disk_sync(self->disk, self->file[index]);
}

static void temporary_name(unsigned index, char out[DISK_NAME_SIZE_MAX])
{
    snprintf(out, DISK_NAME_SIZE_MAX, "%s.new", COPY_NAMES[index]);
}

// Writes a copy that is not there under its temporary name.
static enum status copy_prepare(struct vote_file *self, unsigned index, struct bytes content)
{
    char name[DISK_NAME_SIZE_MAX];
    temporary_name(index, name);
    TRY(disk_open(self->disk, name, true, &self->file[index]));
    TRY(disk_allocate(self->disk, self->file[index], COPY_SIZE));
    return copy_store(self, index, content);
}

// Gives a prepared copy its name.
static enum status copy_publish(struct vote_file *self, unsigned index)
{
    char name[DISK_NAME_SIZE_MAX];
    temporary_name(index, name);
    TRY(disk_rename(self->disk, name, COPY_NAMES[index]));
    return disk_sync_folder(self->disk, VOTE_FOLDER);
}

// Chooses the copy to believe.
static enum status copy_choose(const struct copy copies[COPY_COUNT], unsigned *ret_index)
{
    const struct copy *a = &copies[0];
    const struct copy *b = &copies[1];
    if (!a->exists && !b->exists) {
        return STATUS_absent;
    }
    bool differ = a->is_whole && b->is_whole && a->counter == b->counter &&
                  !bytes_equal(a->content, b->content);
    if (differ || (!a->is_whole && !b->is_whole)) {
        return STATUS_damaged;
    }
    unsigned index = !a->is_whole || (b->is_whole && b->counter > a->counter) ? 1 : 0;
    if (copies[index].format != VOTE_FORMAT) {
        return STATUS_version_mismatch;
    }
    *ret_index = index;
    return STATUS_ok;
}

// Makes both copies durable and the same (4).
static enum status repair(struct vote_file *self, const struct copy copies[COPY_COUNT],
                          unsigned newest)
{
    unsigned other = 1 - newest;
    struct bytes content = copies[newest].content;
    self->counter = copies[newest].counter;
    TRY(copy_store(self, newest, content));
    if (copies[other].exists) {
        return copy_store(self, other, content);
    }
    TRY(copy_prepare(self, other, content));
    return copy_publish(self, other);
}

static struct vote_file *vote_file_new(struct disk *disk)
{
    struct vote_file *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    self->disk = disk;
    return self;
}

enum status vote_file_open(struct disk *disk, struct vote_file **ret_file,
                           struct buffer *ret_content)
{
    AUTO(vote_file_destroy) struct vote_file *self = vote_file_new(disk);
    struct copy copies[COPY_COUNT] = {{0}, {0}};
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        TRY(copy_load(self, i, &copies[i]));
    }
    unsigned newest;
    TRY(copy_choose(copies, &newest));
    TRY(repair(self, copies, newest));
    buffer_append(ret_content, copies[newest].content);
    *ret_file = self;
    self = NULL;
    return STATUS_ok;
}

// Fails with exists when there is a copy.
static enum status check_absent(struct disk *disk)
{
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        struct disk_file *file;
        enum status status = disk_open(disk, COPY_NAMES[i], false, &file);
        if (status == STATUS_ok) {
            disk_close(disk, &file);
            return STATUS_exists;
        }
        if (status != STATUS_absent) {
            return status;
        }
    }
    return STATUS_ok;
}

enum status vote_file_create(struct disk *disk, struct bytes content, struct vote_file **ret_file)
{
    TRY(disk_make_folder(disk, VOTE_FOLDER));
    TRY(disk_sync_folder(disk, ""));
    TRY(check_absent(disk));
    AUTO(vote_file_destroy) struct vote_file *self = vote_file_new(disk);
    self->counter = 1;
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        TRY(copy_prepare(self, i, content));
    }
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        TRY(copy_publish(self, i));
    }
    *ret_file = self;
    self = NULL;
    return STATUS_ok;
}

enum status vote_file_write(struct vote_file *file, struct bytes content)
{
    if (file->has_failed) {
        return STATUS_internal;
    }
    file->counter++;
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        if (copy_store(file, i, content) != STATUS_ok) {
            file->has_failed = true;
            return STATUS_internal;
        }
    }
    return STATUS_ok;
}

void vote_file_destroy(struct vote_file **take_file)
{
    struct vote_file *file = *take_file;
    if (file == NULL) {
        return;
    }
    for (unsigned i = 0; i < COPY_COUNT; i++) {
        disk_close(file->disk, &file->file[i]);
    }
    free(file);
    *take_file = NULL;
}
