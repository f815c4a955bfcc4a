/*
 * Writing operations: every field in its place, every number in its shortest form, every document
 * in canonical form, every condition, patch and setting one that can be carried out.
 *
 *   operations_canonicalize --> rewrite_all --> operations_next, rewrite_maps,
 *                                               operation_check_meaning, operation_pack
 *
 * 1. A list is always written anew; what makes it cheap when nothing is to be done is that
 *    canonical documents are only checked and copied.
 * 2. Documents that have to be rewritten share one space for each field, for all operations.
 */
#include "wire/document/operation.h"

#include "base/assert.h"
#include "wire/document/document.h"
#include "wire/document/operation_fields.h"
#include "wire/document/patch.h"
#include "wire/document/predicate.h"
#include "wire/document/settings.h"
#include "wire/pack.h"

// Documents of one operation that had to be rewritten.
struct rewritten {
    struct buffer document;
    struct buffer patch;
    struct buffer where;
    struct buffer settings;
};

static void pack_name(struct buffer *out, enum field field)
{
    pack_text(out, operation_field_name(field));
}

static void pack_raw(struct buffer *out, enum field field, struct bytes value)
{
    if (value.size > 0) {
        pack_name(out, field);
        buffer_append(out, value);
    }
}

static void pack_word(struct buffer *out, enum field field, struct bytes word)
{
    if (word.size > 0) {
        pack_name(out, field);
        pack_text(out, word);
    }
}

static void pack_true(struct buffer *out, enum field field, bool value)
{
    if (value) {
        pack_name(out, field);
        pack_flag(out, true);
    }
}

static void pack_natural(struct buffer *out, enum field field, bool is_given, uint64_t number)
{
    if (is_given) {
        pack_name(out, field);
        pack_u64(out, number);
    }
}

// Every id and version in its shortest form; they have been checked when they were parsed.
static void pack_ids(struct buffer *out, struct bytes ids)
{
    if (ids.size == 0) {
        return;
    }
    struct cursor cursor = cursor_of(ids);
    uint32_t count = 0;
    bool is_sound = cursor_array(&cursor, &count) == STATUS_ok;
    pack_name(out, FIELD_ids);
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct document_id id = {0};
        uint64_t version = 0;
        is_sound = is_sound && operation_take_pair(&cursor, &id, &version) == STATUS_ok;
        pack_array(out, 2);
        document_id_pack(&id, out);
        pack_u64(out, version);
    }
    ASSERT(is_sound);
}

// Every path with its head in its shortest form.
static void pack_paths(struct buffer *out, struct bytes fields)
{
    if (fields.size == 0) {
        return;
    }
    struct cursor cursor = cursor_of(fields);
    uint32_t count = 0;
    bool is_sound = cursor_array(&cursor, &count) == STATUS_ok;
    pack_name(out, FIELD_fields);
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes path = {0};
        is_sound = is_sound && cursor_text(&cursor, &path) == STATUS_ok;
        pack_text(out, path);
    }
    ASSERT(is_sound);
}

static uint32_t count_find_fields(const struct operation *operation)
{
    return (operation->where.size > 0) + (uint32_t)(operation->index.size > 0) +
           (operation->order.size > 0) + (operation->limit > 0);
}

static void pack_find_fields(const struct operation *operation, struct buffer *out)
{
    pack_raw(out, FIELD_where, operation->where);
    pack_word(out, FIELD_index, operation->index);
    pack_word(out, FIELD_order, operation->order);
    pack_natural(out, FIELD_limit, operation->limit > 0, operation->limit);
}

static uint32_t count_fields(const struct operation *operation)
{
    uint32_t count = 1 + (uint32_t)(operation->collection.size > 0) + operation->has_id +
                     (operation->document.size > 0) + (operation->patch.size > 0) +
                     operation->upsert + operation->absent + operation->has_document_version +
                     (operation->ids.size > 0) + (operation->cursor.size > 0) + operation->explain +
                     (operation->settings.size > 0) + (operation->fields.size > 0) +
                     operation->unique;
    return count + (operation->has_find ? 2 : count_find_fields(operation));
}

static void pack_keyed_fields(const struct operation *operation, struct buffer *out)
{
    pack_word(out, FIELD_collection, operation->collection);
    if (operation->has_id) {
        pack_name(out, FIELD_id);
        document_id_pack(&operation->id, out);
    }
    pack_raw(out, FIELD_document, operation->document);
    pack_raw(out, FIELD_patch, operation->patch);
}

void operation_pack(const struct operation *operation, struct buffer *out)
{
    pack_map(out, count_fields(operation));
    pack_name(out, FIELD_op);
    pack_text_literal(out, operation_kind_name(operation->kind));
    pack_keyed_fields(operation, out);
    if (!operation->has_find) {
        pack_find_fields(operation, out);
    }
    pack_true(out, FIELD_upsert, operation->upsert);
    pack_true(out, FIELD_absent, operation->absent);
    pack_natural(out, FIELD_document_version, operation->has_document_version,
                 operation->document_version);
    pack_ids(out, operation->ids);
    if (operation->has_find) {
        pack_name(out, FIELD_find);
        pack_map(out, count_find_fields(operation));
        pack_find_fields(operation, out);
    }
    pack_natural(out, FIELD_digest, operation->has_find, operation->digest);
    pack_word(out, FIELD_cursor, operation->cursor);
    pack_true(out, FIELD_explain, operation->explain);
    pack_raw(out, FIELD_settings, operation->settings);
    pack_paths(out, operation->fields);
    pack_true(out, FIELD_unique, operation->unique);
}

static void rewritten_release(struct rewritten *rewritten)
{
    buffer_release(&rewritten->document);
    buffer_release(&rewritten->patch);
    buffer_release(&rewritten->where);
    buffer_release(&rewritten->settings);
}

// Makes `*value`, the map in `field`, canonical, in `space` if it wasn't.
static enum status rewrite(struct bytes *value, struct buffer *space, enum field field,
                           uint32_t number, struct operation_fault *fault)
{
    if (value->size == 0 || document_is_canonical(*value)) {
        return STATUS_ok;
    }
    const char *reason = "";
    buffer_clear(space);
    enum status status = document_canonicalize(*value, space, &reason);
    if (status != STATUS_ok) {
        return operation_fail(fault, number, status, "has a field \"%s\" that %s",
                              (const char *)operation_field_name(field).data, reason);
    }
    *value = buffer_bytes(space);
    return STATUS_ok;
}

static enum status rewrite_maps(struct operation *operation, struct rewritten *rewritten,
                                uint32_t number, struct operation_fault *fault)
{
    TRY(rewrite(&operation->document, &rewritten->document, FIELD_document, number, fault));
    TRY(rewrite(&operation->patch, &rewritten->patch, FIELD_patch, number, fault));
    TRY(rewrite(&operation->where, &rewritten->where, FIELD_where, number, fault));
    return rewrite(&operation->settings, &rewritten->settings, FIELD_settings, number, fault);
}

enum status operation_check_meaning(const struct operation *operation, uint32_t number,
                                    struct operation_fault *ret_fault)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    struct collection_settings settings;
    enum field field = FIELD_where;
    enum status status = STATUS_ok;
    if (operation->where.size > 0) {
        status = predicate_check(operation->where, sentence);
    }
    if (status == STATUS_ok && operation->patch.size > 0) {
        field = FIELD_patch;
        status = patch_check(operation->patch, sentence);
    }
    if (status == STATUS_ok && operation->settings.size > 0) {
        field = FIELD_settings;
        status = collection_settings_take(operation->settings, &settings, sentence);
    }
    if (status == STATUS_ok) {
        return STATUS_ok;
    }
    return operation_fail(ret_fault, number, status, "has a field \"%s\" that %s",
                          (const char *)operation_field_name(field).data, sentence);
}

static enum status rewrite_all(struct bytes blob, struct buffer *out, struct rewritten *rewritten,
                               struct operation_fault *fault)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, fault));
    pack_array(out, operations.count);
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, fault));
        TRY(rewrite_maps(&operation, rewritten, operations.taken, fault));
        TRY(operation_check_meaning(&operation, operations.taken, fault));
        operation_pack(&operation, out);
    }
    return STATUS_ok;
}

enum status operations_canonicalize(struct bytes blob, struct buffer *out,
                                    struct operation_fault *ret_fault)
{
    size_t size = out->size;
    AUTO(rewritten_release) struct rewritten rewritten = {0};
    enum status status = rewrite_all(blob, out, &rewritten, ret_fault);
    if (status == STATUS_ok && out->size - size > TRANSACTION_SIZE_MAX) {
        status = operation_fail(ret_fault, 0, STATUS_too_large, "is larger than %d bytes",
                                TRANSACTION_SIZE_MAX);
    }
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
    }
    return status;
}
