/*
 * `skein status`: who is where, as the coordinators see it. Without a primary it still says all
 * that is known and exits 0: a status that fails when things are bad is no use.
 *
 * What a process has applied is known of storage nodes and readers only; their lag is counted from
 * the highest version that any process has applied.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/pack.h"

#include <stdio.h>
#include <unistd.h>

static void pack_text_field(const char *name, struct bytes text, struct buffer *out)
{
    pack_text_literal(out, name);
    pack_text(out, text);
}

static void pack_u64_field(const char *name, uint64_t number, struct buffer *out)
{
    pack_text_literal(out, name);
    pack_u64(out, number);
}

// The highest version applied anywhere, and how many members there are.
static uint64_t highest_version(struct bytes members, uint32_t *ret_count)
{
    struct message_member member;
    uint64_t version = 0;
    *ret_count = 0;
    while (members_next(&members, &member)) {
        version = member.applied_version > version ? member.applied_version : version;
        (*ret_count)++;
    }
    return version;
}

static void pack_process(const struct message_member *member, uint64_t version, struct buffer *out)
{
    const char *role = role_name((enum role)member->role);
    bool has_data = role_is_storage((enum role)member->role) || member->role == ROLE_reader;
    pack_map(out, 7);
    pack_text_field("role", bytes_from_text(role == NULL ? "unknown" : role), out);
    pack_text_field("name", member->name, out);
    const char *state = member_state_name((enum member_state)member->state);
    pack_text_field("state", bytes_from_text(state), out);
    pack_text_field("endpoint", member->endpoint, out);
    pack_u64_field("pid", member->pid, out);
    if (has_data) {
        pack_u64_field("applied", member->applied_version, out);
        pack_u64_field("lag_versions", version - member->applied_version, out);
        return;
    }
    pack_text_literal(out, "applied");
    pack_nil(out);
    pack_text_literal(out, "lag_versions");
    pack_nil(out);
}

static void print_topology(struct call *call, const struct message_topology *topology)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct message_member member;
    struct bytes members = topology->members;
    uint32_t count;
    uint64_t version = highest_version(members, &count);
    pack_map(&out, 5);
    pack_text_field("cluster", topology->cluster_name, &out);
    pack_u64_field("epoch", topology->epoch, &out);
    pack_text_literal(&out, "primary");
    if (topology->primary.size > 0) {
        pack_text(&out, topology->primary);
    } else {
        pack_nil(&out);
    }
    pack_u64_field("version", version, &out);
    pack_text_literal(&out, "processes");
    pack_array(&out, count);
    while (members_next(&members, &member)) {
        pack_process(&member, version, &out);
    }
    output_value(&call->output, buffer_bytes(&out));
}

enum status run_status(struct call *call)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    bool is_watched = arguments_has(&call->arguments, "watch");
    TRY(connection_open(call, &loop));
    do {
        AUTO(answer_release) struct answer answer = {0};
        TRY(connection_topology(call, loop, &answer));
        if (is_watched && call->output.format == OUTPUT_table) {
            printf("\033[H\033[J");
        }
        print_topology(call, &answer.reply.topology);
        if (is_watched) {
            sleep(1);
        }
    } while (is_watched && !call->output.has_failed);
    return STATUS_ok;
}
