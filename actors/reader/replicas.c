/*
 * One link a storage node, in a small array that is searched from end to end. The cost of a node is
 * the number of reads it has not answered; a primary has other work as well and starts with a
 * handicap, so that it helps only when the others are busy.
 *
 * Links keep their place while they live; a set of tried links (a bit each) may name another link
 * after one was given up, which costs a read one needless detour at most.
 */
#include "actors/reader/replicas.h"

enum { PRIMARY_HANDICAP = 8 };

static_assert(REPLICA_COUNT_MAX <= 64, "a set of links fits into 64 bits");

struct replica_link *replicas_find(const struct replicas *replicas, uint64_t address)
{
    for (size_t i = 0; i < replicas->count; i++) {
        if (replicas->links[i].address == address) {
            return (struct replica_link *)&replicas->links[i];
        }
    }
    return NULL;
}

static bool state_serves(enum member_state state)
{
    return state == MEMBER_ready || state == MEMBER_primary || state == MEMBER_replica;
}

static const struct topology_member *find_member(const struct topology *topology, uint64_t address)
{
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    for (size_t i = 0; i < count; i++) {
        if (members[i].address == address && role_is_storage(members[i].role)) {
            return &members[i];
        }
    }
    return NULL;
}

static void drop_links(struct replicas *replicas, const struct topology *topology,
                       struct outbox *out)
{
    for (size_t i = replicas->count; i-- > 0;) {
        uint64_t address = replicas->links[i].address;
        if (find_member(topology, address) == NULL) {
            outbox_disconnect(out, address);
            replicas->links[i] = replicas->links[--replicas->count];
        }
    }
}

void replicas_update(struct replicas *replicas, const struct topology *topology, struct outbox *out)
{
    drop_links(replicas, topology, out);
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    const struct topology_member *primary = topology_primary(topology);
    for (size_t i = 0; i < count; i++) {
        const struct topology_member *member = &members[i];
        if (!role_is_storage(member->role) || member->endpoint[0] == '\0') {
            continue;
        }
        struct replica_link *link = replicas_find(replicas, member->address);
        if (link == NULL) {
            if (replicas->count == REPLICA_COUNT_MAX) {
                continue;
            }
            link = &replicas->links[replicas->count++];
            *link = (struct replica_link){.address = member->address};
            outbox_connect(out, bytes_from_text(member->endpoint));
        }
        link->directory_id = member->directory_id;
        link->serves = state_serves(member->state);
        link->is_primary = primary != NULL && primary->address == member->address;
    }
}

static bool is_better(const struct replica_link *link, const struct replica_link *best,
                      uint64_t now_us)
{
    if (best == NULL) {
        return true;
    }
    bool is_avoided = link->avoid_until_us > now_us;
    bool best_is_avoided = best->avoid_until_us > now_us;
    if (is_avoided != best_is_avoided) {
        return best_is_avoided;
    }
    uint32_t cost = link->outstanding + (link->is_primary ? PRIMARY_HANDICAP : 0);
    uint32_t best_cost = best->outstanding + (best->is_primary ? PRIMARY_HANDICAP : 0);
    return cost < best_cost;
}

static bool is_usable(const struct replica_link *link)
{
    return link->serves && !link->is_down;
}

static struct replica_link *choose_best(struct replicas *replicas, uint64_t tried, uint64_t now_us)
{
    struct replica_link *best = NULL;
    for (size_t i = 0; i < replicas->count; i++) {
        struct replica_link *link = &replicas->links[(replicas->turn + i) % replicas->count];
        if (is_usable(link) && (tried & replicas_bit(replicas, link)) == 0 &&
            is_better(link, best, now_us)) {
            best = link;
        }
    }
    replicas->turn++;
    return best;
}

// The node that the batch of this moment goes to; NULL when it is full or there is none.
static struct replica_link *batch_link(struct replicas *replicas, uint64_t now_us)
{
    if (replicas->batch_us != now_us || replicas->batch_count == REPLICA_BATCH_MAX) {
        return NULL;
    }
    struct replica_link *link = replicas_find(replicas, replicas->batch_to);
    return link != NULL && is_usable(link) ? link : NULL;
}

struct replica_link *replicas_choose(struct replicas *replicas, uint64_t tried, uint64_t now_us)
{
    if (tried != 0) {
        return choose_best(replicas, tried, now_us);
    }
    struct replica_link *link = batch_link(replicas, now_us);
    if (link == NULL) {
        link = choose_best(replicas, 0, now_us);
        replicas->batch_us = now_us;
        replicas->batch_to = link == NULL ? 0 : link->address;
        replicas->batch_count = 0;
    }
    replicas->batch_count++;
    return link;
}
