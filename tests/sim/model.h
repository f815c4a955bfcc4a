/*
 * The model: what the committed log says about documents, collections and transactions, version by
 * version. Clients' answers are compared with it.
 */
#ifndef SKEIN_TESTS_SIM_MODEL_H
#define SKEIN_TESTS_SIM_MODEL_H

#include "base/limits.h"
#include "storage/session_record.h"
#include "storage/state.h"
#include "tests/sim/answers.h"
#include "tests/sim/ledger.h"

enum { MODEL_SESSIONS_MAX = 1024, MODEL_JOBS_MAX = 32 };

// What a document is from a version on.
struct model_document {
    uint64_t version; // of the transaction that wrote or removed it
    uint64_t time_us; // of that transaction, or of the entry that the document expired in
    uint64_t token;   // in it
    int64_t number;   // in it
    bool is_present;  // false: removed, or expired
};

// Everything a document ever was, oldest first.
struct model_history {
    struct model_document *items; // owned
    size_t count;
    size_t capacity;
};

enum model_index { MODEL_INDEX_none, MODEL_INDEX_building, MODEL_INDEX_ready, MODEL_INDEX_failed };

// What a collection is from a version on.
struct model_schema {
    uint64_t version;
    bool is_there;
    enum model_index index; // its index by_n
    bool is_unique;         // that index is
};

struct model_collection {
    uint32_t id;                  // as the state numbers it; 0: none at present
    struct model_schema *schemas; // owned; oldest first
    size_t schema_count;
    size_t schema_capacity;
    struct model_history documents[DOCUMENT_COUNT_MAX];
};

// What became of one transaction.
struct model_outcome {
    bool is_known;     // the log has an outcome of this sequence
    bool is_claimed;   // a question for its status took the sequence: it never ran
    uint64_t version;  // that it got
    uint64_t position; // of its entry
};

struct model_session {
    char name[SESSION_NAME_SIZE_MAX + 1];
    struct model_outcome *outcomes; // owned; by sequence
    size_t capacity;
};

// A job whose progress the log has told.
struct model_job {
    uint64_t number;
    uint64_t epoch; // of the entry that told of it last
};

struct model {
    struct world *world;
    const struct ledger *ledger;
    uint64_t applied; // position up to which it is made
    struct model_collection collections[COLLECTION_COUNT];
    struct model_session sessions[MODEL_SESSIONS_MAX];
    unsigned session_count;
    unsigned ranks[DOCUMENT_COUNT_MAX];    // of documents in the order of their ids
    struct model_job jobs[MODEL_JOBS_MAX]; // the last ones, by number
    struct state_batch batch;              // scratch
    struct session_record record;          // scratch
};

void model_init(struct model *model, struct world *world, const struct ledger *ledger);
void model_release(struct model *model);

// Takes in the entries committed since the last call.
void model_update(struct model *model);

// The document as it was right after `version`; NULL if it was never written before.
const struct model_document *model_document_at(const struct model *model, unsigned collection,
                                               unsigned document, uint64_t version);

// The same as somebody would see it.
struct seen model_see(const struct model *model, unsigned collection, unsigned document,
                      uint64_t version);

// The same after all transactions up to a time, as far as they are not above `version`.
struct seen model_see_until(const struct model *model, const struct step *step, uint64_t version,
                            uint64_t time_us);

// All that the document was until `version`, oldest first; returns how many versions that are.
size_t model_versions(const struct model *model, const struct step *step, uint64_t version,
                      const struct model_document **ret_items);

// The collection as it was right after `version`.
struct model_schema model_schema_at(const struct model *model, unsigned collection,
                                    uint64_t version);

// Whether the collection has had an index that serves all the time since `version`.
bool model_index_serves(const struct model *model, unsigned collection, uint64_t version);

// The lowest version above `after` at which the document changes, or the collection or any of its
// documents; UINT64_MAX for none so far.
uint64_t model_next_change(const struct model *model, unsigned collection, unsigned document,
                           uint64_t after);
uint64_t model_next_wide_change(const struct model *model, unsigned collection, uint64_t after);

// The number of a session, which may be new.
unsigned model_session(struct model *model, struct bytes name);

// What the log says about a transaction; NULL when nothing.
const struct model_outcome *model_outcome(const struct model *model, unsigned session,
                                          uint64_t sequence);

// The position of the entry that holds `version`, at most the last one; 0 for version 0.
uint64_t model_position_of(const struct model *model, uint64_t version);

#endif
