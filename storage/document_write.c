/*
 * A write knows what was there before, so each thing that depends on a document is brought from its
 * old value to its new one, and left alone if they are the same:
 *
 *   read ──► put or remove ──► checks ──► index entries ──► history ──► expiry ──► statistics
 *                                                                           and the cell itself
 *
 * 1. Whatever fails, fails the transaction, which is undone as a whole; so nothing is undone here.
 * 2. An index that is being built is kept like one that serves, so that its job has only to look at
 *    documents that nobody has written since. Entries of older ones may be missing then: an entry
 *    that other documents could have put, in a unique index, is removed only if it is the
 *    document's own. A failed index is left as it is.
 * 3. An entry of a unique index with all its fields there is shared: its key is without an id, so a
 *    second document would need the same cell. Whose it is says the value.
 * 4. History keeps what a version of another transaction wrote; what one transaction writes twice
 *    was never seen. A deletion leaves an empty document, which goes again if the same transaction
 *    puts the document back. Each of these cells has one in the order of time that says when it is
 *    too old.
 * 5. What is known of timed cells is kept true by every cell that is put, so that whoever waits for
 *    the time of the first one needn't look before, and needn't step over those that are gone.
 */
#include "storage/document_write.h"

#include "base/assert.h"
#include "base/bug.h"
#include "storage/find.h"
#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"

enum { US_PER_S = 1000000, NANOSECONDS_PER_US = 1000 };

void documents_init(struct documents *documents, struct state *state, struct overlay *overlay,
                    struct catalog *catalog)
{
    *documents = (struct documents){
        .view = {.state = state, .overlay = overlay},
        .overlay = overlay,
        .catalog = catalog,
        .expiry = {.kind = CELL_EXPIRY},
        .trimming = {.kind = CELL_TRIMMING},
    };
}

void documents_release(struct documents *documents)
{
    buffer_release(&documents->stored);
    buffer_release(&documents->key);
    buffer_release(&documents->value);
    buffer_release(&documents->id);
    buffer_release(&documents->entry_before);
    buffer_release(&documents->entry_after);
    buffer_release(&documents->expiry.from);
    buffer_release(&documents->trimming.from);
}

static void forget_timed(struct timed_cells *timed)
{
    timed->due_us = 0;
    buffer_clear(&timed->from);
}

void documents_reset(struct documents *documents)
{
    forget_timed(&documents->expiry);
    forget_timed(&documents->trimming);
}

static enum status fail_state(struct documents *documents, enum status status)
{
    return sentence_fail(documents->sentence, status,
                         "met a state that can't be read: %s on the storage node",
                         status_name(status));
}

enum status documents_read(struct documents *documents, struct collection *collection,
                           const struct document_id *id, struct document_place *ret_place)
{
    *ret_place = (struct document_place){.collection = collection, .id = *id};
    if (collection == NULL) {
        return STATUS_ok;
    }
    buffer_clear(&documents->key);
    buffer_clear(&documents->stored);
    cell_key_document(&documents->key, collection->record.id, id);
    enum status status = view_get(&documents->view, buffer_bytes(&documents->key),
                                  &documents->stored);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    if (status == STATUS_ok) {
        status = stored_document_decode(buffer_bytes(&documents->stored), &ret_place->stored);
    }
    if (status == STATUS_ok && ret_place->stored.document.size == 0) {
        status = STATUS_damaged;
    }
    ret_place->is_there = status == STATUS_ok;
    return status == STATUS_ok ? STATUS_ok : fail_state(documents, status);
}

static enum status examine(struct documents *documents, uint64_t size)
{
    documents->examined_size += size;
    if (documents->examined_size <= TRANSACTION_EXAMINED_SIZE_MAX) {
        return STATUS_ok;
    }
    return sentence_fail(documents->sentence, STATUS_too_large,
                         "would look at more than %d MiB of documents in one transaction",
                         TRANSACTION_EXAMINED_SIZE_MAX / MIB);
}

// Conditions that come with the transaction are as long as that at most, all together.
enum status documents_examine(struct documents *documents, struct bytes document,
                              uint32_t field_count)
{
    return examine(documents, examined_size(document, field_count, 0));
}

static enum status check_document(struct documents *documents, struct bytes checks,
                                  struct bytes document)
{
    struct cursor cursor = cursor_of(checks);
    uint32_t count = 0;
    if (checks.size > 0 && cursor_array(&cursor, &count) != STATUS_ok) {
        return fail_state(documents, STATUS_damaged);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct bytes check;
        if (cursor_skip(&cursor, &check) != STATUS_ok) {
            return fail_state(documents, STATUS_damaged);
        }
        TRY(examine(documents, examined_size(document, predicate_field_count(check), check.size)));
        if (!predicate_holds(check, document)) {
            return sentence_fail(documents->sentence, STATUS_refused,
                                 "would break check %u of the collection", i);
        }
    }
    return STATUS_ok;
}

// Whose entry this is: the key of a document's id, in `value`; absent if there is none.
static enum status read_entry(struct documents *documents, struct bytes entry_key)
{
    buffer_clear(&documents->value);
    enum status status = view_get(&documents->view, entry_key, &documents->value);
    return status == STATUS_ok || status == STATUS_absent ? status : fail_state(documents, status);
}

static enum status fail_unique(struct documents *documents, struct bytes other)
{
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct document_id id;
    enum status status = document_id_take_key(&other, &packed);
    struct cursor cursor = cursor_of(buffer_bytes(&packed));
    if (status != STATUS_ok || document_id_take(&cursor, &id) != STATUS_ok) {
        return fail_state(documents, STATUS_damaged);
    }
    document_id_print(&id, &text);
    return sentence_fail(documents->sentence, STATUS_unique, "document \"%s\" has the same value",
                         quote_of(buffer_bytes(&text)).text);
}

enum status documents_put_entry(struct documents *documents, struct bytes entry_key, bool is_shared,
                                struct bytes id)
{
    if (is_shared) {
        enum status status = read_entry(documents, entry_key);
        if (status == STATUS_ok && !bytes_equal(buffer_bytes(&documents->value), id)) {
            return fail_unique(documents, buffer_bytes(&documents->value));
        }
        if (status != STATUS_ok && status != STATUS_absent) {
            return status;
        }
    }
    overlay_put(documents->overlay, entry_key, id);
    return STATUS_ok;
}

static enum status remove_entry(struct documents *documents, const struct index_record *index,
                                bool is_shared)
{
    struct bytes key = buffer_bytes(&documents->entry_before);
    if (is_shared && index->state == INDEX_BUILDING) {
        enum status status = read_entry(documents, key);
        bool is_own = status == STATUS_ok &&
                      bytes_equal(buffer_bytes(&documents->value), buffer_bytes(&documents->id));
        if (!is_own) {
            return status == STATUS_absent ? STATUS_ok : status;
        }
    }
    overlay_remove(documents->overlay, key);
    return STATUS_ok;
}

// The key of the entry that the document has now; empty for none.
static enum status key_before(struct documents *documents, const struct document_place *place,
                              const struct index_record *index, bool *ret_is_shared)
{
    buffer_clear(&documents->entry_before);
    if (!place->is_there) {
        return STATUS_ok;
    }
    enum status status = index_entry_key_at(index, place->stored.document,
                                            buffer_bytes(&documents->id), &documents->entry_before,
                                            ret_is_shared);
    // Older than the index, and nothing that it could hold.
    bool is_nothing = status == STATUS_too_large && index->state == INDEX_BUILDING;
    return status == STATUS_ok || is_nothing ? STATUS_ok : fail_state(documents, status);
}

// The same for what the document will be; no document: none.
static enum status key_after(struct documents *documents, const struct index_record *index,
                             struct bytes document, bool *ret_is_shared)
{
    buffer_clear(&documents->entry_after);
    if (document.size == 0) {
        return STATUS_ok;
    }
    enum status status = index_entry_key_at(index, document, buffer_bytes(&documents->id),
                                            &documents->entry_after, ret_is_shared);
    if (status == STATUS_too_large) {
        return sentence_fail(documents->sentence, status,
                             "has values of more than %d bytes for the index \"%s\"",
                             INDEX_KEY_SIZE_MAX, quote_of(index->name).text);
    }
    return status == STATUS_ok ? STATUS_ok : fail_state(documents, status);
}

static enum status put_unique(struct documents *documents, const struct index_record *index,
                              bool is_shared)
{
    enum status status = documents_put_entry(documents, buffer_bytes(&documents->entry_after),
                                             is_shared, buffer_bytes(&documents->id));
    if (status != STATUS_unique) {
        return status;
    }
    char other[ERROR_MESSAGE_SIZE_MAX];
    memcpy(other, documents->sentence, sizeof other);
    return sentence_fail(documents->sentence, status, "would break the unique index \"%s\": %.200s",
                         quote_of(index->name).text, other);
}

// Brings a document's entry in an index from what is there to `document`.
static enum status keep_index(struct documents *documents, const struct document_place *place,
                              const struct index_record *index, struct bytes document)
{
    bool was_shared = false;
    bool is_shared = false;
    TRY(key_before(documents, place, index, &was_shared));
    TRY(key_after(documents, index, document, &is_shared));
    const struct buffer *before = &documents->entry_before;
    const struct buffer *after = &documents->entry_after;
    if (bytes_equal(buffer_bytes(before), buffer_bytes(after))) {
        return STATUS_ok;
    }
    bool is_left = BUG(27) && after->size > 0;
    if (before->size > 0 && !is_left) {
        TRY(remove_entry(documents, index, was_shared));
    }
    return after->size > 0 ? put_unique(documents, index, is_shared) : STATUS_ok;
}

static enum status keep_indexes(struct documents *documents, const struct document_place *place,
                                struct bytes document)
{
    const struct collection_record *record = &place->collection->record;
    if (record->index_count == 0) {
        return STATUS_ok;
    }
    buffer_clear(&documents->id);
    document_id_append_key(&place->id, &documents->id);
    for (size_t i = 0; i < record->index_count; i++) {
        if (record->indexes[i].state != INDEX_FAILED) {
            TRY(keep_index(documents, place, &record->indexes[i], document));
        }
    }
    return STATUS_ok;
}

static void put_timed(struct documents *documents, struct timed_cells *timed, uint64_t time_us,
                      struct bytes key)
{
    overlay_put(documents->overlay, key, (struct bytes){0});
    timed->due_us = time_us < timed->due_us ? time_us : timed->due_us;
    if (bytes_compare(key, buffer_bytes(&timed->from)) < 0) {
        buffer_clear(&timed->from);
        buffer_append(&timed->from, key);
    }
}

// Makes, in `value`, the key of the cell that says when what is superseded now is too old.
static void set_trimming_key(struct documents *documents, const struct document_place *place,
                             uint64_t version, uint64_t *ret_until_us)
{
    const struct collection_record *record = &place->collection->record;
    *ret_until_us = documents->time_us + (uint64_t)record->history_s * US_PER_S;
    buffer_clear(&documents->key);
    buffer_clear(&documents->value);
    cell_key_document(&documents->key, record->id, &place->id);
    struct bytes at = bytes_of(documents->key.data + 1, documents->key.size - 1);
    cell_key_trimming(&documents->value, *ret_until_us, version, at);
}

// Puts a cell of history, and the one that says when it is too old.
static void keep_version(struct documents *documents, const struct document_place *place,
                         const struct stored_document *stored)
{
    uint64_t until_us;
    buffer_clear(&documents->key);
    buffer_clear(&documents->value);
    cell_key_history(&documents->key, place->collection->record.id, &place->id, stored->version);
    stored_document_encode(stored, &documents->value);
    overlay_put(documents->overlay, buffer_bytes(&documents->key), buffer_bytes(&documents->value));
    set_trimming_key(documents, place, stored->version, &until_us);
    put_timed(documents, &documents->trimming, until_us, buffer_bytes(&documents->value));
}

// Takes back the deletion that the same transaction has left, if it has. Its trimming goes, too: it
// would trim what the transaction puts, which has the same version, long before its time.
static void forget_deletion(struct documents *documents, const struct document_place *place)
{
    struct bytes value;
    bool removed;
    uint64_t until_us;
    buffer_clear(&documents->key);
    cell_key_history(&documents->key, place->collection->record.id, &place->id, documents->version);
    if (overlay_get(documents->overlay, buffer_bytes(&documents->key), &value, &removed) &&
        !removed) {
        overlay_remove(documents->overlay, buffer_bytes(&documents->key));
        set_trimming_key(documents, place, documents->version, &until_us);
        overlay_remove(documents->overlay, buffer_bytes(&documents->value));
    }
}

static void keep_history(struct documents *documents, const struct document_place *place,
                         struct bytes document)
{
    if (place->collection->record.history_s == 0) {
        return;
    }
    if (place->is_there && place->stored.version != documents->version) {
        keep_version(documents, place, &place->stored);
    }
    if (document.size == 0) {
        struct stored_document deletion = {.version = documents->version,
                                           .time_us = documents->time_us};
        keep_version(documents, place, &deletion);
    } else if (!place->is_there) {
        forget_deletion(documents, place);
    }
}

// A time before 1970 counts as 1970.
static uint64_t time_of(struct bytes timestamp)
{
    struct cursor cursor = cursor_of(timestamp);
    struct value value;
    if (cursor_value(&cursor, &value) != STATUS_ok || value.kind != VALUE_TIMESTAMP) {
        return TIME_NEVER;
    }
    return value.seconds < 0
               ? 0
               : (uint64_t)value.seconds * US_PER_S + value.nanoseconds / NANOSECONDS_PER_US;
}

uint64_t document_expires_us(const struct collection_record *record,
                             const struct stored_document *stored)
{
    struct bytes value;
    if (record->ttl_s > 0) {
        return stored->time_us + (uint64_t)record->ttl_s * US_PER_S;
    }
    if (record->ttl_field.size == 0 || !path_find(stored->document, record->ttl_field, &value)) {
        return TIME_NEVER;
    }
    return time_of(value);
}

static void set_expiry_key(struct documents *documents, const struct document_place *place,
                           uint64_t time_us)
{
    buffer_clear(&documents->key);
    cell_key_expiry(&documents->key, time_us, place->collection->record.id, &place->id);
}

// `after` is the document as it will be; NULL: there will be none.
static void keep_expiry(struct documents *documents, const struct document_place *place,
                        const struct stored_document *after)
{
    const struct collection_record *record = &place->collection->record;
    uint64_t before_us = place->is_there ? document_expires_us(record, &place->stored) : TIME_NEVER;
    uint64_t after_us = after != NULL ? document_expires_us(record, after) : TIME_NEVER;
    if (before_us == after_us) {
        return;
    }
    if (before_us != TIME_NEVER) {
        set_expiry_key(documents, place, before_us);
        overlay_remove(documents->overlay, buffer_bytes(&documents->key));
    }
    if (after_us != TIME_NEVER) {
        set_expiry_key(documents, place, after_us);
        put_timed(documents, &documents->expiry, after_us, buffer_bytes(&documents->key));
    }
}

static void keep_statistics(struct documents *documents, const struct document_place *place,
                            size_t size_after)
{
    size_t size_before = place->is_there ? place->stored.document.size : 0;
    catalog_add_statistics(documents->catalog, place->collection,
                           (int64_t)(size_after > 0) - (int64_t)place->is_there,
                           (int64_t)size_after - (int64_t)size_before);
}

static void set_document_key(struct documents *documents, const struct document_place *place)
{
    buffer_clear(&documents->key);
    cell_key_document(&documents->key, place->collection->record.id, &place->id);
}

enum status documents_put(struct documents *documents, const struct document_place *place,
                          struct bytes document)
{
    struct stored_document stored = {
        .version = documents->version,
        .time_us = documents->time_us,
        .document = document,
    };
    ASSERT(document.size > 0);
    TRY(check_document(documents, place->collection->record.check, document));
    TRY(keep_indexes(documents, place, document));
    keep_history(documents, place, document);
    keep_expiry(documents, place, &stored);
    keep_statistics(documents, place, document.size);
    set_document_key(documents, place);
    buffer_clear(&documents->value);
    stored_document_encode(&stored, &documents->value);
    overlay_put(documents->overlay, buffer_bytes(&documents->key), buffer_bytes(&documents->value));
    return STATUS_ok;
}

enum status documents_remove(struct documents *documents, const struct document_place *place)
{
    ASSERT(place->is_there);
    TRY(keep_indexes(documents, place, (struct bytes){0}));
    keep_history(documents, place, (struct bytes){0});
    keep_expiry(documents, place, NULL);
    keep_statistics(documents, place, 0);
    set_document_key(documents, place);
    overlay_remove(documents->overlay, buffer_bytes(&documents->key));
    return STATUS_ok;
}
