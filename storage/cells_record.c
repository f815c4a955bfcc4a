/*
 * Values of cells: records of collections and their indexes, jobs, counters, statistics, documents.
 * All but documents are msgpack maps, whose fields may come in any order; those that a later
 * version of the program has added are stepped over.
 *
 *   cell ──► record_decode ──► take_field for each pair ──► check ──► struct
 *
 * 1. Encoders are given what was checked before; decoders trust nothing, since the disk and other
 *    nodes had the bytes in between. What they hand out is as good as what was encoded: ids that
 *    are not 0, paths that are paths, counts within limits.
 * 2. A collection's record is always written whole, with zeros for what it doesn't have.
 * 3. Numbers in the head of a document are little endian.
 */
#include "storage/cells.h"

#include "base/assert.h"
#include "wire/document/path.h"
#include "wire/key.h"
#include "wire/pack.h"

#include <endian.h>
#include <stdlib.h>

enum { STORED_HEAD_SIZE = 16 };

static bool is_named(struct bytes name, const char *wanted)
{
    return bytes_equal(name, bytes_from_text(wanted));
}

// Hands each pair's name to `take`, which takes its value into the record.
static enum status take_map(struct cursor *cursor,
                            enum status (*take)(struct cursor *, struct bytes, void *),
                            void *record)
{
    uint32_t pairs;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        TRY(take(cursor, name, record));
    }
    return STATUS_ok;
}

// The same for a value that is one map from its first to its last byte.
static enum status take_record(struct bytes value,
                               enum status (*take)(struct cursor *, struct bytes, void *),
                               void *record)
{
    struct cursor cursor = cursor_of(value);
    bool is_sound = take_map(&cursor, take, record) == STATUS_ok && cursor_at_end(&cursor);
    return is_sound ? STATUS_ok : STATUS_damaged;
}

static enum status take_u32(struct cursor *cursor, uint32_t *ret_number)
{
    uint64_t number;
    TRY(cursor_u64(cursor, &number));
    if (number > UINT32_MAX) {
        return STATUS_damaged;
    }
    *ret_number = (uint32_t)number;
    return STATUS_ok;
}

void collection_record_release(struct collection_record *record)
{
    free(record->indexes);
    buffer_release(&record->encoded);
    *record = (struct collection_record){0};
}

static void index_record_encode(const struct index_record *index, struct buffer *out)
{
    pack_map(out, 5);
    pack_text_literal(out, "id");
    pack_u64(out, index->id);
    pack_text_literal(out, "name");
    pack_text(out, index->name);
    pack_text_literal(out, "fields");
    pack_array(out, (uint32_t)index->field_count);
    for (size_t i = 0; i < index->field_count; i++) {
        pack_text(out, index->fields[i]);
    }
    pack_text_literal(out, "unique");
    pack_flag(out, index->is_unique);
    pack_text_literal(out, "state");
    pack_u64(out, index->state);
}

void collection_record_encode(const struct collection_record *record, struct buffer *out)
{
    pack_map(out, 6);
    pack_text_literal(out, "id");
    pack_u64(out, record->id);
    pack_text_literal(out, "ttl");
    pack_u64(out, record->ttl_s);
    pack_text_literal(out, "ttl_field");
    pack_text(out, record->ttl_field);
    pack_text_literal(out, "history");
    pack_u64(out, record->history_s);
    pack_text_literal(out, "check");
    if (record->check.size > 0) {
        buffer_append(out, record->check);
    } else {
        pack_array(out, 0);
    }
    pack_text_literal(out, "indexes");
    pack_array(out, (uint32_t)record->index_count);
    for (size_t i = 0; i < record->index_count; i++) {
        index_record_encode(&record->indexes[i], out);
    }
}

static enum status take_fields(struct cursor *cursor, struct index_record *index)
{
    uint32_t count;
    TRY(cursor_array(cursor, &count));
    if (count > INDEX_FIELDS_MAX) {
        return STATUS_damaged;
    }
    index->field_count = count;
    for (uint32_t i = 0; i < count; i++) {
        TRY(cursor_text(cursor, &index->fields[i]));
        if (!path_is_valid(index->fields[i])) {
            return STATUS_damaged;
        }
    }
    return STATUS_ok;
}

static enum status take_state(struct cursor *cursor, struct index_record *index)
{
    uint32_t state;
    TRY(take_u32(cursor, &state));
    index->state = (enum index_state)state;
    return state <= INDEX_FAILED ? STATUS_ok : STATUS_damaged;
}

static enum status take_index_field(struct cursor *cursor, struct bytes name, void *record)
{
    struct index_record *index = record;
    if (is_named(name, "id")) {
        return take_u32(cursor, &index->id);
    }
    if (is_named(name, "name")) {
        return cursor_text(cursor, &index->name);
    }
    if (is_named(name, "fields")) {
        return take_fields(cursor, index);
    }
    if (is_named(name, "unique")) {
        return cursor_flag(cursor, &index->is_unique);
    }
    if (is_named(name, "state")) {
        return take_state(cursor, index);
    }
    return cursor_skip(cursor, NULL);
}

static enum status take_indexes(struct cursor *cursor, struct collection_record *record)
{
    uint32_t count;
    TRY(cursor_array(cursor, &count));
    if (count > INDEX_COUNT_MAX || record->indexes != NULL) {
        return STATUS_damaged;
    }
    record->indexes = calloc(count > 0 ? count : 1, sizeof *record->indexes);
    ASSERT(record->indexes != NULL);
    record->index_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct index_record *index = &record->indexes[i];
        TRY(take_map(cursor, take_index_field, index));
        bool is_sound = index->id != 0 && index->name.size >= 1 &&
                        index->name.size <= INDEX_NAME_SIZE_MAX && index->field_count >= 1;
        if (!is_sound) {
            return STATUS_damaged;
        }
    }
    return STATUS_ok;
}

static enum status take_check(struct cursor *cursor, struct collection_record *record)
{
    struct cursor inside = *cursor;
    uint32_t count;
    TRY(cursor_array(&inside, &count));
    if (count > CHECK_COUNT_MAX) {
        return STATUS_damaged;
    }
    return cursor_skip(cursor, count > 0 ? &record->check : NULL);
}

static enum status take_collection_field(struct cursor *cursor, struct bytes name, void *to)
{
    struct collection_record *record = to;
    if (is_named(name, "id")) {
        return take_u32(cursor, &record->id);
    }
    if (is_named(name, "ttl")) {
        return take_u32(cursor, &record->ttl_s);
    }
    if (is_named(name, "ttl_field")) {
        return cursor_text(cursor, &record->ttl_field);
    }
    if (is_named(name, "history")) {
        return take_u32(cursor, &record->history_s);
    }
    if (is_named(name, "check")) {
        return take_check(cursor, record);
    }
    if (is_named(name, "indexes")) {
        return take_indexes(cursor, record);
    }
    return cursor_skip(cursor, NULL);
}

enum status collection_record_decode(struct bytes value, struct collection_record *ret_record)
{
    struct collection_record record = {0};
    buffer_append(&record.encoded, value);
    enum status status = take_record(buffer_bytes(&record.encoded), take_collection_field, &record);
    bool is_sound = status == STATUS_ok && record.id != 0 &&
                    (record.ttl_field.size == 0 || path_is_valid(record.ttl_field));
    if (!is_sound) {
        collection_record_release(&record);
        return STATUS_damaged;
    }
    *ret_record = record;
    return STATUS_ok;
}

const struct index_record *collection_record_index(const struct collection_record *record,
                                                   struct bytes name)
{
    for (size_t i = 0; i < record->index_count; i++) {
        if (bytes_equal(record->indexes[i].name, name)) {
            return &record->indexes[i];
        }
    }
    return NULL;
}

enum status index_entry_key(const struct index_record *index, struct bytes document,
                            const struct document_id *id, struct buffer *key, bool *ret_is_shared)
{
    TRY(index_entry_key_at(index, document, (struct bytes){0}, key, ret_is_shared));
    if (!*ret_is_shared) {
        document_id_append_key(id, key);
    }
    return STATUS_ok;
}

// Appends the key of a field's value; null for a field that isn't there.
static enum status append_field(struct buffer *key, struct bytes document, struct bytes field,
                                bool *ret_is_there)
{
    static const uint8_t nil = 0xc0;
    struct bytes value;
    *ret_is_there = path_find(document, field, &value);
    struct cursor cursor = cursor_of(*ret_is_there ? value : bytes_of(&nil, 1));
    return key_append_value(key, &cursor) == STATUS_ok ? STATUS_ok : STATUS_damaged;
}

enum status index_entry_key_at(const struct index_record *index, struct bytes document,
                               struct bytes id, struct buffer *key, bool *ret_is_shared)
{
    size_t begin = key->size;
    bool is_whole = true;
    cell_key_index(key, index->id);
    size_t values = key->size;
    enum status status = STATUS_ok;
    for (size_t i = 0; status == STATUS_ok && i < index->field_count; i++) {
        bool is_there;
        status = append_field(key, document, index->fields[i], &is_there);
        is_whole = is_whole && is_there;
        if (status == STATUS_ok && key->size - values > INDEX_KEY_SIZE_MAX) {
            status = STATUS_too_large;
        }
    }
    if (status != STATUS_ok) {
        buffer_truncate(key, begin);
        return status;
    }
    *ret_is_shared = index->is_unique && is_whole;
    if (!*ret_is_shared) {
        buffer_append(key, id);
    }
    return STATUS_ok;
}

void job_record_encode(const struct job_record *record, struct buffer *out)
{
    pack_map(out, 6);
    pack_text_literal(out, "kind");
    pack_u64(out, record->kind);
    pack_text_literal(out, "collection");
    pack_u64(out, record->collection);
    pack_text_literal(out, "index");
    pack_u64(out, record->index);
    pack_text_literal(out, "done");
    pack_u64(out, record->done);
    pack_text_literal(out, "next");
    pack_binary(out, record->next);
    pack_text_literal(out, "record");
    pack_binary(out, record->record);
}

static enum status take_job_kind(struct cursor *cursor, struct job_record *job)
{
    uint32_t kind;
    TRY(take_u32(cursor, &kind));
    job->kind = (enum job_kind)kind;
    return STATUS_ok;
}

static enum status take_job_field(struct cursor *cursor, struct bytes name, void *record)
{
    struct job_record *job = record;
    if (is_named(name, "kind")) {
        return take_job_kind(cursor, job);
    }
    if (is_named(name, "collection")) {
        return take_u32(cursor, &job->collection);
    }
    if (is_named(name, "index")) {
        return take_u32(cursor, &job->index);
    }
    if (is_named(name, "done")) {
        return cursor_u64(cursor, &job->done);
    }
    if (is_named(name, "next")) {
        return cursor_binary(cursor, &job->next);
    }
    if (is_named(name, "record")) {
        return cursor_binary(cursor, &job->record);
    }
    return cursor_skip(cursor, NULL);
}

enum status job_record_decode(struct bytes value, struct job_record *ret_record)
{
    struct job_record record = {0};
    TRY(take_record(value, take_job_field, &record));
    if (record.kind < JOB_BUILD || record.kind > JOB_CLEAR_COLLECTION) {
        return STATUS_version_mismatch;
    }
    *ret_record = record;
    return STATUS_ok;
}

void id_counters_encode(const struct id_counters *counters, struct buffer *out)
{
    pack_map(out, 3);
    pack_text_literal(out, "collection");
    pack_u64(out, counters->collection);
    pack_text_literal(out, "index");
    pack_u64(out, counters->index);
    pack_text_literal(out, "job");
    pack_u64(out, counters->job);
}

static enum status take_counters_field(struct cursor *cursor, struct bytes name, void *record)
{
    struct id_counters *counters = record;
    if (is_named(name, "collection")) {
        return take_u32(cursor, &counters->collection);
    }
    if (is_named(name, "index")) {
        return take_u32(cursor, &counters->index);
    }
    if (is_named(name, "job")) {
        return cursor_u64(cursor, &counters->job);
    }
    return cursor_skip(cursor, NULL);
}

enum status id_counters_decode(struct bytes value, struct id_counters *ret_counters)
{
    struct id_counters counters = {0};
    TRY(take_record(value, take_counters_field, &counters));
    *ret_counters = counters;
    return STATUS_ok;
}

void collection_statistics_encode(const struct collection_statistics *statistics,
                                  struct buffer *out)
{
    pack_map(out, 2);
    pack_text_literal(out, "documents");
    pack_u64(out, statistics->documents);
    pack_text_literal(out, "bytes");
    pack_u64(out, statistics->bytes);
}

static enum status take_statistics_field(struct cursor *cursor, struct bytes name, void *record)
{
    struct collection_statistics *statistics = record;
    if (is_named(name, "documents")) {
        return cursor_u64(cursor, &statistics->documents);
    }
    if (is_named(name, "bytes")) {
        return cursor_u64(cursor, &statistics->bytes);
    }
    return cursor_skip(cursor, NULL);
}

enum status collection_statistics_decode(struct bytes value,
                                         struct collection_statistics *ret_statistics)
{
    struct collection_statistics statistics = {0};
    TRY(take_record(value, take_statistics_field, &statistics));
    *ret_statistics = statistics;
    return STATUS_ok;
}

void stored_document_encode(const struct stored_document *stored, struct buffer *out)
{
    uint64_t head[2] = {htole64(stored->version), htole64(stored->time_us)};
    memcpy(buffer_extend(out, STORED_HEAD_SIZE), head, STORED_HEAD_SIZE);
    buffer_append(out, stored->document);
}

enum status stored_document_decode(struct bytes value, struct stored_document *ret_stored)
{
    if (value.size < STORED_HEAD_SIZE) {
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
