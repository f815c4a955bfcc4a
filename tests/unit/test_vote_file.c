// The vote file: no promise is lost, whatever happens to one copy or in the middle of a write.
#include "storage/vote_file.h"

#include "base/little_endian.h"
#include "tests/sim/disk.h"

#include <criterion/criterion.h>

static struct sim_disk *disk;
static struct vote_file *file;
static struct random chance;

static void set_up(void)
{
    disk = sim_disk_new();
    random_init(&chance, 1);
}

static void tear_down(void)
{
    vote_file_destroy(&file);
    sim_disk_destroy(&disk);
}

TestSuite(vote_file, .init = set_up, .fini = tear_down);

static enum status create(const char *content)
{
    return vote_file_create(sim_disk_port(disk), bytes_from_text(content), &file);
}

static enum status write(const char *content)
{
    return vote_file_write(file, bytes_from_text(content));
}

// Closes the file, and reads what a new process finds.
static enum status reopen(struct buffer *content)
{
    vote_file_destroy(&file);
    buffer_clear(content);
    return vote_file_open(sim_disk_port(disk), &file, content);
}

static void expect(const char *content)
{
    AUTO(buffer_release) struct buffer found = {0};
    cr_assert_eq(reopen(&found), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&found), bytes_from_text(content)));
}

static void crash(void)
{
    vote_file_destroy(&file);
    sim_disk_crash(disk, &chance);
}

Test(vote_file, is_absent_before_it_is_made)
{
    AUTO(buffer_release) struct buffer found = {0};
    cr_assert_eq(reopen(&found), STATUS_absent);
}

Test(vote_file, is_made_once)
{
    cr_assert_eq(create("first"), STATUS_ok);
    vote_file_destroy(&file);
    cr_assert_eq(create("second"), STATUS_exists);
    expect("first");
}

Test(vote_file, holds_the_last_content_written)
{
    cr_assert_eq(create("first"), STATUS_ok);
    cr_assert_eq(write("second, and longer"), STATUS_ok);
    cr_assert_eq(write("third"), STATUS_ok);
    crash();
    expect("third");
    cr_assert_eq(write(""), STATUS_ok);
    crash();
    expect("");
}

Test(vote_file, writes_on_a_full_disk)
{
    cr_assert_eq(create("first"), STATUS_ok);
    sim_disk_set_free(disk, 0);
    cr_assert_eq(write("second"), STATUS_ok);
    expect("second");
}

Test(vote_file, is_not_made_on_a_full_disk)
{
    sim_disk_set_free(disk, 3000);
    cr_assert_eq(create("first"), STATUS_read_only);
    AUTO(buffer_release) struct buffer found = {0};
    cr_assert_eq(reopen(&found), STATUS_absent);
    sim_disk_set_free(disk, UINT64_MAX);
    cr_assert_eq(create("first"), STATUS_ok);
    expect("first");
}

Test(vote_file, survives_the_loss_or_damage_of_either_copy)
{
    const char *names[] = {"vote/a", "vote/b"};
    cr_assert_eq(create("first"), STATUS_ok);
    cr_assert_eq(write("second"), STATUS_ok);
    for (unsigned i = 0; i < 4; i++) {
        vote_file_destroy(&file);
        bool done = i < 2 ? sim_disk_flip(disk, names[i], 30, 1)
                          : sim_disk_shorten(disk, names[i - 2], UINT64_MAX);
        cr_assert(done);
        expect("second");
        expect("second");
    }
}

Test(vote_file, survives_a_flipped_bit_anywhere)
{
    cr_assert_eq(create("first"), STATUS_ok);
    cr_assert_eq(write("second"), STATUS_ok);
    for (uint64_t offset = 0; sim_disk_flip(disk, "vote/a", offset, offset % 8); offset++) {
        expect("second");
    }
}

Test(vote_file, is_damaged_when_no_copy_is_whole)
{
    cr_assert_eq(create("first"), STATUS_ok);
    sim_disk_flip(disk, "vote/a", 40, 1);
    sim_disk_flip(disk, "vote/b", 5, 1);
    AUTO(buffer_release) struct buffer found = {0};
    cr_assert_eq(reopen(&found), STATUS_damaged);
    cr_assert(sim_disk_shorten(disk, "vote/a", UINT64_MAX));
    cr_assert_eq(reopen(&found), STATUS_damaged);
}

// Puts the bytes that a file of the disk has now into another place.
static void overwrite(const char *name, struct bytes bytes)
{
    struct disk_file *opened;
    cr_assert_eq(disk_open(sim_disk_port(disk), name, false, &opened), STATUS_ok);
    cr_assert_eq(disk_write(sim_disk_port(disk), opened, 0, bytes), STATUS_ok);
    disk_close(sim_disk_port(disk), &opened);
}

Test(vote_file, is_damaged_when_two_contents_have_the_same_counter)
{
    AUTO(buffer_release) struct buffer other = {0};
    cr_assert_eq(create("one"), STATUS_ok);
    cr_assert(sim_disk_peek(disk, "vote/a", &other));
    vote_file_destroy(&file);
    sim_disk_wipe(disk);
    cr_assert_eq(create("two"), STATUS_ok);
    overwrite("vote/a", buffer_bytes(&other));
    AUTO(buffer_release) struct buffer found = {0};
    cr_assert_eq(reopen(&found), STATUS_damaged);
}

Test(vote_file, takes_the_newer_of_two_whole_copies)
{
    AUTO(buffer_release) struct buffer old = {0};
    cr_assert_eq(create("first"), STATUS_ok);
    cr_assert(sim_disk_peek(disk, "vote/a", &old));
    cr_assert_eq(write("second"), STATUS_ok);
    overwrite("vote/a", buffer_bytes(&old));
    expect("second");
    overwrite("vote/b", buffer_bytes(&old));
    expect("second");
}

Test(vote_file, writes_nothing_more_after_a_failed_write)
{
    cr_assert_eq(create("first"), STATUS_ok);
    sim_disk_fail_after(disk, 1, STATUS_internal);
    cr_assert_eq(write("second"), STATUS_internal);
    cr_assert_eq(write("third"), STATUS_internal);
}

// The number in the content, as the vote record holds an epoch.
static enum status write_number(uint64_t number)
{
    uint8_t content[300] = {0};
    store_u64(content, number);
    store_u64(content + sizeof content - 8, number);
    return vote_file_write(file, bytes_of(content, sizeof content));
}

static uint64_t read_number(void)
{
    AUTO(buffer_release) struct buffer found = {0};
    enum status status = reopen(&found);
    cr_assert_eq(status, STATUS_ok, "%s", status_name(status));
    cr_assert_eq(found.size, 300);
    cr_assert_eq(load_u64(found.data), load_u64(found.data + 292));
    return load_u64(found.data);
}

// Starts the process again, at times with failures while it starts.
static uint64_t restart(void)
{
    while (random_chance(&chance, 300000)) {
        AUTO(buffer_release) struct buffer found = {0};
        sim_disk_fail_after(disk, random_below(&chance, 10), STATUS_internal);
        enum status status = reopen(&found);
        cr_assert(status == STATUS_ok || sim_disk_has_failed(disk));
        vote_file_destroy(&file);
        if (random_chance(&chance, 500000)) {
            crash();
        }
    }
    sim_disk_fail_after(disk, 0, STATUS_ok);
    return read_number();
}

Test(vote_file, never_forgets_a_promise_nor_goes_back)
{
    cr_assert_eq(create("first"), STATUS_ok);
    uint64_t promised = 1;
    cr_assert_eq(write_number(promised), STATUS_ok);
    for (uint64_t number = 2; number < 5000; number++) {
        if (random_chance(&chance, 300000)) {
            sim_disk_fail_after(disk, random_below(&chance, 5), STATUS_internal);
        }
        if (write_number(number) == STATUS_ok) {
            promised = number;
        }
        if (random_chance(&chance, 300000) || sim_disk_has_failed(disk)) {
            vote_file_destroy(&file);
            if (random_chance(&chance, 600000)) {
                crash();
            }
            uint64_t found = restart();
            cr_assert(found >= promised && found <= number);
            promised = found;
        }
    }
}

Test(vote_file, is_whole_or_absent_after_a_crash_while_it_is_made)
{
    for (uint64_t count = 0; count < 40; count++) {
        sim_disk_fail_after(disk, count, STATUS_internal);
        enum status status = create("first");
        crash();
        sim_disk_fail_after(disk, 0, STATUS_ok);
        AUTO(buffer_release) struct buffer found = {0};
        enum status reopened = reopen(&found);
        cr_assert(reopened == STATUS_ok || (reopened == STATUS_absent && status != STATUS_ok));
        if (reopened == STATUS_ok) {
            cr_assert(bytes_equal(buffer_bytes(&found), bytes_from_text("first")));
        }
        vote_file_destroy(&file);
        sim_disk_wipe(disk);
    }
}
