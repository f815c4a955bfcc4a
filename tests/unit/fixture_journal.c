/*
 * The model is a list of frames; the journal must hold a run of it, byte by byte, with the epochs.
 */
#include "tests/unit/fixture_journal.h"

#include "base/assert.h"

#include <stdlib.h>

void journal_fixture_init(struct journal_fixture *self, uint64_t seed)
{
    *self = (struct journal_fixture){.disk = sim_disk_new(), .epoch = 1};
    self->options = (struct journal_options){
        .folder = "journal/1", .cluster_id = FIXTURE_CLUSTER, .segment_size = FIXTURE_SEGMENT_SIZE};
    random_init(&self->random, seed);
    enum status status = journal_fixture_open(self);
    ASSERT(status == STATUS_ok);
}

void journal_fixture_release(struct journal_fixture *self)
{
    journal_destroy(&self->journal);
    sim_disk_destroy(&self->disk);
    free(self->entries);
    buffer_release(&self->frames);
}

enum status journal_fixture_open(struct journal_fixture *self)
{
    return journal_open(sim_disk_port(self->disk), &self->options, &self->journal);
}

void journal_fixture_kill(struct journal_fixture *self)
{
    journal_destroy(&self->journal);
}

void journal_fixture_crash(struct journal_fixture *self)
{
    journal_fixture_kill(self);
    sim_disk_crash(self->disk, &self->random);
}

static void model_push(struct journal_fixture *self, size_t payload_size)
{
    AUTO(buffer_release) struct buffer payload = {0};
    for (size_t i = 0; i < payload_size; i++) {
        buffer_append_u8(&payload, (uint8_t)random_next(&self->random));
    }
    struct entry_place end = journal_fixture_place(self, journal_fixture_end(self));
    struct entry entry = {.kind = ENTRY_BATCH,
                          .previous_crc = end.crc,
                          .epoch = self->epoch,
                          .position = end.position + 1,
                          .version = end.version + 1,
                          .transactions = 1,
                          .payload = buffer_bytes(&payload)};
    size_t offset = self->frames.size;
    entry_encode(&entry, FIXTURE_CLUSTER, &self->frames);
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : self->capacity * 2;
        self->entries = realloc(self->entries, self->capacity * sizeof *self->entries);
        ASSERT(self->entries != NULL);
    }
    self->entries[self->count++] = (struct model_entry){
        .place = entry_place_of(&entry), .offset = offset, .size = self->frames.size - offset};
}

enum status journal_fixture_append(struct journal_fixture *self, unsigned count, size_t size_max)
{
    uint64_t end = journal_fixture_end(self);
    for (unsigned i = 0; i < count; i++) {
        model_push(self, (size_t)random_between(&self->random, 0, size_max));
    }
    struct bytes frames = journal_fixture_frames(self, end + 1, end + count);
    enum status status = journal_append(self->journal, frames);
    if (status == STATUS_read_only) {
        journal_fixture_forget(self, end);
    }
    return status;
}

enum status journal_fixture_sync(struct journal_fixture *self)
{
    TRY(journal_sync(self->journal));
    self->synced = journal_fixture_end(self);
    return STATUS_ok;
}

uint64_t journal_fixture_end(const struct journal_fixture *self)
{
    return self->base.position + self->count;
}

struct entry_place journal_fixture_place(const struct journal_fixture *self, uint64_t position)
{
    ASSERT(position >= self->base.position && position <= journal_fixture_end(self));
    return position == self->base.position
               ? self->base
               : self->entries[position - self->base.position - 1].place;
}

void journal_fixture_forget(struct journal_fixture *self, uint64_t position)
{
    ASSERT(position >= self->base.position && position <= journal_fixture_end(self));
    size_t count = (size_t)(position - self->base.position);
    if (count < self->count) {
        buffer_truncate(&self->frames, self->entries[count].offset);
        self->count = count;
    }
    if (self->synced > position) {
        self->synced = position;
    }
}

void journal_fixture_rebase(struct journal_fixture *self, struct entry_place base)
{
    self->base = base;
    self->count = 0;
    self->synced = base.position;
    buffer_clear(&self->frames);
}

struct bytes journal_fixture_frames(const struct journal_fixture *self, uint64_t from, uint64_t to)
{
    if (from > to) {
        return bytes_of(NULL, 0);
    }
    const struct model_entry *first = &self->entries[from - self->base.position - 1];
    const struct model_entry *last = &self->entries[to - self->base.position - 1];
    return bytes_of(self->frames.data + first->offset, last->offset + last->size - first->offset);
}

static bool place_equal(struct entry_place a, struct entry_place b)
{
    return a.epoch == b.epoch && a.position == b.position && a.version == b.version &&
           a.crc == b.crc;
}

static bool runs_match(const struct journal_fixture *self, const struct journal_view *view)
{
    size_t count;
    const struct journal_run *runs = journal_runs(self->journal, &count);
    size_t next = 0;
    uint64_t epoch = 0;
    for (uint64_t position = view->base.position + 1; position <= view->end.position; position++) {
        uint64_t expected = journal_fixture_place(self, position).epoch;
        if (position == view->base.position + 1 || expected != epoch) {
            if (next == count || runs[next].epoch != expected || runs[next].position != position) {
                return false;
            }
            next++;
            epoch = expected;
        }
    }
    return next == count;
}

bool journal_fixture_matches(struct journal_fixture *self)
{
    const struct journal_view *view = journal_view(self->journal);
    bool is_inside = view->base.position >= self->base.position &&
                     view->end.position <= journal_fixture_end(self) &&
                     view->base.position <= view->end.position;
    if (!is_inside || !place_equal(view->base, journal_fixture_place(self, view->base.position)) ||
        !place_equal(view->end, journal_fixture_place(self, view->end.position)) ||
        !runs_match(self, view)) {
        return false;
    }
    AUTO(buffer_release) struct buffer read = {0};
    uint64_t first = view->base.position + 1;
    if (first <= view->end.position &&
        journal_read(self->journal, first, SIZE_MAX, &read) != STATUS_ok) {
        return false;
    }
    return bytes_equal(buffer_bytes(&read),
                       journal_fixture_frames(self, first, view->end.position));
}
