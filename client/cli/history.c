/*
 * `skein history`: the versions of a document that its collection still keeps, newest first, a line
 * each. One that was deleted then has null for its document.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/read_one.h"

enum status run_history(struct call *call)
{
    struct operation operation = {.kind = OPERATION_history, .has_id = true};
    AUTO(answer_release) struct answer answer = {0};
    struct bytes versions;
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(read_one(call, &operation, &answer));
    TRY(read_one_field(call, &answer, "versions", &versions));
    output_rows(&call->output, versions);
    return STATUS_ok;
}
