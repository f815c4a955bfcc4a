/*
 * What the files of the executor share.
 */
#ifndef SKEIN_STORAGE_EXECUTOR_INTERNAL_H
#define SKEIN_STORAGE_EXECUTOR_INTERNAL_H

#include "storage/executor.h"
#include "storage/jobs.h"
#include "storage/session_cache.h"
#include "storage/transaction.h"

struct executor {
    struct state *state;            // borrowed
    struct overlay *overlay;        // owned
    struct catalog *catalog;        // owned
    struct session_cache *sessions; // owned
    struct documents documents;     // owned; with version and time of the transaction under way
    struct transaction transaction; // owned; the one under way, and the last one's results
    bool is_open;                   // an entry is open
    uint64_t version;               // of the last transaction that took one
    uint64_t time_us;               // of the open entry
    uint32_t transactions;          // that took a version in the open entry
    uint64_t examined_size;         // that transactions have looked at in the open entry
    size_t sessions_size;           // bytes that touched sessions will add at most
    struct buffer key;              // of the cell at hand
    struct buffer value;            // of the cell at hand
    struct buffer expiry_key;       // where the search for idle sessions goes on; empty: at first
    struct jobs jobs;               // owned; scratch of the jobs
    bool has_jobs;                  // there may be some
    struct state_batch timed;       // owned; timed cells that are due, as removals
    uint64_t expired;               // documents that the work at hand has removed
    enum status fault;              // of the state, met since it was reset; ok: none
};

// Reads the catalog unless it has been. A failure leaves its sentence.
MUST_CHECK enum status executor_load_catalog(struct executor *executor);

// Reads a session's cell, through the overlay, into `record`, which stays unknown if there is none.
MUST_CHECK enum status executor_read_record(struct executor *executor, struct bytes key,
                                            struct session_record *record);

// The session called `name`, whether there is one or not. A failure leaves its sentence.
MUST_CHECK enum status executor_take_session(struct executor *executor, struct bytes name,
                                             struct session **ret_session);

// Notes that the open entry changes the session's record.
void executor_touch(struct executor *executor, struct session *session);

// Keeps a status that says that the state can't be read; of several the first one.
void executor_note(struct executor *executor, enum status status);

#endif
