/*
 * Writes of one document are chained in the order in which they were added, so a get costs what was
 * written to its document, not what the transaction holds. They are read again from the operations
 * each time: those are kept anyway.
 *
 * What is checked here is checked again, and for good, by the primary. A write that can't be done
 * here can't be done there, as long as what was read is unchanged, and that is checked before.
 */
#include "client/own_writes.h"

#include "base/assert.h"
#include "wire/document/document.h"
#include "wire/document/patch.h"
#include "wire/document/predicate.h"
#include "wire/pack.h"

#include <stdio.h>
#include <stdlib.h>

void own_writes_release(struct own_writes *own)
{
    key_table_release(&own->keys);
    free(own->first);
    free(own->last);
    free(own->writes);
    *own = (struct own_writes){0};
}

// Whether an operation writes the document that it names.
static bool is_write(const struct operation *operation)
{
    switch (operation->kind) {
    case OPERATION_insert:
    case OPERATION_put:
    case OPERATION_update:
    case OPERATION_delete: return operation->has_id;
    default: return false;
    }
}

// Room for one more write and one more document, doubled whenever a power of two is reached.
static void reserve(struct own_writes *own)
{
    uint32_t keys = own->keys.count;
    if ((keys & (keys - 1)) == 0) {
        size_t room = keys == 0 ? 1 : 2 * (size_t)keys;
        own->first = reallocarray(own->first, room, sizeof *own->first);
        own->last = reallocarray(own->last, room, sizeof *own->last);
    }
    if ((own->count & (own->count - 1)) == 0) {
        size_t room = own->count == 0 ? 1 : 2 * (size_t)own->count;
        own->writes = reallocarray(own->writes, room, sizeof *own->writes);
    }
    ASSERT(own->first != NULL && own->last != NULL && own->writes != NULL);
}

static void add_write(struct own_writes *own, const struct operation *operation, size_t at)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_of_document(operation->collection, &operation->id, &key);
    reserve(own);
    uint32_t documents = own->keys.count;
    uint32_t document = key_table_add(&own->keys, buffer_bytes(&key));
    uint32_t write = own->count++;
    own->writes[write] = (struct own_write){.at = at, .next = KEY_NONE};
    if (document == documents) {
        own->first[document] = write;
    } else {
        own->writes[own->last[document]].next = write;
    }
    own->last[document] = write;
}

enum status own_writes_update(struct own_writes *own, struct bytes operations, uint32_t count,
                              struct operation_fault *ret_fault)
{
    own->operations = operations;
    if (own->taken == operations.size) {
        return STATUS_ok;
    }
    struct bytes rest = bytes_of(operations.data + own->taken, operations.size - own->taken);
    struct operations walk = {.cursor = cursor_of(rest), .count = count, .taken = own->taken_count};
    while (operations_have_next(&walk)) {
        size_t at = (size_t)(walk.cursor.next - operations.data);
        struct operation operation;
        TRY(operations_next(&walk, &operation, ret_fault));
        if (is_write(&operation)) {
            add_write(own, &operation, at);
        }
        own->taken = (size_t)(walk.cursor.next - operations.data);
        own->taken_count = walk.taken;
    }
    return STATUS_ok;
}

// The operation of a write; it was read before.
static void read_write(const struct own_writes *own, const struct own_write *write,
                       struct operation *ret_operation)
{
    struct cursor cursor = cursor_of(
        bytes_of(own->operations.data + write->at, own->operations.size - write->at));
    struct bytes raw = {0};
    struct operation_fault fault;
    enum status status = cursor_skip(&cursor, &raw);
    ASSERT(status == STATUS_ok);
    struct operations walk = {.cursor = cursor_of(raw), .count = 1};
    status = operations_next(&walk, ret_operation, &fault);
    ASSERT(status == STATUS_ok);
}

enum own_kind own_writes_kind(const struct own_writes *own, struct bytes key)
{
    uint32_t document = key_table_find(&own->keys, key);
    if (document == KEY_NONE) {
        return OWN_nothing;
    }
    struct operation first;
    read_write(own, &own->writes[own->first[document]], &first);
    bool is_whole = first.kind == OPERATION_put || first.kind == OPERATION_insert;
    return is_whole ? OWN_whole : OWN_change;
}

// A document on its way through its writes.
struct change {
    const struct operation *operation; // the write at hand
    uint64_t time_us;                  // stands for the time of the transaction
    struct buffer *document;           // so far; of no bytes if there is none
    char *sentence;                    // of ERROR_MESSAGE_SIZE_MAX bytes
};

static enum status fail(const struct change *change, enum status status, const char *reason)
{
    int begin = snprintf(change->sentence, ERROR_MESSAGE_SIZE_MAX,
                         "a %s of the transaction itself ",
                         operation_kind_name(change->operation->kind));
    size_t room = ERROR_MESSAGE_SIZE_MAX - (size_t)begin;
    snprintf(change->sentence + begin, room, "%.*s", (int)room - 1, reason);
    return status;
}

// Fails with a sentence's end that may stand in change->sentence already.
static enum status fail_with(const struct change *change, enum status status,
                             const char end[ERROR_MESSAGE_SIZE_MAX])
{
    char copy[ERROR_MESSAGE_SIZE_MAX];
    snprintf(copy, sizeof copy, "%s", end);
    return fail(change, status, copy);
}

// Appends the canonical form of a map of the operation.
static enum status canonicalize(const struct change *change, struct bytes map, struct buffer *out)
{
    const char *reason = "";
    enum status status = document_canonicalize(map, out, &reason);
    return status == STATUS_ok ? status : fail(change, status, reason);
}

static enum status set_document(const struct change *change)
{
    buffer_clear(change->document);
    return canonicalize(change, change->operation->document, change->document);
}

// Whether the condition of the operation, if it has one, holds.
static enum status check_where(const struct change *change)
{
    if (change->operation->where.size == 0) {
        return STATUS_ok;
    }
    AUTO(buffer_release) struct buffer where = {0};
    char end[ERROR_MESSAGE_SIZE_MAX];
    TRY(canonicalize(change, change->operation->where, &where));
    enum status status = predicate_check(buffer_bytes(&where), end);
    if (status != STATUS_ok) {
        return fail_with(change, status, end);
    }
    bool holds = predicate_holds(buffer_bytes(&where), buffer_bytes(change->document));
    return holds ? STATUS_ok : fail(change, STATUS_refused, "has a condition that does not hold");
}

static enum status patch_document(const struct change *change)
{
    AUTO(buffer_release) struct buffer patch = {0};
    AUTO(buffer_release) struct buffer patched = {0};
    char end[ERROR_MESSAGE_SIZE_MAX];
    TRY(canonicalize(change, change->operation->patch, &patch));
    enum status status = patch_check(buffer_bytes(&patch), end);
    if (status == STATUS_ok) {
        status = patch_apply(buffer_bytes(&patch), buffer_bytes(change->document), change->time_us,
                             &patched, end);
    }
    if (status != STATUS_ok) {
        return fail_with(change, status, end);
    }
    buffer_clear(change->document);
    buffer_append(change->document, buffer_bytes(&patched));
    return STATUS_ok;
}

static enum status update(const struct change *change)
{
    if (change->document->size == 0) {
        if (!change->operation->upsert) {
            return fail(change, STATUS_absent, "finds no such document");
        }
        pack_map(change->document, 0);
        return patch_document(change);
    }
    TRY(check_where(change));
    return patch_document(change);
}

static enum status do_write(const struct change *change)
{
    bool is_there = change->document->size > 0;
    switch (change->operation->kind) {
    case OPERATION_put: return set_document(change);
    case OPERATION_insert:
        return is_there ? fail(change, STATUS_exists, "finds that the document exists")
                        : set_document(change);
    case OPERATION_update: return update(change);
    default: break;
    }
    if (!is_there) {
        return fail(change, STATUS_absent, "finds no such document");
    }
    TRY(check_where(change));
    buffer_clear(change->document);
    return STATUS_ok;
}

enum status own_writes_apply(const struct own_writes *own, struct bytes key, uint64_t time_us,
                             struct buffer *document, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    uint32_t number = key_table_find(&own->keys, key);
    uint32_t write = number == KEY_NONE ? KEY_NONE : own->first[number];
    while (write != KEY_NONE) {
        struct operation operation;
        read_write(own, &own->writes[write], &operation);
        struct change change = {.operation = &operation, .time_us = time_us, .document = document};
        change.sentence = ret_sentence;
        TRY(do_write(&change));
        write = own->writes[write].next;
    }
    return STATUS_ok;
}
