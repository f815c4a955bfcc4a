// What the journal makes of tears and damage when it is opened.
#include "storage/journal.h"

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "storage/journal_segment.h"
#include "tests/unit/fixture_journal.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct journal_fixture fixture;

static void set_up(void)
{
    journal_fixture_init(&fixture, 2);
}

static void tear_down(void)
{
    journal_fixture_release(&fixture);
}

TestSuite(journal_recover, .init = set_up, .fini = tear_down);

// Appends `batches` batches of two small entries, each synced.
static void append_batches(unsigned batches)
{
    for (unsigned i = 0; i < batches; i++) {
        cr_assert_eq(journal_fixture_append(&fixture, 2, 400), STATUS_ok);
        cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    }
}

static void open_again(void)
{
    journal_fixture_kill(&fixture);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
}

static void expect_damaged(uint64_t end)
{
    open_again();
    const struct journal_view *view = journal_view(fixture.journal);
    cr_assert(view->damaged);
    cr_assert_neq(view->damage[0], '\0');
    cr_assert_eq(view->end.position, end, "%s", view->damage);
    cr_assert(journal_fixture_matches(&fixture));
}

static void expect_whole(uint64_t end)
{
    open_again();
    cr_assert(!journal_view(fixture.journal)->damaged, "%s", journal_view(fixture.journal)->damage);
    cr_assert_eq(journal_view(fixture.journal)->end.position, end);
    cr_assert(journal_fixture_matches(&fixture));
}

// The base positions of the segments, oldest first.
static size_t segment_bases(uint64_t bases[8])
{
    size_t count = 0;
    for (uint64_t position = 0; position <= journal_fixture_end(&fixture); position++) {
        char path[DISK_NAME_SIZE_MAX];
        snprintf(path, sizeof path, "journal/1/%016llx", (unsigned long long)position + 1);
        AUTO(buffer_release) struct buffer file = {0};
        if (sim_disk_peek(fixture.disk, path, &file)) {
            cr_assert_lt(count, 8);
            bases[count++] = position;
        }
    }
    return count;
}

static const char *segment_path(uint64_t base)
{
    static char path[DISK_NAME_SIZE_MAX];
    snprintf(path, sizeof path, "journal/1/%016llx", (unsigned long long)base + 1);
    return path;
}

// Offset of the record of an entry in the segment that begins after `base`.
static uint64_t record_offset(uint64_t base, uint64_t position)
{
    uint64_t offset = SEGMENT_HEADER_SIZE;
    for (uint64_t before = base + 1; before < position; before++) {
        offset += record_size(journal_fixture_frames(&fixture, before, before).size);
    }
    return offset;
}

static void flip(uint64_t base, uint64_t offset)
{
    cr_assert(sim_disk_flip(fixture.disk, segment_path(base), offset, 3));
}

Test(journal_recover, cuts_a_torn_batch_and_never_takes_it_for_damage)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_init(&fixture.random, seed);
        append_batches(1);
        cr_assert_eq(journal_fixture_append(&fixture, 3, 1500), STATUS_ok);
        cr_assert_eq(journal_fixture_append(&fixture, 3, 1500), STATUS_ok);
        journal_fixture_crash(&fixture);
        cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
        const struct journal_view *view = journal_view(fixture.journal);
        cr_assert(!view->damaged, "seed %llu: %s", (unsigned long long)seed, view->damage);
        cr_assert_geq(view->end.position, fixture.synced);
        journal_fixture_forget(&fixture, view->end.position);
        cr_assert(journal_fixture_matches(&fixture));
    }
}

Test(journal_recover, says_how_much_of_a_torn_tail_was_cut)
{
    append_batches(2);
    uint64_t offset = record_offset(0, 4);
    uint64_t size = record_size(journal_fixture_frames(&fixture, 4, 4).size);
    flip(0, offset + RECORD_HEADER_SIZE + 1);
    open_again();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 3);
    uint64_t cut = journal_view(fixture.journal)->cut_size;
    cr_assert(cut > 0 && cut <= size);
    open_again();
    cr_assert_eq(journal_view(fixture.journal)->cut_size, 0);
}

Test(journal_recover, finds_damage_of_an_entry_that_a_later_one_knew_durable)
{
    append_batches(5);
    flip(0, record_offset(0, 4) + RECORD_HEADER_SIZE + 20);
    expect_damaged(3);
}

Test(journal_recover, finds_damage_of_a_record_header)
{
    append_batches(5);
    flip(0, record_offset(0, 3) + 9);
    expect_damaged(2);
}

Test(journal_recover, finds_damage_in_an_earlier_segment)
{
    append_batches(80);
    uint64_t bases[8];
    cr_assert_geq(segment_bases(bases), 3);
    flip(bases[1], record_offset(bases[1], bases[2]) + RECORD_HEADER_SIZE + 5);
    expect_damaged(bases[2] - 1);
}

Test(journal_recover, finds_damage_of_a_segment_header)
{
    append_batches(80);
    uint64_t bases[8];
    size_t count = segment_bases(bases);
    flip(bases[count - 1], 20);
    expect_damaged(bases[count - 1]);
    flip(0, 0);
    expect_damaged(0);
}

Test(journal_recover, finds_a_missing_segment_and_one_that_was_cut_short)
{
    append_batches(80);
    uint64_t bases[8];
    size_t count = segment_bases(bases);
    cr_assert_geq(count, 4);
    cr_assert(sim_disk_shorten(fixture.disk, segment_path(bases[count - 1]), 9000));
    expect_damaged(bases[count - 1]);
    cr_assert(sim_disk_shorten(fixture.disk, segment_path(bases[1]), UINT64_MAX));
    expect_damaged(bases[1]);
}

Test(journal_recover, finds_an_old_copy_in_place_of_a_segment)
{
    append_batches(3);
    AUTO(buffer_release) struct buffer old = {0};
    cr_assert(sim_disk_peek(fixture.disk, segment_path(0), &old));
    append_batches(60);
    struct disk *disk = sim_disk_port(fixture.disk);
    struct disk_file *file;
    cr_assert_eq(disk_open(disk, segment_path(0), false, &file), STATUS_ok);
    cr_assert_eq(disk_write(disk, file, 0, buffer_bytes(&old)), STATUS_ok);
    disk_close(disk, &file);
    expect_damaged(6);
}

Test(journal_recover, finds_an_end_below_the_high_water_mark)
{
    append_batches(2);
    fixture.options.high_water = 4;
    fixture.options.high_water_epoch = 1;
    expect_whole(4);
    fixture.options.high_water = 5;
    expect_damaged(4);
}

Test(journal_recover, finds_another_epoch_at_the_high_water_mark)
{
    append_batches(2);
    fixture.epoch = 4;
    append_batches(2);
    fixture.options.high_water = 5;
    fixture.options.high_water_epoch = 4;
    expect_whole(8);
    fixture.options.high_water_epoch = 3;
    expect_damaged(8);
}

Test(journal_recover, takes_damage_of_the_last_batch_for_a_tear_only_above_the_high_water_mark)
{
    append_batches(3);
    flip(0, record_offset(0, 6) + RECORD_HEADER_SIZE + 1);
    fixture.options.high_water = 6;
    fixture.options.high_water_epoch = 1;
    expect_damaged(5);
    fixture.options.high_water = 5;
    journal_fixture_kill(&fixture);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    cr_assert(!journal_view(fixture.journal)->damaged);
    cr_assert_eq(journal_view(fixture.journal)->end.position, 5);
}

Test(journal_recover, leaves_a_damaged_journal_alone_until_it_is_written_to)
{
    append_batches(5);
    flip(0, record_offset(0, 4) + RECORD_HEADER_SIZE + 20);
    expect_damaged(3);
    expect_damaged(3);
    journal_fixture_forget(&fixture, 3);
    fixture.epoch = 2;
    append_batches(3);
    cr_assert(!journal_view(fixture.journal)->damaged);
    cr_assert(journal_fixture_matches(&fixture));
    expect_whole(9);
}

Test(journal_recover, can_be_refilled_when_its_first_segment_is_damaged)
{
    append_batches(80);
    flip(0, 3);
    expect_damaged(0);
    journal_fixture_forget(&fixture, 0);
    append_batches(2);
    expect_whole(4);
}

Test(journal_recover, can_be_reset_when_damaged)
{
    append_batches(80);
    uint64_t bases[8];
    segment_bases(bases);
    flip(bases[1], 3);
    expect_damaged(bases[1]);
    struct entry_place base = {.epoch = 3, .position = 1000, .version = 5, .crc = 6};
    cr_assert_eq(journal_reset(fixture.journal, &base), STATUS_ok);
    journal_fixture_rebase(&fixture, base);
    append_batches(2);
    expect_whole(1004);
}

Test(journal_recover, refuses_a_segment_of_another_format)
{
    append_batches(2);
    AUTO(buffer_release) struct buffer file = {0};
    cr_assert(sim_disk_peek(fixture.disk, segment_path(0), &file));
    store_u32(file.data + 8, 2);
    uint32_t crc = crc32c(crc32c(0, bytes_of(file.data, 12)), bytes_of(file.data + 16, 48));
    store_u32(file.data + 12, crc);
    struct disk *disk = sim_disk_port(fixture.disk);
    struct disk_file *opened;
    cr_assert_eq(disk_open(disk, segment_path(0), false, &opened), STATUS_ok);
    cr_assert_eq(disk_write(disk, opened, 0, bytes_of(file.data, 16)), STATUS_ok);
    disk_close(disk, &opened);
    journal_fixture_kill(&fixture);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_version_mismatch);
}

Test(journal_recover, reports_damage_when_reading_what_rotted_later)
{
    append_batches(5);
    flip(0, record_offset(0, 4) + RECORD_HEADER_SIZE + 20);
    AUTO(buffer_release) struct buffer out = {0};
    cr_assert_eq(journal_read(fixture.journal, 4, 1, &out), STATUS_damaged);
    cr_assert_eq(out.size, 0);
    cr_assert_eq(journal_read(fixture.journal, 3, 1, &out), STATUS_ok);
    cr_assert_eq(journal_read(fixture.journal, 5, 1, &out), STATUS_ok);
}

// After a bit flipped anywhere the journal is damaged, or has lost nothing, or only entries of the
// last batch that no mark protects.
static void expect_no_silent_loss(uint64_t offset, unsigned bit, uint64_t protected_end)
{
    open_again();
    const struct journal_view *view = journal_view(fixture.journal);
    bool is_told = view->damaged || view->end.position >= protected_end;
    cr_assert(is_told, "offset %llu bit %u: end %llu", (unsigned long long)offset, bit,
              (unsigned long long)view->end.position);
    cr_assert(journal_fixture_matches(&fixture), "offset %llu bit %u", (unsigned long long)offset,
              bit);
}

static void flip_everywhere(uint64_t high_water, uint64_t protected_end)
{
    fixture.options.high_water = high_water;
    fixture.options.high_water_epoch = 1;
    AUTO(buffer_release) struct buffer file = {0};
    cr_assert(sim_disk_peek(fixture.disk, segment_path(0), &file));
    for (uint64_t offset = 0; offset < file.size; offset++) {
        unsigned bit = (unsigned)random_below(&fixture.random, 8);
        cr_assert(sim_disk_flip(fixture.disk, segment_path(0), offset, bit));
        expect_no_silent_loss(offset, bit, protected_end);
        journal_fixture_kill(&fixture);
        struct disk *disk = sim_disk_port(fixture.disk);
        struct disk_file *opened;
        cr_assert_eq(disk_open(disk, segment_path(0), false, &opened), STATUS_ok);
        cr_assert_eq(disk_write(disk, opened, 0, buffer_bytes(&file)), STATUS_ok);
        disk_close(disk, &opened);
    }
}

Test(journal_recover, loses_no_more_than_the_last_batch_to_any_flipped_bit)
{
    append_batches(12);
    flip_everywhere(0, fixture.synced - 2);
}

Test(journal_recover, loses_nothing_below_the_high_water_mark_to_any_flipped_bit)
{
    append_batches(12);
    flip_everywhere(fixture.synced, fixture.synced);
}

Test(journal_recover, never_believes_damaged_bytes)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct journal_fixture one;
        journal_fixture_init(&one, seed);
        for (unsigned i = 0; i < 40; i++) {
            cr_assert_eq(journal_fixture_append(&one, 3, 800), STATUS_ok);
            cr_assert_eq(journal_fixture_sync(&one), STATUS_ok);
        }
        journal_fixture_crash(&one);
        cr_assert(sim_disk_corrupt(one.disk, "journal/1/0", &one.random, NULL));
        one.options.high_water = one.synced;
        one.options.high_water_epoch = 1;
        cr_assert_eq(journal_fixture_open(&one), STATUS_ok);
        const struct journal_view *view = journal_view(one.journal);
        cr_assert(view->damaged || view->end.position == one.synced);
        cr_assert(journal_fixture_matches(&one));
        journal_fixture_release(&one);
    }
}
