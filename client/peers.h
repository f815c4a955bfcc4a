/*
 * The processes that a client is connected to: the endpoints it was given, and the writers and
 * readers among which it spreads its requests. Behind a gateway that is the gateways only.
 */
#ifndef SKEIN_CLIENT_PEERS_H
#define SKEIN_CLIENT_PEERS_H

#include "base/random.h"
#include "cluster/balance.h"
#include "cluster/machine.h"
#include "cluster/topology.h"

enum peer_link {
    PEER_LINK_NEW,  // asked for; what is sent waits for the connection
    PEER_LINK_UP,   // stands
    PEER_LINK_DOWN, // refused
};

// What a request needs a process for.
enum peer_use { PEER_WRITES, PEER_READS };
enum {
    PEER_USES = 2,
    PEER_BATCH_MAX = 16, // requests of one moment that go to the same process
};

// The batch of requests that is being sent.
struct peer_batch {
    uint64_t at_us;   // its moment
    uint64_t address; // who gets it; 0 for nobody
    uint32_t count;   // requests in it
};

struct client_peer {
    uint64_t address;
    enum peer_link link;
    bool is_given;            // an endpoint that the client was given
    uint32_t calls;           // calls to it that have not ended
    bool is_mute;             // was asked for the topology and has said nothing since
    uint64_t silent_until_us; // it let a request wait too long and gets none before; 0 for none
};

struct peers {
    struct client_peer *peers; // owned array
    size_t count;
    size_t capacity;
    size_t turn;     // whom topology is asked of next
    bool has_silent; // some peer is silent
    struct peer_batch batches[PEER_USES];
    struct balance balances[PEER_USES]; // candidates by use
    struct random random;               // which of many writers and readers
};

void peers_init(struct peers *peers, uint64_t seed);
void peers_release(struct peers *peers);

// NULL for an address that we are not connected to.
struct client_peer *peers_find(const struct peers *peers, uint64_t address);

// Connects to an endpoint that the client was given.
void peers_give(struct peers *peers, struct bytes endpoint, struct outbox *out);

// Connects for a call; its end is told with peers_end_call().
void peers_begin_call(struct peers *peers, const struct topology_member *member,
                      struct outbox *out);
void peers_end_call(struct peers *peers, uint64_t address);

// Another topology: connects to writers and readers, at most CLIENT_CONNECTIONS_MAX of each, and
// gives up what is not needed any more.
void peers_update(struct peers *peers, const struct topology *topology, struct outbox *out);

// Whether a process for this use is known that isn't down.
bool peers_have(const struct peers *peers, enum peer_use use);

// The process to send the next request to: the one with the fewest outstanding, for batches of
// PEER_BATCH_MAX requests of one moment, so that they share a frame. 0 when there is none.
uint64_t peers_pick(struct peers *peers, enum peer_use use, uint64_t now_us);

// A request was sent to it, or is over there.
void peers_sent(struct peers *peers, enum peer_use use, uint64_t address);
void peers_done(struct peers *peers, enum peer_use use, uint64_t address);

// The connection stands, or was refused. Returns how it was before.
enum peer_link peers_up(struct peers *peers, struct client_peer *peer);
enum peer_link peers_down(struct peers *peers, struct client_peer *peer);

// It let a request wait for too long; it said something after all.
void peers_silent(struct peers *peers, uint64_t address, uint64_t now_us);
void peers_heard(struct peers *peers, struct client_peer *peer);

// A connected process to ask for the topology, another one each time, and one that answers if there
// is one; 0 for none. It is mute until it is heard.
uint64_t peers_ask(struct peers *peers);

#endif
