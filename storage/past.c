/*
 * A document's versions are a chain: the document's own cell, unless it is deleted now, and its
 * history, newest first, in which a deletion is a version, too:
 *
 *   document   9          the point 7 falls behind version 5: the document was as in version 5;
 *   history    5 4x 2     the point 4 behind a deletion: there was none; the point 1 before all
 *
 * 1. Only the oldest versions of a chain are ever dropped, each not before `history_s` have passed
 *    since the next one took its place. So what the chain shows is right however old it is.
 * 2. A point before all that is kept: if the oldest version is younger than `history_s`, or the
 *    point itself is, then nothing can have been dropped, and there was no document. Otherwise
 *    nobody knows.
 */
#include "storage/past.h"

// The oldest version seen so far on the way back.
struct search {
    const struct past *past;
    struct stored_document *stored; // the one looked at last
    bool has_seen;                  // `seen_us` is there
    uint64_t seen_us;               // time of the oldest version seen
};

static bool is_behind(const struct past *past, const struct stored_document *stored)
{
    return past->version != 0 ? stored->version <= past->version : stored->time_us <= past->time_us;
}

// Looks at one version; ret_is_it says whether it is the one.
static enum status look_at(struct search *search, struct bytes value, bool *ret_is_it)
{
    TRY(stored_document_decode(value, search->stored));
    *ret_is_it = is_behind(search->past, search->stored);
    search->has_seen = true;
    search->seen_us = search->stored->time_us;
    return STATUS_ok;
}

static enum status look_at_current(const struct past_source *source, const struct document_id *id,
                                   struct search *search, struct buffer *value, bool *ret_is_it)
{
    AUTO(buffer_release) struct buffer key = {0};
    cell_key_document(&key, source->collection->id, id);
    buffer_clear(value);
    enum status status = view_get(source->view, buffer_bytes(&key), value);
    if (status != STATUS_ok) {
        return status == STATUS_absent ? STATUS_ok : status;
    }
    return look_at(search, buffer_bytes(value), ret_is_it);
}

// Versions of one document in its history.
struct history_range {
    struct buffer from; // keys
    struct buffer to;
    bool is_backwards; // the oldest one first
    bool is_first;     // one is enough
};

static void range_release(struct history_range *range)
{
    buffer_release(&range->from);
    buffer_release(&range->to);
}

static enum status walk(struct view_scan *scan, bool is_first, struct search *search,
                        struct buffer *value, bool *ret_is_it)
{
    struct bytes key;
    struct bytes found;
    bool goes_on = true;
    while (goes_on && view_scan_next(scan, &key, &found)) {
        buffer_clear(value);
        buffer_append(value, found);
        TRY(look_at(search, buffer_bytes(value), ret_is_it));
        goes_on = !is_first && !*ret_is_it;
    }
    return STATUS_ok;
}

static enum status look_at_range(const struct past_source *source,
                                 const struct history_range *range, struct search *search,
                                 struct buffer *value, bool *ret_is_it)
{
    struct view_scan *scan;
    TRY(view_scan_new(source->view, buffer_bytes(&range->from), buffer_bytes(&range->to),
                      range->is_backwards, &scan));
    enum status status = walk(scan, range->is_first, search, value, ret_is_it);
    enum status scan_status = view_scan_destroy(&scan);
    return status != STATUS_ok ? status : scan_status;
}

// By time the chain is gone through. A version has its place in it, and if there is nothing from
// there on, the oldest one of all is looked at instead.
static enum status look_at_history(const struct past_source *source, const struct document_id *id,
                                   struct search *search, struct buffer *value, bool *ret_is_it)
{
    AUTO(buffer_release) struct buffer id_key = {0};
    AUTO(range_release) struct history_range all = {0};
    document_id_append_key(id, &id_key);
    cell_range_history(source->collection->id, buffer_bytes(&id_key), &all.from, &all.to);
    if (search->past->version == 0) {
        return look_at_range(source, &all, search, value, ret_is_it);
    }
    AUTO(range_release) struct history_range older = {.is_first = true};
    cell_key_history(&older.from, source->collection->id, id, search->past->version);
    buffer_append(&older.to, buffer_bytes(&all.to));
    TRY(look_at_range(source, &older, search, value, ret_is_it));
    if (!*ret_is_it) {
        all.is_backwards = true;
        all.is_first = true;
        TRY(look_at_range(source, &all, search, value, ret_is_it));
    }
    return STATUS_ok;
}

// See 2: whether nothing that was true at the point can have been dropped.
static bool is_whole(const struct past_source *source, const struct search *search)
{
    uint64_t kept_us = (uint64_t)source->collection->history_s * 1000000;
    uint64_t since_us = source->now_us > kept_us ? source->now_us - kept_us : 0;
    bool point_is_young = search->past->version == 0 && search->past->time_us >= since_us;
    return point_is_young || (search->has_seen && search->seen_us > since_us);
}

enum status past_find(const struct past_source *source, const struct document_id *id,
                      const struct past *past, struct buffer *value,
                      struct stored_document *ret_stored)
{
    struct stored_document stored;
    struct search search = {.past = past, .stored = &stored};
    bool is_it = false;
    if (source->collection->history_s == 0) {
        return STATUS_too_old;
    }
    TRY(look_at_current(source, id, &search, value, &is_it));
    if (!is_it) {
        TRY(look_at_history(source, id, &search, value, &is_it));
    }
    if (!is_it) {
        return is_whole(source, &search) ? STATUS_absent : STATUS_too_old;
    }
    if (stored.document.size == 0) {
        return STATUS_absent;
    }
    *ret_stored = stored;
    return STATUS_ok;
}
