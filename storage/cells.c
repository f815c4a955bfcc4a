/*
 * Keys and values of cells; their layout is drawn in the header.
 *
 * 1. Encoders are given what was checked before; decoders trust nothing, since the disk and other
 *    nodes had the bytes in between.
 * 2. Numbers that order keys are big endian, those in values little endian.
 */
#include "storage/cells.h"

#include "wire/key.h"
#include "wire/pack.h"

#include <endian.h>

enum { STORED_HEAD_SIZE = 16 };

bool cell_kind_is_known(uint8_t kind)
{
    switch ((enum cell_kind)kind) {
    case CELL_APPLIED:
    case CELL_COLLECTION:
    case CELL_SESSION:
    case CELL_JOB:
    case CELL_DOCUMENT:
    case CELL_INDEX:
    case CELL_HISTORY:
    case CELL_STATISTICS:
    case CELL_EXPIRY: return true;
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

void cell_key_document(struct buffer *key, uint32_t collection, const struct document_id *id)
{
    key_append_u8(key, CELL_DOCUMENT);
    key_append_u32(key, collection);
    document_id_append_key(id, key);
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

void collection_record_encode(const struct collection_record *record, struct buffer *out)
{
    pack_map(out, 1);
    pack_text_literal(out, "id");
    pack_u64(out, record->id);
}

// Takes one field of a record; `*ret_number` is set if it is the one called `name`.
static enum status take_number(struct cursor *cursor, const char *name, uint64_t *ret_number)
{
    struct bytes field;
    TRY(cursor_text(cursor, &field));
    return bytes_equal(field, bytes_from_text(name)) ? cursor_u64(cursor, ret_number)
                                                     : cursor_skip(cursor, NULL);
}

enum status collection_record_decode(struct bytes value, struct collection_record *ret_record)
{
    struct cursor cursor = cursor_of(value);
    uint32_t pairs;
    uint64_t id = 0;
    if (cursor_map(&cursor, &pairs) != STATUS_ok) {
        return STATUS_damaged;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        if (take_number(&cursor, "id", &id) != STATUS_ok) {
            return STATUS_damaged;
        }
    }
    if (!cursor_at_end(&cursor) || id == 0 || id > UINT32_MAX) {
        return STATUS_damaged;
    }
    ret_record->id = (uint32_t)id;
    return STATUS_ok;
}

void stored_document_encode(const struct stored_document *stored, struct buffer *out)
{
    uint64_t head[2] = {htole64(stored->version), htole64(stored->time_us)};
    uint8_t *at = buffer_extend(out, STORED_HEAD_SIZE + stored->document.size);
    memcpy(at, head, STORED_HEAD_SIZE);
    memcpy(at + STORED_HEAD_SIZE, stored->document.data, stored->document.size);
}

enum status stored_document_decode(struct bytes value, struct stored_document *ret_stored)
{
    if (value.size <= STORED_HEAD_SIZE) {
        return STATUS_damaged;
    }
    uint64_t head[2];
    memcpy(head, value.data, STORED_HEAD_SIZE);
    *ret_stored = (struct stored_document){
        .version = le64toh(head[0]),
        .time_us = le64toh(head[1]),
        .document = bytes_of(value.data + STORED_HEAD_SIZE, value.size - STORED_HEAD_SIZE),
    };
    return STATUS_ok;
}
