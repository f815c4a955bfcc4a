/*
 * `skein digest`: the primary marks a version, then every storage node hashes its state at exactly
 * that mark. They agree only if all of them answered and said the same: a node that can't be asked
 * is listed with null, and about it nothing is known.
 *
 * A version can be marked several times, with changes in between that have no version of their own
 * (claims of sessions, configurations); the position of the entry tells the marks apart. A node
 * that has not come to ours is asked again. One that was catching up has passed it perhaps, and
 * kept nothing of it. Then everything is done again at another mark, as long as the time allows.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    PAUSE_MS = 100,      // before everything is done again
    BEHIND_MS_MAX = 500, // a node that has not come to the mark is asked again for so long
    ASK_PAUSE_MS = 10,   // and so often
};

// What the nodes said.
struct comparison {
    struct buffer nodes; // packed maps
    uint32_t count;
    uint64_t version;  // marked
    uint64_t position; // of the marked entry
    uint64_t first;    // digest of the first node that answered
    bool has_first;
    bool agrees;     // so far
    bool is_partial; // a node that is reached did not say
};

static void comparison_release(struct comparison *comparison)
{
    buffer_release(&comparison->nodes);
}

static enum status mark(struct call *call, struct client_loop *loop, struct bytes primary,
                        struct comparison *comparison)
{
    AUTO(answer_release) struct answer answer = {0};
    const struct client_call request = {
        .message = {.kind = MESSAGE_mark}, .to = primary, .timeout_ms = call->timeout_ms};
    if (primary.size == 0) {
        return failure_set(&call->failure, STATUS_unavailable, "there is no primary now");
    }
    TRY(connection_call(call, loop, &request, MESSAGE_mark_reply, &answer));
    const struct message_mark_reply *reply = &answer.reply.mark_reply;
    if (reply->status != STATUS_ok) {
        return failure_set(&call->failure, (enum status)reply->status,
                           "the primary did not mark a version");
    }
    comparison->version = reply->version;
    comparison->position = reply->position;
    return STATUS_ok;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Asks one node once. Fails with too_old when it keeps another mark of the version or none.
static enum status ask_once(struct call *call, struct client_loop *loop, struct bytes name,
                            const struct comparison *comparison, uint64_t *ret_digest)
{
    AUTO(answer_release) struct answer answer = {0};
    const struct client_call request = {
        .message = {.kind = MESSAGE_digest,
                    .digest = {.version = comparison->version, .timeout_ms = call->timeout_ms}},
        .to = name,
        .timeout_ms = call->timeout_ms};
    TRY(connection_call(call, loop, &request, MESSAGE_digest_reply, &answer));
    const struct message_digest_reply *reply = &answer.reply.digest_reply;
    if (reply->status == STATUS_ok && reply->position != comparison->position) {
        return STATUS_too_old;
    }
    *ret_digest = reply->digest;
    return (enum status)reply->status;
}

// Asks one node until it has come to the mark; false if it did not say.
static bool ask(struct call *call, struct client_loop *loop, struct bytes name,
                const struct comparison *comparison, uint64_t *ret_digest)
{
    int64_t until_ms = now_ms() + BEHIND_MS_MAX;
    enum status status = ask_once(call, loop, name, comparison, ret_digest);
    while (status == STATUS_too_old && now_ms() < until_ms) {
        usleep(ASK_PAUSE_MS * 1000);
        status = ask_once(call, loop, name, comparison, ret_digest);
    }
    return status == STATUS_ok;
}

static void compare(struct call *call, struct client_loop *loop,
                    const struct message_member *member, struct comparison *comparison)
{
    uint64_t digest = 0;
    bool is_reached = member->state != MEMBER_unreachable;
    bool has_digest = is_reached && ask(call, loop, member->name, comparison, &digest);
    char text[17];
    pack_map(&comparison->nodes, 2);
    pack_text_literal(&comparison->nodes, "name");
    pack_text(&comparison->nodes, member->name);
    pack_text_literal(&comparison->nodes, "digest");
    comparison->count++;
    if (!has_digest) {
        pack_nil(&comparison->nodes);
        comparison->agrees = false;
        comparison->is_partial = comparison->is_partial || is_reached;
        return;
    }
    snprintf(text, sizeof text, "%016" PRIx64, digest);
    pack_text_literal(&comparison->nodes, text);
    comparison->first = comparison->has_first ? comparison->first : digest;
    comparison->has_first = true;
    comparison->agrees = comparison->agrees && digest == comparison->first;
}

static void print_comparison(struct call *call, const struct comparison *comparison)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 3);
    pack_text_literal(&out, "version");
    pack_u64(&out, comparison->version);
    pack_text_literal(&out, "agree");
    pack_flag(&out, comparison->agrees);
    pack_text_literal(&out, "nodes");
    pack_array(&out, comparison->count);
    buffer_append(&out, buffer_bytes(&comparison->nodes));
    output_value(&call->output, buffer_bytes(&out));
}

// Marks a version and compares all nodes at it.
static enum status compare_all(struct call *call, struct client_loop *loop,
                               struct comparison *comparison)
{
    AUTO(answer_release) struct answer answer = {0};
    TRY(connection_topology(call, loop, &answer));
    TRY(mark(call, loop, answer.reply.topology.primary, comparison));
    struct bytes members = answer.reply.topology.members;
    struct message_member member;
    while (members_next(&members, &member)) {
        if (role_is_storage((enum role)member.role)) {
            compare(call, loop, &member, comparison);
        }
    }
    return STATUS_ok;
}

enum status run_digest(struct call *call)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    TRY(connection_open(call, &loop));
    int64_t until_ms = now_ms() + call->timeout_ms;
    for (;;) {
        AUTO(comparison_release) struct comparison comparison = {.agrees = true};
        TRY(compare_all(call, loop, &comparison));
        if (!comparison.is_partial || now_ms() + PAUSE_MS >= until_ms) {
            print_comparison(call, &comparison);
            return STATUS_ok;
        }
        usleep(PAUSE_MS * 1000);
    }
}
