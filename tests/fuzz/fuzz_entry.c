/*
 * Entries of the log and the effects in them. An entry whose bytes were changed is never taken for
 * one; since its sum keeps chance out, inputs are also made into entries here, and then damaged.
 */
#include "tests/fuzz/fuzz.h"

#include "storage/apply.h"
#include "storage/effects.h"
#include "storage/state_memory.h"

enum { CLUSTER = 77 };

static void check_raw(struct bytes input)
{
    struct entry entry;
    size_t size;
    while (entry_decode(input, CLUSTER, &entry, &size) == STATUS_ok) {
        ASSERT(size >= ENTRY_HEADER_SIZE && size <= input.size);
        ASSERT(entry.payload.size == size - ENTRY_HEADER_SIZE);
        fuzz_take(&input, size);
    }
}

static bool entry_equal(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && a->flags == b->flags && a->crc == b->crc &&
           a->previous_crc == b->previous_crc && a->epoch == b->epoch &&
           a->position == b->position && a->commit_position == b->commit_position &&
           a->version == b->version && a->time_us == b->time_us &&
           a->transactions == b->transactions && bytes_equal(a->payload, b->payload);
}

static void check_damage(struct buffer *frame, size_t at, uint8_t change)
{
    struct entry entry;
    size_t size;
    frame->data[at % frame->size] ^= change;
    enum status status = entry_decode(buffer_bytes(frame), CLUSTER, &entry, &size);
    ASSERT((status == STATUS_ok) == (change == 0));
    frame->data[at % frame->size] ^= change;
    ASSERT(entry_decode(buffer_bytes(frame), CLUSTER + 1, &entry, &size) == STATUS_damaged);
    struct bytes cut = bytes_of(frame->data, at % frame->size);
    ASSERT(entry_decode(cut, CLUSTER, &entry, &size) == STATUS_bad_request);
}

static void check_effects(struct bytes payload)
{
    AUTO(state_batch_release) struct state_batch batch = {0};
    AUTO(buffer_release) struct buffer again = {0};
    if (effects_decode(payload, &batch) == STATUS_ok) {
        effects_encode(&batch, &again);
        ASSERT(bytes_equal(payload, buffer_bytes(&again)));
    } else {
        ASSERT(batch.count == 0 && batch.cells.size == 0);
    }
}

// Applying the entry changes everything or nothing.
static void check_applied(struct entry *entry)
{
    AUTO(applied_release) struct applied applied;
    AUTO(applied_release) struct applied loaded;
    struct state *state = state_memory_new();
    applied_init(&applied);
    applied_init(&loaded);
    entry->position = 1;
    enum status status = apply_entry(state, CLUSTER, entry, &applied);
    ASSERT(applied_load(state, NULL, &loaded) == STATUS_ok);
    ASSERT(loaded.place.position == (status == STATUS_ok ? 1 : 0));
    ASSERT(loaded.place.position == applied.place.position && loaded.chain == applied.chain);
    ASSERT(bytes_equal(buffer_bytes(&loaded.configuration), buffer_bytes(&applied.configuration)));
    state_destroy(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer frame = {0};
    struct bytes input = bytes_of(data, size);
    struct entry decoded;
    size_t decoded_size;
    check_raw(input);
    size_t damaged = fuzz_take_u16(&input);
    uint8_t change = fuzz_take_u8(&input);
    struct entry entry = {.kind = fuzz_take_u8(&input),
                          .flags = fuzz_take_u8(&input),
                          .previous_crc = fuzz_take_u16(&input),
                          .epoch = fuzz_take_u8(&input),
                          .position = fuzz_take_u64(&input),
                          .version = fuzz_take_u8(&input),
                          .time_us = fuzz_take_u8(&input)};
    entry.payload = input;
    entry_encode(&entry, CLUSTER, &frame);
    AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(buffer_bytes(&frame));
    ASSERT(entry_decode(fuzz_copy_bytes(&copy), CLUSTER, &decoded, &decoded_size) == STATUS_ok);
    ASSERT(decoded_size == frame.size && entry_equal(&entry, &decoded));
    check_damage(&frame, damaged, change);
    check_effects(entry.payload);
    check_applied(&entry);
    return 0;
}
