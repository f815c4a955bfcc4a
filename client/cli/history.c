/*
 * `skein history`: the versions of a document that its collection still keeps, newest first, a line
 * each. One that was deleted then has null for its document. If a page does not hold all of them a
 * last line says that there are more.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/read_one.h"
#include "client/cli/reply.h"
#include "client/cli/value.h"
#include "wire/pack.h"

static void print_more(struct call *call)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 1);
    pack_text_literal(&out, "more");
    pack_flag(&out, true);
    output_value(&call->output, buffer_bytes(&out));
}

enum status run_history(struct call *call)
{
    struct operation operation = {.kind = OPERATION_history, .has_id = true};
    AUTO(answer_release) struct answer answer = {0};
    struct bytes versions, more;
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_id(call, call->arguments.operands[1], &operation.id));
    TRY(read_one(call, &operation, &answer));
    TRY(read_one_field(call, &answer, "versions", &versions));
    output_rows(&call->output, versions);
    if (reply_result_field(answer.completion.results, "more", &more) && value_is_true(more)) {
        print_more(call);
    }
    return STATUS_ok;
}
