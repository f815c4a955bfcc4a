/*
 * The agent: reports go out, topologies come in.
 */
#include "cluster/agent.h"

#include "tests/unit/fixture_post.h"

#include <criterion/criterion.h>

enum { MS = 1000, FROM_CLIENT = 9 };

static struct bytes coordinators[2];

struct office {
    struct process process;
    struct agent agent;
    struct post *post;
    uint64_t now_us;
};

static struct office office_of(enum role role)
{
    coordinators[0] = bytes_from_text("tcp://c1:7300");
    coordinators[1] = bytes_from_text("tcp://c2:7300");
    return (struct office){
        .process = {.name = bytes_from_text("p1"),
                    .role = role,
                    .endpoint = bytes_from_text("tcp://p1:7400"),
                    .cluster_name = bytes_from_text("flock"),
                    .incarnation = 4711,
                    .pid = 12,
                    .coordinators = coordinators,
                    .coordinator_count = 2,
                    .timings = timings_default()},
        .post = post_new(),
        .now_us = 5000 * MS,
    };
}

static enum agent_result step(struct office *office, struct event event)
{
    event.now_us = office->now_us;
    enum agent_result result = agent_step(&office->agent, &event, &office->post->out);
    post_collect(office->post);
    return result;
}

static void office_open(struct office *office)
{
    agent_init(&office->agent, &office->process);
    cr_assert_eq(step(office, (struct event){.kind = EVENT_START}), AGENT_PASSED);
}

static void office_close(struct office *office)
{
    agent_release(&office->agent);
    post_destroy(&office->post);
}

static uint64_t address_of_coordinator(size_t number)
{
    return address_of_endpoint(coordinators[number]);
}

static enum agent_result receive(struct office *office, uint64_t from, struct message message)
{
    return step(office, (struct event){.kind = EVENT_MESSAGE, .from = from, .message = &message});
}

static enum agent_result wait_for_timer(struct office *office)
{
    office->now_us = office->post->timers[AGENT_TIMER];
    return step(office, (struct event){.kind = EVENT_TIMER, .timer = AGENT_TIMER});
}

static struct message topology_of(uint64_t coordinator, uint64_t sequence, uint64_t epoch)
{
    return (struct message){.kind = MESSAGE_topology,
                            .topology = {.cluster_id = 77,
                                         .epoch = epoch,
                                         .coordinator = coordinator,
                                         .sequence = sequence,
                                         .cluster_name = bytes_from_text("flock")}};
}

Test(agent, reports_to_every_coordinator_at_the_start)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    cr_assert_eq(office.post->connect_count, 2);
    for (size_t i = 0; i < 2; i++) {
        uint64_t to = address_of_coordinator(i);
        const struct message_member *report = &post_last(office.post, to, MESSAGE_member)->member;
        cr_assert(bytes_equal(report->name, bytes_from_text("p1")));
        cr_assert_eq(report->role, ROLE_reader);
        cr_assert_eq(report->state, MEMBER_ready);
        cr_assert_eq(report->incarnation, 4711);
        cr_assert_eq(report->beat, 1);
    }
    office_close(&office);
}

// Every report of the next few comes `interval_us` after the one before, to both coordinators.
static void check_reports_every(struct office *office, uint64_t interval_us)
{
    for (uint64_t beat = office->agent.self.beat + 1; beat < 10; beat++) {
        uint64_t before_us = office->now_us;
        post_forget(office->post);
        cr_assert_eq(wait_for_timer(office), AGENT_HANDLED);
        cr_assert_eq(office->now_us, before_us + interval_us);
        cr_assert_eq(post_count(office->post, 0, MESSAGE_member), 2);
        cr_assert_eq(post_last(office->post, 0, MESSAGE_member)->member.beat, beat);
    }
}

Test(agent, reports_once_in_five_beats)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    check_reports_every(&office, 500 * MS);
    office_close(&office);
}

Test(agent, of_a_primary_reports_every_beat)
{
    struct office office = office_of(ROLE_replica);
    office_open(&office);
    office.agent.self.state = MEMBER_primary;
    agent_report(&office.agent, office.now_us, &office.post->out);
    post_collect(office.post);
    check_reports_every(&office, 100 * MS);
    office_close(&office);
}

Test(agent, a_report_out_of_turn_puts_off_the_next)
{
    struct office office = office_of(ROLE_replica);
    office_open(&office);
    office.now_us += 60 * MS;
    office.agent.self.state = MEMBER_primary;
    agent_report(&office.agent, office.now_us, &office.post->out);
    post_collect(office.post);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_member), 4);
    cr_assert_eq(post_last(office.post, 0, MESSAGE_member)->member.state, MEMBER_primary);
    cr_assert_eq(office.post->timers[AGENT_TIMER], office.now_us + 100 * MS);
    office_close(&office);
}

Test(agent, reports_to_a_coordinator_that_is_back)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    post_forget(office.post);
    struct event up = {.kind = EVENT_PEER_UP, .from = address_of_coordinator(1)};
    cr_assert_eq(step(&office, up), AGENT_HANDLED);
    cr_assert_eq(post_count(office.post, up.from, MESSAGE_member), 1);
    up.from = FROM_CLIENT;
    cr_assert_eq(step(&office, up), AGENT_PASSED);
    struct event down = {.kind = EVENT_PEER_DOWN, .from = address_of_coordinator(1)};
    cr_assert_eq(step(&office, down), AGENT_HANDLED);
    office_close(&office);
}

Test(agent, takes_the_topology_from_coordinators_only)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    cr_assert_eq(receive(&office, FROM_CLIENT, topology_of(501, 1, 9)), AGENT_HANDLED);
    cr_assert_eq(topology_epoch(office.agent.topology), 0);
    cr_assert_eq(office.agent.refused, 1);
    cr_assert_eq(receive(&office, address_of_coordinator(1), topology_of(501, 1, 4)),
                 AGENT_TOPOLOGY_CHANGED);
    cr_assert_eq(topology_epoch(office.agent.topology), 4);
    cr_assert_eq(receive(&office, address_of_coordinator(1), topology_of(501, 2, 4)),
                 AGENT_HANDLED);
    office_close(&office);
}

Test(agent, tells_its_shell_the_cluster_once_unless_it_is_a_storage_node)
{
    struct office office = office_of(ROLE_writer);
    office_open(&office);
    receive(&office, address_of_coordinator(0), topology_of(501, 1, 4));
    cr_assert_eq(office.post->cluster_id, 77);
    office.post->cluster_id = 0;
    receive(&office, address_of_coordinator(0), topology_of(501, 2, 4));
    cr_assert_eq(office.post->cluster_id, 0);
    office_close(&office);
    struct office storage = office_of(ROLE_replica);
    office_open(&storage);
    receive(&storage, address_of_coordinator(0), topology_of(501, 1, 4));
    cr_assert_eq(storage.post->cluster_id, 0);
    office_close(&storage);
}

Test(agent, refuses_the_topology_of_another_cluster)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    struct message other_name = topology_of(501, 1, 9);
    other_name.topology.cluster_name = bytes_from_text("herd");
    receive(&office, address_of_coordinator(0), other_name);
    cr_assert_eq(topology_epoch(office.agent.topology), 0);
    receive(&office, address_of_coordinator(0), topology_of(501, 1, 4));
    struct message other_id = topology_of(502, 1, 9);
    other_id.topology.cluster_id = 78;
    receive(&office, address_of_coordinator(1), other_id);
    cr_assert_eq(topology_epoch(office.agent.topology), 4);
    cr_assert_eq(office.agent.refused, 2);
    office_close(&office);
}

Test(agent, a_flood_of_malformed_topologies_changes_nothing_and_fills_no_log)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    receive(&office, address_of_coordinator(0), topology_of(501, 1, 4));
    size_t lines = office.post->log_count;
    struct message bad = topology_of(501, 2, 9);
    bad.topology.members = bytes_from_text("garbage");
    for (unsigned i = 0; i < 10000; i++) {
        cr_assert_eq(receive(&office, address_of_coordinator(0), bad), AGENT_HANDLED);
    }
    cr_assert_eq(topology_epoch(office.agent.topology), 4);
    cr_assert_eq(office.agent.refused, 10000);
    cr_assert_leq(office.post->log_count - lines, 14);
    office_close(&office);
}

Test(agent, passes_the_topology_on_to_whoever_asks)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    receive(&office, address_of_coordinator(0), topology_of(501, 1, 4));
    struct message get = {.kind = MESSAGE_topology_get, .topology_get = {.request = 5}};
    cr_assert_eq(receive(&office, FROM_CLIENT, get), AGENT_HANDLED);
    const struct message *passed = post_last(office.post, FROM_CLIENT, MESSAGE_topology);
    cr_assert_eq(passed->topology.epoch, 4);
    cr_assert_eq(passed->topology.cluster_id, 77);
    office_close(&office);
}

Test(agent, echoes)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    struct message echo = {.kind = MESSAGE_echo,
                           .echo = {.request = 5, .payload = bytes_from_text("hello")}};
    cr_assert_eq(receive(&office, FROM_CLIENT, echo), AGENT_HANDLED);
    const struct message *reply = post_last(office.post, FROM_CLIENT, MESSAGE_echo_reply);
    cr_assert_eq(reply->echo_reply.request, 5);
    cr_assert(bytes_equal(reply->echo_reply.payload, bytes_from_text("hello")));
    office_close(&office);
}

Test(agent, forgets_a_coordinator_that_is_silent_while_another_speaks)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    struct message_member member = {.name = bytes_from_text("w1"),
                                    .role = ROLE_writer,
                                    .endpoint = bytes_from_text("tcp://w1:1"),
                                    .incarnation = 1,
                                    .state = MEMBER_ready};
    AUTO(buffer_release) struct buffer members = {0};
    message_encode(&(struct message){.kind = MESSAGE_member, .member = member}, &members);
    struct message first = topology_of(501, 1, 4);
    first.topology.members = buffer_bytes(&members);
    receive(&office, address_of_coordinator(0), first);
    enum agent_result result = AGENT_HANDLED;
    uint64_t silent_us = office.now_us;
    for (uint64_t sequence = 1; result == AGENT_HANDLED; sequence++) {
        receive(&office, address_of_coordinator(1), topology_of(502, sequence, 4));
        result = wait_for_timer(&office);
    }
    cr_assert_eq(office.now_us, silent_us + 2500 * MS);
    cr_assert_null(topology_find(office.agent.topology, bytes_from_text("w1")));
    office_close(&office);
}

Test(agent, passes_on_what_is_not_its_own)
{
    struct office office = office_of(ROLE_reader);
    office_open(&office);
    struct message mark = {.kind = MESSAGE_mark, .mark = {.request = 1}};
    cr_assert_eq(receive(&office, FROM_CLIENT, mark), AGENT_PASSED);
    struct message refusal = {.kind = MESSAGE_refusal, .refusal = {.status = STATUS_in_use}};
    cr_assert_eq(receive(&office, FROM_CLIENT, refusal), AGENT_PASSED);
    cr_assert_eq(receive(&office, address_of_coordinator(0), refusal), AGENT_HANDLED);
    cr_assert_eq(step(&office, (struct event){.kind = EVENT_TIMER, .timer = 3}), AGENT_PASSED);
    cr_assert_eq(step(&office, (struct event){.kind = EVENT_DISK}), AGENT_PASSED);
    cr_assert_eq(step(&office, (struct event){.kind = EVENT_STOP}), AGENT_PASSED);
    office_close(&office);
}
