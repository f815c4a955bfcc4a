/*
 * `skein monitor`: messages between the processes as they go by. Every process publishes what it
 * takes and sends while somebody subscribes (topic "h", or "p" with payloads; frames of `trace`
 * messages). Where a monitor process runs it gathers all of that, and it alone is subscribed to;
 * otherwise every process is.
 *
 * What is shown is what was seen, from both ends: a message between two processes of the cluster
 * appears twice, once as sent and once as taken. A watcher that is too slow misses messages; the
 * processes never wait for it.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/frame.h"
#include "wire/pack.h"

#include <errno.h>
#include <zmq.h>

struct monitor {
    struct call *call;
    void *context; // of ZeroMQ
    void *socket;  // SUB
    uint64_t left; // messages to show
    bool has_payload;
};

static void pack_number(const char *name, uint64_t number, struct buffer *out)
{
    pack_text_literal(out, name);
    pack_u64(out, number);
}

static void print_trace(struct monitor *monitor, const struct message_trace *trace)
{
    AUTO(buffer_release) struct buffer out = {0};
    bool has_payload = monitor->has_payload && trace->payload.size > 0;
    pack_map(&out, has_payload ? 11 : 10);
    pack_number("time_us", trace->time_us, &out);
    pack_text_literal(&out, "from");
    pack_text(&out, trace->from);
    pack_text_literal(&out, "to");
    pack_text(&out, trace->to);
    pack_text_literal(&out, "kind");
    pack_text_literal(&out, message_kind_name((enum message_kind)trace->kind));
    pack_number("request", trace->request, &out);
    pack_number("epoch", trace->epoch, &out);
    pack_number("position", trace->position, &out);
    pack_number("size", trace->size, &out);
    pack_number("duration_us", trace->duration_us, &out);
    pack_text_literal(&out, "outcome");
    pack_text_literal(&out, status_name((enum status)trace->outcome));
    if (has_payload) {
        pack_text_literal(&out, "payload");
        buffer_append(&out, trace->payload);
    }
    output_value(&monitor->call->output, buffer_bytes(&out));
}

static bool is_done(const struct monitor *monitor)
{
    return monitor->left == 0 || monitor->call->output.has_failed;
}

// Prints the traces of a frame; what is no frame is passed over.
static void take_frame(struct monitor *monitor, struct bytes frame)
{
    struct message_frame head;
    struct bytes rest;
    struct message message;
    if (frame_open(frame, 0, &head, &rest) != STATUS_ok) {
        return;
    }
    while (!is_done(monitor) && rest.size > 0 && message_decode(&rest, &message) == STATUS_ok) {
        if (message.kind == MESSAGE_trace) {
            print_trace(monitor, &message.trace);
            monitor->left--;
        }
    }
}

// Takes one part; the last part of a publication is its frame.
static enum status take_part(struct monitor *monitor)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    int size = zmq_msg_recv(&part, monitor->socket, 0);
    if (size < 0 && errno != EINTR) {
        (void)zmq_msg_close(&part);
        return failure_set(&monitor->call->failure, STATUS_internal, "%s", zmq_strerror(errno));
    }
    if (size >= 0 && !zmq_msg_more(&part)) {
        take_frame(monitor, bytes_of(zmq_msg_data(&part), (size_t)size));
    }
    (void)zmq_msg_close(&part);
    return STATUS_ok;
}

// Connects to a member that publishes.
static void watch_member(struct monitor *monitor, const struct message_member *member)
{
    char endpoint[ENDPOINT_SIZE_MAX + 1] = "";
    memcpy(endpoint, member->trace_endpoint.data, member->trace_endpoint.size);
    if (endpoint[0] != '\0' && member->state != MEMBER_unreachable) {
        (void)zmq_connect(monitor->socket, endpoint);
    }
}

static void watch_members(struct monitor *monitor, const struct message_topology *topology)
{
    struct message_member member;
    for (struct bytes rest = topology->members; members_next(&rest, &member);) {
        if (member.role == ROLE_monitor && member.state != MEMBER_unreachable) {
            watch_member(monitor, &member);
            return;
        }
    }
    for (struct bytes rest = topology->members; members_next(&rest, &member);) {
        watch_member(monitor, &member);
    }
}

static void monitor_release(struct monitor *monitor)
{
    if (monitor->socket != NULL) {
        (void)zmq_close(monitor->socket);
    }
    if (monitor->context != NULL) {
        (void)zmq_ctx_term(monitor->context);
    }
}

static enum status subscribe(struct monitor *monitor, const struct message_topology *topology)
{
    const char *topic = monitor->has_payload ? "p" : "h";
    int64_t size_max = FRAME_SIZE_MAX;
    int linger = 0;
    monitor->context = zmq_ctx_new();
    monitor->socket = monitor->context == NULL ? NULL : zmq_socket(monitor->context, ZMQ_SUB);
    if (monitor->socket == NULL) {
        return failure_set(&monitor->call->failure, STATUS_unavailable, "no socket: %s",
                           zmq_strerror(errno));
    }
    (void)zmq_setsockopt(monitor->socket, ZMQ_LINGER, &linger, sizeof linger);
    (void)zmq_setsockopt(monitor->socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    (void)zmq_setsockopt(monitor->socket, ZMQ_SUBSCRIBE, topic, 1);
    watch_members(monitor, topology);
    return STATUS_ok;
}

static enum status find_and_subscribe(struct monitor *monitor)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    TRY(connection_open(monitor->call, &loop));
    TRY(connection_topology(monitor->call, loop, &answer));
    return subscribe(monitor, &answer.reply.topology);
}

enum status run_monitor(struct call *call)
{
    AUTO(monitor_release) struct monitor monitor = {.call = call, .left = UINT64_MAX};
    monitor.has_payload = arguments_has(&call->arguments, "payload");
    TRY(arguments_number(&call->arguments, &(struct number_option){"count", 1, UINT64_MAX},
                         &monitor.left, &call->failure));
    TRY(find_and_subscribe(&monitor));
    while (!is_done(&monitor)) {
        TRY(take_part(&monitor));
    }
    return STATUS_ok;
}
