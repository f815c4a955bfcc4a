/*
 * A document's versions are a chain: the document's own cell, unless it is deleted now, and its
 * history, newest first, in which a deletion is a version, too:
 *
 *   document   9          the point 7 falls behind version 5: the document was as in version 5;
 *   history    5 4x 2     the point 4 behind a deletion: there was none; the point 1 before all
 *
 * 1. Versions are dropped when `history_s` have passed since the next one took their place, and
 *    deletions when they are as old, the oldest first. So what the chain shows is right.
 * 2. A point before all that the chain shows: if it is a time younger than `history_s`, nothing
 *    that was true then can have been dropped, and there was no document. Otherwise nobody knows,
 *    nor of a version, whose time is not known.
 */
#include "storage/past.h"

static const uint64_t US_PER_S = 1000000;

// What is looked for, and what was found.
struct search {
    const struct past_source *source; // borrowed
    const struct past *past;          // borrowed
    struct buffer *value;             // borrowed; gets the cell that was found
    struct stored_document stored;    // is_found; borrows from `value`
    bool is_found;
};

// Looks at one version of the document; those are looked at from the newest on.
static enum status look_at(struct search *search, struct bytes value)
{
    struct stored_document stored;
    TRY(stored_document_decode(value, &stored));
    const struct past *past = search->past;
    search->is_found = past->version != 0 ? stored.version <= past->version
                                          : stored.time_us <= past->time_us;
    if (search->is_found) {
        buffer_clear(search->value);
        buffer_append(search->value, value);
        TRY(stored_document_decode(buffer_bytes(search->value), &search->stored));
    }
    return STATUS_ok;
}

static enum status look_at_current(struct search *search, const struct document_id *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    cell_key_document(&key, search->source->collection->id, id);
    enum status status = view_get(search->source->view, buffer_bytes(&key), &value);
    if (status != STATUS_ok) {
        return status == STATUS_absent ? STATUS_ok : status;
    }
    return look_at(search, buffer_bytes(&value));
}

static enum status walk(struct view_scan *scan, struct search *search)
{
    struct bytes key;
    struct bytes value;
    while (!search->is_found && view_scan_next(scan, &key, &value)) {
        TRY(look_at(search, value));
    }
    return STATUS_ok;
}

// By time the history is gone through; a version has its place in it.
static enum status look_at_history(struct search *search, const struct document_id *id)
{
    AUTO(buffer_release) struct buffer id_key = {0};
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    uint32_t collection = search->source->collection->id;
    document_id_append_key(id, &id_key);
    cell_range_history(collection, buffer_bytes(&id_key), &from, &to);
    if (search->past->version != 0) {
        buffer_clear(&from);
        cell_key_history(&from, collection, id, search->past->version);
    }
    struct view_scan *scan;
    TRY(view_scan_new(search->source->view, buffer_bytes(&from), buffer_bytes(&to), false, &scan));
    enum status status = walk(scan, search);
    enum status scan_status = view_scan_destroy(&scan);
    return status != STATUS_ok ? status : scan_status;
}

// See 2.
static bool is_young(const struct search *search)
{
    uint64_t kept_us = (uint64_t)search->source->collection->history_s * US_PER_S;
    uint64_t now_us = search->source->now_us;
    uint64_t since_us = now_us > kept_us ? now_us - kept_us : 0;
    return search->past->version == 0 && search->past->time_us >= since_us;
}

enum status past_find(const struct past_source *source, const struct document_id *id,
                      const struct past *past, struct buffer *value,
                      struct stored_document *ret_stored)
{
    struct search search = {.source = source, .past = past, .value = value};
    if (source->collection->history_s == 0) {
        return STATUS_too_old;
    }
    TRY(look_at_current(&search, id));
    if (!search.is_found) {
        TRY(look_at_history(&search, id));
    }
    if (!search.is_found) {
        return is_young(&search) ? STATUS_absent : STATUS_too_old;
    }
    if (search.stored.document.size == 0) {
        return STATUS_absent;
    }
    *ret_stored = search.stored;
    return STATUS_ok;
}
