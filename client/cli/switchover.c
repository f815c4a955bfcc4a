/*
 * `skein switchover`: a planned change of the primary. A coordinator carries it out; the first one
 * that takes the request is asked, and nobody else once it has: what it says is how it ended.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/pack.h"

static void print_reply(struct call *call, const struct message_switchover_reply *reply)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 4);
    pack_text_literal(&out, "old");
    pack_text(&out, reply->old_primary);
    pack_text_literal(&out, "new");
    pack_text(&out, reply->new_primary);
    pack_text_literal(&out, "epoch");
    pack_u64(&out, reply->epoch);
    pack_text_literal(&out, "ms");
    pack_double(&out, (double)reply->elapsed_us / 1000.0);
    output_value(&call->output, buffer_bytes(&out));
}

static enum status ask(struct call *call, struct client_loop *loop, struct bytes coordinator)
{
    AUTO(answer_release) struct answer answer = {0};
    struct client_call request = {
        .message = {.kind = MESSAGE_switchover}, .to = coordinator, .timeout_ms = call->timeout_ms};
    if (call->arguments.operand_count > 0) {
        request.message.switchover.target = bytes_from_text(call->arguments.operands[0]);
    }
    TRY(connection_call(call, loop, &request, MESSAGE_switchover_reply, &answer));
    const struct message_switchover_reply *reply = &answer.reply.switchover_reply;
    if (reply->status != STATUS_ok) {
        return failure_set(&call->failure, (enum status)reply->status, "%.*s",
                           (int)reply->message.size, (const char *)reply->message.data);
    }
    print_reply(call, reply);
    return STATUS_ok;
}

enum status run_switchover(struct call *call)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    if (call->arguments.operand_count > 0 && strlen(call->arguments.operands[0]) > NAME_SIZE_MAX) {
        return failure_set(&call->failure, STATUS_bad_request, "a name has at most %d bytes",
                           NAME_SIZE_MAX);
    }
    TRY(connection_open(call, &loop));
    TRY(connection_topology(call, loop, &answer));
    struct bytes members = answer.reply.topology.members;
    struct message_member member;
    enum status status = failure_set(&call->failure, STATUS_unavailable, "no coordinator answers");
    while (status == STATUS_unavailable && members_next(&members, &member)) {
        if (member.role == ROLE_coordinator && member.state != MEMBER_unreachable) {
            status = ask(call, loop, member.name);
        }
    }
    return status;
}
