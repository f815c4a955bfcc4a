/*
 * Documents are {"payload": text} under ids "k" and eight digits in the collection "bench". Keys
 * are drawn evenly. The payload is the same letter over and over, as large as asked for: what is
 * measured is the way of a request, not the disk's compression.
 */
#include "client/cli/workload.h"

#include "wire/document/operation.h"
#include "wire/pack.h"

#include <stdio.h>

#define COLLECTION "bench"

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
    return workload == WORKLOAD_read || workload == WORKLOAD_mixed || workload == WORKLOAD_txn;
}

static void pack_payload(uint64_t size, struct buffer *out)
{
    AUTO(buffer_release) struct buffer text = {0};
    memset(buffer_extend(&text, size), 'x', size);
    pack_map(out, 1);
    pack_text_literal(out, "payload");
    pack_text(out, buffer_bytes(&text));
}

// Appends a get or put of the document `key`.
static void pack_key(const struct workload_options *options, enum operation_kind kind, uint64_t key,
                     struct buffer *out)
{
    AUTO(buffer_release) struct buffer document = {0};
    char id[24];
    snprintf(id, sizeof id, "k%08llu", (unsigned long long)key);
    struct operation operation = {.kind = kind,
                                  .collection = bytes_from_text(COLLECTION),
                                  .has_id = true,
                                  .id = {.is_text = true, .text = bytes_from_text(id)}};
    if (kind == OPERATION_put) {
        pack_payload(options->size, &document);
        operation.document = buffer_bytes(&document);
    }
    operation_pack(&operation, out);
}

static void pack_pair(const struct workload_options *options, struct random *random,
                      struct buffer *out)
{
    uint64_t first = random_below(random, options->keys);
    uint64_t second = random_below(random, options->keys);
    pack_array(out, 4);
    pack_key(options, OPERATION_get, first, out);
    pack_key(options, OPERATION_get, second, out);
    pack_key(options, OPERATION_put, first, out);
    pack_key(options, OPERATION_put, second, out);
}

void workload_next(const struct workload_options *options, struct random *random,
                   struct buffer *operations, bool *ret_is_read)
{
    buffer_clear(operations);
    *ret_is_read = options->workload == WORKLOAD_read ||
                   (options->workload == WORKLOAD_mixed && random_below(random, 2) == 0);
    if (options->workload == WORKLOAD_txn) {
        pack_pair(options, random, operations);
        return;
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
