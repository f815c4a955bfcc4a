/*
 * One operation, one transaction. It has the session of this client, so that the library can send
 * it again after a failover and it still runs once; an unknown outcome names session and sequence
 * for `skein txn-status`.
 */
#include "client/cli/write.h"

#include "client/cli/connection.h"
#include "client/cli/reply.h"
#include "wire/pack.h"

enum status write_one(struct call *call, const struct operation *operation)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(answer_release) struct answer answer = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    struct bytes id;
    pack_array(&operations, 1);
    operation_pack(operation, &operations);
    TRY(connection_open(call, &loop));
    TRY(connection_transact(call, loop, buffer_bytes(&operations), &answer));
    pack_map(&out, 3);
    pack_text_literal(&out, "id");
    if (operation->has_id) {
        document_id_pack(&operation->id, &out);
    } else if (reply_result_field(answer.completion.results, "id", &id)) {
        buffer_append(&out, id);
    } else {
        return failure_set(&call->failure, STATUS_internal, "the answer can't be read");
    }
    pack_text_literal(&out, "version");
    pack_u64(&out, answer.completion.version);
    pack_text_literal(&out, "time");
    pack_u64(&out, answer.completion.time_us);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}
