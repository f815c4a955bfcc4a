/*
 * Keys of cells; their layout is drawn in the header. Their values are in cells_record.c.
 *
 * 1. Encoders are given what was checked before; decoders trust nothing, since the disk and other
 *    nodes had the bytes in between.
 * 2. Numbers in keys are big endian, so that bytes order them.
 * 3. A key's last part is a document's id, unless something follows that is a value of its own
 *    (wire/key.h): so an id is either the rest of its key, or ends where it says.
 */
#include "storage/cells.h"

#include "wire/key.h"

bool cell_kind_is_known(uint8_t kind)
{
    switch ((enum cell_kind)kind) {
    case CELL_APPLIED:
    case CELL_COLLECTION:
    case CELL_SESSION:
    case CELL_JOB:
    case CELL_COUNTERS:
    case CELL_DOCUMENT:
    case CELL_INDEX:
    case CELL_HISTORY:
    case CELL_STATISTICS:
    case CELL_EXPIRY:
    case CELL_TRIMMING: return true;
    }
    return false;
}

void cell_key_applied(struct buffer *key)
{
    key_append_u8(key, CELL_APPLIED);
}

void cell_key_collection(struct buffer *key, struct bytes name)
{
    key_append_u8(key, CELL_COLLECTION);
    key_append_text(key, name);
}

void cell_key_session(struct buffer *key, struct bytes name)
{
    key_append_u8(key, CELL_SESSION);
    key_append_text(key, name);
}

void cell_key_job(struct buffer *key, uint64_t number)
{
    key_append_u8(key, CELL_JOB);
    key_append_u64(key, number);
}

void cell_key_counters(struct buffer *key)
{
    key_append_u8(key, CELL_COUNTERS);
}

void cell_key_document(struct buffer *key, uint32_t collection, const struct document_id *id)
{
    cell_key_collection_kind(key, CELL_DOCUMENT, collection);
    document_id_append_key(id, key);
}

// A descending version: no byte of a complemented value can be taken for more of the id before it.
static void append_version(struct buffer *key, uint64_t version)
{
    size_t from = key->size;
    key_append_integer(key, (int64_t)version);
    key_complement(key, from);
}

void cell_key_history(struct buffer *key, uint32_t collection, const struct document_id *id,
                      uint64_t version)
{
    cell_key_collection_kind(key, CELL_HISTORY, collection);
    document_id_append_key(id, key);
    append_version(key, version);
}

void cell_key_statistics(struct buffer *key, uint32_t collection)
{
    cell_key_collection_kind(key, CELL_STATISTICS, collection);
}

void cell_key_expiry(struct buffer *key, uint64_t time_us, uint32_t collection,
                     const struct document_id *id)
{
    key_append_u8(key, CELL_EXPIRY);
    key_append_u64(key, time_us);
    key_append_u32(key, collection);
    document_id_append_key(id, key);
}

void cell_key_expiry_at(struct buffer *key, uint64_t time_us, struct bytes at)
{
    key_append_u8(key, CELL_EXPIRY);
    key_append_u64(key, time_us);
    buffer_append(key, at);
}

void cell_key_trimming(struct buffer *key, uint64_t time_us, uint64_t version, struct bytes at)
{
    key_append_u8(key, CELL_TRIMMING);
    key_append_u64(key, time_us);
    key_append_u64(key, version);
    buffer_append(key, at);
}

enum status cell_key_timed(struct bytes key, struct timed_key *ret_timed)
{
    uint8_t kind;
    struct timed_key timed = {0};
    bool is_sound = key_take_u8(&key, &kind) == STATUS_ok &&
                    (kind == CELL_EXPIRY || kind == CELL_TRIMMING) &&
                    key_take_u64(&key, &timed.time_us) == STATUS_ok &&
                    (kind == CELL_EXPIRY || key_take_u64(&key, &timed.version) == STATUS_ok);
    if (!is_sound) {
        return STATUS_damaged;
    }
    timed.at = key;
    *ret_timed = timed;
    return STATUS_ok;
}

enum status cell_key_place(struct bytes at, uint32_t *ret_collection, struct buffer *out)
{
    size_t size = out->size;
    uint32_t collection;
    bool is_sound = key_take_u32(&at, &collection) == STATUS_ok &&
                    document_id_take_key(&at, out) == STATUS_ok && at.size == 0;
    if (!is_sound) {
        buffer_truncate(out, size);
        return STATUS_damaged;
    }
    *ret_collection = collection;
    return STATUS_ok;
}

enum status cell_key_document_id(struct bytes key, struct bytes *ret_id)
{
    uint8_t kind;
    uint32_t collection;
    bool is_sound = key_take_u8(&key, &kind) == STATUS_ok && kind == CELL_DOCUMENT &&
                    key_take_u32(&key, &collection) == STATUS_ok && key.size > 0;
    if (!is_sound) {
        return STATUS_damaged;
    }
    *ret_id = key;
    return STATUS_ok;
}

void cell_key_history_at(struct buffer *key, struct bytes at, uint64_t version)
{
    key_append_u8(key, CELL_HISTORY);
    buffer_append(key, at);
    append_version(key, version);
}

void cell_range_history(uint32_t collection, struct bytes id, struct buffer *from,
                        struct buffer *to)
{
    cell_key_collection_kind(from, CELL_HISTORY, collection);
    buffer_append(from, id);
    buffer_append(to, buffer_bytes(from));
    buffer_append_u8(to, UINT8_MAX); // no version begins with it
}

void cell_key_document_at(struct buffer *key, uint32_t collection, struct bytes id)
{
    cell_key_collection_kind(key, CELL_DOCUMENT, collection);
    buffer_append(key, id);
}

void cell_key_index(struct buffer *key, uint32_t index)
{
    cell_key_collection_kind(key, CELL_INDEX, index);
}

void cell_key_collection_kind(struct buffer *key, enum cell_kind kind, uint32_t collection)
{
    key_append_u8(key, (uint8_t)kind);
    key_append_u32(key, collection);
}

void cell_range(enum cell_kind kind, struct buffer *from, struct buffer *to)
{
    key_append_u8(from, (uint8_t)kind);
    key_append_u8(to, (uint8_t)(kind + 1));
}

enum status cell_key_name(struct bytes key, struct buffer *out)
{
    uint8_t kind;
    AUTO(buffer_release) struct buffer packed = {0};
    if (key_take_u8(&key, &kind) != STATUS_ok || key_take_value(&key, &packed) != STATUS_ok) {
        return STATUS_damaged;
    }
    struct cursor cursor = cursor_of(buffer_bytes(&packed));
    struct bytes name;
    bool is_named = kind == CELL_COLLECTION || kind == CELL_SESSION;
    if (!is_named || key.size > 0 || cursor_text(&cursor, &name) != STATUS_ok) {
        return STATUS_damaged;
    }
    buffer_append(out, name);
    return STATUS_ok;
}
