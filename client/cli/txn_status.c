/*
 * `skein txn-status`: resolves an unknown outcome. Asking is itself a logged transaction: if the
 * sequence has not run it is claimed, so "not_committed" means never, not "not yet".
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/pack.h"

static void print_status(struct call *call, const char *word, uint64_t version)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, version > 0 ? 2 : 1);
    pack_text_literal(&out, "status");
    pack_text_literal(&out, word);
    if (version > 0) {
        pack_text_literal(&out, "version");
        pack_u64(&out, version);
    }
    output_value(&call->output, buffer_bytes(&out));
}

enum status run_txn_status(struct call *call)
{
    struct client_status ask = {.timeout_ms = call->timeout_ms};
    AUTO(answer_release) struct answer answer = {0};
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    ask.session = bytes_from_text(call->arguments.operands[0]);
    TRY(number_parse(call->arguments.operands[1], "SEQUENCE", &ask.sequence, &call->failure));
    TRY(connection_open(call, &loop));
    enum status status = connection_status(call, loop, &ask, &answer);
    switch (status) {
    case STATUS_ok: print_status(call, "committed", answer.completion.version); break;
    case STATUS_absent: print_status(call, "not_committed", 0); break;
    case STATUS_expired: print_status(call, "expired", 0); break;
    default: return status;
    }
    return STATUS_ok;
}
