/*
 * The storage side of a primary without log and network: an executor over a memory state, entries
 * that close and are applied when the test says so.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_ENGINE_H
#define SKEIN_TESTS_UNIT_FIXTURE_ENGINE_H

#include "storage/apply.h"
#include "storage/cells.h"
#include "storage/executor.h"
#include "wire/document/operation.h"

enum { ENGINE_ENTRIES_MAX = 8 };

struct closed_entry {
    struct buffer payload;
    uint64_t version;
    uint64_t time_us;
    uint32_t transactions;
};

struct engine {
    struct state *state;
    struct executor *executor;
    struct applied applied;                          // of the state
    struct closed_entry entries[ENGINE_ENTRIES_MAX]; // closed and not applied, oldest first
    size_t entry_count;
    uint64_t position;        // of the last entry closed
    uint64_t version;         // after the last entry closed
    uint64_t time_us;         // of the next entry
    struct buffer operations; // packed, of the next transaction
    uint32_t operation_count;
    uint64_t sequence;               // of the last transaction written as JSON
    struct executor_outcome outcome; // of the last transaction
};

// An engine over an empty memory state, with an entry open.
void engine_init(struct engine *engine);
void engine_release(struct engine *engine);

// Adds an operation to the next transaction. Documents are {"n": n}.
void engine_get(struct engine *engine, const char *collection, const char *id);
void engine_put(struct engine *engine, const char *collection, const char *id, uint64_t n);
void engine_insert(struct engine *engine, const char *collection, const char *id, uint64_t n);
void engine_delete(struct engine *engine, const char *collection, const char *id);
void engine_check(struct engine *engine, const char *collection, const char *id,
                  uint64_t document_version);
void engine_check_absent(struct engine *engine, const char *collection, const char *id);
void engine_operation(struct engine *engine, const struct operation *operation);

// An operation of this kind on a document; its other fields are to be filled in.
struct operation operation_on(enum operation_kind kind, const char *collection, const char *id);

// Runs the operations gathered as one transaction; the outcome is in engine->outcome.
enum status engine_run(struct engine *engine, const char *session, uint64_t sequence,
                       uint64_t done_below);

// The same with operations that are packed already.
enum status engine_run_packed(struct engine *engine, const char *session, uint64_t sequence,
                              struct bytes operations);

// Runs operations written as JSON, in a session for them; in canonical form, as from a writer,
// unless they have none.
enum status engine_do(struct engine *engine, const char *json);

// The same, which has to succeed with these results, "stats" left out.
void engine_expect(struct engine *engine, const char *json, const char *results);

// Fails the test unless the results of the last transaction are these, "stats" left out.
void engine_expect_results(const struct engine *engine, const char *results);

// Closes the open entry; opens the next one.
void engine_close(struct engine *engine);
void engine_open(struct engine *engine);

// Applies the oldest closed entry; closes, applies all, and opens the next entry.
void engine_apply(struct engine *engine);
void engine_settle(struct engine *engine);

// Goes on by so many seconds, and does what the primary has to do then, all of it.
void engine_wait(struct engine *engine, uint64_t seconds);

// Cells of a kind in the state, of the last entry applied.
size_t engine_cells(const struct engine *engine, enum cell_kind kind);

// Loses the entries that are not applied, as a primary does that is deposed and leads again later.
void engine_depose(struct engine *engine);

// What a result of the last transaction says of a document {"n": n}: the n, or 0 for none.
uint64_t engine_result_n(const struct engine *engine, uint32_t operation);

// The id in a result of the last transaction, empty if there is none.
struct bytes engine_result_id(const struct engine *engine, uint32_t operation);

// Fails the test unless the outcome is this failure, of this operation (from 1, 0 for none), with a
// sentence that contains `words`.
void engine_expect_failure(const struct engine *engine, enum status status, uint32_t operation,
                           const char *words);

#endif
