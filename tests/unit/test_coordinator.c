/*
 * The coordinator: who is suspected, when, and what is published.
 */
#include "actors/coordinator/coordinator.h"

#include "tests/unit/fixture_coordinator.h"

#include <criterion/criterion.h>
#include <stdio.h>

static enum election_state election_state(const struct office *office)
{
    return office->coordinator->election.state;
}

static const char *cause(const struct office *office)
{
    return office->coordinator->suspicion.cause;
}

static void check_text(struct bytes text, const char *expected)
{
    cr_assert(bytes_equal(text, bytes_from_text(expected)), "%.*s", (int)text.size,
              (const char *)text.data);
}

// The failovers that `why` tells of, latest first; borrowed until letters are forgotten.
static struct bytes ask_why(struct office *office)
{
    struct message why = {.kind = MESSAGE_why, .why = {.request = 8}};
    office_receive(office, OFFICE_CLIENT, "", why);
    const struct message *reply = post_last(office->post, OFFICE_CLIENT, MESSAGE_why_reply);
    cr_assert_eq(reply->why_reply.request, 8);
    return reply->why_reply.failovers;
}

static struct message take_record(struct bytes *list, enum message_kind kind)
{
    struct message record;
    cr_assert_eq(message_decode(list, &record), STATUS_ok);
    cr_assert_eq(record.kind, kind);
    return record;
}

// --- birth and failover, from beginning to end

Test(coordinator, a_cluster_is_born_when_nobody_leads_for_suspect_after)
{
    struct office office;
    office_open(&office);
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        office.scripts[i] = (struct script){.directory_id = stage_directory(i), .voters = ""};
    }
    office_wait(&office, 300 * MS - 1);
    cr_assert_eq(office.post->count, 0);
    office_wait(&office, 1);
    office_answer(&office, "123");
    office_answer(&office, "123");
    office_answer_appoint(&office, 0);
    office_report_as(&office, "s1", MEMBER_primary, 1);
    office_check_primary(&office, "s1", 1);
    struct bytes failovers = ask_why(&office);
    struct message record = take_record(&failovers, MESSAGE_failover);
    check_text(record.failover.cause, "birth");
    check_text(record.failover.old_primary, "");
    check_text(record.failover.new_primary, "s1");
    office_close(&office);
}

Test(coordinator, a_lost_connection_to_the_primary_begins_an_election_at_once)
{
    struct office office;
    office_open_with_primary(&office);
    office_connect(&office, 0, false);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_poll), 3);
    cr_assert_str_eq(cause(&office), "connection refused");
    cr_assert_eq(office_state(&office, "s1"), MEMBER_unreachable);
    office_elect_second(&office, 5);
    cr_assert_eq(election_state(&office), ELECTION_IDLE);
    const struct message_topology *topology = office_topology(&office, "r1");
    check_text(topology->primary, "s2");
    cr_assert_eq(topology->epoch, 5);
    office_close(&office);
}

Test(coordinator, a_silent_primary_is_suspected_exactly_after_suspect_after)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait(&office, 280 * MS - 1);
    cr_assert_eq(election_state(&office), ELECTION_IDLE);
    office_wait(&office, 1);
    cr_assert_eq(election_state(&office), ELECTION_POLL);
    cr_assert_str_eq(cause(&office), "no heartbeat for 300 ms");
    office_close(&office);
}

Test(coordinator, a_primary_that_reports_is_not_suspected)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait_reporting(&office, 10000 * MS, "");
    cr_assert_eq(post_count(office.post, 0, MESSAGE_poll), 0);
    office_check_primary(&office, "s1", 4);
    office_close(&office);
}

// The primary's report says that it leads no more: an election begins at once, for this reason.
static void check_end_of_reign(enum member_state state, uint64_t incarnation, const char *why)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait(&office, 250 * MS);
    struct message_member member = office_member(&office, "s1", state, 4);
    member.incarnation = incarnation;
    office_report(&office, member);
    cr_assert_eq(election_state(&office), ELECTION_POLL);
    cr_assert_str_eq(cause(&office), why);
    office_check_primary(&office, "", 4);
    check_text(office_topology(&office, "r1")->primary, "");
    office_close(&office);
}

Test(coordinator, a_primary_that_stops_restarts_or_steps_down_is_replaced_at_once)
{
    check_end_of_reign(MEMBER_unreachable, 1, "the primary stopped");
    check_end_of_reign(MEMBER_replica, 2, "the primary was started anew");
    check_end_of_reign(MEMBER_replica, 1, "the primary stepped down");
}

Test(coordinator, why_tells_the_steps_and_they_add_up)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait(&office, 280 * MS);
    office_answer(&office, "23");
    office_wait(&office, 2 * MS);
    office_answer(&office, "23");
    office_wait(&office, 10 * MS);
    office_wait(&office, 3 * MS);
    office_answer_appoint(&office, 1);
    office_wait(&office, 4 * MS);
    office_report_as(&office, "s2", MEMBER_primary, 5);
    struct bytes failovers = ask_why(&office);
    struct message record = take_record(&failovers, MESSAGE_failover);
    cr_assert_eq(record.failover.epoch, 5);
    check_text(record.failover.old_primary, "s1");
    check_text(record.failover.new_primary, "s2");
    check_text(record.failover.cause, "no heartbeat for 300 ms");
    cr_assert_eq(record.failover.total_us, 319 * MS);
    static const uint64_t expected_ms[PHASE_COUNT] = {300, 0, 12, 3, 4, 0};
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        struct message phase = take_record(&failovers, MESSAGE_phase);
        cr_assert_eq(phase.phase.took_us, expected_ms[i] * MS);
    }
    cr_assert_eq(failovers.size, 0);
    office_close(&office);
}

// --- links that flap

Test(coordinator, a_flapping_link_changes_nothing_while_the_voters_hear_the_primary)
{
    struct office office;
    office_open_with_primary(&office);
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        office.scripts[i].hears_primary = true;
    }
    for (unsigned i = 0; i < 20; i++) {
        office_connect(&office, 0, false);
        office_answer(&office, "23");
        office_wait(&office, 10 * MS);
        office_connect(&office, 0, true);
        office_report_as(&office, "s1", MEMBER_primary, 4);
        cr_assert_eq(election_state(&office), ELECTION_IDLE);
    }
    cr_assert_eq(post_count(office.post, 0, MESSAGE_seal), 0);
    office_check_primary(&office, "s1", 4);
    office_close(&office);
}

Test(coordinator, a_primary_that_only_the_voters_hear_stays_named)
{
    struct office office;
    office_open_with_primary(&office);
    for (size_t i = 0; i < OFFICE_VOTERS; i++) {
        office.scripts[i].hears_primary = true;
    }
    for (unsigned i = 0; i < 100; i++) {
        office_wait_reporting(&office, 50 * MS, "s1");
        if (election_state(&office) == ELECTION_POLL) {
            office_answer(&office, "23");
        }
    }
    office_check_primary(&office, "s1", 4);
    cr_assert_eq(office_state(&office, "s1"), MEMBER_unreachable);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_seal), 0);
    office_close(&office);
}

Test(coordinator, a_primary_that_nobody_hears_is_not_named_after_the_expiry)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait_reporting(&office, 1900 * MS, "s1");
    office_check_primary(&office, "s1", 4);
    office_wait_reporting(&office, 200 * MS, "s1");
    office_check_primary(&office, "", 4);
    check_text(office_topology(&office, "r1")->primary, "");
    office_close(&office);
}

// --- the registry as published

Test(coordinator, lists_itself_and_the_voters_of_the_file_before_anybody_reports)
{
    struct office office;
    office_open(&office);
    struct message get = {.kind = MESSAGE_topology_get, .topology_get = {.request = 1}};
    office_receive(&office, OFFICE_CLIENT, "", get);
    const struct message *message = post_last(office.post, OFFICE_CLIENT, MESSAGE_topology);
    AUTO(topology_destroy) struct topology *topology = topology_new();
    bool is_changed;
    cr_assert_eq(topology_update(topology, &message->topology, 0, &is_changed), STATUS_ok);
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    cr_assert_eq(count, 4);
    cr_assert_str_eq(members[0].name, "c1");
    cr_assert_eq(members[0].role, ROLE_coordinator);
    cr_assert_eq(members[0].state, MEMBER_ready);
    cr_assert_eq(members[1].role, ROLE_primary);
    cr_assert_eq(members[3].role, ROLE_replica);
    cr_assert_eq(members[3].state, MEMBER_unreachable);
    office_close(&office);
}

Test(coordinator, a_new_process_is_told_at_once_and_all_others_of_it)
{
    struct office office;
    office_open_with_primary(&office);
    office_report_as(&office, "w1", MEMBER_ready, 0);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_topology), 5);
    cr_assert_eq(post_count(office.post, report_address("w1"), MESSAGE_topology), 1);
    office_close(&office);
}

Test(coordinator, changes_in_a_burst_are_published_together_after_ten_milliseconds)
{
    struct office office;
    office_open_with_primary(&office);
    for (unsigned i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%u", 10 + i);
        office_report_as(&office, name, MEMBER_ready, 0);
    }
    cr_assert_eq(post_count(office.post, report_address("r1"), MESSAGE_topology), 1);
    office_wait(&office, 10 * MS);
    cr_assert_eq(post_count(office.post, report_address("r1"), MESSAGE_topology), 2);
    office_wait(&office, 100 * MS);
    cr_assert_eq(post_count(office.post, report_address("r1"), MESSAGE_topology), 2);
    office_close(&office);
}

Test(coordinator, a_new_primary_is_published_without_delay)
{
    struct office office;
    office_open_with_primary(&office);
    office_report_as(&office, "w1", MEMBER_ready, 0);
    office_connect(&office, 0, false);
    post_forget(office.post);
    office_report_as(&office, "s2", MEMBER_primary, 6);
    check_text(office_topology(&office, "w1")->primary, "s2");
    office_close(&office);
}

Test(coordinator, an_idle_cluster_is_quiet)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait_reporting(&office, 10000 * MS, "");
    size_t topologies = post_count(office.post, report_address("r1"), MESSAGE_topology);
    cr_assert(topologies == 9 || topologies == 10, "%zu", topologies);
    cr_assert_eq(office.post->count, 4 * topologies);
    office_close(&office);
}

Test(coordinator, a_silent_process_is_unreachable_after_two_seconds_and_dropped_after_thirty)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait_reporting(&office, 1900 * MS, "r1");
    cr_assert_eq(office_state(&office, "r1"), MEMBER_ready);
    office_wait_reporting(&office, 200 * MS, "r1");
    cr_assert_eq(office_state(&office, "r1"), MEMBER_unreachable);
    office_wait_reporting(&office, 27800 * MS, "r1");
    cr_assert_eq(office_state(&office, "r1"), MEMBER_unreachable);
    office_wait_reporting(&office, 200 * MS, "r1");
    cr_assert_eq(office_state(&office, "r1"), 0);
    office_close(&office);
}

Test(coordinator, a_voter_of_the_file_is_never_dropped)
{
    struct office office;
    office_open_with_primary(&office);
    office_wait_reporting(&office, 60000 * MS, "s3");
    cr_assert_eq(office_state(&office, "s3"), MEMBER_unreachable);
    office_report_as(&office, "s3", MEMBER_replica, 4);
    cr_assert_eq(office_state(&office, "s3"), MEMBER_replica);
    office_close(&office);
}

Test(coordinator, one_that_slept_itself_does_not_call_the_others_silent)
{
    struct office office;
    office_open_with_primary(&office);
    office.now_us += 5000 * MS;
    office_step(&office, (struct event){.kind = EVENT_TIMER, .timer = TIMER_BEAT});
    cr_assert_eq(office_state(&office, "r1"), MEMBER_ready);
    office_check_primary(&office, "s1", 4);
    office_wait_reporting(&office, 2100 * MS, "r1");
    cr_assert_eq(office_state(&office, "r1"), MEMBER_unreachable);
    office_close(&office);
}

Test(coordinator, says_goodbye_when_it_is_stopped)
{
    struct office office;
    office_open_with_primary(&office);
    office_step(&office, (struct event){.kind = EVENT_STOP});
    cr_assert(office.post->has_stopped);
    AUTO(topology_destroy) struct topology *topology = topology_new();
    bool is_changed;
    cr_assert_eq(topology_update(topology, office_topology(&office, "r1"), 0, &is_changed),
                 STATUS_ok);
    cr_assert_eq(topology_find(topology, bytes_from_text("c1"))->state, MEMBER_unreachable);
    office_close(&office);
}

// --- what is refused

static void check_refused(struct office *office, struct message_member member, const char *name,
                          enum status status)
{
    uint64_t refused = office->coordinator->refused;
    office_receive(office, OFFICE_CLIENT, name,
                   (struct message){.kind = MESSAGE_member, .member = member});
    const struct message *refusal = post_last(office->post, OFFICE_CLIENT, MESSAGE_refusal);
    cr_assert_eq(refusal->refusal.status, status);
    cr_assert_eq(office->coordinator->refused, refused + 1);
    post_forget(office->post);
}

Test(coordinator, refuses_reports_that_are_malformed_or_in_another_name)
{
    struct office office;
    office_open_with_primary(&office);
    struct message_member good = office_member(&office, "r2", MEMBER_ready, 0);
    check_refused(&office, good, "r3", STATUS_bad_request);
    struct message_member bad = good;
    bad.incarnation = 0;
    check_refused(&office, bad, "r2", STATUS_bad_request);
    bad = good;
    bad.state = 77;
    check_refused(&office, bad, "r2", STATUS_bad_request);
    bad = good;
    bad.name = bytes_from_text("c1");
    check_refused(&office, bad, "c1", STATUS_bad_request);
    cr_assert_eq(office_state(&office, "r2"), 0);
    cr_assert_eq(office_state(&office, "c1"), MEMBER_ready);
    office_close(&office);
}

Test(coordinator, two_processes_of_one_name_do_not_take_turns)
{
    struct office office;
    office_open_with_primary(&office);
    struct message_member other = office_member(&office, "r1", MEMBER_ready, 0);
    other.incarnation = 2;
    check_refused(&office, other, "r1", STATUS_in_use);
    office_wait(&office, 650 * MS);
    other.beat = ++office.beats;
    office_report(&office, other);
    cr_assert_eq(
        registry_find(&office.coordinator->registry, bytes_from_text("r1"))->record.incarnation, 2);
    office_close(&office);
}

Test(coordinator, reports_that_come_late_change_nothing)
{
    struct office office;
    office_open_with_primary(&office);
    struct message_member late = office_member(&office, "s1", MEMBER_replica, 4);
    office_report_as(&office, "s1", MEMBER_primary, 4);
    office_report(&office, late);
    office_check_primary(&office, "s1", 4);
    cr_assert_eq(election_state(&office), ELECTION_IDLE);
    office_close(&office);
}

Test(coordinator, a_process_of_another_cluster_is_refused)
{
    struct office office;
    office_open_with_primary(&office);
    election_learn_cluster(&office.coordinator->election, ELECTORS_CLUSTER, &office.post->out);
    struct message report = {.kind = MESSAGE_member,
                             .member = office_member(&office, "r2", MEMBER_ready, 0)};
    struct event event = {.kind = EVENT_MESSAGE,
                          .from = OFFICE_CLIENT,
                          .from_name = bytes_from_text("r2"),
                          .from_cluster_id = ELECTORS_CLUSTER + 1,
                          .message = &report};
    office_step(&office, event);
    cr_assert_eq(post_last(office.post, OFFICE_CLIENT, MESSAGE_refusal)->refusal.status,
                 STATUS_wrong_cluster);
    cr_assert_eq(office_state(&office, "r2"), 0);
    event.from_cluster_id = ELECTORS_CLUSTER;
    office_step(&office, event);
    cr_assert_eq(office_state(&office, "r2"), MEMBER_ready);
    office_close(&office);
}

Test(coordinator, learns_its_cluster_from_voters_of_the_file_and_tells_the_others)
{
    struct office office;
    office_open_with_primary(&office);
    struct message report = {.kind = MESSAGE_member,
                             .member = office_member(&office, "s2", MEMBER_replica, 4)};
    struct event event = {.kind = EVENT_MESSAGE,
                          .from = report_address("s2"),
                          .from_name = bytes_from_text("s2"),
                          .from_cluster_id = ELECTORS_CLUSTER,
                          .message = &report};
    office_step(&office, event);
    cr_assert_eq(office.post->cluster_id, ELECTORS_CLUSTER);
    cr_assert_eq(office_topology(&office, "r1")->cluster_id, ELECTORS_CLUSTER);
    office_close(&office);
}

Test(coordinator, a_flood_of_processes_is_bounded_and_spares_those_of_the_file)
{
    struct office office;
    office_open_with_primary(&office);
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "flood%u", i);
        office_report_as(&office, name, MEMBER_ready, 0);
        office.now_us += 11 * MS;
        post_forget(office.post);
    }
    cr_assert_eq(office.coordinator->registry.count, REGISTRY_MEMBERS_MAX);
    cr_assert_eq(office.coordinator->refused, 1000 - (REGISTRY_MEMBERS_MAX - 5));
    cr_assert_lt(office.post->log_count, 40);
    cr_assert_neq(office_state(&office, "s3"), 0);
    office_close(&office);
}

Test(coordinator, messages_that_are_not_for_it_are_counted_and_not_answered)
{
    struct office office;
    office_open_with_primary(&office);
    struct message strange[] = {{.kind = MESSAGE_transact, .transact = {.request = 4}},
                                {.kind = MESSAGE_refusal, .refusal = {.request = 4}},
                                {.kind = MESSAGE_switchover_reply},
                                {.kind = MESSAGE_consent, .consent = {.epoch = 4, .target = 102}},
                                {.kind = MESSAGE_topology}};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        office_receive(&office, OFFICE_CLIENT, "x", strange[i]);
    }
    cr_assert_eq(office.post->count, 0);
    cr_assert_eq(office.coordinator->refused, sizeof strange / sizeof strange[0]);
    cr_assert_eq(election_state(&office), ELECTION_IDLE);
    office_close(&office);
}

Test(coordinator, a_second_claim_to_an_epoch_does_not_unseat_the_first)
{
    struct office office;
    office_open_with_primary(&office);
    office_report_as(&office, "s2", MEMBER_primary, 4);
    office_check_primary(&office, "s1", 4);
    cr_assert_eq(office.coordinator->refused, 1);
    office_report_as(&office, "s3", MEMBER_primary, 3);
    office_check_primary(&office, "s1", 4);
    office_close(&office);
}

Test(coordinator, echoes)
{
    struct office office;
    office_open(&office);
    struct message echo = {.kind = MESSAGE_echo,
                           .echo = {.request = 5, .payload = bytes_from_text("hello")}};
    office_receive(&office, OFFICE_CLIENT, "", echo);
    check_text(post_last(office.post, OFFICE_CLIENT, MESSAGE_echo_reply)->echo_reply.payload,
               "hello");
    office_close(&office);
}

// --- a voter that promised a higher epoch, rule 35

static void report_wanted_epoch(struct office *office, const char *name, uint64_t epoch,
                                uint64_t wanted_epoch)
{
    struct message_member member = office_member(office, name, MEMBER_primary, epoch);
    member.wanted_epoch = wanted_epoch;
    office_report(office, member);
}

Test(coordinator, a_primary_refused_with_a_higher_epoch_is_elected_above_it)
{
    struct office office;
    office_open_with_primary(&office);
    office.scripts[2].promised = 9;
    report_wanted_epoch(&office, "s1", 4, 9);
    cr_assert_eq(post_count(office.post, 0, MESSAGE_poll), 0);
    office_answer(&office, "123");
    office_answer_appoint(&office, 0);
    office_report_as(&office, "s1", MEMBER_primary, 10);
    office_check_primary(&office, "s1", 10);
    struct bytes failovers = ask_why(&office);
    check_text(take_record(&failovers, MESSAGE_failover).failover.cause,
               "refused with a higher epoch");
    office_close(&office);
}

Test(coordinator, elections_against_a_living_primary_are_a_second_apart)
{
    struct office office;
    office_open_with_primary(&office);
    for (uint64_t epoch = 4; epoch < 104; epoch++) {
        report_wanted_epoch(&office, "s1", epoch, epoch + 1);
        office_report_as(&office, "s1", MEMBER_primary, epoch + 1);
        office_wait(&office, 10 * MS);
    }
    cr_assert_eq(post_count(office.post, voter_address(&office, 0), MESSAGE_seal), 1);
    office_wait(&office, 10 * MS);
    report_wanted_epoch(&office, "s1", 104, 105);
    cr_assert_eq(post_count(office.post, voter_address(&office, 0), MESSAGE_seal), 2);
    office_close(&office);
}
