/*
 * Histories of a journal against a model, step by step as the input says: appends, cuts, power cuts
 * and failures of the disk; bits that flip, files that are cut or gone. Nothing that was synced is
 * lost without damage being reported, and nothing is ever held that was not appended.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/fixture_journal.h"

#include <stdio.h>

enum { STEPS_MAX = 60 };

struct history {
    struct journal_fixture journal;
    bool is_hurt;             // bits flipped or files were cut since it was last found whole
    struct entry_place reset; // of a reset that did not come to its end
    bool may_be_reset;
    bool has_failed;  // the disk has, since the journal was opened
    uint64_t end_min; // it ends here or later when it is opened
};

static bool is_reset(const struct history *self, const struct journal_view *view)
{
    return self->may_be_reset && view->base.position == self->reset.position &&
           view->base.crc == self->reset.crc && view->end.position == view->base.position;
}

// The first append to a damaged journal removes what is behind its end. Done at once: a second
// change of the same bit could bring back what the model has forgotten.
static void repair(struct journal_fixture *journal)
{
    sim_disk_set_free(journal->disk, UINT64_MAX);
    ASSERT(journal_fixture_append(journal, 1, 8) == STATUS_ok);
    ASSERT(journal_fixture_sync(journal) == STATUS_ok);
    ASSERT(!journal_view(journal->journal)->damaged && journal_fixture_matches(journal));
}

// Opens it and brings the model to what it holds.
static void reopen(struct history *self)
{
    struct journal_fixture *journal = &self->journal;
    sim_disk_fail_after(journal->disk, 0, STATUS_ok);
    journal->options.high_water = self->is_hurt ? self->end_min : 0;
    enum status status = journal_fixture_open(journal);
    ASSERT(status == STATUS_ok || (status == STATUS_read_only && !self->is_hurt));
    if (status == STATUS_read_only) {
        sim_disk_set_free(journal->disk, UINT64_MAX);
        ASSERT(journal_fixture_open(journal) == STATUS_ok);
    }
    const struct journal_view *view = journal_view(journal->journal);
    ASSERT(!view->damaged || self->is_hurt);
    if (is_reset(self, view)) {
        journal_fixture_rebase(journal, self->reset);
    } else if (view->damaged && view->base.position < journal->base.position) {
        ASSERT(view->base.position == 0 && view->end.position == 0);
        struct entry_place none = {0};
        journal_fixture_rebase(journal, none);
    } else {
        ASSERT(view->damaged || view->end.position >= self->end_min);
        ASSERT(view->end.position <= journal_fixture_end(journal));
        journal_fixture_forget(journal, view->end.position);
        journal->synced = view->end.position;
        ASSERT(journal_fixture_matches(journal));
    }
    self->may_be_reset = false;
    self->has_failed = false;
    if (view->damaged) {
        repair(journal);
    }
}

static void restart(struct history *self, bool has_power)
{
    if (has_power) {
        journal_fixture_kill(&self->journal);
    } else {
        journal_fixture_crash(&self->journal);
    }
    reopen(self);
}

static uint64_t pick_position(const struct history *self, struct bytes *input)
{
    uint64_t base = journal_view(self->journal.journal)->base.position;
    uint64_t end = journal_fixture_end(&self->journal);
    return base + fuzz_take_u8(input) % (end - base + 1);
}

static enum status do_append(struct history *self, struct bytes *input)
{
    unsigned count = 1 + fuzz_take_u8(input) % 4;
    return journal_fixture_append(&self->journal, count, (size_t)fuzz_take_u8(input) * 8);
}

static enum status do_truncate(struct history *self, struct bytes *input)
{
    uint64_t position = pick_position(self, input);
    self->end_min = position < self->end_min ? position : self->end_min;
    enum status status = journal_truncate(self->journal.journal, position);
    if (status == STATUS_ok) {
        journal_fixture_forget(&self->journal, position);
    }
    return status;
}

static enum status do_reset(struct history *self, struct bytes *input)
{
    uint64_t end = journal_fixture_end(&self->journal);
    self->reset = (struct entry_place){.epoch = self->journal.epoch, .position = end + 9, .crc = 9};
    if (fuzz_take_u8(input) % 2 == 0) {
        self->reset = journal_fixture_place(&self->journal, pick_position(self, input));
    }
    self->may_be_reset = true;
    enum status status = journal_reset(self->journal.journal, &self->reset);
    if (status == STATUS_ok) {
        journal_fixture_rebase(&self->journal, self->reset);
    }
    return status;
}

// The name of the segment file with this number among all, the first one if there are fewer.
struct wanted_name {
    unsigned number;
    char name[DISK_NAME_SIZE_MAX];
};

static void see_name(void *context, const char *name)
{
    struct wanted_name *wanted = context;
    if (wanted->name[0] == '\0' || wanted->number > 0) {
        snprintf(wanted->name, sizeof wanted->name, "journal/1/%s", name);
        wanted->number -= wanted->number > 0;
    }
}

// Something happens to a file while the journal is closed.
static void hurt(struct history *self, struct bytes *input)
{
    struct journal_fixture *journal = &self->journal;
    struct disk *disk = sim_disk_port(journal->disk);
    struct wanted_name wanted = {.number = fuzz_take_u8(input) % 4};
    uint64_t offset = fuzz_take_u16(input);
    uint8_t how = fuzz_take_u8(input);
    journal_fixture_kill(journal);
    sim_disk_fail_after(journal->disk, 0, STATUS_ok);
    ASSERT(disk_list(disk, "journal/1", see_name, &wanted) == STATUS_ok);
    if (wanted.name[0] != '\0' && how < 8) {
        (void)sim_disk_flip(journal->disk, wanted.name, offset, how);
    } else if (wanted.name[0] != '\0') {
        (void)sim_disk_shorten(journal->disk, wanted.name, how == 8 ? UINT64_MAX : offset);
    }
    self->is_hurt = true;
    reopen(self);
}

static enum status step(struct history *self, struct bytes *input)
{
    struct journal_fixture *journal = &self->journal;
    uint8_t kind = fuzz_take_u8(input);
    switch (kind % 16) {
    case 0: return do_truncate(self, input);
    case 1: return journal_drop(journal->journal, pick_position(self, input));
    case 2: return do_reset(self, input);
    case 3: sim_disk_set_free(journal->disk, (uint64_t)fuzz_take_u8(input) * 256); break;
    case 4: sim_disk_set_free(journal->disk, UINT64_MAX); break;
    case 5: journal->epoch += fuzz_take_u8(input) % 3; break;
    case 6: sim_disk_fail_after(journal->disk, fuzz_take_u8(input), STATUS_internal); break;
    case 7: sim_disk_fail_after(journal->disk, fuzz_take_u8(input), STATUS_read_only); break;
    case 8: restart(self, true); break;
    case 9: restart(self, false); break;
    case 10: hurt(self, input); break;
    case 11: journal_prepare(journal->journal); break;
    case 12: return journal_fixture_sync(journal);
    default: return do_append(self, input);
    }
    return STATUS_ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct history self = {0};
    journal_fixture_init(&self.journal, 1 + fuzz_take_u8(&input));
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++) {
        self.end_min = self.journal.synced;
        self.may_be_reset = false;
        enum status status = step(&self, &input);
        self.has_failed = self.has_failed || sim_disk_has_failed(self.journal.disk);
        ASSERT(status == STATUS_ok || status == STATUS_read_only || status == STATUS_internal);
        if (status == STATUS_internal) {
            ASSERT(self.has_failed);
            restart(&self, fuzz_take_u8(&input) % 2 == 0);
        }
    }
    self.end_min = self.journal.synced;
    restart(&self, false);
    journal_fixture_release(&self.journal);
    return 0;
}
