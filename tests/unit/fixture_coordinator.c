/*
 * The coordinator's world in a test: a clock, the timers it set, and scripted processes around it.
 */
#include "tests/unit/fixture_coordinator.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const VOTER_NAMES[OFFICE_VOTERS] = {"s1", "s2", "s3"};
static const char *const VOTER_ENDPOINTS[OFFICE_VOTERS] = {"tcp://s1:7310", "tcp://s2:7310",
                                                           "tcp://s3:7310"};

void office_open(struct office *office)
{
    *office = (struct office){
        .process = {.name = bytes_from_text("c1"),
                    .role = ROLE_coordinator,
                    .endpoint = bytes_from_text("tcp://c1:7300"),
                    .cluster_name = bytes_from_text("flock"),
                    .incarnation = ELECTORS_INCARNATION,
                    .seed = 3,
                    .pid = 12,
                    .timings = timings_default()},
        .post = post_new(),
        .now_us = 10000 * MS,
    };
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        office->scripts[i] = (struct script){.directory_id = stage_directory(i),
                                             .promised = 4,
                                             .last_epoch = 4,
                                             .last_position = 100,
                                             .voters = "123"};
        office->seeds[i] = (struct voter_seed){.name = bytes_from_text(VOTER_NAMES[i]),
                                               .endpoint = bytes_from_text(VOTER_ENDPOINTS[i]),
                                               .preferred = i == 0};
    }
    office->coordinator = coordinator_new(&office->process, office->seeds, OFFICE_VOTERS);
    office_step(office, (struct event){.kind = EVENT_START});
}

void office_open_with_primary(struct office *office)
{
    office_open(office);
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        office_report_as(office, VOTER_NAMES[i], i == 0 ? MEMBER_primary : MEMBER_replica, 4);
    }
    office_report_as(office, "r1", MEMBER_ready, 0);
    office_wait(office, 20 * MS);
    office_check_primary(office, "s1", 4);
    post_forget(office->post);
}

void office_close(struct office *office)
{
    coordinator_destroy(&office->coordinator);
    post_destroy(&office->post);
}

void office_step(struct office *office, struct event event)
{
    event.now_us = office->now_us;
    event.wall_us = UINT64_C(1700000000000000) + office->now_us;
    coordinator_step(office->coordinator, &event, &office->post->out);
    post_collect(office->post);
}

void office_receive(struct office *office, uint64_t from, const char *name, struct message message)
{
    office_step(office, (struct event){.kind = EVENT_MESSAGE,
                                       .from = from,
                                       .from_name = bytes_from_text(name),
                                       .message = &message});
}

// The timer that is due first, up to `until_us`; 0 for none.
static uint32_t timer_due(const struct office *office, uint64_t until_us)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < POST_TIMER_MAX; i++) {
        uint64_t due_us = office->post->timers[i];
        bool is_due = due_us != 0 && due_us <= until_us;
        if (is_due && (first == 0 || due_us < office->post->timers[first])) {
            first = i;
        }
    }
    return first;
}

void office_wait(struct office *office, uint64_t us)
{
    uint64_t until_us = office->now_us + us;
    uint32_t timer = timer_due(office, until_us);
    while (timer != 0) {
        uint64_t due_us = office->post->timers[timer];
        office->now_us = due_us > office->now_us ? due_us : office->now_us;
        office->post->timers[timer] = 0;
        office_step(office, (struct event){.kind = EVENT_TIMER, .timer = timer});
        timer = timer_due(office, until_us);
    }
    office->now_us = until_us;
}

void office_wait_reporting(struct office *office, uint64_t us, const char *silent)
{
    uint64_t until_us = office->now_us + us;
    while (office->now_us < until_us) {
        for (size_t i = 0; i < office->coordinator->registry.count; i++) {
            struct topology_member record = office->coordinator->registry.members[i].record;
            bool reports = record.role != ROLE_coordinator && strcmp(record.name, silent) != 0;
            if (reports && record.state != MEMBER_unreachable) {
                office_report_as(office, record.name, record.state, record.epoch);
            }
        }
        uint64_t left_us = until_us - office->now_us;
        office_wait(office, left_us < 100 * MS ? left_us : 100 * MS);
    }
}

struct message_member office_member(struct office *office, const char *name,
                                    enum member_state state, uint64_t epoch)
{
    struct message_member member = {.name = bytes_from_text(name),
                                    .role = ROLE_reader,
                                    .endpoint = bytes_from_text("tcp://elsewhere:7400"),
                                    .incarnation = 1,
                                    .state = (uint8_t)state,
                                    .epoch = epoch,
                                    .beat = ++office->beats};
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        if (strcmp(name, VOTER_NAMES[i]) == 0) {
            member.role = ROLE_replica;
            member.endpoint = office->seeds[i].endpoint;
            member.directory_id = stage_directory(i);
            member.promised = epoch;
        }
    }
    return member;
}

void office_report(struct office *office, struct message_member member)
{
    char name[NAME_SIZE_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)member.name.size, (const char *)member.name.data);
    office_receive(office, report_address(name), name,
                   (struct message){.kind = MESSAGE_member, .member = member});
}

void office_report_as(struct office *office, const char *name, enum member_state state,
                      uint64_t epoch)
{
    office_report(office, office_member(office, name, state, epoch));
}

uint64_t report_address(const char *name)
{
    return address_of_endpoint(bytes_from_text(name)) | UINT64_C(1) << 63;
}

uint64_t voter_address(const struct office *office, size_t voter)
{
    return address_of_endpoint(office->seeds[voter].endpoint);
}

void office_answer(struct office *office, const char *digits)
{
    enum election_state state = office->coordinator->election.state;
    enum message_kind kind = state == ELECTION_POLL ? MESSAGE_poll : MESSAGE_seal;
    for (const char *digit = digits; *digit != '\0'; digit++) {
        size_t voter = (size_t)(*digit - '1');
        uint64_t address = voter_address(office, voter);
        AUTO(buffer_release) struct buffer configuration = {0};
        struct message answer = script_answer(
            &office->scripts[voter], post_last(office->post, address, kind), &configuration);
        office_receive(office, address, VOTER_NAMES[voter], answer);
    }
}

void office_answer_appoint(struct office *office, size_t voter)
{
    const struct message *appoint = post_last(office->post, voter_address(office, voter),
                                              MESSAGE_appoint);
    struct message_appoint_reply reply = {.epoch = appoint->appoint.epoch,
                                          .incarnation = appoint->appoint.incarnation,
                                          .accepted = true,
                                          .promised = appoint->appoint.epoch};
    office_receive(office, voter_address(office, voter), VOTER_NAMES[voter],
                   (struct message){.kind = MESSAGE_appoint_reply, .appoint_reply = reply});
}

void office_connect(struct office *office, size_t voter, bool is_up)
{
    office_step(office, (struct event){.kind = is_up ? EVENT_PEER_UP : EVENT_PEER_DOWN,
                                       .from = voter_address(office, voter)});
}

void office_elect_second(struct office *office, uint64_t epoch)
{
    office_answer(office, "23");
    office_answer(office, "23");
    office_answer_appoint(office, 1);
    office_report_as(office, "s2", MEMBER_primary, epoch);
}

const struct message_topology *office_topology(const struct office *office, const char *name)
{
    return &post_last(office->post, report_address(name), MESSAGE_topology)->topology;
}

enum member_state office_state(const struct office *office, const char *name)
{
    struct registry_member *member = registry_find(&office->coordinator->registry,
                                                   bytes_from_text(name));
    return member == NULL ? 0 : member->record.state;
}

void office_check_primary(const struct office *office, const char *name, uint64_t epoch)
{
    cr_assert_str_eq(office->coordinator->primary.name, name);
    cr_assert_eq(office->coordinator->primary.epoch, epoch);
}
