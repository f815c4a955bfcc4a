/*
 * A journal on a simulated disk beside a model of what it must hold.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_JOURNAL_H
#define SKEIN_TESTS_UNIT_FIXTURE_JOURNAL_H

#include "base/random.h"
#include "storage/journal.h"
#include "tests/sim/disk.h"

enum { FIXTURE_CLUSTER = 77, FIXTURE_SEGMENT_SIZE = 16 * KIB };

struct model_entry {
    struct entry_place place;
    size_t offset; // of the frame in the model's frames
    size_t size;   // of the frame
};

struct journal_fixture {
    struct sim_disk *disk;
    struct journal_options options;
    struct journal *journal; // NULL while it is closed
    struct random random;
    struct entry_place base;     // before the first entry of the model
    struct model_entry *entries; // at positions base + 1 and on
    size_t count;
    size_t capacity;
    struct buffer frames;
    uint64_t epoch;  // of the entries made
    uint64_t synced; // entries up to here must survive
};

// An open, empty journal. The fixture's memory is the caller's.
void journal_fixture_init(struct journal_fixture *self, uint64_t seed);
void journal_fixture_release(struct journal_fixture *self);

// Opens the journal; fails as journal_open().
enum status journal_fixture_open(struct journal_fixture *self);

// Closes the journal as a killed process does; then cuts the power, too.
void journal_fixture_kill(struct journal_fixture *self);
void journal_fixture_crash(struct journal_fixture *self);

// Makes `count` entries of random payloads of up to `size_max` bytes that continue the model, and
// appends them to the journal in one call. When it is refused with read_only the model is as
// before; after a failure the model has them, and the journal may.
enum status journal_fixture_append(struct journal_fixture *self, unsigned count, size_t size_max);

// Makes everything durable.
enum status journal_fixture_sync(struct journal_fixture *self);

// Position of the last entry of the model.
uint64_t journal_fixture_end(const struct journal_fixture *self);

// The place of an entry of the model, or of its base.
struct entry_place journal_fixture_place(const struct journal_fixture *self, uint64_t position);

// The model forgets the entries after `position`.
void journal_fixture_forget(struct journal_fixture *self, uint64_t position);

// The model is empty and begins after `base`.
void journal_fixture_rebase(struct journal_fixture *self, struct entry_place base);

// The frames of entries of the model.
struct bytes journal_fixture_frames(const struct journal_fixture *self, uint64_t from, uint64_t to);

// True when everything that the journal holds, read back, is what the model has there.
bool journal_fixture_matches(struct journal_fixture *self);

#endif
