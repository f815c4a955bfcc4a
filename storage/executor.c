/*
 * The executor: exactly-once around transactions (rule 29), and the open entry that their effects
 * go into.
 *
 *   run ──► session known? ──► sequence ran before? ──► transaction_run ──► anything changed?
 *             expired: fail      yes: its outcome,        failed: nothing      yes: a version, and
 *                                replayed                 happened             an outcome
 *
 * 1. Only the executor changes catalog, sessions and documents, so what it has in memory stays true
 *    until executor_reset(). Documents are read from the state every time, through the overlay.
 * 2. A version is taken, and an outcome recorded, by transactions with effects alone (rule 24).
 * 3. The record of a session changes in memory and is written once, when the entry closes. Until
 *    then its session can't leave the cache.
 * 4. After the point where an outcome is recorded nothing can fail.
 * 5. An outcome is written for done_below only together with effects: a request that leaves no
 *    trace doesn't move it either.
 * 6. The statistics of a collection, like the record of a session, change in memory and are written
 *    once, when the entry closes.
 *
 * What the primary does without being asked is in executor_sessions.c and executor_work.c.
 */
#include "storage/executor.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "storage/effects.h"
#include "storage/executor_internal.h"
#include "wire/document/sentence.h"

#include <stdarg.h>
#include <stdlib.h>

enum {
    CACHED_SESSIONS_MAX = 4096,
    CELL_SIZES_SIZE = 8,
    STATISTICS_SIZE_MAX = 64, // that a collection's add to an entry
};

static_assert(ENTRY_END_SIZE_MAX >= 256 * KIB + COLLECTION_COUNT_MAX * STATISTICS_SIZE_MAX,
              "the record of a session and all statistics fit");

struct executor *executor_new(struct state *state)
{
    struct executor *executor = calloc(1, sizeof *executor);
    ASSERT(executor != NULL);
    executor->state = state;
    executor->overlay = overlay_new();
    executor->catalog = catalog_new();
    executor->sessions = session_cache_new(CACHED_SESSIONS_MAX);
    documents_init(&executor->documents, state, executor->overlay, executor->catalog);
    transaction_init(&executor->transaction, &executor->documents);
    jobs_init(&executor->jobs);
    executor->has_jobs = true;
    return executor;
}

void executor_destroy(struct executor **take_executor)
{
    struct executor *executor = *take_executor;
    *take_executor = NULL;
    if (executor == NULL) {
        return;
    }
    transaction_release(&executor->transaction);
    documents_release(&executor->documents);
    jobs_release(&executor->jobs);
    session_cache_destroy(&executor->sessions);
    catalog_destroy(&executor->catalog);
    overlay_destroy(&executor->overlay);
    buffer_release(&executor->key);
    buffer_release(&executor->value);
    buffer_release(&executor->expiry_key);
    state_batch_release(&executor->timed);
    free(executor);
}

void executor_open(struct executor *executor, uint64_t version, uint64_t time_us)
{
    ASSERT(!executor->is_open);
    executor->is_open = true;
    executor->version = version;
    executor->time_us = time_us;
    executor->transactions = 0;
    executor->examined_size = 0;
    overlay_open(executor->overlay);
}

// A failure that is no single operation's.
__attribute__((format(printf, 3, 4))) static enum status
fail(struct executor *self, enum status status, const char *format, ...)
{
    struct operation_fault *fault = &self->transaction.fault;
    va_list arguments;
    va_start(arguments, format);
    sentence_format(fault->sentence, 0, format, arguments);
    va_end(arguments);
    fault->operation = 0;
    return status;
}

static enum status fail_state(struct executor *self, enum status status)
{
    return fail(self, status, "the state on the storage node can't be read: %s",
                status_name(status));
}

static enum status check_identity(struct executor *self, struct bytes session, uint64_t sequence)
{
    bool is_name = session.size >= 1 && session.size <= SESSION_NAME_SIZE_MAX &&
                   utf8_is_valid(session) && memchr(session.data, 0, session.size) == NULL;
    if (!is_name) {
        return fail(self, STATUS_bad_request,
                    "the session is not a name: 1 to %d bytes of UTF-8 without NUL",
                    SESSION_NAME_SIZE_MAX);
    }
    if (sequence == 0) {
        return fail(self, STATUS_bad_request,
                    "the transaction has sequence 0: those of a session count from 1");
    }
    return STATUS_ok;
}

enum status executor_load_catalog(struct executor *executor)
{
    if (catalog_is_loaded(executor->catalog)) {
        return STATUS_ok;
    }
    enum status status = catalog_load(executor->catalog, executor->state);
    return status == STATUS_ok ? status : fail_state(executor, status);
}

enum status executor_read_record(struct executor *executor, struct bytes key,
                                 struct session_record *record)
{
    struct bytes value;
    bool removed;
    if (overlay_get(executor->overlay, key, &value, &removed)) {
        return removed ? STATUS_ok : session_record_decode(value, record);
    }
    buffer_clear(&executor->value);
    enum status status = state_get(executor->state, NULL, key, &executor->value);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    TRY(status);
    return session_record_decode(buffer_bytes(&executor->value), record);
}

enum status executor_take_session(struct executor *executor, struct bytes name,
                                  struct session **ret_session)
{
    struct session *session = session_cache_find(executor->sessions, name);
    if (session == NULL) {
        session = session_cache_add(executor->sessions, name);
        buffer_clear(&executor->key);
        cell_key_session(&executor->key, name);
        enum status status = executor_read_record(executor, buffer_bytes(&executor->key),
                                                  &session->record);
        if (status != STATUS_ok) {
            session_cache_remove(executor->sessions, &session);
            return fail_state(executor, status);
        }
    }
    session_cache_use(executor->sessions, session);
    *ret_session = session;
    return STATUS_ok;
}

// Whether the sequence may have run and been forgotten.
static enum status check_sequence(struct executor *self, const struct session *session,
                                  uint64_t sequence, uint64_t done_below)
{
    const struct session_record *record = &session->record;
    struct bytes name = session_name(session);
    if (record->state == SESSION_EXPIRED) {
        return fail(self, STATUS_expired,
                    "session \"%.*s\" was idle for %d hours and has expired: begin a new one",
                    (int)name.size, (const char *)name.data, SESSION_IDLE_S / 3600);
    }
    if (record->state == SESSION_UNKNOWN && sequence > SESSION_OUTCOMES_MAX) {
        return fail(self, STATUS_expired,
                    "session \"%.*s\" is not known, or not any more, and so may not begin with "
                    "sequence %llu: begin a new one",
                    (int)name.size, (const char *)name.data, (unsigned long long)sequence);
    }
    uint64_t oldest = record->done_below > done_below ? record->done_below : done_below;
    if (sequence < oldest) {
        return fail(self, STATUS_expired,
                    "the outcome of sequence %llu of session \"%.*s\" is forgotten: outcomes below "
                    "%llu were given up",
                    (unsigned long long)sequence, (int)name.size, (const char *)name.data,
                    (unsigned long long)oldest);
    }
    return STATUS_ok;
}

static enum status check_room(struct executor *self, const struct session *session,
                              uint64_t done_below)
{
    if (session_record_count_from(&session->record, done_below) < SESSION_OUTCOMES_MAX) {
        return STATUS_ok;
    }
    struct bytes name = session_name(session);
    return fail(self, STATUS_busy,
                "session \"%.*s\" has %d outcomes that nobody has given up: raise done_below",
                (int)name.size, (const char *)name.data, SESSION_OUTCOMES_MAX);
}

// Bytes that the session will add to the entry at most.
static size_t session_size_max(const struct session *session)
{
    return CELL_SIZES_SIZE + 2 * (size_t)session->name_size + 8 +
           session_record_size_max(&session->record);
}

void executor_touch(struct executor *executor, struct session *session)
{
    if (session_cache_touch(executor->sessions, session)) {
        executor->sessions_size += session_size_max(session);
    }
}

void executor_note(struct executor *executor, enum status status)
{
    bool is_fault = status == STATUS_damaged || status == STATUS_internal ||
                    status == STATUS_version_mismatch;
    if (is_fault && executor->fault == STATUS_ok) {
        executor->fault = status;
    }
}

static void record_outcome(struct executor *self, struct session *session, uint64_t done_below,
                           const struct session_outcome *outcome)
{
    executor_touch(self, session);
    self->sessions_size -= session_size_max(session);
    session->record.state = SESSION_LIVE;
    session->record.time_us = self->time_us;
    session_record_forget(&session->record, done_below);
    session_record_add(&session->record, outcome);
    self->sessions_size += session_size_max(session);
}

static enum status replay(struct executor *self, const struct executor_request *request,
                          const struct session_outcome *known, struct executor_outcome *ret_outcome)
{
    if (known->claimed) {
        return fail(self, STATUS_expired,
                    "sequence %llu was given up when its status was asked for, and will never run",
                    (unsigned long long)request->sequence);
    }
    self->documents.version = known->version;
    self->documents.time_us = known->time_us;
    TRY(transaction_replay(&self->transaction, request->operations));
    ret_outcome->version = known->version;
    ret_outcome->time_us = known->time_us;
    ret_outcome->replayed = true;
    return STATUS_ok;
}

static enum status run_first(struct executor *self, const struct executor_request *request,
                             struct session *session, struct executor_outcome *ret_outcome)
{
    self->documents.version = self->version + 1;
    self->documents.time_us = self->time_us;
    TRY(transaction_run(&self->transaction, request->operations));
    if (overlay_begun_count(self->overlay) > 0) {
        enum status status = check_room(self, session, request->done_below);
        if (status != STATUS_ok) {
            transaction_undo(&self->transaction);
            return status;
        }
        self->version++;
        self->transactions++;
        struct session_outcome outcome = {
            .sequence = request->sequence,
            .version = self->version,
            .time_us = self->time_us,
        };
        record_outcome(self, session, request->done_below, &outcome);
        self->has_jobs = self->has_jobs || self->transaction.makes_jobs;
    }
    ret_outcome->version = self->version;
    ret_outcome->time_us = self->time_us;
    return STATUS_ok;
}

static enum status run(struct executor *self, const struct executor_request *request,
                       struct executor_outcome *ret_outcome)
{
    TRY(check_identity(self, request->session, request->sequence));
    TRY(executor_load_catalog(self));
    struct session *session = NULL;
    TRY(executor_take_session(self, request->session, &session));
    ASSERT(session != NULL);
    TRY(check_sequence(self, session, request->sequence, request->done_below));
    const struct session_outcome *known = session_record_find(&session->record, request->sequence);
    return known != NULL ? replay(self, request, known, ret_outcome)
                         : run_first(self, request, session, ret_outcome);
}

// What stands in the fault becomes the outcome of a failure.
static void take_fault(const struct executor *self, enum status status,
                       struct executor_outcome *ret_outcome)
{
    const struct operation_fault *fault = &self->transaction.fault;
    *ret_outcome = (struct executor_outcome){
        .status = status,
        .operation = fault->operation,
        .message = bytes_from_text(fault->sentence),
    };
}

void executor_run(struct executor *executor, const struct executor_request *request,
                  struct executor_outcome *ret_outcome)
{
    ASSERT(executor->is_open);
    struct executor_outcome outcome = {.status = STATUS_ok};
    executor->documents.examined_size = 0;
    enum status status = run(executor, request, &outcome);
    executor->examined_size += executor->documents.examined_size;
    executor_note(executor, status);
    if (status == STATUS_ok) {
        outcome.results = buffer_bytes(&executor->transaction.results);
    } else {
        take_fault(executor, status, &outcome);
    }
    *ret_outcome = outcome;
}

static enum status claim(struct executor *self, struct bytes name, uint64_t sequence,
                         struct executor_outcome *ret_outcome)
{
    TRY(check_identity(self, name, sequence));
    struct session *session = NULL;
    TRY(executor_take_session(self, name, &session));
    ASSERT(session != NULL);
    TRY(check_sequence(self, session, sequence, 0));
    const struct session_outcome *known = session_record_find(&session->record, sequence);
    if (known != NULL && !known->claimed) {
        ret_outcome->version = known->version;
        ret_outcome->time_us = known->time_us;
        return STATUS_ok;
    }
    if (known == NULL) {
        TRY(check_room(self, session, 0));
        struct session_outcome outcome = {
            .sequence = sequence,
            .claimed = true,
            .version = self->version,
            .time_us = self->time_us,
        };
        record_outcome(self, session, 0, &outcome);
    }
    return fail(self, STATUS_absent, "sequence %llu of session \"%.*s\" did not run and never will",
                (unsigned long long)sequence, (int)name.size, (const char *)name.data);
}

void executor_claim(struct executor *executor, struct bytes session, uint64_t sequence,
                    struct executor_outcome *ret_outcome)
{
    ASSERT(executor->is_open);
    struct executor_outcome outcome = {.status = STATUS_ok};
    enum status status = claim(executor, session, sequence, &outcome);
    executor_note(executor, status);
    if (status != STATUS_ok) {
        take_fault(executor, status, &outcome);
    }
    *ret_outcome = outcome;
}

size_t executor_open_size(const struct executor *executor)
{
    ASSERT(executor->is_open);
    return overlay_open_batch(executor->overlay)->cells.size + executor->sessions_size +
           catalog_counted_count(executor->catalog) * STATISTICS_SIZE_MAX;
}

uint64_t executor_open_examined_size(const struct executor *executor)
{
    ASSERT(executor->is_open);
    return executor->examined_size;
}

uint32_t executor_open_transactions(const struct executor *executor)
{
    ASSERT(executor->is_open);
    return executor->transactions;
}

static void write_session(struct executor *self, const struct session *session)
{
    buffer_clear(&self->key);
    cell_key_session(&self->key, session_name(session));
    if (session->record.state == SESSION_UNKNOWN) {
        overlay_remove(self->overlay, buffer_bytes(&self->key));
        return;
    }
    buffer_clear(&self->value);
    session_record_encode(&session->record, &self->value);
    overlay_put(self->overlay, buffer_bytes(&self->key), buffer_bytes(&self->value));
}

static void write_sessions(struct executor *self)
{
    size_t count;
    struct session *const *touched = session_cache_touched(self->sessions, &count);
    for (size_t i = 0; i < count; i++) {
        write_session(self, touched[i]);
    }
    session_cache_settle(self->sessions);
    self->sessions_size = 0;
}

static void write_statistics(struct executor *self)
{
    size_t count;
    struct collection *const *counted = catalog_counted(self->catalog, &count);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&self->key);
        buffer_clear(&self->value);
        cell_key_statistics(&self->key, counted[i]->record.id);
        collection_statistics_encode(&counted[i]->statistics, &self->value);
        overlay_put(self->overlay, buffer_bytes(&self->key), buffer_bytes(&self->value));
    }
    catalog_settle(self->catalog);
}

void executor_close(struct executor *executor, uint64_t position, struct buffer *payload)
{
    ASSERT(executor->is_open);
    write_sessions(executor);
    write_statistics(executor);
    effects_encode(overlay_open_batch(executor->overlay), payload);
    overlay_close(executor->overlay, position);
    executor->is_open = false;
}

void executor_applied(struct executor *executor, uint64_t position)
{
    overlay_applied(executor->overlay, position);
}

void executor_reset(struct executor *executor)
{
    overlay_clear(executor->overlay);
    catalog_clear(executor->catalog);
    session_cache_clear(executor->sessions);
    buffer_clear(&executor->expiry_key);
    documents_reset(&executor->documents);
    executor->has_jobs = true;
    executor->sessions_size = 0;
    executor->is_open = false;
    executor->fault = STATUS_ok;
}

enum status executor_fault(const struct executor *executor)
{
    return executor->fault;
}
