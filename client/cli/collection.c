/*
 * `skein collection`: create makes one with settings of its own, list shows all of them, drop takes
 * one away with its documents and indexes.
 *
 *     {"ttl": 3600, "history": 86400, "check": [{"stock": {"$gte": 0}}],
 *      "indexes": [{"name": "by_name", "fields": ["name"], "unique": true}]}
 *
 * The settings go to the servers as they are, but for the indexes: each is a transaction of its own
 * behind that of the collection, as with `skein index create`. Names and fields are those that list
 * shows, so what it shows can be given to another cluster.
 */
#include "client/cli/commands.h"

#include "client/cli/index_build.h"
#include "client/cli/input.h"
#include "client/cli/read_one.h"
#include "client/cli/value.h"
#include "wire/pack.h"

// What the third word of a create says.
struct settings {
    struct buffer all;    // the JSON as msgpack
    struct buffer plain;  // map of all but the indexes; empty for none
    struct bytes indexes; // array of maps, borrowed from `all`; empty for none
};

static void settings_release(struct settings *settings)
{
    buffer_release(&settings->all);
    buffer_release(&settings->plain);
}

static void print_done(struct call *call, const struct operation *operation,
                       const struct client_completion *completion)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 3);
    pack_text_literal(&out, "collection");
    pack_text(&out, operation->collection);
    pack_text_literal(&out, "version");
    pack_u64(&out, completion->version);
    pack_text_literal(&out, "time");
    pack_u64(&out, completion->time_us);
    output_value(&call->output, buffer_bytes(&out));
}

// Sorts the settings; what is no map is left for the servers to refuse.
static void sort_settings(struct settings *settings)
{
    struct cursor cursor = cursor_of(buffer_bytes(&settings->all));
    uint32_t pairs;
    if (!value_field(buffer_bytes(&settings->all), "indexes", &settings->indexes) ||
        cursor_map(&cursor, &pairs) != STATUS_ok) {
        buffer_append(&settings->plain, buffer_bytes(&settings->all));
        return;
    }
    pack_map(&settings->plain, pairs - 1);
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name, value;
        if (cursor_text(&cursor, &name) == STATUS_ok && cursor_skip(&cursor, &value) == STATUS_ok &&
            !bytes_equal(name, bytes_from_text("indexes"))) {
            pack_text(&settings->plain, name);
            buffer_append(&settings->plain, value);
        }
    }
}

static enum status read_settings(struct call *call, struct settings *settings)
{
    struct cursor cursor;
    uint32_t count;
    if (call->arguments.operand_count < 3) {
        return STATUS_ok;
    }
    TRY(input_json(call, call->arguments.operands[2], &settings->all));
    sort_settings(settings);
    cursor = cursor_of(settings->indexes);
    if (settings->indexes.size > 0 && cursor_array(&cursor, &count) != STATUS_ok) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "\"indexes\" is an array of {\"name\", \"fields\", \"unique\"?}");
    }
    return STATUS_ok;
}

// Reads {"name", "fields", "unique"?}; further fields, which list shows, are none of ours.
static enum status read_index(struct call *call, struct bytes map, struct operation *index)
{
    struct bytes unique;
    index->kind = OPERATION_create_index;
    index->index = value_text(map, "name");
    index->unique = false;
    if (value_field(map, "unique", &unique)) {
        struct cursor cursor = cursor_of(unique);
        if (cursor_flag(&cursor, &index->unique) != STATUS_ok) {
            return failure_set(&call->failure, STATUS_bad_request,
                               "\"unique\" of an index is true or false");
        }
    }
    if (index->index.size == 0 || !value_field(map, "fields", &index->fields)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "an index is {\"name\", \"fields\", \"unique\"?}");
    }
    return STATUS_ok;
}

// Goes through the indexes: checks them, or with a loop makes them.
static enum status take_indexes(struct call *call, struct client_loop *loop,
                                const struct operation *collection, struct bytes indexes)
{
    struct operation operation = {.collection = collection->collection};
    struct cursor cursor = cursor_of(indexes);
    uint32_t count = 0;
    if (indexes.size > 0) {
        TRY(cursor_array(&cursor, &count));
    }
    for (uint32_t i = 0; i < count; i++) {
        AUTO(answer_release) struct answer answer = {0};
        struct bytes map;
        TRY(cursor_skip(&cursor, &map));
        TRY(read_index(call, map, &operation));
        if (loop != NULL) {
            TRY(index_create(call, loop, &operation, &answer));
        }
    }
    return STATUS_ok;
}

static enum status transact(struct call *call, struct client_loop *loop,
                            const struct operation *operation)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(answer_release) struct answer answer = {0};
    pack_array(&operations, 1);
    operation_pack(operation, &operations);
    TRY(connection_transact(call, loop, buffer_bytes(&operations), &answer));
    print_done(call, operation, &answer.completion);
    return STATUS_ok;
}

static enum status create(struct call *call)
{
    struct operation operation = {.kind = OPERATION_create_collection};
    AUTO(settings_release) struct settings settings = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(input_collection(call, call->arguments.operands[1], &operation.collection));
    TRY(read_settings(call, &settings));
    TRY(take_indexes(call, NULL, &operation, settings.indexes));
    operation.settings = buffer_bytes(&settings.plain);
    TRY(connection_open(call, &loop));
    TRY(transact(call, loop, &operation));
    return take_indexes(call, loop, &operation, settings.indexes);
}

static enum status list(struct call *call)
{
    const struct operation operation = {.kind = OPERATION_collections};
    AUTO(answer_release) struct answer answer = {0};
    struct bytes collections;
    TRY(read_one(call, &operation, &answer));
    TRY(read_one_field(call, &answer, "collections", &collections));
    output_rows(&call->output, collections);
    return STATUS_ok;
}

static enum status drop(struct call *call)
{
    struct operation operation = {.kind = OPERATION_drop_collection};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(input_collection(call, call->arguments.operands[1], &operation.collection));
    TRY(connection_open(call, &loop));
    return transact(call, loop, &operation);
}

enum status run_collection(struct call *call)
{
    const char *what = call->arguments.operands[0];
    size_t count = call->arguments.operand_count;
    if (strcmp(what, "create") == 0 && (count == 2 || count == 3)) {
        return create(call);
    }
    if (strcmp(what, "list") == 0 && count == 1) {
        return list(call);
    }
    if (strcmp(what, "drop") == 0 && count == 2) {
        return drop(call);
    }
    return failure_set(&call->failure, STATUS_bad_request, "usage: skein %s %s",
                       call->command->name, call->command->synopsis);
}
