/*
 * The storage nodes that a reader is connected to, and the choice of one for a read.
 */
#ifndef SKEIN_ACTORS_READER_REPLICAS_H
#define SKEIN_ACTORS_READER_REPLICAS_H

#include "cluster/machine.h"
#include "cluster/topology.h"

enum {
    REPLICA_COUNT_MAX = 64,
    REPLICA_BATCH_MAX = 64, // reads of one moment that go to the same node
};

struct replica_link {
    uint64_t address;
    uint64_t directory_id;   // of its directory
    bool serves;             // the topology says that it can answer reads
    bool is_primary;         // the topology says that it leads
    bool is_down;            // the connection was refused
    uint64_t asked;          // id of the last read point that it was asked to confirm
    bool is_silent;          // it let a read point wait and has said nothing since
    uint32_t outstanding;    // reads that it has not answered
    uint64_t avoid_until_us; // it let a read wait too long: others are preferred until then
};

struct replicas {
    struct replica_link links[REPLICA_COUNT_MAX];
    size_t count;
    size_t turn;          // where the next choice begins, so that equals take turns
    uint64_t batch_us;    // moment of the batch of reads that is being sent
    uint64_t batch_to;    // address of the node that gets it
    uint32_t batch_count; // reads in it
};

// NULL for an address that is no storage node's.
struct replica_link *replicas_find(const struct replicas *replicas, uint64_t address);

// Connects to the storage nodes of the topology, gives up those that left it, and takes in what it
// says of the others. Those beyond REPLICA_COUNT_MAX are not used.
void replicas_update(struct replicas *replicas, const struct topology *topology,
                     struct outbox *out);

// The node with the least outstanding reads among those that serve, are connected and are not in
// `tried` (bit i: link i); the primary only when the others have more to do. When only avoided ones
// are left, one of them. Reads of one moment that were not tried before go to one node in batches
// of REPLICA_BATCH_MAX, so that they share a frame. NULL when there is none.
struct replica_link *replicas_choose(struct replicas *replicas, uint64_t tried, uint64_t now_us);

// The bit of a link in a set of tried ones.
static inline uint64_t replicas_bit(const struct replicas *replicas,
                                    const struct replica_link *link)
{
    return (uint64_t)1 << (link - replicas->links);
}

#endif
