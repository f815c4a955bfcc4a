/*
 * The history: what clients asked and what they were told, checked against the model. Strict
 * serializability is checked by versions: every answer names one, the committed log gives them an
 * order, and nobody may see an order that contradicts the order of time.
 */
#ifndef SKEIN_TESTS_SIM_HISTORY_H
#define SKEIN_TESTS_SIM_HISTORY_H

#include "tests/sim/model.h"
#include "wire/document/operation.h"
#include "wire/message.h"

enum { QUESTION_STEPS_MAX = 16 };

// One operation of a question on a document of the workload.
struct step {
    enum operation_kind kind; // get, insert, put, delete or check
    unsigned collection;
    unsigned document;
    uint64_t expected; // check: document_version, 0 for absent
    int64_t number;    // insert, put: in the document
    uint32_t padding;  // insert, put: so many bytes more in the document
};

enum question_kind { QUESTION_TRANSACTION, QUESTION_READ, QUESTION_STATUS };

// What a client asks.
struct question {
    enum question_kind kind;
    unsigned session;       // number in the model; of a client's own session known at the answer
    uint64_t sequence;      // transaction: its own; status: the one asked about
    uint64_t token;         // transaction: in the documents that it writes
    enum read_level level;  // read
    uint64_t after_version; // read: session
    uint64_t at_version;    // read: snapshot
    struct step steps[QUESTION_STEPS_MAX];
    unsigned step_count;
    uint64_t floor_version; // highest version in any answer before it was asked
};

// What it is told. Bytes are borrowed for the call.
struct answer {
    enum status status;
    uint64_t version;
    bool replayed;        // transaction: results are null
    uint32_t operation;   // transaction: 1 + number of the operation that failed
    struct bytes results; // array of result maps
};

// A transaction that certainly wasn't done and never will be.
struct ruined {
    unsigned session;
    uint64_t sequence;
};

struct history {
    struct world *world;
    const struct ledger *ledger;
    const struct model *model;
    uint64_t floor_version; // highest version in any answer
    struct ruined *ruined;  // owned; transactions that certainly weren't done
    size_t ruined_count;
    size_t ruined_capacity;
    uint64_t acknowledged; // transactions answered ok
    uint64_t answered;     // all answers
    uint64_t failed;       // answers that were no result
};

void history_init(struct history *history, const struct model *model);
void history_release(struct history *history);

// The client asks now: sets the floors.
void history_ask(const struct history *history, struct question *question);

// It is answered now.
void history_answer(struct history *history, const struct question *question,
                    const struct answer *answer);

// At the end of a run: what was said to be certainly not done is not in the log.
void history_check_end(struct history *history);

// One result of a get.
struct seen {
    bool is_present;
    uint64_t version; // of the document
    int64_t number;
    uint64_t token;
};

// Takes the next result of a get off an array that was opened with cursor_array; false: malformed.
bool history_read_result(struct cursor *cursor, struct seen *ret_seen);

#endif
