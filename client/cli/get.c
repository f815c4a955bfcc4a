/*
 * `skein get`: one document, at the consistency asked for. An absent document is no result but an
 * error, so that a script sees it by the exit code.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/read_one.h"
#include "wire/pack.h"

static enum status print_result(struct call *call, const struct document_id *id,
                                const struct answer *answer)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct bytes document, document_version, time;
    enum value_kind kind;
    TRY(read_one_field(call, answer, "document", &document));
    TRY(read_one_field(call, answer, "document_version", &document_version));
    TRY(read_one_field(call, answer, "time", &time));
    struct cursor cursor = cursor_of(document);
    if (cursor_peek(&cursor, &kind) != STATUS_ok || kind == VALUE_NIL) {
        return failure_set(&call->failure, STATUS_absent, "%s has no document %s at version %llu",
                           call->arguments.operands[0], call->arguments.operands[1],
                           (unsigned long long)answer->completion.version);
    }
    pack_map(&out, 5);
    pack_text_literal(&out, "id");
    document_id_pack(id, &out);
    pack_text_literal(&out, "document");
    buffer_append(&out, document);
    pack_text_literal(&out, "document_version");
    buffer_append(&out, document_version);
    pack_text_literal(&out, "time");
    buffer_append(&out, time);
    pack_text_literal(&out, "version");
    pack_u64(&out, answer->completion.version);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}

enum status run_get(struct call *call)
{
    struct operation operation = {.kind = OPERATION_get, .has_id = true};
    AUTO(answer_release) struct answer answer = {0};
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(read_one(call, &operation, &answer));
    return print_result(call, &operation.id, &answer);
}
