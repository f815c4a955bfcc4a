/*
 * `skein delete`: removes a document. One that is not there is an error (absent), so that a script
 * sees by the exit code whether it was there: of two deletes at the same time one succeeds.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/write.h"

enum status run_delete(struct call *call)
{
    struct operation operation = {.kind = OPERATION_delete, .has_id = true};
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    return write_one(call, &operation);
}
