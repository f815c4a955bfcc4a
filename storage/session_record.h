/*
 * What is remembered of a session (rule 29): the outcomes of its transactions from `done_below` on,
 * so that a repeated one is answered and not run again; of an expired session only that it was. One
 * cell holds one record.
 */
#ifndef SKEIN_STORAGE_SESSION_RECORD_H
#define SKEIN_STORAGE_SESSION_RECORD_H

#include "base/buffer.h"
#include "base/status.h"

enum session_state {
    SESSION_UNKNOWN, // there is no record, or no more
    SESSION_LIVE,
    SESSION_EXPIRED, // a tombstone
};

struct session_outcome {
    uint64_t sequence; // of the transaction in its session
    bool claimed;      // it did not run and never will (rule 30)
    uint64_t version;  // that it got; for a claim the version then
    uint64_t time_us;  // of the transaction, since 1970
};

struct session_record {
    enum session_state state;
    uint64_t time_us;                 // LIVE: last used; EXPIRED: forgotten from then on
    uint64_t done_below;              // smaller sequences have no outcome here any more
    struct session_outcome *outcomes; // owned; by sequence, all at least done_below
    uint32_t count;                   // of outcomes, at most SESSION_OUTCOMES_MAX
    uint32_t capacity;                // allocated
};

void session_record_init(struct session_record *record);
void session_record_release(struct session_record *record);

// The outcome of `sequence`, borrowed until the record changes; NULL for none.
const struct session_outcome *session_record_find(const struct session_record *record,
                                                  uint64_t sequence);

// Outcomes that would be left if those of sequences below `done_below` were forgotten.
uint32_t session_record_count_from(const struct session_record *record, uint64_t done_below);

// Forgets outcomes of sequences below `done_below`, which may be below the present one.
void session_record_forget(struct session_record *record, uint64_t done_below);

// Adds the outcome of a sequence that has none; there is room for it.
void session_record_add(struct session_record *record, const struct session_outcome *outcome);

// Makes it a tombstone that may be forgotten from `forgotten_us` on.
void session_record_expire(struct session_record *record, uint64_t forgotten_us);

// Bytes that session_record_encode() appends at most.
size_t session_record_size_max(const struct session_record *record);

// Appends the record, which is not SESSION_UNKNOWN.
void session_record_encode(const struct session_record *record, struct buffer *out);

// Replaces `*record` (initialised) by what `value` holds. version_mismatch: another format.
// damaged: it is no record. The record is SESSION_UNKNOWN after a failure.
MUST_CHECK enum status session_record_decode(struct bytes value, struct session_record *record);

#endif
