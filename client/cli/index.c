/*
 * `skein index`: create makes an index of a collection (and the collection, if need be) and returns
 * when it serves; drop takes one away. Both are online: reads and writes go on meanwhile.
 */
#include "client/cli/commands.h"

#include "client/cli/index_build.h"
#include "client/cli/input.h"
#include "wire/pack.h"

static void print_done(struct call *call, const struct operation *operation,
                       const struct client_completion *completion)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 4);
    pack_text_literal(&out, "collection");
    pack_text(&out, operation->collection);
    pack_text_literal(&out, "index");
    pack_text(&out, operation->index);
    pack_text_literal(&out, "version");
    pack_u64(&out, completion->version);
    pack_text_literal(&out, "time");
    pack_u64(&out, completion->time_us);
    output_value(&call->output, buffer_bytes(&out));
}

// Appends "a,b.c" as an array of texts.
static void pack_fields(struct bytes text, struct buffer *out)
{
    uint32_t commas = 0;
    for (size_t i = 0; i < text.size; i++) {
        commas += text.data[i] == ',';
    }
    pack_array(out, commas + 1);
    size_t start = 0;
    for (size_t end = 0; end <= text.size; end++) {
        if (end == text.size || text.data[end] == ',') {
            pack_text(out, bytes_of(text.data + start, end - start));
            start = end + 1;
        }
    }
}

static enum status create(struct call *call, struct client_loop *loop, struct operation *operation)
{
    AUTO(buffer_release) struct buffer fields = {0};
    AUTO(answer_release) struct answer answer = {0};
    pack_fields(bytes_from_text(call->arguments.operands[3]), &fields);
    operation->kind = OPERATION_create_index;
    operation->fields = buffer_bytes(&fields);
    operation->unique = arguments_has(&call->arguments, "unique");
    TRY(index_create(call, loop, operation, &answer));
    print_done(call, operation, &answer.completion);
    return STATUS_ok;
}

static enum status drop(struct call *call, struct client_loop *loop, struct operation *operation)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(answer_release) struct answer answer = {0};
    operation->kind = OPERATION_drop_index;
    pack_array(&operations, 1);
    operation_pack(operation, &operations);
    TRY(connection_transact(call, loop, buffer_bytes(&operations), &answer));
    print_done(call, operation, &answer.completion);
    return STATUS_ok;
}

enum status run_index(struct call *call)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    struct operation operation = {0};
    const char *const *operands = call->arguments.operands;
    size_t count = call->arguments.operand_count;
    bool is_create = strcmp(operands[0], "create") == 0 && count == 4;
    bool is_drop = strcmp(operands[0], "drop") == 0 && count == 3;
    if (!is_create && !is_drop) {
        return failure_set(&call->failure, STATUS_bad_request, "usage: skein %s %s",
                           call->command->name, call->command->synopsis);
    }
    TRY(input_collection(call, operands[1], &operation.collection));
    operation.index = bytes_from_text(operands[2]);
    TRY(connection_open(call, &loop));
    return is_create ? create(call, loop, &operation) : drop(call, loop, &operation);
}
