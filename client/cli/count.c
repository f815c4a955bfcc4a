/*
 * `skein count`: how many documents a collection has, or those for which --where holds. The first
 * is known without looking at any.
 */
#include "client/cli/commands.h"

#include "client/cli/input.h"
#include "client/cli/read_one.h"
#include "wire/pack.h"

enum status run_count(struct call *call)
{
    struct operation operation = {.kind = OPERATION_count};
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(answer_release) struct answer answer = {0};
    struct bytes count;
    TRY(input_collection(call, call->arguments.operands[0], &operation.collection));
    TRY(input_option_json(call, "where", &where));
    operation.where = buffer_bytes(&where);
    TRY(read_one(call, &operation, &answer));
    TRY(read_one_field(call, &answer, "count", &count));
    pack_map(&out, 1);
    pack_text_literal(&out, "count");
    buffer_append(&out, count);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}
