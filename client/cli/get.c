/*
 * `skein get`: one document, at the consistency asked for. An absent document is no result but an
 * error, so that a script sees it by the exit code.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "wire/pack.h"

static enum status read_options(struct call *call, struct client_read *ask)
{
    const struct arguments *arguments = &call->arguments;
    const char *level = arguments_text(arguments, "level");
    ask->level = arguments_has(arguments, "at-version") ? READ_snapshot : READ_linearizable;
    if (level != NULL && !read_level_from_name(bytes_from_text(level), &ask->level)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "--level is linearizable, session, snapshot or any");
    }
    TRY(arguments_number(arguments, &(struct number_option){"after-version", 0, INT64_MAX},
                         &ask->after_version, &call->failure));
    TRY(arguments_number(arguments, &(struct number_option){"at-version", 0, INT64_MAX},
                         &ask->at_version, &call->failure));
    ask->timeout_ms = call->timeout_ms;
    return STATUS_ok;
}

// The result map of the one get; its document may be null.
static enum status take_result(const struct client_completion *completion,
                               struct bytes *ret_document, struct bytes *ret_rest)
{
    struct cursor cursor = cursor_of(completion->results);
    uint32_t count, pairs;
    struct bytes name;
    TRY(cursor_array(&cursor, &count));
    TRY(cursor_map(&cursor, &pairs));
    TRY(cursor_text(&cursor, &name));
    TRY(cursor_skip(&cursor, ret_document));
    *ret_rest = cursor_rest(&cursor);
    bool is_result = count == 1 && pairs == 3 && bytes_equal(name, bytes_from_text("document"));
    return is_result ? STATUS_ok : STATUS_internal;
}

static enum status print_result(struct call *call, const struct document_id *id,
                                const struct client_completion *completion)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct bytes document, rest;
    enum value_kind kind;
    if (take_result(completion, &document, &rest) != STATUS_ok) {
        return failure_set(&call->failure, STATUS_internal, "the answer can't be read");
    }
    struct cursor cursor = cursor_of(document);
    if (cursor_peek(&cursor, &kind) != STATUS_ok || kind == VALUE_NIL) {
        return failure_set(&call->failure, STATUS_absent, "%s has no document %s at version %llu",
                           call->arguments.operands[0], call->arguments.operands[1],
                           (unsigned long long)completion->version);
    }
    pack_map(&out, 5);
    pack_text_literal(&out, "id");
    document_id_pack(id, &out);
    pack_text_literal(&out, "document");
    buffer_append(&out, document);
    buffer_append(&out, rest); // document_version and time
    pack_text_literal(&out, "version");
    pack_u64(&out, completion->version);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}

enum status run_get(struct call *call)
{
    struct client_read ask = {0};
    struct operation operation = {.kind = OPERATION_get, .has_id = true};
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(answer_release) struct answer answer = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(read_options(call, &ask));
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    ask.operations = buffer_bytes(&operations);
    TRY(connection_open(call, &loop));
    TRY(connection_read(call, loop, &ask, &answer));
    return print_result(call, &operation.id, &answer.completion);
}
