/*
 * Documents are {"payload": text} under ids "k" and eight digits in the collection "bench". Keys
 * are drawn evenly. The payload is the same letter over and over, as large as asked for: what is
 * measured is the way of a request, not the disk's compression.
 *
 * Those of "bench_indexed" have a field "group", ten documents each, and an index of it. Updates
 * move a document to any group, so that both of its index entries are written; find prepares the
 * documents anew.
 */
#include "client/cli/workload.h"

#include "wire/pack.h"

#include <stdio.h>

#define COLLECTION "bench"
#define COLLECTION_INDEXED "bench_indexed"

enum { GROUP_SIZE = 10, TXN_DOCUMENTS = 5, ID_SIZE = 24 };

const char *workload_name(enum workload workload)
{
    static const char *const names[] = {
#define WORKLOAD_NAME(name, doc) #name,
        WORKLOAD_LIST(WORKLOAD_NAME)
#undef WORKLOAD_NAME
    };
    return names[workload];
}

bool workload_from_name(const char *name, enum workload *ret_workload)
{
    for (enum workload workload = WORKLOAD_write; workload <= WORKLOAD_echo; workload++) {
        if (strcmp(workload_name(workload), name) == 0) {
            *ret_workload = workload;
            return true;
        }
    }
    return false;
}

bool workload_needs_documents(enum workload workload)
{
    return workload != WORKLOAD_write && workload != WORKLOAD_echo;
}

bool workload_needs_index(enum workload workload)
{
    return workload == WORKLOAD_update || workload == WORKLOAD_find;
}

struct operation workload_index(void)
{
    static const uint8_t fields[] = "\x91\xa5group"; // ["group"]
    return (struct operation){.kind = OPERATION_create_index,
                              .collection = bytes_from_text(COLLECTION_INDEXED),
                              .index = bytes_from_text("by_group"),
                              .fields = bytes_of(fields, sizeof fields - 1)};
}

static void pack_document(const struct workload_options *options, uint64_t key, struct buffer *out)
{
    AUTO(buffer_release) struct buffer text = {0};
    bool has_group = workload_needs_index(options->workload);
    memset(buffer_extend(&text, options->size), 'x', options->size);
    pack_map(out, has_group ? 2 : 1);
    if (has_group) {
        pack_text_literal(out, "group");
        pack_u64(out, key / GROUP_SIZE);
    }
    pack_text_literal(out, "payload");
    pack_text(out, buffer_bytes(&text));
}

// Appends {"group": any, "updates": {"$inc": 1}}.
static void pack_patch(const struct workload_options *options, struct random *random,
                       struct buffer *out)
{
    pack_map(out, 2);
    pack_text_literal(out, "group");
    pack_u64(out, random_below(random, options->keys) / GROUP_SIZE);
    pack_text_literal(out, "updates");
    pack_map(out, 1);
    pack_text_literal(out, "$inc");
    pack_u64(out, 1);
}

// Appends {"group": any}.
static void pack_where(const struct workload_options *options, struct random *random,
                       struct buffer *out)
{
    pack_map(out, 1);
    pack_text_literal(out, "group");
    pack_u64(out, random_below(random, options->keys) / GROUP_SIZE);
}

static struct document_id make_id(uint64_t key, char room[ID_SIZE])
{
    snprintf(room, ID_SIZE, "k%08llu", (unsigned long long)key);
    return (struct document_id){.is_text = true, .text = bytes_from_text(room)};
}

// Appends a get or put of the document `key`.
static void pack_key(const struct workload_options *options, enum operation_kind kind, uint64_t key,
                     struct buffer *out)
{
    AUTO(buffer_release) struct buffer document = {0};
    char id[ID_SIZE];
    bool is_indexed = workload_needs_index(options->workload);
    struct operation operation = {
        .kind = kind,
        .collection = bytes_from_text(is_indexed ? COLLECTION_INDEXED : COLLECTION),
        .has_id = true,
        .id = make_id(key, id)};
    if (kind == OPERATION_put) {
        pack_document(options, key, &document);
        operation.document = buffer_bytes(&document);
    }
    operation_pack(&operation, out);
}

static void pack_update(const struct workload_options *options, struct random *random,
                        struct buffer *out)
{
    AUTO(buffer_release) struct buffer patch = {0};
    char id[ID_SIZE];
    struct operation operation = {.kind = OPERATION_update,
                                  .collection = bytes_from_text(COLLECTION_INDEXED),
                                  .has_id = true};
    operation.id = make_id(random_below(random, options->keys), id);
    pack_patch(options, random, &patch);
    operation.patch = buffer_bytes(&patch);
    pack_array(out, 1);
    operation_pack(&operation, out);
}

static void pack_find(const struct workload_options *options, struct random *random,
                      struct buffer *out)
{
    AUTO(buffer_release) struct buffer where = {0};
    struct operation operation = {.kind = OPERATION_find,
                                  .collection = bytes_from_text(COLLECTION_INDEXED),
                                  .limit = GROUP_SIZE};
    pack_where(options, random, &where);
    operation.where = buffer_bytes(&where);
    pack_array(out, 1);
    operation_pack(&operation, out);
}

static void pack_txn(const struct workload_options *options, struct random *random,
                     struct buffer *out)
{
    uint64_t keys[TXN_DOCUMENTS];
    pack_array(out, 2 * TXN_DOCUMENTS);
    for (size_t i = 0; i < TXN_DOCUMENTS; i++) {
        keys[i] = random_below(random, options->keys);
        pack_key(options, OPERATION_get, keys[i], out);
    }
    for (size_t i = 0; i < TXN_DOCUMENTS; i++) {
        pack_key(options, OPERATION_put, keys[i], out);
    }
}

void workload_next(const struct workload_options *options, struct random *random,
                   struct buffer *operations, bool *ret_is_read)
{
    enum workload workload = options->workload;
    buffer_clear(operations);
    *ret_is_read = workload == WORKLOAD_read || workload == WORKLOAD_find ||
                   (workload == WORKLOAD_mixed && random_below(random, 2) == 0);
    switch (workload) {
    case WORKLOAD_update: pack_update(options, random, operations); return;
    case WORKLOAD_txn: pack_txn(options, random, operations); return;
    case WORKLOAD_find: pack_find(options, random, operations); return;
    default: break;
    }
    pack_array(operations, 1);
    pack_key(options, *ret_is_read ? OPERATION_get : OPERATION_put,
             random_below(random, options->keys), operations);
}

void workload_prepare(const struct workload_options *options, uint64_t first, uint64_t count,
                      struct buffer *operations)
{
    buffer_clear(operations);
    pack_array(operations, (uint32_t)count);
    for (uint64_t key = first; key < first + count; key++) {
        pack_key(options, OPERATION_put, key, operations);
    }
}
