/*
 * `skein dev`: a local cluster of real processes, for trying things out and for tests.
 *
 *     start   lays it out if it is new, starts what is not running, returns when it serves
 *     stop    stops all, cleanly if they can
 *     status  what belongs to it and what of that runs
 *
 * "It serves" is no guess: a write and a read went through and every process is in the topology,
 * ready. One that was started and ends is noticed at once, with the end of its log; one that was
 * found running and ends, since somebody had just killed it, is started.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "client/cli/dev_process.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <time.h>
#include <unistd.h>

enum {
    START_MS_MAX = 60000, // until the cluster must serve; it takes a second
    STOP_MS_MAX = 10000,  // until a process is killed
    PROBE_MS = 1000,      // one request of the probe
    PAUSE_US = 10000,     // between two looks
    STATUS_MS = 500,      // to ask a cluster for endpoints
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum status find_dir(struct call *call, char ret_dir[DEV_PATH_SIZE_MAX],
                            const char **ret_name)
{
    const char *dir = arguments_text(&call->arguments, "dir");
    if (dir == NULL) {
        TRY(dev_dir_default(ret_dir, &call->failure));
        dir = ret_dir;
    }
    *ret_name = dir;
    return STATUS_ok;
}

static enum status read_shape(struct call *call, struct dev_shape *ret_shape)
{
    struct dev_shape shape = dev_shape_unsaid();
    const struct {
        const char *name;
        uint64_t *into;
    } numbers[] = {
        {"storage", &shape.counts[ROLE_primary]},
        {"readers", &shape.counts[ROLE_reader]},
        {"writers", &shape.counts[ROLE_writer]},
        {"coordinators", &shape.counts[ROLE_coordinator]},
        {"gateways", &shape.counts[ROLE_gateway]},
        {"monitors", &shape.counts[ROLE_monitor]},
        {"port", &shape.port},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        TRY(arguments_number(&call->arguments,
                             &(struct number_option){numbers[i].name, 0, UINT16_MAX},
                             numbers[i].into, &call->failure));
    }
    *ret_shape = shape;
    return STATUS_ok;
}

// Whether a write and a read of it go through.
static bool serves(struct call *call, struct client_loop *loop)
{
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(answer_release) struct answer written = {0};
    AUTO(answer_release) struct answer read = {0};
    struct operation operation = {
        .kind = OPERATION_put,
        .collection = bytes_from_text("skein.dev"),
        .has_id = true,
        .id = {.is_text = true, .text = bytes_from_text("started")},
        .document = bytes_from_text("\x80"), // an empty map
    };
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    if (connection_transact(call, loop, buffer_bytes(&operations), &written) != STATUS_ok) {
        return false;
    }
    buffer_clear(&operations);
    operation.kind = OPERATION_get;
    operation.document = bytes_of(NULL, 0);
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    const struct client_read ask = {.operations = buffer_bytes(&operations),
                                    .level = READ_linearizable,
                                    .timeout_ms = call->timeout_ms};
    return connection_read(call, loop, &ask, &read) == STATUS_ok;
}

// The member of this name in a topology.
static bool find_member(struct bytes members, const char *name, struct message_member *ret_member)
{
    while (members_next(&members, ret_member)) {
        if (bytes_equal(ret_member->name, bytes_from_text(name))) {
            return true;
        }
    }
    return false;
}

// Whether every process that runs is in the topology, as the one that runs, and ready.
static bool all_are_ready(struct call *call, struct client_loop *loop,
                          const struct dev_cluster *cluster)
{
    AUTO(answer_release) struct answer answer = {0};
    if (connection_topology(call, loop, &answer) != STATUS_ok) {
        return false;
    }
    for (size_t i = 0; i < cluster->process_count; i++) {
        const struct dev_process *process = &cluster->processes[i];
        struct message_member member;
        if (!find_member(answer.reply.topology.members, process->name, &member) ||
            member.pid != (uint32_t)process->pid || member.state == MEMBER_unreachable ||
            member.state == MEMBER_catching_up) {
            (void)failure_set(&call->failure, STATUS_unavailable, "%s is not ready", process->name);
            return false;
        }
    }
    return true;
}

static enum status await_service(struct call *call, struct client_loop *loop,
                                 struct dev_cluster *cluster)
{
    int64_t until_ms = now_ms() + START_MS_MAX;
    struct call probe = *call; // has a failure of its own
    probe.timeout_ms = PROBE_MS;
    bool has_served = false;
    while (now_ms() < until_ms) {
        TRY(dev_processes_check(cluster, &call->failure));
        TRY(dev_processes_start(cluster, &call->failure));
        has_served = has_served || serves(&probe, loop);
        if (has_served && all_are_ready(&probe, loop, cluster)) {
            return STATUS_ok;
        }
        usleep(PAUSE_US);
    }
    return failure_set(&call->failure, STATUS_unavailable,
                       "the cluster does not serve after %d s: %.200s; its logs are in %.200s/log",
                       START_MS_MAX / 1000, probe.failure.message, cluster->dir);
}

// Where a process listens: as laid out, or where the topology says it took a free port.
static void pack_endpoint(const struct dev_process *process, struct bytes members,
                          struct buffer *out)
{
    struct message_member member;
    pack_text_literal(out, "endpoint");
    if (process->endpoint[0] != '*') {
        pack_text_literal(out, process->endpoint);
    } else if (process->pid != 0 && find_member(members, process->name, &member)) {
        pack_text(out, member.endpoint);
    } else {
        pack_nil(out);
    }
}

static void pack_process(const struct dev_process *process, struct bytes members,
                         struct buffer *out)
{
    pack_map(out, 5);
    pack_text_literal(out, "role");
    pack_text_literal(out, role_name(process->role));
    pack_text_literal(out, "name");
    pack_text_literal(out, process->name);
    pack_text_literal(out, "pid");
    if (process->pid != 0) {
        pack_u64(out, (uint64_t)process->pid);
    } else {
        pack_nil(out);
    }
    pack_text_literal(out, "running");
    pack_flag(out, process->pid != 0);
    pack_endpoint(process, members, out);
}

static void print_status(struct call *call, const struct dev_cluster *cluster, struct bytes members)
{
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(buffer_release) struct buffer at = {0};
    dev_cluster_at(cluster, &at);
    pack_map(&out, 4);
    pack_text_literal(&out, "dir");
    pack_text_literal(&out, cluster->dir);
    pack_text_literal(&out, "at");
    pack_text(&out, buffer_bytes(&at));
    pack_text_literal(&out, "http");
    pack_nil(&out);
    pack_text_literal(&out, "processes");
    pack_array(&out, (uint32_t)cluster->process_count);
    for (size_t i = 0; i < cluster->process_count; i++) {
        pack_process(&cluster->processes[i], members, &out);
    }
    output_value(&call->output, buffer_bytes(&out));
}

// Opens the client at the cluster's own endpoints.
static enum status open_client(struct call *call, const struct dev_cluster *cluster,
                               struct client_loop **ret_loop)
{
    AUTO(buffer_release) struct buffer at = {0};
    dev_cluster_at(cluster, &at);
    buffer_append_u8(&at, '\0');
    call->at = (const char *)at.data;
    enum status status = connection_open(call, ret_loop);
    call->at = NULL;
    return status;
}

static enum status start(struct call *call, struct dev_cluster *cluster, const char *dir)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    struct dev_shape shape;
    TRY(read_shape(call, &shape));
    TRY(dev_cluster_lock(cluster, dir, &call->failure));
    enum status status = dev_cluster_open(cluster, dir, &call->failure);
    if (status != STATUS_ok && status != STATUS_absent) {
        return status;
    }
    TRY(dev_cluster_shape(cluster, &shape, &call->failure));
    dev_processes_find(cluster);
    TRY(dev_processes_start(cluster, &call->failure));
    TRY(open_client(call, cluster, &loop));
    TRY(await_service(call, loop, cluster));
    TRY(connection_topology(call, loop, &answer));
    print_status(call, cluster, answer.reply.topology.members);
    return STATUS_ok;
}

static enum status stop(struct call *call, struct dev_cluster *cluster, const char *dir)
{
    AUTO(buffer_release) struct buffer out = {0};
    size_t killed;
    uint64_t running = 0;
    TRY(dev_cluster_open(cluster, dir, &call->failure));
    TRY(dev_cluster_lock(cluster, dir, &call->failure));
    dev_processes_find(cluster);
    for (size_t i = 0; i < cluster->process_count; i++) {
        running += cluster->processes[i].pid != 0;
    }
    dev_processes_stop(cluster, STOP_MS_MAX, &killed);
    pack_map(&out, 3);
    pack_text_literal(&out, "dir");
    pack_text_literal(&out, cluster->dir);
    pack_text_literal(&out, "stopped");
    pack_u64(&out, running);
    pack_text_literal(&out, "killed");
    pack_u64(&out, killed);
    output_value(&call->output, buffer_bytes(&out));
    return STATUS_ok;
}

static enum status show(struct call *call, struct dev_cluster *cluster, const char *dir)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    TRY(dev_cluster_open(cluster, dir, &call->failure));
    dev_processes_find(cluster);
    bool is_running = false;
    for (size_t i = 0; i < cluster->process_count; i++) {
        is_running = is_running || cluster->processes[i].pid != 0;
    }
    struct bytes members = bytes_of(NULL, 0);
    call->timeout_ms = STATUS_MS;
    if (is_running && open_client(call, cluster, &loop) == STATUS_ok &&
        connection_topology(call, loop, &answer) == STATUS_ok) {
        members = answer.reply.topology.members;
    }
    print_status(call, cluster, members);
    return STATUS_ok;
}

enum status run_dev(struct call *call)
{
    AUTO(dev_cluster_release) struct dev_cluster cluster = {.lock = -1};
    char room[DEV_PATH_SIZE_MAX];
    const char *dir;
    const char *what = call->arguments.operands[0];
    TRY(find_dir(call, room, &dir));
    if (strcmp(what, "start") == 0) {
        return start(call, &cluster, dir);
    }
    if (strcmp(what, "stop") == 0) {
        return stop(call, &cluster, dir);
    }
    if (strcmp(what, "status") == 0) {
        return show(call, &cluster, dir);
    }
    return failure_set(&call->failure, STATUS_bad_request,
                       "`skein dev` takes start, stop or status, not %s", what);
}
