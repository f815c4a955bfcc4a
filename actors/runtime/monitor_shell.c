/*
 * One SUB socket, connected to the tap of every member of the topology. It subscribes to a topic
 * while the monitor's own tap has watchers of it, and to nothing otherwise, so that an unwatched
 * cluster makes no traces at all. The topology is the monitor machine's business; the shell reads
 * the same topology messages as they pass by and keeps one of its own, for the trace endpoints.
 *
 * Who watches is looked at after every turn: a change of the tap's watchers wakes the loop.
 *
 * Frames of traces are forwarded as they are. When the watchers of the monitor are slow they lose
 * them there; the monitor itself takes at most FORWARDS_A_TURN_MAX in one turn of its loop.
 */
#include "actors/runtime/monitor_shell.h"

#include "base/assert.h"
#include "cluster/topology.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

enum { FORWARDS_A_TURN_MAX = 256, QUEUE_FRAMES_MAX = 1000 };

struct tapped {
    char endpoint[ENDPOINT_SIZE_MAX + 1]; // of a tap that the socket is connected to
    bool is_listed;                       // in the topology that was looked at last
};

struct monitor_shell {
    struct launch *launch;     // borrowed
    struct loop *loop;         // borrowed
    void *socket;              // SUB
    int fd;                    // its descriptor
    struct topology *topology; // owned
    struct tapped taps[MEMBER_COUNT_MAX];
    size_t tap_count;
    bool has_subscribed[TAP_TOPIC_COUNT];
};

static struct tapped *find_tap(struct monitor_shell *shell, const char *endpoint)
{
    for (size_t i = 0; i < shell->tap_count; i++) {
        if (strcmp(shell->taps[i].endpoint, endpoint) == 0) {
            return &shell->taps[i];
        }
    }
    return NULL;
}

static void connect_tap(struct monitor_shell *shell, const char *endpoint)
{
    struct tapped *tap = find_tap(shell, endpoint);
    bool is_new = tap == NULL && shell->tap_count < MEMBER_COUNT_MAX;
    if (is_new && zmq_connect(shell->socket, endpoint) == 0) {
        tap = &shell->taps[shell->tap_count++];
        snprintf(tap->endpoint, sizeof tap->endpoint, "%s", endpoint);
    }
    if (tap != NULL) {
        tap->is_listed = true;
    }
}

// Gives up the taps of processes that are gone from the topology.
static void disconnect_unlisted(struct monitor_shell *shell)
{
    size_t kept = 0;
    for (size_t i = 0; i < shell->tap_count; i++) {
        if (shell->taps[i].is_listed) {
            shell->taps[kept++] = shell->taps[i];
        } else {
            zmq_disconnect(shell->socket, shell->taps[i].endpoint);
        }
    }
    shell->tap_count = kept;
}

static void follow_topology(struct monitor_shell *shell)
{
    for (size_t i = 0; i < shell->tap_count; i++) {
        shell->taps[i].is_listed = false;
    }
    size_t count;
    const struct topology_member *members = topology_members(shell->topology, &count);
    for (size_t i = 0; i < count; i++) {
        const char *endpoint = members[i].trace_endpoint;
        bool is_own = strcmp(endpoint, loop_trace_endpoint(shell->loop)) == 0;
        if (endpoint[0] != '\0' && !is_own && members[i].state != MEMBER_unreachable) {
            connect_tap(shell, endpoint);
        }
    }
    disconnect_unlisted(shell);
}

static void on_message(void *context, const struct event *event)
{
    struct monitor_shell *shell = context;
    if (event->message->kind != MESSAGE_topology) {
        return;
    }
    bool is_changed = false;
    const struct message_topology *news = &event->message->topology;
    if (topology_update(shell->topology, news, event->now_us, &is_changed) == STATUS_ok) {
        follow_topology(shell);
    }
}

// Takes one publication and passes it on; false when there is none.
static bool forward_one(struct monitor_shell *shell)
{
    char topic[2];
    int size = zmq_recv(shell->socket, topic, sizeof topic, ZMQ_DONTWAIT);
    if (size < 0) {
        return false;
    }
    zmq_msg_t part;
    zmq_msg_init(&part);
    int more = 0;
    size_t more_size = sizeof more;
    unsigned parts = 0;
    while (zmq_getsockopt(shell->socket, ZMQ_RCVMORE, &more, &more_size) == 0 && more != 0 &&
           zmq_msg_recv(&part, shell->socket, ZMQ_DONTWAIT) >= 0) {
        parts++;
    }
    for (int i = 0; i < TAP_TOPIC_COUNT; i++) {
        if (parts == 1 && size == 1 && topic[0] == tap_topic_name((enum tap_topic)i)[0]) {
            tap_forward(loop_tap(shell->loop), (enum tap_topic)i,
                        bytes_of(zmq_msg_data(&part), zmq_msg_size(&part)));
        }
    }
    zmq_msg_close(&part);
    return true;
}

// The descriptor stays readable only while libzmq has news, so everything there is taken, or the
// loop would sleep on it; a flood beyond the bound is thrown away.
static void on_traces(void *context)
{
    struct monitor_shell *shell = context;
    for (int i = 0; i < FORWARDS_A_TURN_MAX; i++) {
        if (!forward_one(shell)) {
            return;
        }
    }
    char rest[1];
    while (zmq_recv(shell->socket, rest, sizeof rest, ZMQ_DONTWAIT) >= 0) {
    }
}

// Connecting and subscribing look at libzmq's news, too, so what came with them is taken here.
static void follow_watchers(void *context)
{
    struct monitor_shell *shell = context;
    for (int topic = 0; topic < TAP_TOPIC_COUNT; topic++) {
        bool is_watched = tap_is_watched_for(loop_tap(shell->loop), (enum tap_topic)topic);
        if (is_watched != shell->has_subscribed[topic]) {
            const char *name = tap_topic_name((enum tap_topic)topic);
            int option = is_watched ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE;
            ASSERT(zmq_setsockopt(shell->socket, option, name, strlen(name)) == 0);
            shell->has_subscribed[topic] = is_watched;
        }
    }
    on_traces(shell);
}

static void on_reload(void *context)
{
    struct monitor_shell *shell = context;
    launch_reload(shell->launch);
}

static void open_socket(struct monitor_shell *shell)
{
    shell->socket = zmq_socket(shell->launch->context, ZMQ_SUB);
    ASSERT(shell->socket != NULL);
    int linger = 0;
    int queue = QUEUE_FRAMES_MAX;
    int64_t size_max = FRAME_SIZE_MAX;
    ASSERT(zmq_setsockopt(shell->socket, ZMQ_LINGER, &linger, sizeof linger) == 0);
    ASSERT(zmq_setsockopt(shell->socket, ZMQ_RCVHWM, &queue, sizeof queue) == 0);
    ASSERT(zmq_setsockopt(shell->socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0);
    size_t size = sizeof shell->fd;
    ASSERT(zmq_getsockopt(shell->socket, ZMQ_FD, &shell->fd, &size) == 0);
}

int monitor_shell_run(struct launch *launch, struct loop *loop, const struct machine *machine)
{
    struct monitor_shell shell = {.launch = launch, .loop = loop, .topology = topology_new()};
    open_socket(&shell);
    loop_watch(loop, shell.fd, on_traces, &shell);
    struct loop_owner owner = {.context = &shell,
                               .turn_over = follow_watchers,
                               .message = on_message,
                               .reload = on_reload};
    int exit_code = loop_run(loop, machine, &owner);
    zmq_close(shell.socket);
    topology_destroy(&shell.topology);
    return exit_code;
}
