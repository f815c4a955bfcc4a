/*
 * Records of sessions: what is one stays the same when it is encoded again, its outcomes are in
 * order, and forgetting and adding keep it a record.
 */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "storage/session_record.h"

static void check_order(const struct session_record *record)
{
    ASSERT(record->count <= SESSION_OUTCOMES_MAX);
    for (uint32_t i = 0; i < record->count; i++) {
        uint64_t sequence = record->outcomes[i].sequence;
        ASSERT(sequence >= record->done_below);
        ASSERT(i == 0 || sequence > record->outcomes[i - 1].sequence);
        ASSERT(session_record_find(record, sequence) == &record->outcomes[i]);
    }
}

static void check_same(const struct session_record *record)
{
    AUTO(session_record_release) struct session_record other;
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    session_record_init(&other);
    session_record_encode(record, &encoded);
    ASSERT(encoded.size <= session_record_size_max(record));
    ASSERT(session_record_decode(buffer_bytes(&encoded), &other) == STATUS_ok);
    ASSERT(other.state == record->state && other.count == record->count);
    session_record_encode(&other, &again);
    ASSERT(bytes_equal(buffer_bytes(&encoded), buffer_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(session_record_release) struct session_record record;
    struct bytes input = bytes_of(data, size);
    struct session_outcome outcome = {.sequence = fuzz_take_u64(&input), .version = 9};
    session_record_init(&record);
    if (session_record_decode(input, &record) != STATUS_ok) {
        ASSERT(record.state == SESSION_UNKNOWN && record.count == 0);
        return 0;
    }
    check_same(&record);
    if (record.state != SESSION_LIVE) {
        return 0;
    }
    check_order(&record);
    uint32_t left = session_record_count_from(&record, outcome.sequence);
    session_record_forget(&record, outcome.sequence);
    ASSERT(record.count == left);
    check_order(&record);
    if (record.count < SESSION_OUTCOMES_MAX && outcome.sequence >= record.done_below &&
        session_record_find(&record, outcome.sequence) == NULL) {
        session_record_add(&record, &outcome);
        check_order(&record);
    }
    check_same(&record);
    session_record_expire(&record, 7);
    check_same(&record);
    return 0;
}
