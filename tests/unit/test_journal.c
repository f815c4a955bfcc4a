// The journal's operations, while nothing goes wrong but a full disk.
#include "storage/journal.h"

#include "tests/unit/fixture_journal.h"

#include <criterion/criterion.h>

static struct journal_fixture fixture;

static void set_up(void)
{
    journal_fixture_init(&fixture, 1);
}

static void tear_down(void)
{
    journal_fixture_release(&fixture);
}

TestSuite(journal, .init = set_up, .fini = tear_down);

// Appends and syncs batches until the journal has `count` segments.
static void fill_segments(size_t count)
{
    while (journal_view(fixture.journal)->disk_size < count * FIXTURE_SEGMENT_SIZE) {
        cr_assert_eq(journal_fixture_append(&fixture, 3, 900), STATUS_ok);
        cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    }
}

static void reopen(void)
{
    journal_fixture_crash(&fixture);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    cr_assert(!journal_view(fixture.journal)->damaged, "%s", journal_view(fixture.journal)->damage);
}

static size_t segment_count(void)
{
    return (size_t)(journal_view(fixture.journal)->disk_size / FIXTURE_SEGMENT_SIZE);
}

Test(journal, is_empty_when_new)
{
    const struct journal_view *view = journal_view(fixture.journal);
    cr_assert_eq(view->end.position, 0);
    cr_assert_eq(view->base.position, 0);
    cr_assert(!view->damaged);
    cr_assert_eq(view->disk_size, FIXTURE_SEGMENT_SIZE);
}

Test(journal, holds_synced_entries_after_a_crash)
{
    fill_segments(3);
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, journal_fixture_end(&fixture));
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, syncs_once_for_entries_of_one_segment)
{
    uint64_t before = sim_disk_usage(fixture.disk)->syncs;
    cr_assert_eq(journal_fixture_append(&fixture, 2, 100), STATUS_ok);
    cr_assert_eq(journal_fixture_append(&fixture, 2, 100), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    cr_assert_eq(sim_disk_usage(fixture.disk)->syncs, before + 1);
}

Test(journal, tells_the_runs_of_epochs)
{
    for (uint64_t epoch = 1; epoch <= 4; epoch++) {
        fixture.epoch = epoch * 10;
        cr_assert_eq(journal_fixture_append(&fixture, 5, 1000), STATUS_ok);
    }
    size_t count;
    const struct journal_run *runs = journal_runs(fixture.journal, &count);
    cr_assert_eq(count, 4);
    cr_assert_eq(runs[3].epoch, 40);
    cr_assert_eq(runs[3].position, 16);
}

Test(journal, reads_at_least_one_entry_and_no_more_than_fit)
{
    cr_assert_eq(journal_fixture_append(&fixture, 20, 600), STATUS_ok);
    AUTO(buffer_release) struct buffer out = {0};
    cr_assert_eq(journal_read(fixture.journal, 7, 1, &out), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&out), journal_fixture_frames(&fixture, 7, 7)));
    size_t two = journal_fixture_frames(&fixture, 7, 8).size;
    buffer_clear(&out);
    cr_assert_eq(journal_read(fixture.journal, 7, two, &out), STATUS_ok);
    cr_assert_eq(out.size, two);
    buffer_clear(&out);
    cr_assert_eq(journal_read(fixture.journal, 7, two - 1, &out), STATUS_ok);
    cr_assert_lt(out.size, two);
}

Test(journal, reads_from_any_position_across_segments)
{
    fill_segments(4);
    AUTO(buffer_release) struct buffer out = {0};
    uint64_t end = journal_fixture_end(&fixture);
    for (uint64_t position = 1; position <= end; position++) {
        buffer_clear(&out);
        cr_assert_eq(journal_read(fixture.journal, position, SIZE_MAX, &out), STATUS_ok);
        struct bytes expected = journal_fixture_frames(&fixture, position, end);
        cr_assert(bytes_equal(buffer_bytes(&out), expected));
    }
}

Test(journal, finds_entries_in_a_large_segment_with_little_reading)
{
    journal_fixture_kill(&fixture);
    fixture.options.folder = "journal/2";
    fixture.options.segment_size = 16 * MIB;
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(journal_fixture_append(&fixture, 10, 2000), STATUS_ok);
    }
    AUTO(buffer_release) struct buffer out = {0};
    for (uint64_t position = 1; position <= 10000; position += 97) {
        uint64_t before = sim_disk_usage(fixture.disk)->bytes_read;
        buffer_clear(&out);
        cr_assert_eq(journal_read(fixture.journal, position, 1, &out), STATUS_ok);
        struct bytes expected = journal_fixture_frames(&fixture, position, position);
        cr_assert(bytes_equal(buffer_bytes(&out), expected));
        cr_assert_leq(sim_disk_usage(fixture.disk)->bytes_read - before, 512 * KIB);
    }
}

Test(journal, gives_a_large_entry_a_segment_of_its_own_size)
{
    cr_assert_eq(journal_fixture_append(&fixture, 1, 10), STATUS_ok);
    uint64_t seed = 5;
    do {
        random_init(&fixture.random, seed++);
    } while (random_below(&fixture.random, 4 * FIXTURE_SEGMENT_SIZE) < 2 * FIXTURE_SEGMENT_SIZE);
    random_init(&fixture.random, seed - 1);
    cr_assert_eq(journal_fixture_append(&fixture, 1, 4 * FIXTURE_SEGMENT_SIZE), STATUS_ok);
    cr_assert_gt(journal_view(fixture.journal)->disk_size, 3 * FIXTURE_SEGMENT_SIZE);
    cr_assert_eq(journal_fixture_append(&fixture, 1, 10), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(journal_view(fixture.journal)->end.position, 3);
}

Test(journal, truncates_inside_the_last_segment)
{
    cr_assert_eq(journal_fixture_append(&fixture, 10, 500), STATUS_ok);
    cr_assert_eq(journal_truncate(fixture.journal, 4), STATUS_ok);
    journal_fixture_forget(&fixture, 4);
    cr_assert(journal_fixture_matches(&fixture));
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 4);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, truncates_across_segments_and_goes_on_from_there)
{
    fill_segments(5);
    cr_assert_eq(journal_truncate(fixture.journal, 20), STATUS_ok);
    journal_fixture_forget(&fixture, 20);
    cr_assert_leq(segment_count(), 2);
    fixture.epoch = 2;
    cr_assert_eq(journal_fixture_append(&fixture, 1, 10), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 21);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, truncates_to_the_boundary_of_a_segment_and_to_its_base)
{
    fill_segments(3);
    uint64_t target = journal_fixture_end(&fixture) - 3; // the last batch began a segment
    cr_assert_eq(journal_truncate(fixture.journal, target), STATUS_ok);
    journal_fixture_forget(&fixture, target);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(journal_truncate(fixture.journal, 0), STATUS_ok);
    journal_fixture_forget(&fixture, 0);
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 0);
    fill_segments(2);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, never_brings_truncated_entries_back)
{
    cr_assert_eq(journal_fixture_append(&fixture, 8, 300), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    cr_assert_eq(journal_truncate(fixture.journal, 0), STATUS_ok);
    journal_fixture_forget(&fixture, 0);
    AUTO(buffer_release) struct buffer file = {0};
    cr_assert(sim_disk_peek(fixture.disk, "journal/1/0000000000000001", &file));
    for (size_t i = 64; i < file.size; i++) {
        cr_assert_eq(file.data[i], 0);
    }
}

Test(journal, drops_whole_segments_only)
{
    fill_segments(4);
    uint64_t disk_size = journal_view(fixture.journal)->disk_size;
    cr_assert_eq(journal_drop(fixture.journal, 1), STATUS_ok);
    cr_assert_eq(journal_view(fixture.journal)->base.position, 0);
    uint64_t middle = journal_fixture_end(&fixture) / 2;
    cr_assert_eq(journal_drop(fixture.journal, middle), STATUS_ok);
    uint64_t base = journal_view(fixture.journal)->base.position;
    cr_assert(base > 0 && base <= middle);
    cr_assert_lt(journal_view(fixture.journal)->disk_size, disk_size);
    cr_assert(journal_fixture_matches(&fixture));
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->base.position, base);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, keeps_the_last_segment_when_everything_may_be_dropped)
{
    fill_segments(3);
    cr_assert_eq(journal_drop(fixture.journal, UINT64_MAX), STATUS_ok);
    cr_assert_eq(segment_count(), 1);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, begins_after_the_base_it_is_reset_to)
{
    fill_segments(3);
    struct entry_place base = {.epoch = 9, .position = 5000, .version = 70000, .crc = 0x1234};
    cr_assert_eq(journal_reset(fixture.journal, &base), STATUS_ok);
    journal_fixture_rebase(&fixture, base);
    cr_assert(journal_fixture_matches(&fixture));
    fixture.epoch = 10;
    cr_assert_eq(journal_fixture_append(&fixture, 3, 100), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 5003);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, can_be_reset_to_a_place_inside_it_and_before_it)
{
    fill_segments(3);
    struct entry_place inside = journal_fixture_place(&fixture, 10);
    struct entry_place none = {0};
    cr_assert_eq(journal_reset(fixture.journal, &inside), STATUS_ok);
    journal_fixture_rebase(&fixture, inside);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(journal_reset(fixture.journal, &none), STATUS_ok);
    journal_fixture_rebase(&fixture, none);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(segment_count(), 1);
}

Test(journal, takes_the_cluster_at_its_birth)
{
    journal_fixture_kill(&fixture);
    fixture.options.folder = "journal/2";
    fixture.options.cluster_id = 0;
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    journal_set_cluster(fixture.journal, FIXTURE_CLUSTER);
    cr_assert_eq(journal_fixture_append(&fixture, 2, 100), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    fixture.options.cluster_id = FIXTURE_CLUSTER;
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(journal_view(fixture.journal)->end.position, 2);
}

Test(journal, refuses_entries_of_another_cluster)
{
    cr_assert_eq(journal_fixture_append(&fixture, 2, 100), STATUS_ok);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    journal_fixture_crash(&fixture);
    fixture.options.cluster_id = FIXTURE_CLUSTER + 1;
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_wrong_cluster);
    fixture.options.cluster_id = 0;
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_wrong_cluster);
}

Test(journal, prepares_the_next_segment_so_that_an_append_allocates_nothing)
{
    while (journal_prepare(fixture.journal)) {
    }
    sim_disk_set_free(fixture.disk, 0);
    fill_segments(2);
    cr_assert(!journal_prepare(fixture.journal));
}

Test(journal, refuses_appends_on_a_full_disk_and_resumes_when_there_is_space)
{
    sim_disk_set_free(fixture.disk, 100);
    enum status status = STATUS_ok;
    while (status == STATUS_ok) {
        status = journal_fixture_append(&fixture, 3, 900);
    }
    cr_assert_eq(status, STATUS_read_only);
    cr_assert_eq(segment_count(), 1);
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert(!journal_prepare(fixture.journal));
    sim_disk_set_free(fixture.disk, 10 * FIXTURE_SEGMENT_SIZE);
    fill_segments(3);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, has_one_segment_in_reserve_when_the_disk_fills_up)
{
    while (journal_prepare(fixture.journal)) {
    }
    sim_disk_set_free(fixture.disk, 0);
    while (journal_fixture_append(&fixture, 3, 900) == STATUS_ok) {
    }
    cr_assert_eq(segment_count(), 2);
    cr_assert_eq(journal_fixture_sync(&fixture), STATUS_ok);
    reopen();
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, opens_on_a_full_disk)
{
    fill_segments(2);
    journal_fixture_crash(&fixture);
    sim_disk_set_free(fixture.disk, 0);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    cr_assert(journal_fixture_matches(&fixture));
    cr_assert_eq(journal_truncate(fixture.journal, 5), STATUS_ok);
    journal_fixture_forget(&fixture, 5);
    cr_assert(journal_fixture_matches(&fixture));
}

Test(journal, is_not_made_without_space_for_a_segment)
{
    journal_fixture_kill(&fixture);
    fixture.options.folder = "journal/2";
    sim_disk_set_free(fixture.disk, FIXTURE_SEGMENT_SIZE - 1);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_read_only);
    sim_disk_set_free(fixture.disk, FIXTURE_SEGMENT_SIZE);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
}

Test(journal, does_nothing_more_after_a_failed_sync)
{
    cr_assert_eq(journal_fixture_append(&fixture, 2, 100), STATUS_ok);
    sim_disk_fail_after(fixture.disk, 0, STATUS_internal);
    cr_assert_eq(journal_sync(fixture.journal), STATUS_internal);
    cr_assert_eq(journal_sync(fixture.journal), STATUS_internal);
    cr_assert_eq(journal_fixture_append(&fixture, 1, 100), STATUS_internal);
    cr_assert_eq(journal_truncate(fixture.journal, 0), STATUS_internal);
    cr_assert_eq(journal_drop(fixture.journal, 1), STATUS_internal);
    cr_assert_eq(journal_reset(fixture.journal, &fixture.base), STATUS_internal);
    cr_assert(!journal_prepare(fixture.journal));
}

Test(journal, makes_durable_what_it_finds_even_after_a_sync_failed)
{
    cr_assert_eq(journal_fixture_append(&fixture, 4, 900), STATUS_ok);
    sim_disk_fail_after(fixture.disk, 0, STATUS_internal);
    cr_assert_eq(journal_sync(fixture.journal), STATUS_internal);
    journal_fixture_kill(&fixture);
    cr_assert_eq(journal_fixture_open(&fixture), STATUS_ok);
    cr_assert_eq(journal_view(fixture.journal)->end.position, 4);
    fixture.synced = 4;
    reopen();
    cr_assert_eq(journal_view(fixture.journal)->end.position, 4);
}
