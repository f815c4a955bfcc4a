/*
 * Entries of indexes are made as writers of documents make them, with index_entry_key().
 */
#include "tests/unit/fixture_find.h"

#include "storage/state_memory.h"
#include "wire/document/document.h"
#include "wire/document/predicate.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

void shelf_init(struct shelf *shelf)
{
    *shelf = (struct shelf){.state = state_memory_new(), .overlay = overlay_new()};
    overlay_open(shelf->overlay);
    shelf->view = (struct view){.state = shelf->state, .overlay = shelf->overlay};
    shelf->record.id = 3;
    shelf->record.indexes = calloc(INDEX_COUNT_MAX, sizeof *shelf->record.indexes);
}

void shelf_release(struct shelf *shelf)
{
    cr_assert_eq(state_memory_open_count(shelf->state), 0, "a cursor was forgotten");
    overlay_destroy(&shelf->overlay);
    state_destroy(&shelf->state);
    free(shelf->record.indexes);
}

struct index_record *shelf_index(struct shelf *shelf, const char *name, const char *fields,
                                 bool is_unique)
{
    struct index_record *index = &shelf->record.indexes[shelf->record.index_count++];
    *index = (struct index_record){
        .id = (uint32_t)(10 + shelf->record.index_count),
        .name = bytes_from_text(name),
        .is_unique = is_unique,
        .state = INDEX_READY,
    };
    while (*fields != 0) {
        size_t size = strcspn(fields, ",");
        index->fields[index->field_count++] = bytes_of(fields, size);
        fields += fields[size] == ',' ? size + 1 : size;
    }
    return index;
}

static void change_entries(struct shelf *shelf, const struct document_id *id, struct bytes document,
                           bool is_added)
{
    AUTO(buffer_release) struct buffer id_key = {0};
    AUTO(buffer_release) struct buffer key = {0};
    document_id_append_key(id, &id_key);
    for (size_t i = 0; i < shelf->record.index_count; i++) {
        bool is_shared;
        buffer_clear(&key);
        cr_assert_eq(index_entry_key(&shelf->record.indexes[i], document, id, &key, &is_shared),
                     STATUS_ok);
        if (is_added) {
            overlay_put(shelf->overlay, buffer_bytes(&key), buffer_bytes(&id_key));
        } else {
            overlay_remove(shelf->overlay, buffer_bytes(&key));
        }
    }
}

// Takes the entries of the document that there is now away.
static void remove_entries(struct shelf *shelf, const struct document_id *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    struct stored_document stored;
    struct view newest = {.state = shelf->state, .overlay = shelf->overlay};
    cell_key_document(&key, shelf->record.id, id);
    if (view_get(&newest, buffer_bytes(&key), &value) == STATUS_ok) {
        cr_assert_eq(stored_document_decode(buffer_bytes(&value), &stored), STATUS_ok);
        change_entries(shelf, id, stored.document, false);
    }
}

static struct document_id id_of(const char *text)
{
    struct document_id id;
    cr_assert_eq(document_id_from_text(bytes_from_text(text), &id), STATUS_ok);
    return id;
}

void shelf_put(struct shelf *shelf, const char *id, const char *json)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct document_id document_id = id_of(id);
    canonical_from_json(json, &document);
    shelf_put_canonical(shelf, &document_id, buffer_bytes(&document));
}

void shelf_put_canonical(struct shelf *shelf, const struct document_id *id, struct bytes document)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    struct stored_document stored = {.document = document};
    stored.version = ++shelf->version;
    stored.time_us = 1000 * shelf->version;
    remove_entries(shelf, id);
    cell_key_document(&key, shelf->record.id, id);
    stored_document_encode(&stored, &value);
    overlay_put(shelf->overlay, buffer_bytes(&key), buffer_bytes(&value));
    change_entries(shelf, id, document, true);
}

void shelf_delete(struct shelf *shelf, const char *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    struct document_id document_id = id_of(id);
    remove_entries(shelf, &document_id);
    cell_key_document(&key, shelf->record.id, &document_id);
    overlay_remove(shelf->overlay, buffer_bytes(&key));
}

void shelf_settle(struct shelf *shelf)
{
    cr_assert_eq(state_write(shelf->state, overlay_open_batch(shelf->overlay)), STATUS_ok);
    overlay_clear(shelf->overlay);
    overlay_open(shelf->overlay);
}

void canonical_from_json(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    enum status status = json_to_msgpack(bytes_from_text(json), &raw, &fault);
    cr_assert_eq(status, STATUS_ok, "%s: %s", json, status == STATUS_ok ? "" : fault.sentence);
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), out, NULL), STATUS_ok, "%s", json);
}

static struct bytes text_or_none(const char *text)
{
    return text == NULL ? (struct bytes){0} : bytes_from_text(text);
}

static void set_where(const char *json, struct buffer *where)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    if (json != NULL) {
        canonical_from_json(json, where);
        enum status status = predicate_check(buffer_bytes(where), sentence);
        cr_assert_eq(status, STATUS_ok, "%s: %s", json, sentence);
    }
}

static void take_rows(struct find *find, struct shelf_found *found)
{
    struct find_row row;
    while (find_next(find, &row)) {
        buffer_append(&found->ids, bytes_from_text(found->count > 0 ? " " : ""));
        document_id_print(&row.id, &found->ids);
        found->count++;
        cr_assert(document_is_canonical(row.stored.document));
    }
    cr_assert_not(find_next(find, &row), "the end does not last");
    found->has_more = find_has_more(find, &found->position);
    found->status = find_destroy(&find, &found->statistics);
}

struct shelf_found shelf_find(struct shelf *shelf, const struct shelf_find *wanted)
{
    AUTO(buffer_release) struct buffer where = {0};
    set_where(wanted->where, &where);
    struct operation operation = {
        .kind = OPERATION_find,
        .where = buffer_bytes(&where),
        .order = text_or_none(wanted->order),
        .index = text_or_none(wanted->index),
    };
    struct find_request request = {
        .view = &shelf->view,
        .collection = &shelf->record,
        .operation = &operation,
        .rows_max = wanted->rows_max,
        .examined_max = wanted->examined_max == 0 ? UINT64_MAX : wanted->examined_max,
        .examined_size_max = wanted->examined_size_max == 0 ? UINT64_MAX
                                                            : wanted->examined_size_max,
        .after = wanted->after,
    };
    struct shelf_found found = {0};
    struct find *find;
    found.status = find_new(&request, &find, found.sentence);
    if (found.status == STATUS_ok) {
        take_rows(find, &found);
    }
    return found;
}

void shelf_found_release(struct shelf_found *found)
{
    buffer_release(&found->ids);
    buffer_release(&found->position);
}

void shelf_expect(struct shelf *shelf, const struct shelf_find *wanted, const char *ids)
{
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(shelf, wanted);
    cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
    cr_assert(bytes_equal(buffer_bytes(&found.ids), bytes_from_text(ids)), "%.*s is not %s",
              (int)found.ids.size, (const char *)found.ids.data, ids);
}
