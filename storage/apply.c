/*
 * Applying entries. Every entry, whatever its kind, moves the applied record; what it changes and
 * the record go into one batch, so that a crash can't come between them (rule 22).
 *
 *   chain(n) = XXH3(XXH3(payload(n), seed chain(n - 1)), position, version, kind)
 *
 * 1. A function of the log alone (rule 23): nothing here but the entry and what was applied before.
 * 2. The entry is checked whole before anything is written; what is unknown stops the node
 *    (rule 38).
 * 3. `applied` changes only after the write succeeded, so that a failed one can be repeated.
 */
#include "storage/apply.h"

#include "base/assert.h"
#include "base/bug.h"
#include "storage/cells.h"
#include "storage/effects.h"
#include "wire/message.h"

#include <endian.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    APPLIED_FORMAT = 1,
    CONFIGURATION_FORMAT = 1,
    CONFIGURATION_SIZE_MAX = 16 * KIB, // what an applied_record holds
};

void applied_init(struct applied *applied)
{
    *applied = (struct applied){0};
}

void applied_release(struct applied *applied)
{
    buffer_release(&applied->configuration);
    *applied = (struct applied){0};
}

static enum status decode_record(struct bytes value, struct message_applied_record *ret_record)
{
    struct message message;
    if (message_decode(&value, &message) != STATUS_ok || value.size > 0 ||
        message.kind != MESSAGE_applied_record) {
        return STATUS_damaged;
    }
    *ret_record = message.applied_record;
    return ret_record->format == APPLIED_FORMAT ? STATUS_ok : STATUS_version_mismatch;
}

static void take_record(const struct message_applied_record *record, struct applied *applied)
{
    applied->cluster_id = record->cluster_id;
    applied->place.epoch = record->epoch;
    applied->place.position = record->position;
    applied->place.version = record->version;
    applied->place.crc = record->crc;
    applied->time_us = record->time_us;
    applied->chain = record->chain;
    buffer_clear(&applied->configuration);
    buffer_append(&applied->configuration, record->configuration);
}

enum status applied_load(struct state *state, const struct state_snapshot *snapshot,
                         struct applied *applied)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    cell_key_applied(&key);
    enum status status = state_get(state, snapshot, buffer_bytes(&key), &value);
    struct message_applied_record record = {0};
    if (status != STATUS_absent) {
        TRY(status);
        TRY(decode_record(buffer_bytes(&value), &record));
    }
    take_record(&record, applied);
    return STATUS_ok;
}

static uint64_t chain_next(uint64_t chain, const struct entry *entry)
{
    uint64_t payload = XXH3_64bits_withSeed(entry->payload.data, entry->payload.size, chain);
    uint64_t parts[] = {htole64(payload), htole64(entry->position), htole64(entry->version),
                        htole64(entry->kind)};
    return XXH3_64bits(parts, sizeof parts);
}

static enum status check_configuration(struct bytes payload)
{
    struct message message;
    if (payload.size > CONFIGURATION_SIZE_MAX || message_decode(&payload, &message) != STATUS_ok ||
        payload.size > 0 || message.kind != MESSAGE_configuration) {
        return STATUS_bad_request;
    }
    return message.configuration.format == CONFIGURATION_FORMAT ? STATUS_ok
                                                                : STATUS_version_mismatch;
}

// Appends what the entry changes to `batch`, but for the applied record.
static enum status gather_effects(const struct entry *entry, struct state_batch *batch)
{
    switch (entry->kind) {
    case ENTRY_NOOP: return entry->payload.size == 0 ? STATUS_ok : STATUS_bad_request;
    case ENTRY_BATCH: return effects_decode(entry->payload, batch);
    case ENTRY_CONFIGURATION: return check_configuration(entry->payload);
    default: return STATUS_version_mismatch;
    }
}

static struct message_applied_record record_after(uint64_t cluster_id, const struct entry *entry,
                                                  const struct applied *applied)
{
    bool is_configuration = entry->kind == ENTRY_CONFIGURATION;
    return (struct message_applied_record){
        .format = APPLIED_FORMAT,
        .cluster_id = cluster_id,
        .epoch = entry->epoch,
        .position = entry->position,
        .version = entry->version,
        .time_us = entry->time_us > applied->time_us ? entry->time_us : applied->time_us,
        .crc = entry->crc,
        .chain = chain_next(applied->chain, entry),
        .configuration = is_configuration ? entry->payload : buffer_bytes(&applied->configuration),
    };
}

static void put_record(const struct message_applied_record *record, struct state_batch *batch)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    struct message message = {.kind = MESSAGE_applied_record, .applied_record = *record};
    cell_key_applied(&key);
    message_encode(&message, &value);
    state_batch_put(batch, buffer_bytes(&key), buffer_bytes(&value));
}

// Deviation 25: a crash between the two writes leaves a record of what is not there.
static enum status write_apart(struct state *state, const struct message_applied_record *record,
                               const struct state_batch *effects)
{
    AUTO(state_batch_release) struct state_batch alone = {0};
    put_record(record, &alone);
    TRY(state_write(state, &alone));
    return state_write(state, effects);
}

static enum status write_together(struct state *state, const struct message_applied_record *record,
                                  struct state_batch *effects)
{
    put_record(record, effects);
    return state_write(state, effects);
}

enum status apply_entry(struct state *state, uint64_t cluster_id, const struct entry *entry,
                        struct applied *applied)
{
    ASSERT(entry->position == applied->place.position + 1);
    AUTO(state_batch_release) struct state_batch batch = {0};
    TRY(gather_effects(entry, &batch));
    struct message_applied_record record = record_after(cluster_id, entry, applied);
    if (BUG(25)) {
        TRY(write_apart(state, &record, &batch));
    } else {
        TRY(write_together(state, &record, &batch));
    }
    AUTO(buffer_release) struct buffer configuration = {0};
    buffer_append(&configuration, record.configuration);
    record.configuration = buffer_bytes(&configuration);
    take_record(&record, applied);
    return STATUS_ok;
}
