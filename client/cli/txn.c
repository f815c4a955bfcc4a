/*
 * `skein txn`: a JSON array of operations, run as one transaction: all of them or none. A failing
 * operation is named by its number from 0. What operations there are and which fields they take is
 * said by wire/document/operation.h; the array goes to the servers as it is.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "client/cli/reply.h"
#include "wire/json.h"

enum { FILE_SIZE_MAX = 4 * TRANSACTION_SIZE_MAX };

static enum status read_operations(struct call *call, struct buffer *operations)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct json_fault fault;
    const char *path = call->arguments.operands[0];
    TRY(input_read(call, path, FILE_SIZE_MAX, &text));
    enum status status = json_to_msgpack(buffer_bytes(&text), operations, &fault);
    if (status != STATUS_ok) {
        return failure_set(&call->failure, status, "%s: %s", path, fault.sentence);
    }
    return STATUS_ok;
}

enum status run_txn(struct call *call)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(answer_release) struct answer answer = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(read_operations(call, &operations));
    TRY(connection_open(call, &loop));
    TRY(connection_transact(call, loop, buffer_bytes(&operations), &answer));
    reply_pack(bytes_of(NULL, 0), &answer.completion, &out);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}
