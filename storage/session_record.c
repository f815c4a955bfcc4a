/*
 * Session records, as msgpack arrays:
 *
 *   live     [1, 1, last used (us), done_below, outcomes]
 *   expired  [1, 2, forgotten from (us)]
 *             format
 *
 *   outcomes [sequence, claimed, version, time (us), sequence, ...]
 *
 * Sequence, version and time are written as differences to those of the outcome before (the first
 * to done_below, 0 and last used), which are small: an outcome takes about 8 bytes. Ids that an
 * insert generated need no room: they follow from version and time (storage/generated_id.h), which
 * keeps an outcome below SESSION_OUTCOME_SIZE_MAX whatever the transaction was.
 */
#include "storage/session_record.h"

#include "base/assert.h"
#include "base/limits.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <stdlib.h>

enum {
    SESSION_FORMAT = 1,
    FIELDS_LIVE = 5,
    FIELDS_EXPIRED = 3,
    FIELDS_OUTCOME = 4,
    RECORD_SIZE_MAX = 32,  // without outcomes
    OUTCOME_SIZE_MAX = 28, // three integers and a flag
};

static_assert((int)OUTCOME_SIZE_MAX <= (int)SESSION_OUTCOME_SIZE_MAX,
              "an outcome is within its limit");

void session_record_init(struct session_record *record)
{
    *record = (struct session_record){0};
}

void session_record_release(struct session_record *record)
{
    free(record->outcomes);
    *record = (struct session_record){0};
}

// Number of outcomes of sequences below `sequence`.
static uint32_t count_below(const struct session_record *record, uint64_t sequence)
{
    uint32_t low = 0;
    uint32_t high = record->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (record->outcomes[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct session_outcome *session_record_find(const struct session_record *record,
                                                  uint64_t sequence)
{
    uint32_t at = count_below(record, sequence);
    bool found = at < record->count && record->outcomes[at].sequence == sequence;
    return found ? &record->outcomes[at] : NULL;
}

uint32_t session_record_count_from(const struct session_record *record, uint64_t done_below)
{
    return record->count - count_below(record, done_below);
}

void session_record_forget(struct session_record *record, uint64_t done_below)
{
    if (done_below <= record->done_below) {
        return;
    }
    uint32_t forgotten = count_below(record, done_below);
    record->done_below = done_below;
    record->count -= forgotten;
    if (forgotten > 0 && record->count > 0) {
        memmove(record->outcomes, record->outcomes + forgotten,
                record->count * sizeof *record->outcomes);
    }
}

static void reserve(struct session_record *record)
{
    if (record->count < record->capacity) {
        return;
    }
    record->capacity = record->capacity == 0 ? 4 : 2 * record->capacity;
    record->outcomes = realloc(record->outcomes, record->capacity * sizeof *record->outcomes);
    ASSERT(record->outcomes != NULL);
}

void session_record_add(struct session_record *record, const struct session_outcome *outcome)
{
    uint32_t at = count_below(record, outcome->sequence);
    ASSERT(record->count < SESSION_OUTCOMES_MAX && outcome->sequence >= record->done_below);
    ASSERT(at == record->count || record->outcomes[at].sequence != outcome->sequence);
    reserve(record);
    memmove(record->outcomes + at + 1, record->outcomes + at,
            (record->count - at) * sizeof *record->outcomes);
    record->outcomes[at] = *outcome;
    record->count++;
}

void session_record_expire(struct session_record *record, uint64_t forgotten_us)
{
    record->state = SESSION_EXPIRED;
    record->time_us = forgotten_us;
    record->done_below = 0;
    record->count = 0;
}

size_t session_record_size_max(const struct session_record *record)
{
    return RECORD_SIZE_MAX + (size_t)record->count * OUTCOME_SIZE_MAX;
}

static void encode_outcomes(const struct session_record *record, struct buffer *out)
{
    struct session_outcome last = {.sequence = record->done_below, .time_us = record->time_us};
    pack_array(out, record->count * FIELDS_OUTCOME);
    for (uint32_t i = 0; i < record->count; i++) {
        const struct session_outcome *outcome = &record->outcomes[i];
        pack_u64(out, outcome->sequence - last.sequence);
        pack_flag(out, outcome->claimed);
        pack_i64(out, (int64_t)(outcome->version - last.version));
        pack_i64(out, (int64_t)(outcome->time_us - last.time_us));
        last = *outcome;
    }
}

void session_record_encode(const struct session_record *record, struct buffer *out)
{
    ASSERT(record->state != SESSION_UNKNOWN);
    bool is_live = record->state == SESSION_LIVE;
    pack_array(out, is_live ? FIELDS_LIVE : FIELDS_EXPIRED);
    pack_u64(out, SESSION_FORMAT);
    pack_u64(out, record->state);
    pack_u64(out, record->time_us);
    if (is_live) {
        pack_u64(out, record->done_below);
        encode_outcomes(record, out);
    }
}

// Takes a difference and adds it to what it was made against.
static enum status take_difference(struct cursor *cursor, uint64_t last, uint64_t *ret_value)
{
    struct value value;
    TRY(cursor_value(cursor, &value));
    if (value.kind != VALUE_UNSIGNED && value.kind != VALUE_NEGATIVE) {
        return STATUS_damaged;
    }
    uint64_t difference = value.kind == VALUE_UNSIGNED ? value.natural : (uint64_t)value.integer;
    *ret_value = last + difference;
    return STATUS_ok;
}

static enum status take_outcome(struct cursor *cursor, const struct session_outcome *last,
                                struct session_outcome *ret_outcome)
{
    uint64_t step;
    TRY(cursor_u64(cursor, &step));
    TRY(cursor_flag(cursor, &ret_outcome->claimed));
    TRY(take_difference(cursor, last->version, &ret_outcome->version));
    TRY(take_difference(cursor, last->time_us, &ret_outcome->time_us));
    ret_outcome->sequence = last->sequence + step;
    return ret_outcome->sequence >= step ? STATUS_ok : STATUS_damaged;
}

static enum status take_outcomes(struct cursor *cursor, struct session_record *record)
{
    uint32_t count;
    TRY(cursor_array(cursor, &count));
    if (count % FIELDS_OUTCOME != 0 || count / FIELDS_OUTCOME > SESSION_OUTCOMES_MAX) {
        return STATUS_damaged;
    }
    struct session_outcome last = {.sequence = record->done_below, .time_us = record->time_us};
    for (uint32_t i = 0; i < count / FIELDS_OUTCOME; i++) {
        struct session_outcome outcome;
        TRY(take_outcome(cursor, &last, &outcome));
        if (i > 0 && outcome.sequence == last.sequence) {
            return STATUS_damaged;
        }
        session_record_add(record, &outcome);
        last = outcome;
    }
    return STATUS_ok;
}

static enum status take_record(struct cursor *cursor, struct session_record *record)
{
    uint32_t fields;
    uint64_t format;
    uint64_t state;
    TRY(cursor_array(cursor, &fields));
    TRY(cursor_u64(cursor, &format));
    if (format != SESSION_FORMAT) {
        return STATUS_version_mismatch;
    }
    TRY(cursor_u64(cursor, &state));
    TRY(cursor_u64(cursor, &record->time_us));
    bool is_live = state == SESSION_LIVE && fields == FIELDS_LIVE;
    bool is_expired = state == SESSION_EXPIRED && fields == FIELDS_EXPIRED;
    if (!is_live && !is_expired) {
        return STATUS_damaged;
    }
    if (is_live) {
        TRY(cursor_u64(cursor, &record->done_below));
        TRY(take_outcomes(cursor, record));
    }
    record->state = is_live ? SESSION_LIVE : SESSION_EXPIRED;
    return cursor_at_end(cursor) ? STATUS_ok : STATUS_damaged;
}

enum status session_record_decode(struct bytes value, struct session_record *record)
{
    record->state = SESSION_UNKNOWN;
    record->time_us = 0;
    record->done_below = 0;
    record->count = 0;
    struct cursor cursor = cursor_of(value);
    enum status status = take_record(&cursor, record);
    if (status == STATUS_ok) {
        return STATUS_ok;
    }
    record->state = SESSION_UNKNOWN;
    record->count = 0;
    return status == STATUS_version_mismatch ? status : STATUS_damaged;
}
