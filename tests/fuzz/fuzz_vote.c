/*
 * The vote file: two copies of any content, whole or not. What opens stays what it is, also after
 * a power cut, and can be replaced; of two whole copies the newer one counts.
 */
#include "tests/fuzz/fuzz.h"

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "storage/vote_file.h"
#include "tests/sim/disk.h"

enum {
    HEADER_SIZE = 24,
    COPY_SIZE = HEADER_SIZE + VOTE_CONTENT_SIZE_MAX,
    MAGIC = 0x45544f56,
};

// How a copy is made of the input.
enum { COPY_IS_THERE = 1, COPY_IS_RAW = 2, COPY_IS_CUT = 4, COPY_IS_DAMAGED = 8 };

// What may come out of a copy.
struct copy {
    bool exists;
    bool is_whole; // and made here: it must be taken for whole
    uint64_t counter;
    uint8_t bytes[COPY_SIZE];
    size_t size; // of the file
};

static void make_copy(struct bytes *input, struct copy *ret_copy)
{
    uint8_t flags = fuzz_take_u8(input);
    struct copy copy = {.exists = (flags & COPY_IS_THERE) != 0, .size = COPY_SIZE};
    copy.counter = fuzz_take_u8(input);
    size_t size = fuzz_take_u16(input) % (VOTE_CONTENT_SIZE_MAX + 1);
    struct bytes content = fuzz_take(input, size);
    store_u32(copy.bytes, MAGIC);
    store_u32(copy.bytes + 8, 1);
    store_u32(copy.bytes + 12, (uint32_t)content.size);
    store_u64(copy.bytes + 16, copy.counter);
    if (content.size > 0) {
        memcpy(copy.bytes + HEADER_SIZE, content.data, content.size);
    }
    if (flags & COPY_IS_RAW) {
        memcpy(copy.bytes, copy.bytes + HEADER_SIZE, HEADER_SIZE);
    }
    store_u32(copy.bytes + 4, crc32c(0, bytes_of(copy.bytes + 8, COPY_SIZE - 8)));
    if (flags & COPY_IS_CUT) {
        copy.size = fuzz_take_u16(input) % COPY_SIZE;
    }
    if (flags & COPY_IS_DAMAGED) {
        copy.bytes[fuzz_take_u16(input) % COPY_SIZE] ^= (uint8_t)(1 | fuzz_take_u8(input));
    }
    copy.is_whole = copy.exists && (flags & (COPY_IS_RAW | COPY_IS_CUT | COPY_IS_DAMAGED)) == 0;
    *ret_copy = copy;
}

static void store_copy(struct disk *disk, const char *name, const struct copy *copy)
{
    struct disk_file *file;
    if (!copy->exists) {
        return;
    }
    ASSERT(disk_open(disk, name, true, &file) == STATUS_ok);
    ASSERT(disk_write(disk, file, 0, bytes_of(copy->bytes, copy->size)) == STATUS_ok);
    ASSERT(disk_sync(disk, file) == STATUS_ok);
    disk_close(disk, &file);
}

static struct sim_disk *make_disk(const struct copy copies[2])
{
    struct sim_disk *disk = sim_disk_new();
    struct disk *port = sim_disk_port(disk);
    ASSERT(disk_make_folder(port, "vote") == STATUS_ok);
    ASSERT(disk_sync_folder(port, "") == STATUS_ok);
    store_copy(port, "vote/a", &copies[0]);
    store_copy(port, "vote/b", &copies[1]);
    ASSERT(disk_sync_folder(port, "vote") == STATUS_ok);
    return disk;
}

static struct bytes content_of(const struct copy *copy)
{
    return bytes_of(copy->bytes + HEADER_SIZE, load_u32(copy->bytes + 12));
}

// Whether it must open, and with which content.
static void check_expected(const struct copy copies[2], enum status status, struct bytes content)
{
    const struct copy *a = &copies[0];
    const struct copy *b = &copies[1];
    ASSERT((status == STATUS_absent) == (!a->exists && !b->exists));
    if (a->is_whole && b->is_whole) {
        bool is_same = bytes_equal(content_of(a), content_of(b));
        bool contradicts = a->counter == b->counter && !is_same;
        ASSERT((status == STATUS_ok) == !contradicts);
        ASSERT(status != STATUS_ok ||
               bytes_equal(content, content_of(a->counter >= b->counter ? a : b)));
    }
}

static void expect_content(struct sim_disk *disk, struct bytes content)
{
    AUTO(buffer_release) struct buffer found = {0};
    struct vote_file *file;
    ASSERT(vote_file_open(sim_disk_port(disk), &file, &found) == STATUS_ok);
    ASSERT(bytes_equal(buffer_bytes(&found), content));
    vote_file_destroy(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer content = {0};
    struct bytes input = bytes_of(data, size);
    struct copy copies[2];
    struct vote_file *file;
    struct random random;
    random_init(&random, size);
    make_copy(&input, &copies[0]);
    make_copy(&input, &copies[1]);
    struct sim_disk *disk = make_disk(copies);
    enum status status = vote_file_open(sim_disk_port(disk), &file, &content);
    check_expected(copies, status, buffer_bytes(&content));
    if (status == STATUS_ok) {
        vote_file_destroy(&file);
        sim_disk_crash(disk, &random);
        expect_content(disk, buffer_bytes(&content));
        ASSERT(vote_file_open(sim_disk_port(disk), &file, &content) == STATUS_ok);
        ASSERT(vote_file_write(file, bytes_from_text("new")) == STATUS_ok);
        vote_file_destroy(&file);
        sim_disk_crash(disk, &random);
        expect_content(disk, bytes_from_text("new"));
    }
    sim_disk_destroy(&disk);
    return 0;
}
