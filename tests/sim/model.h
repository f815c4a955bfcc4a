/*
 * The model: what the committed log says about documents and transactions, version by version.
 * Clients' answers are compared with it.
 *
 * All documents of the workload hold {"n": number, "t": token}: the token names the transaction
 * that wrote it.
 */
#ifndef SKEIN_TESTS_SIM_MODEL_H
#define SKEIN_TESTS_SIM_MODEL_H

#include "base/limits.h"
#include "storage/session_record.h"
#include "storage/state.h"
#include "tests/sim/ledger.h"

enum {
    MODEL_COLLECTIONS_MAX = 4,
    MODEL_DOCUMENTS_MAX = 64, // of one collection
    MODEL_SESSIONS_MAX = 256,
};

// What a document is from a version on.
struct model_document {
    uint64_t version;  // of the transaction that wrote or removed it
    uint64_t position; // of its entry
    uint64_t token;    // in it
    int64_t number;    // in it
    bool is_present;   // false: removed, and nothing else but the position counts
};

// Everything a document ever was, oldest first.
struct model_history {
    struct model_document *items; // owned
    size_t count;
    size_t capacity;
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

struct model {
    struct world *world;
    const struct ledger *ledger;
    uint64_t applied;                               // position up to which it is made
    uint32_t collection_ids[MODEL_COLLECTIONS_MAX]; // as the state numbers them; 0: none yet
    struct model_history documents[MODEL_COLLECTIONS_MAX][MODEL_DOCUMENTS_MAX];
    struct model_session sessions[MODEL_SESSIONS_MAX];
    unsigned session_count;
    struct state_batch batch;     // scratch
    struct session_record record; // scratch
};

void model_init(struct model *model, struct world *world, const struct ledger *ledger);
void model_release(struct model *model);

// Takes in the entries committed since the last call.
void model_update(struct model *model);

// The document as it was right after `version`; NULL if it was never written before.
const struct model_document *model_document_at(const struct model *model, unsigned collection,
                                               unsigned document, uint64_t version);

// Whether the document changes after version `after`, as far as is committed.
bool model_document_changes(const struct model *model, unsigned collection, unsigned document,
                            uint64_t after);

// The number of a session, which may be new.
unsigned model_session(struct model *model, struct bytes name);

// What the log says about a transaction; NULL when nothing.
const struct model_outcome *model_outcome(const struct model *model, unsigned session,
                                          uint64_t sequence);

// The position of the entry that holds `version`, at most the last one; 0 for version 0.
uint64_t model_position_of(const struct model *model, uint64_t version);

// Collections are called "c0" on, documents "d0" on. Reads number and token of a document; false if
// it is none of the workload's.
bool model_read_document(struct bytes document, int64_t *ret_number, uint64_t *ret_token);

#endif
