/*
 * The topology: the union of what coordinators publish.
 */
#include "cluster/topology.h"

#include "cluster/machine.h"

#include <criterion/criterion.h>
#include <stdio.h>

// What one coordinator publishes, under construction.
struct news {
    struct message_topology fields;
    struct buffer members; // owned
};

static struct news news_of(uint64_t coordinator, uint64_t sequence, uint64_t epoch,
                           const char *primary)
{
    return (struct news){.fields = {.cluster_id = 77,
                                    .epoch = epoch,
                                    .primary = bytes_from_text(primary),
                                    .coordinator = coordinator,
                                    .sequence = sequence,
                                    .cluster_name = bytes_from_text("flock")}};
}

static struct message_member member_of(const char *name, uint64_t incarnation, uint64_t beat,
                                       enum member_state state)
{
    return (struct message_member){.name = bytes_from_text(name),
                                   .role = ROLE_replica,
                                   .endpoint = bytes_from_text("tcp://host:7310"),
                                   .incarnation = incarnation,
                                   .state = (uint8_t)state,
                                   .beat = beat};
}

static void list(struct news *news, struct message_member member)
{
    struct message message = {.kind = MESSAGE_member, .member = member};
    message_encode(&message, &news->members);
}

static void list_coordinator(struct news *news, const char *name)
{
    struct message_member self = member_of(name, news->fields.coordinator, 1, MEMBER_ready);
    self.role = ROLE_coordinator;
    list(news, self);
}

// Hands the news over; true if the topology says that it changed.
static bool hear(struct topology *topology, struct news *news, uint64_t now_us)
{
    bool is_changed = false;
    news->fields.members = buffer_bytes(&news->members);
    cr_assert_eq(topology_update(topology, &news->fields, now_us, &is_changed), STATUS_ok);
    buffer_release(&news->members);
    return is_changed;
}

static bool hear_one(struct topology *topology, uint64_t coordinator, uint64_t sequence,
                     struct message_member member, uint64_t now_us)
{
    struct news news = news_of(coordinator, sequence, 4, "s1");
    list(&news, member);
    return hear(topology, &news, now_us);
}

static const struct topology_member *find(const struct topology *topology, const char *name)
{
    return topology_find(topology, bytes_from_text(name));
}

static enum member_state state_of(const struct topology *topology, const char *name)
{
    const struct topology_member *member = find(topology, name);
    cr_assert_not_null(member);
    return member->state;
}

static void check_primary(const struct topology *topology, uint64_t epoch, const char *name)
{
    cr_assert_eq(topology_epoch(topology), epoch);
    const struct topology_member *primary = topology_primary(topology);
    if (name == NULL) {
        cr_assert_null(primary);
        return;
    }
    cr_assert_not_null(primary);
    cr_assert_str_eq(primary->name, name);
}

Test(topology, knows_nothing_at_first)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    size_t count = 99;
    topology_members(topology, &count);
    cr_assert_eq(count, 0);
    cr_assert_eq(topology_cluster_id(topology), 0);
    check_primary(topology, 0, NULL);
    cr_assert_null(find(topology, ""));
}

Test(topology, is_the_union_of_what_the_coordinators_hear_in_order_of_names)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s2", 1, 1, MEMBER_replica), 10);
    hear_one(topology, 502, 1, member_of("s1", 1, 1, MEMBER_primary), 20);
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(members[0].name, "s1");
    cr_assert_str_eq(members[1].name, "s2");
    cr_assert_eq(members[0].address, address_of_endpoint(bytes_from_text("tcp://host:7310")));
    cr_assert_eq(topology_cluster_id(topology), 77);
    check_primary(topology, 4, "s1");
}

Test(topology, a_member_is_reached_as_long_as_one_coordinator_reaches_it)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s1", 1, 10, MEMBER_primary), 10);
    hear_one(topology, 502, 1, member_of("s1", 1, 9, MEMBER_unreachable), 20);
    cr_assert_eq(state_of(topology, "s1"), MEMBER_primary);
    hear_one(topology, 502, 2, member_of("s1", 1, 10, MEMBER_unreachable), 30);
    cr_assert_eq(state_of(topology, "s1"), MEMBER_primary);
    hear_one(topology, 501, 2, member_of("s1", 1, 10, MEMBER_unreachable), 40);
    cr_assert_eq(state_of(topology, "s1"), MEMBER_unreachable);
}

Test(topology, a_goodbye_counts_although_another_coordinator_did_not_hear_it)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("r1", 1, 11, MEMBER_unreachable), 10);
    hear_one(topology, 502, 1, member_of("r1", 1, 10, MEMBER_ready), 20);
    cr_assert_eq(state_of(topology, "r1"), MEMBER_unreachable);
}

Test(topology, a_process_started_anew_replaces_its_former_self)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s1", 1, 900, MEMBER_replica), 10);
    hear_one(topology, 502, 1, member_of("s1", 2, 1, MEMBER_replica), 20);
    cr_assert_eq(find(topology, "s1")->incarnation, 2);
    hear_one(topology, 501, 2, member_of("s1", 1, 900, MEMBER_unreachable), 30);
    cr_assert_eq(find(topology, "s1")->incarnation, 2);
}

Test(topology, older_news_of_the_same_coordinator_are_dropped)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    cr_assert(hear_one(topology, 501, 5, member_of("s1", 1, 5, MEMBER_primary), 10));
    cr_assert_not(hear_one(topology, 501, 4, member_of("s9", 1, 4, MEMBER_replica), 20));
    cr_assert_null(find(topology, "s9"));
    cr_assert_not_null(find(topology, "s1"));
}

Test(topology, says_that_it_changed_for_leaders_sets_and_states_only)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    struct message_member member = member_of("s1", 1, 1, MEMBER_replica);
    cr_assert(hear_one(topology, 501, 1, member, 10));
    member.beat = 2;
    member.applied_version = 100;
    cr_assert_not(hear_one(topology, 501, 2, member, 20));
    cr_assert_eq(find(topology, "s1")->applied_version, 100);
    member.state = MEMBER_primary;
    cr_assert(hear_one(topology, 501, 3, member, 30));
    struct news elected = news_of(501, 4, 5, "s1");
    list(&elected, member);
    cr_assert(hear(topology, &elected, 40));
    struct news empty = news_of(501, 5, 5, "s1");
    cr_assert(hear(topology, &empty, 50));
}

Test(topology, the_higher_epoch_names_the_primary)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    for (uint64_t i = 0; i < 3; i++) {
        static const char *const primaries[] = {"s1", "s2", "s1"};
        struct news news = news_of(501 + i, 1, i == 1 ? 7 : 4, primaries[i]);
        list(&news, member_of("s1", 1, 1, MEMBER_primary));
        list(&news, member_of("s2", 1, 1, MEMBER_primary));
        hear(topology, &news, 10 + i);
    }
    check_primary(topology, 7, "s2");
}

Test(topology, a_coordinator_that_knows_no_primary_does_not_unseat_one_of_the_same_epoch)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s1", 1, 1, MEMBER_primary), 10);
    struct news unknowing = news_of(502, 1, 4, "");
    hear(topology, &unknowing, 20);
    check_primary(topology, 4, "s1");
    struct news resigned = news_of(501, 2, 4, "");
    hear(topology, &resigned, 30);
    check_primary(topology, 4, NULL);
}

Test(topology, a_coordinator_that_is_behind_does_not_bring_a_deposed_primary_back)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    struct news newer = news_of(501, 1, 7, "s2");
    list(&newer, member_of("s2", 1, 1, MEMBER_primary));
    hear(topology, &newer, 10);
    struct news older = news_of(502, 1, 4, "s1");
    list(&older, member_of("s1", 1, 1, MEMBER_primary));
    list(&older, member_of("s2", 1, 1, MEMBER_replica));
    hear(topology, &older, 5000);
    cr_assert(topology_expire(topology, 1000));
    check_primary(topology, 7, "s2");
}

Test(topology, silent_coordinators_are_forgotten_only_while_another_is_heard)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s1", 1, 1, MEMBER_primary), 10);
    cr_assert_not(topology_expire(topology, 1000));
    cr_assert_not_null(find(topology, "s1"));
    hear_one(topology, 502, 1, member_of("s2", 1, 1, MEMBER_replica), 2000);
    cr_assert(topology_expire(topology, 1000));
    cr_assert_null(find(topology, "s1"));
    cr_assert_not_null(find(topology, "s2"));
    cr_assert_not(topology_expire(topology, 1000));
    cr_assert(hear_one(topology, 501, 2, member_of("s1", 1, 2, MEMBER_primary), 2100));
    cr_assert_not_null(find(topology, "s1"));
}

Test(topology, a_silent_coordinator_stays_listed_as_unreachable_until_it_is_back)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    struct news first = news_of(501, 1, 4, "");
    list_coordinator(&first, "c1");
    hear(topology, &first, 10);
    struct news second = news_of(502, 1, 4, "");
    list_coordinator(&second, "c2");
    hear(topology, &second, 2000);
    topology_expire(topology, 1000);
    cr_assert_eq(state_of(topology, "c1"), MEMBER_unreachable);
    cr_assert_eq(state_of(topology, "c2"), MEMBER_ready);
    struct news anew = news_of(503, 1, 4, "");
    list_coordinator(&anew, "c1");
    hear(topology, &anew, 2100);
    cr_assert_eq(state_of(topology, "c1"), MEMBER_ready);
    cr_assert_eq(find(topology, "c1")->incarnation, 503);
}

Test(topology, more_coordinators_than_slots_push_out_the_ones_silent_for_longest)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    for (uint64_t i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%03u", (unsigned)i);
        hear_one(topology, 500 + i, 1, member_of(name, 1, 1, MEMBER_replica), i);
    }
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    cr_assert_eq(count, COORDINATOR_COUNT_MAX);
    cr_assert_str_eq(members[0].name, "s093");
    cr_assert_str_eq(members[6].name, "s099");
}

Test(topology, another_cluster_is_refused_and_an_unborn_one_is_not)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    struct news unborn = news_of(501, 1, 0, "");
    unborn.fields.cluster_id = 0;
    hear(topology, &unborn, 10);
    cr_assert_eq(topology_cluster_id(topology), 0);
    struct news born = news_of(501, 2, 1, "");
    cr_assert(hear(topology, &born, 20));
    struct news other = news_of(502, 1, 9, "");
    other.fields.cluster_id = 78;
    bool is_changed = false;
    cr_assert_eq(topology_update(topology, &other.fields, 30, &is_changed), STATUS_wrong_cluster);
    check_primary(topology, 1, NULL);
    hear(topology, &unborn, 40);
    cr_assert_eq(topology_cluster_id(topology), 77);
}

// What the topology says to news that list one good member and then this one.
static enum status hear_bad(struct message_member member)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    AUTO(buffer_release) struct buffer members = {0};
    struct news news = news_of(501, 1, 4, "s1");
    list(&news, member_of("s1", 1, 1, MEMBER_primary));
    list(&news, member);
    members = news.members;
    news.fields.members = buffer_bytes(&members);
    bool is_changed = false;
    enum status status = topology_update(topology, &news.fields, 10, &is_changed);
    size_t count;
    topology_members(topology, &count);
    cr_assert_eq(count, status == STATUS_ok ? 2 : 0);
    return status;
}

Test(topology, a_malformed_member_spoils_the_news)
{
    struct message_member good = member_of("s2", 1, 1, MEMBER_replica);
    cr_assert_eq(hear_bad(good), STATUS_ok);
    struct message_member bad = good;
    bad.name = bytes_from_text("");
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad.name = bytes_from_text("s 2");
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad = good;
    bad.endpoint = bytes_from_text("");
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad = good;
    bad.state = MEMBER_unreachable + 1;
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad.state = 0;
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad = good;
    bad.role = ROLE_client;
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad = good;
    bad.incarnation = 0;
    cr_assert_eq(hear_bad(bad), STATUS_bad_request);
    bad.state = MEMBER_unreachable;
    cr_assert_eq(hear_bad(bad), STATUS_ok);
}

Test(topology, members_that_are_no_members_or_too_many_spoil_the_news)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    AUTO(buffer_release) struct buffer members = {0};
    bool is_changed = false;
    struct news news = news_of(501, 1, 4, "s1");
    struct message mark = {.kind = MESSAGE_mark};
    message_encode(&mark, &members);
    news.fields.members = buffer_bytes(&members);
    cr_assert_eq(topology_update(topology, &news.fields, 1, &is_changed), STATUS_bad_request);
    news.fields.members = bytes_from_text("garbage");
    cr_assert_eq(topology_update(topology, &news.fields, 1, &is_changed), STATUS_bad_request);
    for (unsigned i = 0; i <= MEMBER_COUNT_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%u", i);
        list(&news, member_of(name, 1, 1, MEMBER_ready));
    }
    news.fields.members = buffer_bytes(&news.members);
    cr_assert_eq(topology_update(topology, &news.fields, 1, &is_changed), STATUS_bad_request);
    buffer_release(&news.members);
}

// What is passed on, decoded; borrows from `encoded`.
static struct message_topology pass_on(const struct topology *topology, struct buffer *encoded)
{
    topology_encode(topology, encoded);
    struct bytes rest = buffer_bytes(encoded);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    cr_assert_eq(message.kind, MESSAGE_topology);
    cr_assert_eq(rest.size, 0);
    return message.topology;
}

Test(topology, what_is_passed_on_gives_the_same_topology)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 8, member_of("s1", 1, 1, MEMBER_primary), 10);
    hear_one(topology, 502, 3, member_of("r1", 1, 1, MEMBER_ready), 20);
    AUTO(buffer_release) struct buffer encoded = {0};
    struct message_topology passed = pass_on(topology, &encoded);
    cr_assert_eq(passed.coordinator, 502);
    cr_assert_eq(passed.sequence, 3);
    AUTO(topology_destroy) struct topology *copy = topology_new();
    bool is_changed = false;
    cr_assert_eq(topology_update(copy, &passed, 30, &is_changed), STATUS_ok);
    cr_assert(is_changed);
    cr_assert_eq(topology_cluster_id(copy), 77);
    cr_assert_eq(state_of(copy, "r1"), MEMBER_ready);
    check_primary(copy, 4, "s1");
}

Test(topology, the_word_of_one_who_has_heard_nothing_is_no_news)
{
    AUTO(topology_destroy) struct topology *ignorant = topology_new();
    AUTO(buffer_release) struct buffer encoded = {0};
    struct message_topology passed = pass_on(ignorant, &encoded);
    AUTO(topology_destroy) struct topology *topology = topology_new();
    hear_one(topology, 501, 1, member_of("s1", 1, 1, MEMBER_primary), 10);
    bool is_changed = true;
    cr_assert_eq(topology_update(topology, &passed, 20, &is_changed), STATUS_ok);
    cr_assert_not(is_changed);
    check_primary(topology, 4, "s1");
}

Test(topology, as_many_members_as_fit_are_passed_on)
{
    AUTO(topology_destroy) struct topology *topology = topology_new();
    char endpoint[ENDPOINT_SIZE_MAX + 1];
    memset(endpoint, 'e', sizeof endpoint);
    for (unsigned part = 0; part < 2; part++) {
        struct news news = news_of(501 + part, 1, 4, "");
        for (unsigned i = 0; i < 128; i++) {
            char name[16];
            snprintf(name, sizeof name, "m%u-%u", part, i);
            struct message_member member = member_of(name, 1, 1, MEMBER_ready);
            member.endpoint = bytes_of(endpoint, ENDPOINT_SIZE_MAX);
            member.trace_endpoint = bytes_of(endpoint, ENDPOINT_SIZE_MAX);
            list(&news, member);
        }
        hear(topology, &news, part);
    }
    AUTO(buffer_release) struct buffer encoded = {0};
    struct message_topology passed = pass_on(topology, &encoded);
    cr_assert_gt(passed.members.size, 100 * KIB);
}
