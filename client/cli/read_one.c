/*
 * One operation, one read, one answer, on a connection of its own.
 */
#include "client/cli/read_one.h"

#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "client/cli/reply.h"
#include "wire/pack.h"

enum status read_one(struct call *call, const struct operation *operation, struct answer *answer)
{
    struct client_read ask = {0};
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(input_consistency(call, &ask));
    pack_array(&operations, 1);
    operation_pack(operation, &operations);
    ask.operations = buffer_bytes(&operations);
    TRY(connection_open(call, &loop));
    return connection_read(call, loop, &ask, answer);
}

enum status read_one_field(struct call *call, const struct answer *answer, const char *name,
                           struct bytes *ret_value)
{
    if (!reply_result_field(answer->completion.results, name, ret_value)) {
        return failure_set(&call->failure, STATUS_internal, "the answer can't be read");
    }
    return STATUS_ok;
}
