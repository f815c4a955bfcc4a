/*
 * `skein update`: changes fields of a document by a patch, the third operand or standard input when
 * that is "-". With --where only a document for which that holds; with --upsert one that is not
 * there begins empty.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/write.h"

enum status run_update(struct call *call)
{
    struct operation operation = {.kind = OPERATION_update, .has_id = true};
    AUTO(buffer_release) struct buffer patch = {0};
    AUTO(buffer_release) struct buffer where = {0};
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(input_json(call, call->arguments.operands[2], &patch));
    TRY(input_option_json(call, "where", &where));
    operation.patch = buffer_bytes(&patch);
    operation.where = buffer_bytes(&where);
    operation.upsert = arguments_has(&call->arguments, "upsert");
    return write_one(call, &operation);
}
