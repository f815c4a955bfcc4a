/*
 * Topologies and configurations: what other processes say of the cluster. What is taken of it is
 * passed on as it was, and taken again.
 */
#include "tests/fuzz/fuzz.h"

#include "cluster/configuration.h"
#include "cluster/topology.h"

static void check_members(const struct topology *topology)
{
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    for (size_t i = 0; i < count; i++) {
        ASSERT(members[i].name[0] != '\0' && members[i].endpoint[0] != '\0');
        ASSERT(role_name(members[i].role) != NULL);
        ASSERT(i == 0 || strcmp(members[i - 1].name, members[i].name) < 0);
        ASSERT(topology_find(topology, bytes_from_text(members[i].name)) == &members[i]);
    }
}

// What it passes on is a topology, in which a process that knew nothing sees the same members.
static void check_passed_on(const struct topology *topology)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct topology *other = topology_new();
    struct message message;
    bool has_changed;
    size_t count;
    size_t other_count;
    topology_encode(topology, &encoded);
    struct bytes rest = buffer_bytes(&encoded);
    ASSERT(message_decode(&rest, &message) == STATUS_ok && rest.size == 0);
    ASSERT(message.kind == MESSAGE_topology);
    message.topology.coordinator = 1; // 0 while none has been heard: such a word is dropped
    ASSERT(topology_update(other, &message.topology, 1, &has_changed) == STATUS_ok);
    topology_members(topology, &count);
    topology_members(other, &other_count);
    ASSERT(count == other_count && topology_epoch(topology) == topology_epoch(other));
    check_members(other);
    topology_destroy(&other);
}

static void check_configuration(struct bytes encoded)
{
    AUTO(buffer_release) struct buffer again = {0};
    struct configuration configuration;
    struct configuration other;
    if (configuration_decode(encoded, &configuration) != STATUS_ok) {
        return;
    }
    ASSERT(configuration.voter_count >= 1 && configuration.voter_count <= VOTER_COUNT_MAX);
    configuration_encode(&configuration, &again);
    ASSERT(configuration_decode(buffer_bytes(&again), &other) == STATUS_ok);
    ASSERT(configuration.voter_count == other.voter_count);
    for (size_t i = 0; i < other.voter_count; i++) {
        const struct configuration_voter *voter = &other.voters[i];
        ASSERT(voter->directory_id == configuration.voters[i].directory_id);
        ASSERT(configuration_find(&other, voter->directory_id) == voter);
        ASSERT(configuration_find_name(&other, bytes_from_text(voter->name)) == voter);
    }
}

static void take(struct topology *topology, const struct message *message, uint64_t now_us)
{
    bool has_changed;
    struct topology_member member;
    if (message->kind == MESSAGE_topology) {
        (void)topology_update(topology, &message->topology, now_us, &has_changed);
        check_members(topology);
        check_passed_on(topology);
    } else if (message->kind == MESSAGE_member) {
        (void)topology_member_read(&message->member, &member);
    } else if (message->kind == MESSAGE_appoint) {
        check_configuration(message->appoint.birth_configuration);
    } else {
        topology_expire(topology, now_us);
        check_members(topology);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = bytes_of(data, size);
    struct message message;
    check_configuration(rest);
    struct topology *topology = topology_new();
    for (uint64_t now_us = 1; rest.size > 0; now_us++) {
        if (message_decode(&rest, &message) != STATUS_ok) {
            break;
        }
        take(topology, &message, now_us);
    }
    topology_destroy(&topology);
    return 0;
}
