/*
 * `skein insert`: stores a document that must not be there yet, under the id given or one that the
 * primary makes. The document is the second operand, or standard input when that is "-".
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/write.h"

enum status run_insert(struct call *call)
{
    struct operation operation = {.kind = OPERATION_insert};
    AUTO(buffer_release) struct buffer document = {0};
    const char *id = arguments_text(&call->arguments, "id");
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    if (id != NULL) {
        operation.has_id = true;
        TRY(input_id(call, id, &operation.id));
    }
    TRY(input_json(call, call->arguments.operands[1], &document));
    operation.document = buffer_bytes(&document);
    return write_one(call, &operation);
}
