/*
 * The agent.
 *
 *   EVENT_START -> connect to every coordinator, report
 *   AGENT_TIMER -> report, forget coordinators that are silent
 *   PEER_UP     -> report: a coordinator that was started anew knows us at once
 *   topology    -> kept, if it comes from a coordinator and is well formed
 *
 * 1. Every report goes to every coordinator and puts the timer off by beat_ms, or a few times that
 *    for a process that doesn't lead (its silence is less urgent, and it saves wakeups), so that
 *    nobody reports more often than that unless something changed.
 * 2. What comes from anybody but a coordinator changes nothing here; what is malformed is counted
 *    and told with growing distance (the 1st, 2nd, 4th, 8th time ...), so that a flood of it
 *    fills no log.
 */
#include "cluster/agent.h"

enum {
    QUIET_BEATS = 5,    // a process that doesn't lead reports once in so many beats
    EXPIRY_REPORTS = 4, // of its reports may be lost before it counts as silent
};

void agent_init(struct agent *agent, const struct process *process)
{
    *agent = (struct agent){
        .process = process,
        .topology = topology_new(),
        .self = {.name = process->name,
                 .role = (uint8_t)process->role,
                 .endpoint = process->endpoint,
                 .trace_endpoint = process->trace_endpoint,
                 .incarnation = process->incarnation,
                 .pid = process->pid,
                 .state = MEMBER_ready},
    };
    for (size_t i = 0; i < process->coordinator_count; i++) {
        agent->coordinators[i] = address_of_endpoint(process->coordinators[i]);
    }
}

void agent_release(struct agent *agent)
{
    topology_destroy(&agent->topology);
}

static bool agent_knows_coordinator(const struct agent *agent, uint64_t address)
{
    for (size_t i = 0; i < agent->process->coordinator_count; i++) {
        if (agent->coordinators[i] == address) {
            return true;
        }
    }
    return false;
}

static void on_start(struct agent *agent, const struct event *event, struct outbox *out)
{
    for (size_t i = 0; i < agent->process->coordinator_count; i++) {
        outbox_connect(out, agent->process->coordinators[i]);
    }
    agent_report(agent, event->now_us, out);
}

static enum agent_result on_timer(struct agent *agent, const struct event *event,
                                  struct outbox *out)
{
    agent_report(agent, event->now_us, out);
    uint64_t expiry_us = agent->process->timings.member_expiry_ms * UINT64_C(1000);
    bool is_changed = event->now_us > expiry_us &&
                      topology_expire(agent->topology, event->now_us - expiry_us);
    return is_changed ? AGENT_TOPOLOGY_CHANGED : AGENT_HANDLED;
}

// Counts and tells, at growing distances.
static void agent_count_refused(struct agent *agent, const char *what, enum status status,
                                struct outbox *out)
{
    agent->refused++;
    if ((agent->refused & (agent->refused - 1)) == 0) {
        outbox_log(out, LOG_WARNING, "event=%s status=%s times=%llu", what, status_name(status),
                   (unsigned long long)agent->refused);
    }
}

// Whether the news are of our cluster, by the name in the configuration file.
static bool agent_is_of_cluster(const struct agent *agent, const struct message_topology *news)
{
    struct bytes own = agent->process->cluster_name;
    return own.size == 0 || news->cluster_name.size == 0 || bytes_equal(own, news->cluster_name);
}

static void agent_tell_cluster(const struct agent *agent, uint64_t known, struct outbox *out)
{
    uint64_t cluster_id = topology_cluster_id(agent->topology);
    if (cluster_id != known && !role_is_storage(agent->process->role)) {
        outbox_cluster(out, cluster_id);
    }
}

static enum agent_result on_topology(struct agent *agent, const struct event *event,
                                     struct outbox *out)
{
    if (!agent_knows_coordinator(agent, event->from)) {
        agent_count_refused(agent, "topology_of_a_stranger", STATUS_refused, out);
        return AGENT_HANDLED;
    }
    const struct message_topology *news = &event->message->topology;
    uint64_t known = topology_cluster_id(agent->topology);
    bool is_changed = false;
    enum status status = STATUS_wrong_cluster;
    if (agent_is_of_cluster(agent, news)) {
        status = topology_update(agent->topology, news, event->now_us, &is_changed);
    }
    if (status != STATUS_ok) {
        agent_count_refused(agent, "topology_refused", status, out);
        return AGENT_HANDLED;
    }
    agent_tell_cluster(agent, known, out);
    return is_changed ? AGENT_TOPOLOGY_CHANGED : AGENT_HANDLED;
}

static enum agent_result on_topology_get(struct agent *agent, const struct event *event,
                                         struct outbox *out)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    topology_encode(agent->topology, &encoded);
    outbox_send_encoded(out, event->from, buffer_bytes(&encoded));
    return AGENT_HANDLED;
}

static enum agent_result on_echo(const struct event *event, struct outbox *out)
{
    struct message reply = {
        .kind = MESSAGE_echo_reply,
        .echo_reply = {.request = event->message->echo.request,
                       .payload = event->message->echo.payload},
    };
    outbox_send(out, event->from, &reply);
    return AGENT_HANDLED;
}

static enum agent_result on_refusal(struct agent *agent, const struct event *event,
                                    struct outbox *out)
{
    if (!agent_knows_coordinator(agent, event->from)) {
        return AGENT_PASSED;
    }
    enum status status = (enum status)event->message->refusal.status;
    agent_count_refused(agent, "report_refused", status, out);
    return AGENT_HANDLED;
}

static enum agent_result on_message(struct agent *agent, const struct event *event,
                                    struct outbox *out)
{
    switch (event->message->kind) {
    case MESSAGE_topology: return on_topology(agent, event, out);
    case MESSAGE_topology_get: return on_topology_get(agent, event, out);
    case MESSAGE_echo: return on_echo(event, out);
    case MESSAGE_refusal: return on_refusal(agent, event, out);
    default: return AGENT_PASSED;
    }
}

static enum agent_result on_peer(struct agent *agent, const struct event *event, struct outbox *out)
{
    if (!agent_knows_coordinator(agent, event->from)) {
        return AGENT_PASSED;
    }
    if (event->kind == EVENT_PEER_UP) {
        agent_report(agent, event->now_us, out);
    }
    return AGENT_HANDLED;
}

enum agent_result agent_step(struct agent *agent, const struct event *event, struct outbox *out)
{
    switch (event->kind) {
    case EVENT_START: on_start(agent, event, out); return AGENT_PASSED;
    case EVENT_MESSAGE: return on_message(agent, event, out);
    case EVENT_TIMER:
        return event->timer == AGENT_TIMER ? on_timer(agent, event, out) : AGENT_PASSED;
    case EVENT_PEER_UP:
    case EVENT_PEER_DOWN: return on_peer(agent, event, out);
    default: return AGENT_PASSED;
    }
}

// How long until the next report if nothing changes.
static uint64_t agent_interval_us(const struct agent *agent)
{
    const struct timings *timings = &agent->process->timings;
    uint64_t quiet_us = timings->beat_ms * UINT64_C(1000) * QUIET_BEATS;
    uint64_t most_us = timings->member_expiry_ms * UINT64_C(1000) / EXPIRY_REPORTS;
    if (agent->self.state == MEMBER_primary || most_us < timings->beat_ms * UINT64_C(1000)) {
        return timings->beat_ms * UINT64_C(1000);
    }
    return quiet_us < most_us ? quiet_us : most_us;
}

void agent_report(struct agent *agent, uint64_t now_us, struct outbox *out)
{
    agent->self.beat++;
    agent->reported_us = now_us;
    struct message report = {.kind = MESSAGE_member, .member = agent->self};
    for (size_t i = 0; i < agent->process->coordinator_count; i++) {
        outbox_send(out, agent->coordinators[i], &report);
    }
    outbox_timer(out, AGENT_TIMER, now_us + agent_interval_us(agent));
}
