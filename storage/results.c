/*
 * Result maps; their fields are in the header. Documents are appended as they are stored.
 *
 * A list is packed while it is being found out how long it gets: the head of its array has room for
 * any count and is set at the end, as is the head of a map that gets a further field. Room is
 * checked before anything is appended, so that a result is whole or can still be ended.
 */
#include "storage/results.h"

#include "base/assert.h"
#include "wire/pack.h"

#include <endian.h>

enum {
    RESULT_SIZE_MAX = 128,  // of a result without its document, and of the array around all
    ROW_SIZE_MAX = 64,      // of a document's row without the document and its id
    END_SIZE_MAX = 5 * KIB, // of what comes behind the rows of a find: statistics and cursor
    ARRAY_HEAD_SIZE = 5,
    ARRAY_32 = 0xdd,  // msgpack: an array whose count takes four bytes
    MAP_SMALL = 0x80, // msgpack: a map whose count is in the same byte
    MAP_SMALL_MASK = 0xf0,
};

bool results_have_room(const struct buffer *results, size_t document_size)
{
    return results->size + document_size + RESULT_SIZE_MAX <= RESULTS_SIZE_MAX;
}

static void pack_absent(struct buffer *results)
{
    static const char *const FIELDS[] = {"document", "document_version", "time"};
    for (size_t i = 0; i < 3; i++) {
        pack_text_literal(results, FIELDS[i]);
        pack_nil(results);
    }
}

static void pack_stored(struct buffer *results, const struct stored_document *stored)
{
    pack_text_literal(results, "document");
    if (stored->document.size > 0) {
        buffer_append(results, stored->document);
    } else {
        pack_nil(results);
    }
    pack_text_literal(results, "document_version");
    pack_u64(results, stored->version);
    pack_text_literal(results, "time");
    pack_u64(results, stored->time_us);
}

void results_pack_get(struct buffer *results, const struct stored_document *stored)
{
    pack_map(results, 3);
    if (stored == NULL) {
        pack_absent(results);
        return;
    }
    pack_stored(results, stored);
}

void results_pack_insert(struct buffer *results, const struct document_id *id)
{
    pack_map(results, 1);
    pack_text_literal(results, "id");
    document_id_pack(id, results);
}

void results_pack_empty(struct buffer *results)
{
    pack_map(results, 0);
}

// Begins a map of `pairs` fields, the first of which is a list.
static void begin_list(struct buffer *results, struct results_list *ret_list, const char *name,
                       uint32_t pairs)
{
    ret_list->map_at = results->size;
    pack_map(results, pairs);
    pack_text_literal(results, name);
    ret_list->array_at = results->size;
    ret_list->count = 0;
    buffer_extend(results, ARRAY_HEAD_SIZE);
}

static void end_list(struct buffer *results, const struct results_list *list)
{
    uint32_t count = htobe32(list->count);
    results->data[list->array_at] = ARRAY_32;
    memcpy(results->data + list->array_at + 1, &count, sizeof count);
}

void results_find_begin(struct buffer *results, struct results_list *ret_list)
{
    begin_list(results, ret_list, "documents", 2);
}

bool results_find_row(struct buffer *results, struct results_list *list, const struct find_row *row)
{
    size_t size = ROW_SIZE_MAX + row->stored.document.size + row->id.text.size;
    if (results->size + size + END_SIZE_MAX > RESULTS_SIZE_MAX) {
        return false;
    }
    buffer_reserve(results, size);
    pack_map(results, 4);
    pack_text_literal(results, "id");
    document_id_pack(&row->id, results);
    pack_stored(results, &row->stored);
    list->count++;
    return true;
}

static void pack_statistics(struct buffer *results, const struct find_statistics *statistics)
{
    pack_text_literal(results, "stats");
    pack_map(results, 3);
    pack_text_literal(results, "index");
    if (statistics->index == NULL) {
        pack_nil(results);
    } else {
        pack_text(results, statistics->index->name);
    }
    pack_text_literal(results, "examined");
    pack_u64(results, statistics->examined);
    pack_text_literal(results, "sorted");
    pack_flag(results, statistics->is_sorted);
}

void results_find_end(struct buffer *results, const struct results_list *list,
                      const struct find_statistics *statistics)
{
    end_list(results, list);
    pack_statistics(results, statistics);
}

// The map, which is small, gets a field more.
static void add_field(struct buffer *results, const struct results_list *list, const char *name)
{
    uint8_t *head = &results->data[list->map_at];
    ASSERT((*head & MAP_SMALL_MASK) == MAP_SMALL);
    (*head)++;
    pack_text_literal(results, name);
}

void results_find_cursor(struct buffer *results, const struct results_list *list,
                         struct bytes cursor)
{
    add_field(results, list, "cursor");
    if (cursor.size == 0) {
        pack_nil(results);
    } else {
        pack_text(results, cursor);
    }
}

void results_find_more(struct buffer *results, const struct results_list *list)
{
    add_field(results, list, "more");
    pack_flag(results, true);
}

void results_pack_count(struct buffer *results, uint64_t count,
                        const struct find_statistics *statistics)
{
    pack_map(results, 2);
    pack_text_literal(results, "count");
    pack_u64(results, count);
    pack_statistics(results, statistics);
}

void results_history_begin(struct buffer *results, struct results_list *ret_list)
{
    begin_list(results, ret_list, "versions", 2);
}

bool results_history_version(struct buffer *results, struct results_list *list,
                             const struct stored_document *stored)
{
    if (!results_have_room(results, stored->document.size)) {
        return false;
    }
    pack_map(results, 3);
    pack_stored(results, stored);
    list->count++;
    return true;
}

void results_history_end(struct buffer *results, const struct results_list *list, bool is_complete)
{
    end_list(results, list);
    pack_text_literal(results, "complete");
    pack_flag(results, is_complete);
}

void results_collections_begin(struct buffer *results, struct results_list *ret_list)
{
    begin_list(results, ret_list, "collections", 1);
}

// As create_collection takes them (wire/document/operation.h).
static void pack_settings(struct buffer *results, const struct collection_record *record)
{
    bool has_ttl = record->ttl_s > 0 || record->ttl_field.size > 0;
    bool has_history = record->history_s > 0;
    bool has_check = record->check.size > 0;
    pack_text_literal(results, "settings");
    pack_map(results, (uint32_t)has_check + (uint32_t)has_history + (uint32_t)has_ttl);
    if (has_check) {
        pack_text_literal(results, "check");
        buffer_append(results, record->check);
    }
    if (has_history) {
        pack_text_literal(results, "history");
        pack_u64(results, record->history_s);
    }
    if (has_ttl) {
        pack_text_literal(results, "ttl");
        if (record->ttl_field.size > 0) {
            pack_text(results, record->ttl_field);
        } else {
            pack_u64(results, record->ttl_s);
        }
    }
}

static const char *state_name(enum index_state state)
{
    switch (state) {
    case INDEX_BUILDING: return "building";
    case INDEX_READY: return "ready";
    case INDEX_FAILED: return "failed";
    }
    UNREACHABLE();
}

static void pack_index(struct buffer *results, const struct index_record *index, uint64_t done)
{
    pack_map(results, 5);
    pack_text_literal(results, "name");
    pack_text(results, index->name);
    pack_text_literal(results, "fields");
    pack_array(results, (uint32_t)index->field_count);
    for (size_t i = 0; i < index->field_count; i++) {
        pack_text(results, index->fields[i]);
    }
    pack_text_literal(results, "unique");
    pack_flag(results, index->is_unique);
    pack_text_literal(results, "state");
    pack_text_literal(results, state_name(index->state));
    pack_text_literal(results, "done");
    pack_u64(results, done);
}

bool results_collection(struct buffer *results, struct results_list *list,
                        const struct results_collection *collection)
{
    const struct collection_record *record = collection->record;
    size_t begin = results->size;
    pack_map(results, 5);
    pack_text_literal(results, "name");
    pack_text(results, collection->name);
    pack_text_literal(results, "documents");
    pack_u64(results, collection->statistics.documents);
    pack_text_literal(results, "bytes");
    pack_u64(results, collection->statistics.bytes);
    pack_settings(results, record);
    pack_text_literal(results, "indexes");
    pack_array(results, (uint32_t)record->index_count);
    for (size_t i = 0; i < record->index_count; i++) {
        pack_index(results, &record->indexes[i], collection->done[i]);
    }
    if (!results_have_room(results, 0)) {
        buffer_truncate(results, begin);
        return false;
    }
    list->count++;
    return true;
}

void results_collections_end(struct buffer *results, const struct results_list *list)
{
    end_list(results, list);
}
