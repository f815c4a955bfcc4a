/*
 * One request at a time for the commands that need no more: submitted, and its end waited for.
 *
 * A topology is what those who were asked know, put together. The first answer is not all of it, so
 * the answers of the other endpoints are waited for, though not for long: they may be down.
 */
#include "client/cli/connection.h"

#include "client/cli/dev_cluster.h"

#include <unistd.h>

#define AT_DEFAULT "tcp://127.0.0.1:7300"

// How long the topologies of further endpoints are waited for once there is one.
enum { OTHERS_PAUSE_US = 5000, OTHERS_PAUSES = 30 };

// Splits `at` at its commas.
static enum status split_endpoints(struct call *call, struct bytes at,
                                   struct bytes endpoints[CLIENT_ENDPOINTS_MAX], size_t *ret_count)
{
    size_t count = 0;
    size_t start = 0;
    for (size_t end = 0; end <= at.size; end++) {
        if (end < at.size && at.data[end] != ',') {
            continue;
        }
        if (end == start || end - start > ENDPOINT_SIZE_MAX || count == CLIENT_ENDPOINTS_MAX) {
            return failure_set(&call->failure, STATUS_bad_request,
                               "--at is 1 to %d endpoints like tcp://127.0.0.1:7300, separated by "
                               "commas",
                               CLIENT_ENDPOINTS_MAX);
        }
        endpoints[count++] = bytes_of(at.data + start, end - start);
        start = end + 1;
    }
    *ret_count = count;
    return STATUS_ok;
}

// Appends where the cluster is.
static void find_cluster(const struct call *call, struct buffer *at)
{
    char dir[DEV_PATH_SIZE_MAX];
    struct failure failure;
    struct dev_cluster cluster = {.lock = -1};
    if (call->at != NULL) {
        buffer_append(at, bytes_from_text(call->at));
    } else if (dev_dir_default(dir, &failure) == STATUS_ok &&
               dev_cluster_open(&cluster, dir, &failure) == STATUS_ok) {
        dev_cluster_at(&cluster, at);
    } else {
        buffer_append(at, bytes_from_text(AT_DEFAULT));
    }
}

enum status connection_open(struct call *call, struct client_loop **ret_loop)
{
    AUTO(buffer_release) struct buffer at = {0};
    struct bytes endpoints[CLIENT_ENDPOINTS_MAX];
    struct client_loop_options options = {.name = bytes_from_text("skein")};
    find_cluster(call, &at);
    TRY(split_endpoints(call, buffer_bytes(&at), endpoints, &options.client.endpoint_count));
    options.client.endpoints = endpoints;
    enum status status = client_loop_new(&options, ret_loop);
    if (status == STATUS_bad_request) {
        return failure_set(&call->failure, status, "\"%.*s\" is no list of endpoints", (int)at.size,
                           (const char *)at.data);
    }
    if (status != STATUS_ok) {
        return failure_set(&call->failure, status, "the system refuses a thread or descriptors");
    }
    return STATUS_ok;
}

enum status connection_transact(struct call *call, struct client_loop *loop,
                                struct bytes operations, struct answer *answer)
{
    const struct client_transaction ask = {.operations = operations,
                                           .timeout_ms = call->timeout_ms};
    AUTO(waiter_release) struct waiter waiter;
    waiter_init(&waiter, answer);
    return waiter_await(&waiter, client_loop_transact(loop, &ask, waiter_end, &waiter),
                        &call->failure);
}

enum status connection_read(struct call *call, struct client_loop *loop,
                            const struct client_read *ask, struct answer *answer)
{
    AUTO(waiter_release) struct waiter waiter;
    waiter_init(&waiter, answer);
    return waiter_await(&waiter, client_loop_read(loop, ask, waiter_end, &waiter), &call->failure);
}

enum status connection_status(struct call *call, struct client_loop *loop,
                              const struct client_status *ask, struct answer *answer)
{
    AUTO(waiter_release) struct waiter waiter;
    waiter_init(&waiter, answer);
    return waiter_await(&waiter, client_loop_status(loop, ask, waiter_end, &waiter),
                        &call->failure);
}

enum status connection_call(struct call *call, struct client_loop *loop,
                            const struct client_call *ask, enum message_kind wanted,
                            struct answer *answer)
{
    AUTO(waiter_release) struct waiter waiter;
    waiter_init(&waiter, answer);
    TRY(waiter_await(&waiter, client_loop_call(loop, ask, waiter_end, &waiter), &call->failure));
    const struct message *reply = answer->completion.reply;
    if (reply != NULL && reply->kind == MESSAGE_refusal) {
        return failure_set(&call->failure, (enum status)reply->refusal.status, "%.*s",
                           (int)reply->refusal.message.size,
                           (const char *)reply->refusal.message.data);
    }
    if (reply == NULL || reply->kind != wanted) {
        return failure_set(&call->failure, STATUS_internal, "%.*s gave an answer of another kind",
                           (int)ask->to.size, (const char *)ask->to.data);
    }
    return STATUS_ok;
}

static void encode_topology(void *context, const struct client *client)
{
    struct buffer *out = context;
    buffer_clear(out);
    topology_encode(client_topology(client), out);
}

// Whether every endpoint of the call belongs to a member.
static bool names_all(struct call *call, const struct message_topology *topology)
{
    AUTO(buffer_release) struct buffer at = {0};
    struct bytes endpoints[CLIENT_ENDPOINTS_MAX];
    size_t count = 0;
    find_cluster(call, &at);
    if (split_endpoints(call, buffer_bytes(&at), endpoints, &count) != STATUS_ok) {
        return true;
    }
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct bytes members = topology->members;
        struct message_member member;
        while (members_next(&members, &member)) {
            found += bytes_equal(member.endpoint, endpoints[i]);
        }
    }
    return found >= count;
}

static enum status take_topology(struct call *call, struct client_loop *loop, struct answer *answer)
{
    client_loop_visit(loop, encode_topology, &answer->bytes);
    struct bytes rest = buffer_bytes(&answer->bytes);
    if (message_decode(&rest, &answer->reply) != STATUS_ok ||
        answer->reply.kind != MESSAGE_topology) {
        return failure_set(&call->failure, STATUS_internal, "the topology can't be read");
    }
    answer->completion.reply = &answer->reply;
    return STATUS_ok;
}

enum status connection_topology(struct call *call, struct client_loop *loop, struct answer *answer)
{
    if (client_loop_wait(loop, call->timeout_ms) != STATUS_ok) {
        return failure_set(&call->failure, STATUS_unavailable,
                           "no process of a cluster answers there; is it running?");
    }
    TRY(take_topology(call, loop, answer));
    for (int i = 0; i < OTHERS_PAUSES && !names_all(call, &answer->reply.topology); i++) {
        usleep(OTHERS_PAUSE_US);
        TRY(take_topology(call, loop, answer));
    }
    return STATUS_ok;
}

bool members_next(struct bytes *rest, struct message_member *ret_member)
{
    struct message message;
    if (message_decode(rest, &message) != STATUS_ok || message.kind != MESSAGE_member) {
        return false;
    }
    *ret_member = message.member;
    return true;
}
