/*
 * `skein put`: stores a document under an id, in place of one that is there. The document is the
 * third operand, or standard input when that is "-".
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/write.h"

enum status run_put(struct call *call)
{
    struct operation operation = {.kind = OPERATION_put, .has_id = true};
    AUTO(buffer_release) struct buffer document = {0};
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(input_json(call, call->arguments.operands[2], &document));
    operation.document = buffer_bytes(&document);
    return write_one(call, &operation);
}
