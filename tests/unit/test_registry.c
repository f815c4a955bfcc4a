/*
 * The registry of a coordinator.
 */
#include "actors/coordinator/registry.h"

#include "cluster/machine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { FROM = 5, MS = 1000 };

static struct message_member report_of(const char *name, uint64_t incarnation, uint64_t beat)
{
    return (struct message_member){.name = bytes_from_text(name),
                                   .role = ROLE_reader,
                                   .endpoint = bytes_from_text("tcp://r:1"),
                                   .incarnation = incarnation,
                                   .state = MEMBER_ready,
                                   .beat = beat};
}

static enum status report(struct registry *registry, const char *name, uint64_t incarnation,
                          uint64_t beat, uint64_t now_us)
{
    struct registry_member *member;
    struct message_member message = report_of(name, incarnation, beat);
    return registry_report(registry, &message, FROM, now_us, &member);
}

static enum member_state state_of(struct registry *registry, const char *name)
{
    struct registry_member *member = registry_find(registry, bytes_from_text(name));
    return member == NULL ? 0 : member->record.state;
}

static struct registry *registry_new(void)
{
    struct registry *registry = calloc(1, sizeof *registry);
    cr_assert_not_null(registry);
    return registry;
}

static void registry_free(struct registry **registry)
{
    free(*registry);
}

Test(registry, news_move_the_change_number_and_progress_does_not)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    cr_assert_eq(report(registry, "r1", 1, 1, 0), STATUS_ok);
    uint64_t change = registry->change;
    cr_assert_gt(change, 0);
    struct message_member message = report_of("r1", 1, 2);
    message.applied_version = 9;
    struct registry_member *member;
    cr_assert_eq(registry_report(registry, &message, FROM, 0, &member), STATUS_ok);
    cr_assert_eq(member->record.applied_version, 9);
    cr_assert_eq(registry->change, change);
    message.beat = 3;
    message.state = MEMBER_catching_up;
    cr_assert_eq(registry_report(registry, &message, FROM, 0, &member), STATUS_ok);
    cr_assert_eq(registry->change, change + 1);
}

Test(registry, the_same_or_an_earlier_beat_is_ignored)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    report(registry, "r1", 1, 5, 100);
    struct registry_member other;
    struct registry_member *member = &other;
    struct message_member message = report_of("r1", 1, 5);
    message.state = MEMBER_unreachable;
    cr_assert_eq(registry_report(registry, &message, FROM, 200, &member), STATUS_ok);
    cr_assert_null(member);
    cr_assert_eq(state_of(registry, "r1"), MEMBER_ready);
}

Test(registry, another_incarnation_waits_until_the_former_one_is_silent)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    report(registry, "r1", 1, 5, 0);
    cr_assert_eq(report(registry, "r1", 2, 1, 666 * MS), STATUS_in_use);
    cr_assert_eq(report(registry, "r1", 2, 1, 667 * MS), STATUS_ok);
    cr_assert_eq(report(registry, "r1", 1, 6, 668 * MS), STATUS_in_use);
}

Test(registry, a_storage_node_started_anew_is_known_by_its_directory)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    struct registry_member *member;
    struct message_member message = report_of("s1", 1, 5);
    message.directory_id = 101;
    cr_assert_eq(registry_report(registry, &message, FROM, 0, &member), STATUS_ok);
    message.incarnation = 2;
    message.beat = 1;
    message.directory_id = 102;
    cr_assert_eq(registry_report(registry, &message, FROM, 1, &member), STATUS_in_use);
    message.directory_id = 101;
    cr_assert_eq(registry_report(registry, &message, FROM, 1, &member), STATUS_ok);
    cr_assert_eq(member->record.incarnation, 2);
}

Test(registry, another_incarnation_of_one_unreachable_is_taken_at_once)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    report(registry, "r1", 1, 5, 0);
    registry_lose(registry, address_of_endpoint(bytes_from_text("tcp://other:1")));
    cr_assert_eq(state_of(registry, "r1"), MEMBER_ready);
    registry_lose(registry, address_of_endpoint(bytes_from_text("tcp://r:1")));
    cr_assert_eq(state_of(registry, "r1"), MEMBER_unreachable);
    cr_assert_eq(report(registry, "r1", 2, 1, 1), STATUS_ok);
    cr_assert_eq(state_of(registry, "r1"), MEMBER_ready);
}

Test(registry, when_full_the_unreachable_give_way_but_not_those_of_the_file)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    struct voter_seed seed = {.name = bytes_from_text("s1"),
                              .endpoint = bytes_from_text("tcp://s1:1")};
    cr_assert_eq(registry_add_named(registry, &seed), STATUS_ok);
    for (unsigned i = 1; i < REGISTRY_MEMBERS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%u", i);
        cr_assert_eq(report(registry, name, 1, 1, i), STATUS_ok);
    }
    cr_assert_eq(report(registry, "late", 1, 1, 500), STATUS_busy);
    registry_expire(registry, 2, 0);
    cr_assert_eq(state_of(registry, "r1"), MEMBER_unreachable);
    cr_assert_eq(report(registry, "late", 1, 1, 500), STATUS_ok);
    cr_assert_eq(state_of(registry, "r1"), 0);
    cr_assert_eq(state_of(registry, "s1"), MEMBER_unreachable);
    cr_assert_eq(report(registry, "later", 1, 1, 500), STATUS_busy);
}

Test(registry, a_voter_without_a_proper_name_is_refused)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    struct voter_seed seed = {.name = bytes_from_text(""),
                              .endpoint = bytes_from_text("tcp://s1:1")};
    cr_assert_eq(registry_add_named(registry, &seed), STATUS_bad_request);
    cr_assert_eq(registry->count, 0);
}

Test(registry, as_many_as_fit_are_encoded_within_a_topology)
{
    AUTO(registry_free) struct registry *registry = registry_new();
    char text[ENDPOINT_SIZE_MAX];
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < REGISTRY_MEMBERS_MAX; i++) {
        struct message_member message = report_of("", UINT64_MAX, UINT64_MAX);
        snprintf(text, 16, "%015u", i);
        text[15] = 'x';
        message.name = bytes_of(text, NAME_SIZE_MAX);
        message.endpoint = bytes_of(text, sizeof text);
        message.trace_endpoint = bytes_of(text, sizeof text);
        message.epoch = UINT64_MAX;
        message.promised = UINT64_MAX;
        message.last_position = UINT64_MAX;
        message.commit_position = UINT64_MAX;
        message.applied_version = UINT64_MAX;
        message.directory_id = UINT64_MAX;
        message.pid = UINT32_MAX;
        struct registry_member *member;
        cr_assert_eq(registry_report(registry, &message, FROM, 0, &member), STATUS_ok);
    }
    AUTO(buffer_release) struct buffer encoded = {0};
    registry_encode(registry, &encoded);
    cr_assert_leq(encoded.size, 128 * KIB);
    cr_assert_gt(encoded.size, 100 * KIB);
}
