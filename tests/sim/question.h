/*
 * Questions: what a client asks, as the workload draws it and as the model understands it, and how
 * it looks on the wire.
 *
 *   c0  registers: all operations on single documents
 *   c1  counters: read, then check and put one more; or $inc
 *   c2  accounts: transfers that keep the sum
 *   c3  slots: numbers that a unique index keeps apart; dropped now and then
 *   c4  fading: documents that expire, whose history is kept, and whose number has a lower bound
 *
 * Collections are called "c0" on, documents "d0" on. All documents hold {"n": number, "t": token}:
 * the token names the transaction that wrote it. Indexes are on "n", and are called "by_n".
 */
#ifndef SKEIN_TESTS_SIM_QUESTION_H
#define SKEIN_TESTS_SIM_QUESTION_H

#include "base/buffer.h"
#include "wire/document/operation.h"
#include "wire/message.h"

enum {
    COLLECTION_REGISTERS,
    COLLECTION_COUNTERS,
    COLLECTION_ACCOUNTS,
    COLLECTION_SLOTS,
    COLLECTION_FADING,
    COLLECTION_COUNT,
};

enum {
    DOCUMENT_COUNT_MAX = 64, // of one collection
    QUESTION_STEPS_MAX = 16,
    FADING_TTL_S = 1,
    FADING_HISTORY_S = 3,
    FADING_LEAST = -400000, // by a check of the collection
};

enum find_order { FIND_unordered, FIND_by_number, FIND_by_id };

// What a find or a count asks for.
struct asked_find {
    bool has_range;        // only numbers from low to high
    int64_t low;           // has_range
    int64_t high;          // has_range
    enum find_order order; // of the documents
    bool is_backwards;     // the other way round
    bool names_index;      // by_n must be used
    uint32_t limit;        // documents at most; 0: not said
    struct bytes cursor;   // of a read: where the page before ended; borrowed
};

// One operation of a question.
struct step {
    enum operation_kind kind;
    unsigned collection;
    unsigned document;
    int64_t number;    // insert, put, update: in the document, or added to what is in it
    bool adds;         // update: the number is added
    bool has_floor;    // update that adds: refused if the number would be less than `floor`
    int64_t floor;     // has_floor
    bool upserts;      // update
    uint32_t padding;  // insert, put: so many bytes more in the document
    bool has_where;    // update, delete, check: the number must not be below `least`
    int64_t least;     // has_where
    uint64_t expected; // check without where, unchanged of a document: its version, 0 for absent
    bool is_find;      // unchanged: of a find with `digest`
    uint64_t digest;   // is_find
    struct asked_find find; // find, count, unchanged of a find
    bool is_unique;         // create_index
};

enum question_kind { QUESTION_TRANSACTION, QUESTION_READ, QUESTION_STATUS };

struct paging;

// What a client asks.
struct question {
    enum question_kind kind;
    unsigned session;       // number in the model; of a client's own session known at the answer
    uint64_t sequence;      // transaction: its own; status: the one asked about
    uint64_t token;         // transaction: in the documents that it writes
    enum read_level level;  // read
    uint64_t after_version; // read: session
    uint64_t at_version;    // read: snapshot
    uint64_t at_time_us;    // read: snapshot of a time instead; 0 for none
    bool is_past;           // read: of a version that isn't marked, or of a time
    struct step steps[QUESTION_STEPS_MAX];
    unsigned step_count;
    uint64_t lag_versions_max; // read: any; 0 for no bound
    uint32_t lag_ms_max;       // read: any; 0 for no bound
    uint64_t floor_version;    // highest version in any answer before it was asked
    uint64_t lag_version;      // read with a bound on its lag: the lowest version it may have
    struct paging *paging;     // read: its only step is a page of this; NULL for none. Borrowed
};

// Adds a step; there is room.
struct step *question_add(struct question *question, enum operation_kind kind, unsigned collection,
                          unsigned document);

// Whether the step changes something if it succeeds.
bool step_is_writing(const struct step *step);

// Whether the step looks at more than its document.
bool step_is_wide(const struct step *step);

// Whether any step of the question changes something.
bool question_is_writing(const struct question *question);

// Encodes the operations of a question.
void question_encode(const struct question *question, struct buffer *out);

#endif
