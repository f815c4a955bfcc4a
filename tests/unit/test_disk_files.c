// The disk port: on a real directory and on the simulated disk the same calls do the same.
#include "actors/runtime/disk_files.h"

#include "storage/journal.h"
#include "storage/vote_file.h"
#include "tests/sim/disk.h"
#include "tests/unit/fixture_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// A real disk or a simulated one.
struct either {
    char path[FOLDER_PATH_SIZE];
    struct sim_disk *simulated;
    struct disk *disk;
};

static void either_init(struct either *self, bool is_real)
{
    *self = (struct either){.disk = NULL};
    if (is_real) {
        folder_make(self->path);
        cr_assert_eq(disk_files_open(self->path, &self->disk), STATUS_ok);
    } else {
        self->simulated = sim_disk_new();
        self->disk = sim_disk_port(self->simulated);
    }
}

static void either_release(struct either *self)
{
    if (self->simulated == NULL) {
        disk_files_destroy(&self->disk);
        folder_remove(self->path);
    }
    sim_disk_destroy(&self->simulated);
}

static void make_file(struct disk *disk, const char *name, const char *content)
{
    struct disk_file *file;
    cr_assert_eq(disk_open(disk, name, true, &file), STATUS_ok);
    cr_assert_eq(disk_write(disk, file, 0, bytes_from_text(content)), STATUS_ok);
    cr_assert_eq(disk_sync(disk, file), STATUS_ok);
    disk_close(disk, &file);
}

// Reads up to 64 bytes from `offset`.
static struct bytes read_file(struct disk *disk, const char *name, uint64_t offset)
{
    static uint8_t data[64];
    struct disk_file *file;
    size_t got = 0;
    cr_assert_eq(disk_open(disk, name, false, &file), STATUS_ok);
    struct bytes_out into = {.data = data, .size = sizeof data};
    cr_assert_eq(disk_read(disk, file, offset, into, &got), STATUS_ok);
    disk_close(disk, &file);
    return bytes_of(data, got);
}

static void expect_content(struct disk *disk, const char *name, const char *content)
{
    cr_assert(bytes_equal(read_file(disk, name, 0), bytes_from_text(content)));
}

static void check_reading(struct disk *disk)
{
    struct disk_file *file;
    cr_assert_eq(disk_open(disk, "none", false, &file), STATUS_absent);
    cr_assert_eq(disk_open(disk, "folder/none", true, &file), STATUS_absent);
    make_file(disk, "one", "hello");
    expect_content(disk, "one", "hello");
    cr_assert(bytes_equal(read_file(disk, "one", 3), bytes_from_text("lo")));
    cr_assert_eq(read_file(disk, "one", 5).size, 0);
    cr_assert_eq(read_file(disk, "one", 500).size, 0);
}

static void check_sizes(struct disk *disk)
{
    struct disk_file *file;
    uint64_t size;
    make_file(disk, "one", "hello");
    cr_assert_eq(disk_open(disk, "one", false, &file), STATUS_ok);
    cr_assert_eq(disk_allocate(disk, file, 5000), STATUS_ok);
    cr_assert_eq(disk_size(disk, file, &size), STATUS_ok);
    cr_assert_eq(size, 5000);
    cr_assert_eq(disk_allocate(disk, file, 10), STATUS_ok);
    cr_assert_eq(disk_size(disk, file, &size), STATUS_ok);
    cr_assert_eq(size, 5000);
    cr_assert_eq(disk_write(disk, file, 6000, bytes_from_text("x")), STATUS_ok);
    cr_assert_eq(disk_size(disk, file, &size), STATUS_ok);
    cr_assert_eq(size, 6001);
    cr_assert_eq(disk_truncate(disk, file, 3), STATUS_ok);
    cr_assert_eq(disk_allocate(disk, file, 8), STATUS_ok);
    disk_close(disk, &file);
    cr_assert(bytes_equal(read_file(disk, "one", 0), bytes_of("hel\0\0\0\0\0", 8)));
}

static void check_names(struct disk *disk)
{
    make_file(disk, "one", "first");
    make_file(disk, "two", "second");
    cr_assert_eq(disk_rename(disk, "one", "two"), STATUS_ok);
    expect_content(disk, "two", "first");
    cr_assert_eq(disk_rename(disk, "one", "three"), STATUS_absent);
    cr_assert_eq(disk_remove(disk, "two"), STATUS_ok);
    cr_assert_eq(disk_remove(disk, "two"), STATUS_absent);
    cr_assert_eq(disk_sync_folder(disk, ""), STATUS_ok);
}

static void count_name(void *context, const char *name)
{
    (*(size_t *)context)++;
    cr_assert(strcmp(name, "file") == 0 || strcmp(name, "inner") == 0);
}

static void check_folders(struct disk *disk)
{
    size_t count = 0;
    cr_assert_eq(disk_list(disk, "folder", count_name, &count), STATUS_absent);
    cr_assert_eq(disk_make_folder(disk, "folder/inner"), STATUS_absent);
    cr_assert_eq(disk_make_folder(disk, "folder"), STATUS_ok);
    cr_assert_eq(disk_make_folder(disk, "folder"), STATUS_ok);
    cr_assert_eq(disk_make_folder(disk, "folder/inner"), STATUS_ok);
    make_file(disk, "folder/file", "x");
    make_file(disk, "folder/inner/file", "y");
    cr_assert_eq(disk_sync_folder(disk, "folder"), STATUS_ok);
    cr_assert_eq(disk_list(disk, "folder", count_name, &count), STATUS_ok);
    cr_assert_eq(count, 2);
    cr_assert_neq(disk_remove(disk, "folder/inner"), STATUS_ok);
    cr_assert_eq(disk_remove(disk, "folder/inner/file"), STATUS_ok);
    cr_assert_eq(disk_remove(disk, "folder/inner"), STATUS_ok);
}

static void check_both(void (*check)(struct disk *disk))
{
    for (unsigned i = 0; i < 2; i++) {
        struct either either;
        either_init(&either, i == 1);
        check(either.disk);
        either_release(&either);
    }
}

Test(disk_files, reads_what_was_written)
{
    check_both(check_reading);
}

Test(disk_files, changes_sizes_and_fills_with_zeros)
{
    check_both(check_sizes);
}

Test(disk_files, renames_and_removes)
{
    check_both(check_names);
}

Test(disk_files, makes_lists_and_removes_folders)
{
    check_both(check_folders);
}

Test(disk_files, tells_the_free_space)
{
    struct either either;
    uint64_t size = 0;
    either_init(&either, true);
    cr_assert_eq(disk_free_space(either.disk, &size), STATUS_ok);
    cr_assert_gt(size, 0);
    either_release(&either);
}

Test(disk_files, is_absent_without_the_directory)
{
    struct disk *disk = NULL;
    cr_assert_eq(disk_files_open("/nonexistent/skein", &disk), STATUS_absent);
    cr_assert_null(disk);
}

Test(disk_files, lets_one_process_in_at_a_time)
{
    struct either either;
    struct disk *second = NULL;
    either_init(&either, true);
    cr_assert_eq(disk_files_open(either.path, &second), STATUS_in_use);
    disk_files_destroy(&either.disk);
    cr_assert_eq(disk_files_open(either.path, &second), STATUS_ok);
    either.disk = second;
    either_release(&either);
}

Test(disk_files, is_free_again_when_the_process_was_killed)
{
    char path[FOLDER_PATH_SIZE];
    struct disk *disk = NULL;
    folder_make(path);
    pid_t child = fork();
    if (child == 0) {
        _exit(disk_files_open(path, &disk) == STATUS_ok ? 0 : 1);
    }
    int code = -1;
    cr_assert_eq(waitpid(child, &code, 0), child);
    cr_assert_eq(code, 0);
    cr_assert_eq(disk_files_open(path, &disk), STATUS_ok);
    disk_files_destroy(&disk);
    folder_remove(path);
}

Test(disk_files, refuses_to_follow_a_link_out_of_the_directory)
{
    struct either either;
    char name[FOLDER_PATH_SIZE + 8];
    struct disk_file *file;
    either_init(&either, true);
    snprintf(name, sizeof name, "%s/link", either.path);
    cr_assert_eq(symlink("/etc/passwd", name), 0);
    cr_assert_eq(disk_open(either.disk, "link", false, &file), STATUS_internal);
    cr_assert_neq(disk_files_error(either.disk), 0);
    either_release(&either);
}

static struct journal *open_journal(struct disk *disk)
{
    struct journal_options options = {
        .folder = "journal/1", .cluster_id = 7, .segment_size = 64 * KIB};
    struct journal *journal = NULL;
    cr_assert_eq(journal_open(disk, &options, &journal), STATUS_ok);
    return journal;
}

static void append_entries(struct journal *journal, unsigned count)
{
    static const uint8_t payload[3000];
    for (unsigned i = 0; i < count; i++) {
        AUTO(buffer_release) struct buffer frame = {0};
        const struct entry_place *end = &journal_view(journal)->end;
        struct entry entry = {.kind = ENTRY_BATCH,
                              .previous_crc = end->crc,
                              .epoch = 1,
                              .position = end->position + 1,
                              .payload = bytes_of(payload, i * 37 % sizeof payload)};
        entry_encode(&entry, 7, &frame);
        cr_assert_eq(journal_append(journal, buffer_bytes(&frame)), STATUS_ok);
        cr_assert_eq(journal_sync(journal), STATUS_ok);
        journal_prepare(journal);
    }
}

Test(disk_files, carries_a_journal)
{
    struct either either;
    either_init(&either, true);
    AUTO(journal_destroy) struct journal *journal = open_journal(either.disk);
    append_entries(journal, 200);
    cr_assert_eq(journal_truncate(journal, 150), STATUS_ok);
    cr_assert_eq(journal_drop(journal, 60), STATUS_ok);
    struct journal_view before = *journal_view(journal);
    cr_assert(before.base.position > 0 && before.base.position <= 60);
    journal_destroy(&journal);
    journal = open_journal(either.disk);
    const struct journal_view *after = journal_view(journal);
    cr_assert(!after->damaged);
    cr_assert_eq(after->end.position, 150);
    cr_assert_eq(after->base.position, before.base.position);
    journal_destroy(&journal);
    either_release(&either);
}

Test(disk_files, carries_a_vote_file)
{
    struct either either;
    either_init(&either, true);
    struct vote_file *file = NULL;
    AUTO(buffer_release) struct buffer content = {0};
    cr_assert_eq(vote_file_create(either.disk, bytes_from_text("first"), &file), STATUS_ok);
    cr_assert_eq(vote_file_write(file, bytes_from_text("second")), STATUS_ok);
    vote_file_destroy(&file);
    cr_assert_eq(vote_file_open(either.disk, &file, &content), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&content), bytes_from_text("second")));
    vote_file_destroy(&file);
    either_release(&either);
}
