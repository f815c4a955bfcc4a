/*
 * Peers are few and found by walking over them. A peer is a candidate for writes or reads while the
 * topology lists it as such; a mark in the balance keeps it from being picked while its connection
 * is refused or it is silent. When nobody is left, the silent ones are asked all the same.
 */
#include "client/peers.h"

#include "base/assert.h"

#include <stdlib.h>

enum { SILENT_US = 500 * 1000 };

void peers_init(struct peers *peers, uint64_t seed)
{
    *peers = (struct peers){0};
    random_init(&peers->random, seed);
}

void peers_release(struct peers *peers)
{
    free(peers->peers);
    *peers = (struct peers){0};
}

struct client_peer *peers_find(const struct peers *peers, uint64_t address)
{
    for (size_t i = 0; i < peers->count; i++) {
        if (peers->peers[i].address == address) {
            return &peers->peers[i];
        }
    }
    return NULL;
}

static struct client_peer *connect_peer(struct peers *peers, struct bytes endpoint,
                                        struct outbox *out)
{
    struct client_peer *known = peers_find(peers, address_of_endpoint(endpoint));
    if (known != NULL) {
        return known;
    }
    if (peers->count == peers->capacity) {
        peers->capacity = peers->capacity == 0 ? 16 : 2 * peers->capacity;
        peers->peers = reallocarray(peers->peers, peers->capacity, sizeof *peers->peers);
        ASSERT(peers->peers != NULL);
    }
    struct client_peer *peer = &peers->peers[peers->count++];
    *peer = (struct client_peer){.address = outbox_connect(out, endpoint)};
    return peer;
}

void peers_give(struct peers *peers, struct bytes endpoint, struct outbox *out)
{
    connect_peer(peers, endpoint, out)->is_given = true;
}

void peers_begin_call(struct peers *peers, const struct topology_member *member, struct outbox *out)
{
    connect_peer(peers, bytes_from_text(member->endpoint), out)->calls++;
}

void peers_end_call(struct peers *peers, uint64_t address)
{
    struct client_peer *peer = peers_find(peers, address);
    if (peer != NULL && peer->calls > 0) {
        peer->calls--;
    }
}

static bool is_candidate(const struct peers *peers, enum peer_use use, uint64_t address)
{
    const struct balance *balance = &peers->balances[use];
    for (size_t i = 0; i < balance->count; i++) {
        if (balance->candidates[i].address == address) {
            return true;
        }
    }
    return false;
}

// Whether one of the endpoints that we were given is a gateway: then we go through gateways.
static bool is_behind_gateway(const struct peers *peers, const struct topology *topology)
{
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    for (size_t i = 0; i < count; i++) {
        const struct client_peer *peer = peers_find(peers, members[i].address);
        if (members[i].role == ROLE_gateway && peer != NULL && peer->is_given) {
            return true;
        }
    }
    return false;
}

static bool member_serves(const struct topology_member *member, enum role role)
{
    return member->role == role && member->state == MEMBER_ready && member->endpoint[0] != '\0';
}

// Chooses the candidates for one use: those that are candidates already, then others, beginning
// anywhere.
static void choose_candidates(struct peers *peers, enum peer_use use, enum role role,
                              const struct topology *topology, struct outbox *out)
{
    size_t count;
    const struct topology_member *members = topology_members(topology, &count);
    uint64_t chosen[CLIENT_CONNECTIONS_MAX];
    size_t chosen_count = 0;
    size_t start = count == 0 ? 0 : random_below(&peers->random, count);
    for (size_t i = 0; i < 2 * count && chosen_count < CLIENT_CONNECTIONS_MAX; i++) {
        const struct topology_member *member = &members[(start + i) % count];
        bool was_candidate = is_candidate(peers, use, member->address);
        if (member_serves(member, role) && was_candidate == (i < count)) {
            chosen[chosen_count++] = member->address;
            connect_peer(peers, bytes_from_text(member->endpoint), out);
        }
    }
    balance_set(&peers->balances[use], chosen, chosen_count);
    peers->batches[use].address = 0;
    for (size_t i = 0; i < chosen_count; i++) {
        const struct client_peer *peer = peers_find(peers, chosen[i]);
        if (peer->link == PEER_LINK_DOWN) {
            balance_mark(&peers->balances[use], peer->address, true);
        }
    }
}

void peers_update(struct peers *peers, const struct topology *topology, struct outbox *out)
{
    bool is_behind = is_behind_gateway(peers, topology);
    choose_candidates(peers, PEER_WRITES, is_behind ? ROLE_gateway : ROLE_writer, topology, out);
    choose_candidates(peers, PEER_READS, is_behind ? ROLE_gateway : ROLE_reader, topology, out);
    for (size_t i = peers->count; i-- > 0;) {
        struct client_peer *peer = &peers->peers[i];
        bool is_needed = peer->is_given || peer->calls > 0 ||
                         is_candidate(peers, PEER_WRITES, peer->address) ||
                         is_candidate(peers, PEER_READS, peer->address);
        if (!is_needed) {
            outbox_disconnect(out, peer->address);
            *peer = peers->peers[--peers->count];
        }
    }
}

bool peers_have(const struct peers *peers, enum peer_use use)
{
    const struct balance *balance = &peers->balances[use];
    for (size_t i = 0; i < balance->count; i++) {
        if (!balance->candidates[i].is_down) {
            return true;
        }
    }
    return false;
}

static void mark(struct peers *peers, uint64_t address, bool is_down)
{
    for (size_t use = 0; use < PEER_USES; use++) {
        balance_mark(&peers->balances[use], address, is_down);
        peers->batches[use].address = 0;
    }
}

// Silent peers whose time is over get requests again; all of them if `is_forced`.
static void forgive_silent(struct peers *peers, uint64_t now_us, bool is_forced)
{
    peers->has_silent = false;
    for (size_t i = 0; i < peers->count; i++) {
        struct client_peer *peer = &peers->peers[i];
        if (peer->silent_until_us == 0) {
            continue;
        }
        if (is_forced || peer->silent_until_us <= now_us) {
            peers_heard(peers, peer);
        } else {
            peers->has_silent = true;
        }
    }
}

// The next process in the balance.
static uint64_t pick_anew(struct peers *peers, enum peer_use use, uint64_t now_us)
{
    if (peers->has_silent) {
        forgive_silent(peers, now_us, false);
    }
    uint64_t address = balance_pick(&peers->balances[use], BALANCE_LEAST_OUTSTANDING);
    if (address == 0 && peers->has_silent) {
        forgive_silent(peers, now_us, true);
        address = balance_pick(&peers->balances[use], BALANCE_LEAST_OUTSTANDING);
    }
    return address;
}

uint64_t peers_pick(struct peers *peers, enum peer_use use, uint64_t now_us)
{
    struct peer_batch *batch = &peers->batches[use];
    if (batch->address == 0 || batch->at_us != now_us || batch->count == PEER_BATCH_MAX) {
        uint64_t address = pick_anew(peers, use, now_us);
        *batch = (struct peer_batch){.at_us = now_us, .address = address};
    }
    batch->count++;
    return batch->address;
}

void peers_sent(struct peers *peers, enum peer_use use, uint64_t address)
{
    balance_sent(&peers->balances[use], address);
}

void peers_done(struct peers *peers, enum peer_use use, uint64_t address)
{
    balance_done(&peers->balances[use], address);
}

enum peer_link peers_up(struct peers *peers, struct client_peer *peer)
{
    enum peer_link before = peer->link;
    peer->link = PEER_LINK_UP;
    peer->is_mute = false;
    peer->silent_until_us = 0;
    mark(peers, peer->address, false);
    return before;
}

enum peer_link peers_down(struct peers *peers, struct client_peer *peer)
{
    enum peer_link before = peer->link;
    peer->link = PEER_LINK_DOWN;
    mark(peers, peer->address, true);
    return before;
}

void peers_silent(struct peers *peers, uint64_t address, uint64_t now_us)
{
    struct client_peer *peer = peers_find(peers, address);
    if (peer != NULL) {
        peer->silent_until_us = now_us + SILENT_US;
        peers->has_silent = true;
        mark(peers, address, true);
    }
}

void peers_heard(struct peers *peers, struct client_peer *peer)
{
    peer->is_mute = false;
    if (peer->silent_until_us != 0) {
        peer->silent_until_us = 0;
        mark(peers, peer->address, peer->link == PEER_LINK_DOWN);
    }
}

// The next one in turn that is connected, and answers if it `must_speak`.
static struct client_peer *next_to_ask(struct peers *peers, bool must_speak)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct client_peer *peer = &peers->peers[peers->turn++ % peers->count];
        bool speaks = !peer->is_mute && peer->silent_until_us == 0;
        if (peer->link == PEER_LINK_UP && (speaks || !must_speak)) {
            return peer;
        }
    }
    return NULL;
}

uint64_t peers_ask(struct peers *peers)
{
    struct client_peer *peer = next_to_ask(peers, true);
    if (peer == NULL) {
        peer = next_to_ask(peers, false);
    }
    if (peer == NULL) {
        return 0;
    }
    peer->is_mute = true;
    return peer->address;
}
