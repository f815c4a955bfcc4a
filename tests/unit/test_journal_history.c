// Random histories of the journal against a model, with power cuts and failures at every moment.
#include "storage/journal.h"

#include "tests/unit/fixture_journal.h"

#include <criterion/criterion.h>

// What the journal may hold when it is opened again.
struct expectation {
    uint64_t end_min;         // it ends here or later
    struct entry_place reset; // or it is empty after this place
    bool may_be_reset;        // only if a reset was under way
};

static struct expectation expect_synced(const struct journal_fixture *self)
{
    return (struct expectation){.end_min = self->synced};
}

// Opens it again and brings the model to what it holds. Everything must be as expected.
static void reopen(struct journal_fixture *self, const struct expectation *expected)
{
    enum status status = journal_fixture_open(self);
    cr_assert_eq(status, STATUS_ok, "%s", status_name(status));
    const struct journal_view *view = journal_view(self->journal);
    cr_assert(!view->damaged, "%s", view->damage);
    if (expected->may_be_reset && view->base.position == expected->reset.position &&
        view->base.crc == expected->reset.crc && view->end.position == view->base.position) {
        journal_fixture_rebase(self, expected->reset);
        return;
    }
    cr_assert_geq(view->end.position, expected->end_min);
    cr_assert_leq(view->end.position, journal_fixture_end(self));
    journal_fixture_forget(self, view->end.position);
    self->synced = view->end.position;
    cr_assert(journal_fixture_matches(self));
}

static void stop(struct journal_fixture *self)
{
    if (random_chance(&self->random, 300000)) {
        journal_fixture_kill(self);
    } else {
        journal_fixture_crash(self);
    }
}

// Stops and starts it; at times the start fails, too, at any operation.
static void crash(struct journal_fixture *self, const struct expectation *expected,
                  enum status failure)
{
    stop(self);
    while (failure != STATUS_ok && random_chance(&self->random, 400000)) {
        sim_disk_fail_after(self->disk, random_below(&self->random, 40), failure);
        enum status status = journal_fixture_open(self);
        cr_assert(status == STATUS_ok || sim_disk_has_failed(self->disk));
        stop(self);
    }
    sim_disk_fail_after(self->disk, 0, STATUS_ok);
    reopen(self, expected);
}

static enum status do_append(struct journal_fixture *self)
{
    size_t size_max = random_chance(&self->random, 30000) ? 3 * FIXTURE_SEGMENT_SIZE : 1500;
    unsigned count = (unsigned)random_between(&self->random, 1, 5);
    return journal_fixture_append(self, count, size_max);
}

static enum status do_truncate(struct journal_fixture *self, struct expectation *expected)
{
    uint64_t base = journal_view(self->journal)->base.position;
    uint64_t end = journal_fixture_end(self);
    uint64_t low = end - base > 30 ? end - 30 : base;
    uint64_t position = random_between(&self->random, low, end);
    if (position < expected->end_min) {
        expected->end_min = position;
    }
    enum status status = journal_truncate(self->journal, position);
    if (status == STATUS_ok) {
        journal_fixture_forget(self, position);
    }
    return status;
}

static enum status do_drop(struct journal_fixture *self)
{
    uint64_t end = journal_fixture_end(self);
    uint64_t base = journal_view(self->journal)->base.position;
    return journal_drop(self->journal, random_between(&self->random, base, end));
}

static enum status do_reset(struct journal_fixture *self, struct expectation *expected)
{
    uint64_t end = journal_fixture_end(self);
    uint64_t base = journal_view(self->journal)->base.position;
    struct entry_place place = {.epoch = self->epoch, .position = end + 100, .crc = 99};
    if (random_chance(&self->random, 500000)) {
        place = journal_fixture_place(self, random_between(&self->random, base, end));
    }
    expected->may_be_reset = true;
    expected->reset = place;
    enum status status = journal_reset(self->journal, &place);
    if (status == STATUS_ok) {
        journal_fixture_rebase(self, place);
        *expected = expect_synced(self);
    }
    return status;
}

static void set_space(struct journal_fixture *self)
{
    bool is_full = random_chance(&self->random, 500000);
    sim_disk_set_free(self->disk,
                      is_full ? random_below(&self->random, FIXTURE_SEGMENT_SIZE * 2) : UINT64_MAX);
}

static void check_content(struct journal_fixture *self)
{
    bool matches = journal_fixture_matches(self);
    cr_assert(matches || sim_disk_has_failed(self->disk));
}

// One random operation; *expected is what must be found if it does not come to its end.
static enum status step(struct journal_fixture *self, struct expectation *expected)
{
    *expected = expect_synced(self);
    switch (random_below(&self->random, 24)) {
    case 0: return do_truncate(self, expected);
    case 1: return do_drop(self);
    case 2: return random_chance(&self->random, 100000) ? do_reset(self, expected) : STATUS_ok;
    case 3: set_space(self); return STATUS_ok;
    case 4: self->epoch += random_below(&self->random, 3); return STATUS_ok;
    case 5: check_content(self); return STATUS_ok;
    case 6: sim_disk_set_free(self->disk, UINT64_MAX); return STATUS_ok;
    case 7:
    case 8:
    case 9: journal_prepare(self->journal); return STATUS_ok;
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 15: return journal_fixture_sync(self);
    default: return do_append(self);
    }
}

static void run_history(uint64_t seed, enum status failure)
{
    struct journal_fixture self;
    journal_fixture_init(&self, seed);
    for (unsigned i = 0; i < 120; i++) {
        struct expectation expected;
        if (failure != STATUS_ok && random_chance(&self.random, 30000)) {
            sim_disk_fail_after(self.disk, random_below(&self.random, 12), failure);
        }
        enum status status = step(&self, &expected);
        cr_assert(status == STATUS_ok || status == STATUS_read_only || status == STATUS_internal,
                  "seed %llu: %s", (unsigned long long)seed, status_name(status));
        if (status == STATUS_ok) {
            expected = expect_synced(&self);
        }
        if (status == STATUS_internal || random_chance(&self.random, 60000)) {
            crash(&self, &expected, failure);
        }
    }
    journal_fixture_release(&self);
}

Test(journal_history, loses_nothing_synced_and_invents_nothing)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        run_history(seed, STATUS_ok);
    }
}

Test(journal_history, survives_failures_of_the_disk_at_any_moment)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        run_history(seed * 7919, STATUS_internal);
    }
}

Test(journal_history, survives_a_disk_that_is_full_at_any_moment)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        run_history(seed * 104729, STATUS_read_only);
    }
}
