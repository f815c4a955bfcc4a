/*
 * Expiry of sessions (rule 29): a walk over the cells of sessions that goes on where it stopped the
 * last time. One that was idle for too long becomes a tombstone, a tombstone that is old enough is
 * forgotten.
 *
 * The cells are those of the state; what the overlay or the cache has for a session counts, so one
 * that was used since is left alone. A session that only the overlay has is met the next time.
 */
#include "base/assert.h"
#include "storage/executor_internal.h"

enum { US_PER_S = 1000000 };

// Whether something is due for a record at this time.
static bool is_due(const struct executor *self, const struct session_record *record)
{
    uint64_t wait_us = record->state == SESSION_LIVE ? (uint64_t)SESSION_IDLE_S * US_PER_S : 0;
    return record->state != SESSION_UNKNOWN && record->time_us + wait_us <= self->time_us;
}

static void expire(struct executor *self, struct session *session)
{
    executor_touch(self, session);
    if (session->record.state == SESSION_LIVE) {
        uint64_t forgotten_us = self->time_us + (uint64_t)SESSION_TOMBSTONE_S * US_PER_S;
        session_record_expire(&session->record, forgotten_us);
    } else {
        session->record.state = SESSION_UNKNOWN; // its cell is removed when the entry closes
    }
}

// Looks at one session's cell of the state; what is newer than the cell counts.
static enum status expire_cell(struct executor *self, struct bytes key)
{
    AUTO(buffer_release) struct buffer name = {0};
    AUTO(session_record_release) struct session_record record = {0};
    TRY(cell_key_name(key, &name));
    struct session *session = session_cache_find(self->sessions, buffer_bytes(&name));
    if (session == NULL) {
        TRY(executor_read_record(self, key, &record));
    }
    if (!is_due(self, session != NULL ? &session->record : &record)) {
        return STATUS_ok;
    }
    TRY(executor_take_session(self, buffer_bytes(&name), &session));
    ASSERT(session != NULL);
    expire(self, session);
    return STATUS_ok;
}

// Looks at the next cells from expiry_key on; it is empty afterwards if there are no more.
static enum status expire_next(struct executor *self, struct state_cursor *cursor, size_t cells)
{
    struct bytes key;
    struct bytes value;
    for (size_t i = 0; i < cells; i++) {
        buffer_clear(&self->expiry_key);
        if (!state_cursor_next(cursor, self->state, &key, &value)) {
            return STATUS_ok;
        }
        buffer_append(&self->expiry_key, key);
        buffer_append_u8(&self->expiry_key, 0); // the first key behind it
        TRY(expire_cell(self, key));
    }
    return STATUS_ok;
}

void executor_expire_sessions(struct executor *executor, size_t cells)
{
    ASSERT(executor->is_open);
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_range(CELL_SESSION, &from, &to);
    struct bytes start = buffer_bytes(executor->expiry_key.size > 0 ? &executor->expiry_key
                                                                    : &from);
    struct state_cursor *cursor;
    enum status status = state_cursor_new(executor->state, NULL, start, buffer_bytes(&to), &cursor);
    if (status == STATUS_ok) {
        status = expire_next(executor, cursor, cells);
        enum status scanned = state_cursor_destroy(executor->state, &cursor);
        status = status == STATUS_ok ? scanned : status;
    }
    if (status != STATUS_ok) {
        buffer_clear(&executor->expiry_key);
        executor_note(executor, status);
    }
}
