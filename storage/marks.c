/*
 * Marks in an array by version. There are thousands at most, and they come and go at its ends.
 *
 *          marks_add        borrow             marks_expire
 *   (none) ─────────► kept ◄────────► borrowed ───────────► expired, borrowed
 *                      │    give back                          │ give back
 *                      └── marks_expire ──► (none) ◄───────────┘
 *
 * 1. A borrowed snapshot stays until the last borrower gave it back, but once expired nobody else
 *    gets it: a borrower can count on the time it needs, not on more.
 * 2. Who borrows a mark puts its end off, so that somebody who reads on and on at one version, like
 *    a dump of everything, comes to an end. Each node sees its own readers only: a reader that is
 *    refused by one asks the others. MARK_AGE_MS_MAX ends it for whoever never comes to an end.
 * 3. One lock guards all. Nothing that takes long happens under it: making a snapshot takes about a
 *    microsecond.
 * 4. Bounded: beyond MARK_COUNT_MAX the oldest one expires early.
 */
#include "storage/marks.h"

#include "base/assert.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

enum { MARK_COUNT_MAX = 2 * HORIZON_MS / MARK_INTERVAL_MS_MIN };

struct mark {
    uint64_t version;
    uint64_t made_us;                // when, by the caller's clock
    uint64_t used_us;                // when it was last seen to be in use
    struct state_snapshot *snapshot; // owned
    uint32_t borrowers;
    bool was_borrowed; // since `used_us`
    bool expired;      // goes when the last borrower gives it back
};

struct marks {
    struct state *state; // borrowed
    pthread_mutex_t lock;
    struct mark *marks; // owned array, by version
    size_t count;       // in use
    size_t capacity;    // allocated
};

struct marks *marks_new(struct state *state)
{
    struct marks *marks = calloc(1, sizeof *marks);
    ASSERT(marks != NULL && pthread_mutex_init(&marks->lock, NULL) == 0);
    marks->state = state;
    return marks;
}

void marks_destroy(struct marks **take_marks)
{
    struct marks *marks = *take_marks;
    *take_marks = NULL;
    if (marks == NULL) {
        return;
    }
    marks_clear(marks);
    ASSERT(pthread_mutex_destroy(&marks->lock) == 0);
    free(marks->marks);
    free(marks);
}

static void lock(struct marks *marks)
{
    ASSERT(pthread_mutex_lock(&marks->lock) == 0);
}

static void unlock(struct marks *marks)
{
    ASSERT(pthread_mutex_unlock(&marks->lock) == 0);
}

// The number of the first mark with at least this version.
static size_t find(const struct marks *marks, uint64_t version)
{
    size_t low = 0;
    size_t high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->marks[middle].version < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// The mark of this version, NULL for none.
static struct mark *mark_of(const struct marks *marks, uint64_t version)
{
    size_t at = find(marks, version);
    bool found = at < marks->count && marks->marks[at].version == version;
    return found ? &marks->marks[at] : NULL;
}

static void remove_at(struct marks *marks, size_t at)
{
    state_snapshot_destroy(marks->state, &marks->marks[at].snapshot);
    marks->count--;
    memmove(marks->marks + at, marks->marks + at + 1, (marks->count - at) * sizeof *marks->marks);
}

static void expire_at(struct marks *marks, size_t at)
{
    marks->marks[at].expired = true;
    if (marks->marks[at].borrowers == 0) {
        remove_at(marks, at);
    }
}

static void insert(struct marks *marks, const struct mark *mark)
{
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity == 0 ? 16 : 2 * marks->capacity;
        marks->marks = realloc(marks->marks, marks->capacity * sizeof *marks->marks);
        ASSERT(marks->marks != NULL);
    }
    size_t at = find(marks, mark->version);
    memmove(marks->marks + at + 1, marks->marks + at, (marks->count - at) * sizeof *marks->marks);
    marks->marks[at] = *mark;
    marks->count++;
}

static enum status add(struct marks *marks, uint64_t version, uint64_t now_us)
{
    struct mark *kept = mark_of(marks, version);
    if (kept != NULL && kept->borrowers > 0) {
        kept->made_us = now_us;
        kept->used_us = now_us;
        kept->expired = false;
        return STATUS_ok;
    }
    if (kept != NULL) {
        remove_at(marks, find(marks, version)); // sessions may have changed since
    }
    struct mark mark = {.version = version, .made_us = now_us, .used_us = now_us};
    TRY(state_snapshot_new(marks->state, &mark.snapshot));
    if (marks->count >= MARK_COUNT_MAX) {
        expire_at(marks, 0);
    }
    insert(marks, &mark);
    return STATUS_ok;
}

enum status marks_add(struct marks *marks, uint64_t version, uint64_t now_us)
{
    lock(marks);
    enum status status = add(marks, version, now_us);
    unlock(marks);
    return status;
}

static bool is_due(struct mark *mark, uint64_t now_us, uint64_t horizon_us)
{
    if (mark->was_borrowed || mark->borrowers > 0) {
        mark->used_us = now_us;
        mark->was_borrowed = false;
    }
    return now_us - mark->used_us > horizon_us ||
           now_us - mark->made_us > MARK_AGE_MS_MAX * UINT64_C(1000);
}

void marks_expire(struct marks *marks, uint64_t now_us, uint64_t horizon_us)
{
    lock(marks);
    for (size_t i = marks->count; i > 0; i--) {
        if (is_due(&marks->marks[i - 1], now_us, horizon_us)) {
            expire_at(marks, i - 1);
        }
    }
    unlock(marks);
}

void marks_clear(struct marks *marks)
{
    lock(marks);
    while (marks->count > 0) {
        ASSERT(marks->marks[marks->count - 1].borrowers == 0);
        remove_at(marks, marks->count - 1);
    }
    unlock(marks);
}

enum status marks_borrow(struct marks *marks, uint64_t version,
                         const struct state_snapshot **ret_snapshot)
{
    lock(marks);
    struct mark *mark = mark_of(marks, version);
    bool found = mark != NULL && !mark->expired;
    if (found) {
        mark->borrowers++;
        mark->was_borrowed = true;
        *ret_snapshot = mark->snapshot;
    }
    unlock(marks);
    return found ? STATUS_ok : STATUS_too_old;
}

void marks_give_back(struct marks *marks, uint64_t version)
{
    lock(marks);
    struct mark *mark = mark_of(marks, version);
    ASSERT(mark != NULL && mark->borrowers > 0);
    mark->borrowers--;
    if (mark->borrowers == 0 && mark->expired) {
        remove_at(marks, (size_t)(mark - marks->marks));
    }
    unlock(marks);
}

size_t marks_count(struct marks *marks)
{
    lock(marks);
    size_t count = marks->count;
    unlock(marks);
    return count;
}
