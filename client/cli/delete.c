/*
 * `skein delete`: removes a document, with --where only one for which that holds. One that is not
 * there is an error (absent), so that a script sees by the exit code whether it was there: of two
 * deletes at the same time one succeeds.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/write.h"

enum status run_delete(struct call *call)
{
    struct operation operation = {.kind = OPERATION_delete, .has_id = true};
    AUTO(buffer_release) struct buffer where = {0};
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(input_option_json(call, "where", &where));
    operation.where = buffer_bytes(&where);
    return write_one(call, &operation);
}
