/*
 * Collections and indexes. Each change is a transaction of its own. An index is built by the
 * cluster bit by bit, so whoever wants to see it serve looks again and again how far it is: at
 * first often, since most indexes are built at once, then less and less often. Giving up changes
 * nothing about the index.
 */
#include "client/skein_internal.h"

#include "wire/cursor.h"
#include "wire/pack.h"

#include <time.h>

enum {
    LOOK_MS_MIN = 5, // an index is looked at after so long, then twice as long
    LOOK_MS_MAX = 200,
};

// Runs one operation as a transaction.
static enum skein_status run_one(struct skein *skein, struct skein_call *call,
                                 struct operation *operation, const char *collection)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    transaction_add(transaction, operation, collection, NULL);
    return skein_commit(skein, call, transaction, NULL);
}

enum skein_status skein_create_collection(struct skein *skein, struct skein_call *call,
                                          const char *name, struct skein_bytes settings)
{
    AUTO(skein_transaction_destroy)
    struct skein_transaction *transaction = skein_transaction_new();
    struct operation operation = {.kind = OPERATION_create_collection};
    if (settings.size > 0) {
        operation.settings = transaction_take_map(transaction, settings,
                                                  "settings must be one msgpack map");
    }
    transaction_add(transaction, &operation, name, NULL);
    return skein_commit(skein, call, transaction, NULL);
}

enum skein_status skein_drop_collection(struct skein *skein, struct skein_call *call,
                                        const char *name)
{
    struct operation operation = {.kind = OPERATION_drop_collection};
    return run_one(skein, call, &operation, name);
}

enum skein_status skein_drop_index(struct skein *skein, struct skein_call *call,
                                   const char *collection, const char *name)
{
    struct operation operation = {.kind = OPERATION_drop_index, .index = bytes_from_text(name)};
    return run_one(skein, call, &operation, collection);
}

/*
 * What is known about collections.
 */

// Takes the array out of [{"collections": [...]}].
static enum status find_collections(struct bytes results, struct bytes *ret_collections)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    struct bytes name;
    TRY(cursor_array(&cursor, &count));
    TRY(cursor_map(&cursor, &count));
    TRY(cursor_text(&cursor, &name));
    if (!bytes_equal(name, bytes_from_text("collections"))) {
        return STATUS_bad_request;
    }
    return cursor_skip(&cursor, ret_collections);
}

enum skein_status skein_collections(struct skein *skein, struct skein_call *call,
                                    struct skein_results *ret_results)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer results = {0};
    struct operation operation = {.kind = OPERATION_collections};
    call_begin(call);
    *ret_results = (struct skein_results){0};
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    struct client_read ask = call_read(skein, call, buffer_bytes(&operations));
    if (call_run_read(skein, call, &ask, &results) != SKEIN_ok) {
        return call->error.status;
    }
    struct bytes collections;
    if (find_collections(buffer_bytes(&results), &collections) != STATUS_ok) {
        error_set(&call->error, SKEIN_internal, "the answer can't be understood");
        return call->error.status;
    }
    struct buffer copy = {0};
    buffer_append(&copy, collections);
    *ret_results = (struct skein_results){.data = copy.data, .size = copy.size};
    return SKEIN_ok;
}

// Finds a field of a map; of no bytes if it isn't there.
static struct bytes field_of(struct bytes map, const char *wanted)
{
    struct cursor cursor = cursor_of(map);
    uint32_t pairs = 0;
    enum status status = cursor_map(&cursor, &pairs);
    for (uint32_t i = 0; i < pairs && status == STATUS_ok; i++) {
        struct bytes name;
        struct bytes value = {0};
        status = cursor_text(&cursor, &name);
        if (status == STATUS_ok) {
            status = cursor_skip(&cursor, &value);
        }
        if (status == STATUS_ok && bytes_equal(name, bytes_from_text(wanted))) {
            return value;
        }
    }
    return bytes_of(NULL, 0);
}

// Whether the field `name` of a map is this text.
static bool field_is(struct bytes map, const char *name, const char *text)
{
    struct cursor cursor = cursor_of(field_of(map, name));
    struct bytes value;
    return cursor_text(&cursor, &value) == STATUS_ok && bytes_equal(value, bytes_from_text(text));
}

// Finds the map of an array that has this name; of no bytes if there is none.
static struct bytes element_named(struct bytes array, const char *name)
{
    struct cursor cursor = cursor_of(array);
    uint32_t count = 0;
    enum status status = cursor_array(&cursor, &count);
    for (uint32_t i = 0; i < count && status == STATUS_ok; i++) {
        struct bytes element = {0};
        status = cursor_skip(&cursor, &element);
        if (status == STATUS_ok && field_is(element, "name", name)) {
            return element;
        }
    }
    return bytes_of(NULL, 0);
}

/*
 * Indexes.
 */

// Packs a text that is cut at its commas as an array.
static void pack_fields(const char *fields, struct buffer *out)
{
    uint32_t count = 1;
    for (const char *at = fields; *at != '\0'; at++) {
        count += *at == ',';
    }
    pack_array(out, count);
    for (const char *rest = fields; rest != NULL;) {
        size_t size = strcspn(rest, ",");
        pack_text(out, bytes_of(rest, size));
        rest = rest[size] == ',' ? rest + size + 1 : NULL;
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Looks at the index once. True if the call has its end: it serves, failed, or can't be looked at.
static bool look(struct skein *skein, struct skein_call *call, const struct skein_index *index)
{
    AUTO(skein_results_release) struct skein_results results = {0};
    if (skein_collections(skein, call, &results) != SKEIN_ok) {
        return true;
    }
    struct bytes collections = bytes_of(results.data, results.size);
    struct bytes collection = element_named(collections, index->collection);
    struct bytes record = element_named(field_of(collection, "indexes"), index->name);
    if (record.size == 0) {
        error_set(&call->error, SKEIN_absent, "the index was dropped meanwhile");
    } else if (field_is(record, "state", "failed")) {
        error_set(&call->error, SKEIN_unique,
                  "two documents have the same values, so the unique index can't be built; drop "
                  "it, mend the documents, and create it anew");
    }
    return call->error.status != SKEIN_ok || !field_is(record, "state", "building");
}

// Waits until the index serves or failed, as long as there is time.
static enum skein_status await_index(struct skein *skein, struct skein_call *call,
                                     const struct skein_index *index, uint64_t end_ms)
{
    uint32_t pause_ms = LOOK_MS_MIN;
    struct skein_call looking = *call;
    looking.level = SKEIN_linearizable;
    looking.session = NULL;
    for (;;) {
        uint64_t time_ms = now_ms();
        looking.timeout_ms = time_ms < end_ms ? (uint32_t)(end_ms - time_ms) : 1;
        if (look(skein, &looking, index)) {
            break;
        }
        if (now_ms() + pause_ms >= end_ms) {
            error_set(&looking.error, SKEIN_deadline,
                      "the time was over before the index was built; the cluster goes on with it");
            break;
        }
        struct timespec pause = {.tv_nsec = (long)pause_ms * 1000000};
        nanosleep(&pause, NULL);
        pause_ms = 2 * pause_ms < LOOK_MS_MAX ? 2 * pause_ms : LOOK_MS_MAX;
    }
    call->error = looking.error;
    return call->error.status;
}

enum skein_status skein_create_index(struct skein *skein, struct skein_call *call,
                                     const struct skein_index *index)
{
    AUTO(buffer_release) struct buffer fields = {0};
    uint64_t end_ms = now_ms() + call_timeout_ms(skein, call);
    pack_fields(index->fields, &fields);
    struct operation operation = {.kind = OPERATION_create_index,
                                  .index = bytes_from_text(index->name),
                                  .fields = buffer_bytes(&fields),
                                  .unique = index->unique};
    enum skein_status status = run_one(skein, call, &operation, index->collection);
    return status == SKEIN_ok ? await_index(skein, call, index, end_ms) : status;
}
