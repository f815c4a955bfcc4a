/*
 * The registry.
 *
 * 1. A member is known by its name. Two processes of one name would take turns: one that was
 *    started anew takes over only when the former one is unreachable or silent for a while, or when
 *    it holds the same storage directory.
 * 2. Of one process the later report counts, by its beat; what came late changes nothing.
 * 3. Whatever others must hear of at once (who there is, where, in which state) moves the change
 *    number; positions and versions do not, they travel with the next topology that is sent.
 * 4. The table is bounded. The unreachable that no file names give way.
 */
#include "actors/coordinator/registry.h"

#include "base/assert.h"
#include "cluster/word.h"

enum {
    MEMBER_OVERHEAD = 128,                   // encoded size of a member without its texts, at most
    MISSED_US = MEMBER_EXPIRY_MS * 1000 / 3, // a process not heard for so long may be replaced
};

static_assert((int)REGISTRY_MEMBERS_MAX <= (int)MEMBER_COUNT_MAX, "others can list them all");
static_assert(REGISTRY_MEMBERS_MAX * (MEMBER_OVERHEAD + NAME_SIZE_MAX + 2 * ENDPOINT_SIZE_MAX) <=
                  128 * KIB,
              "all members fit a topology");

enum status registry_add_named(struct registry *registry, const struct voter_seed *seed)
{
    ASSERT(registry->count < VOTER_COUNT_MAX);
    struct message_member report = {
        .name = seed->name,
        .role = (uint8_t)(seed->preferred ? ROLE_primary : ROLE_replica),
        .endpoint = seed->endpoint,
        .state = MEMBER_unreachable,
    };
    struct topology_member record;
    TRY(topology_member_read(&report, &record));
    registry->members[registry->count++] = (struct registry_member){.record = record,
                                                                    .is_named = true};
    registry->change++;
    return STATUS_ok;
}

static void registry_remove(struct registry *registry, size_t at)
{
    registry->members[at] = registry->members[--registry->count];
    registry->change++;
}

// A new place; NULL when all are taken by members that are reached or named.
static struct registry_member *registry_slot(struct registry *registry)
{
    for (size_t i = 0; i < registry->count && registry->count == REGISTRY_MEMBERS_MAX; i++) {
        const struct registry_member *member = &registry->members[i];
        if (member->record.state == MEMBER_unreachable && !member->is_named) {
            registry_remove(registry, i);
        }
    }
    if (registry->count == REGISTRY_MEMBERS_MAX) {
        return NULL;
    }
    struct registry_member *member = &registry->members[registry->count++];
    *member = (struct registry_member){0};
    return member;
}

// Whether others must hear of the difference at once.
static bool record_is_news(const struct topology_member *a, const struct topology_member *b)
{
    return a->state != b->state || a->incarnation != b->incarnation || a->role != b->role ||
           a->directory_id != b->directory_id || strcmp(a->endpoint, b->endpoint) != 0 ||
           strcmp(a->trace_endpoint, b->trace_endpoint) != 0;
}

// Whether a report of another incarnation may take the place of what is known. Two processes can't
// have one storage directory: there the new one is the same node, started anew.
static bool member_is_replaceable(const struct registry_member *member,
                                  const struct topology_member *record, uint64_t now_us)
{
    bool is_same_directory = record->directory_id != 0 &&
                             record->directory_id == member->record.directory_id;
    return is_same_directory || member->record.state == MEMBER_unreachable ||
           now_us - member->heard_us > MISSED_US;
}

enum status registry_report(struct registry *registry, const struct message_member *report,
                            uint64_t from, uint64_t now_us, struct registry_member **ret_member)
{
    struct topology_member record;
    TRY(topology_member_read(report, &record));
    if (record.incarnation == 0) {
        return STATUS_bad_request;
    }
    struct registry_member *member = registry_find(registry, report->name);
    if (member == NULL) {
        member = registry_slot(registry);
    } else if (member->record.incarnation != record.incarnation) {
        if (!member_is_replaceable(member, &record, now_us)) {
            return STATUS_in_use;
        }
    } else if (member->record.beat >= record.beat) {
        *ret_member = NULL;
        return STATUS_ok;
    }
    if (member == NULL) {
        return STATUS_busy;
    }
    registry->change += record_is_news(&record, &member->record);
    member->record = record;
    member->from = from;
    member->heard_us = now_us;
    *ret_member = member;
    return STATUS_ok;
}

static void member_set_unreachable(struct registry *registry, struct registry_member *member)
{
    if (member->record.state != MEMBER_unreachable) {
        member->record.state = MEMBER_unreachable;
        registry->change++;
    }
}

void registry_lose(struct registry *registry, uint64_t address)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->members[i].record.address == address) {
            member_set_unreachable(registry, &registry->members[i]);
        }
    }
}

void registry_expire(struct registry *registry, uint64_t expiry_us, uint64_t forget_us)
{
    for (size_t i = registry->count; i-- > 0;) {
        struct registry_member *member = &registry->members[i];
        if (member->heard_us < expiry_us) {
            member_set_unreachable(registry, member);
        }
        if (member->heard_us < forget_us && !member->is_named) {
            registry_remove(registry, i);
        }
    }
}

struct registry_member *registry_find(struct registry *registry, struct bytes name)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (word_is(registry->members[i].record.name, name)) {
            return &registry->members[i];
        }
    }
    return NULL;
}

void registry_encode(const struct registry *registry, struct buffer *out)
{
    for (size_t i = 0; i < registry->count; i++) {
        topology_member_encode(&registry->members[i].record, out);
    }
}
