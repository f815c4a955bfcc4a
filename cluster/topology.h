/*
 * The topology: who is where, at which epoch. Every process keeps one, made of what the
 * coordinators publish: the higher epoch wins, and the registry is the union of the coordinators'
 * live sets. When no coordinator is heard any more the last one known stays.
 */
#ifndef SKEIN_CLUSTER_TOPOLOGY_H
#define SKEIN_CLUSTER_TOPOLOGY_H

#include "base/buffer.h"
#include "base/status.h"
#include "wire/message.h"

// One process, with texts of its own.
struct topology_member {
    char name[NAME_SIZE_MAX + 1];
    char endpoint[ENDPOINT_SIZE_MAX + 1];
    char trace_endpoint[ENDPOINT_SIZE_MAX + 1];
    uint64_t address; // address_of_endpoint(endpoint)
    enum role role;
    enum member_state state;
    uint64_t incarnation;
    uint64_t directory_id;
    uint64_t epoch;
    uint64_t promised;
    uint64_t last_position;
    uint64_t commit_position;
    uint64_t applied_version;
    uint64_t beat;
    uint32_t pid;
};

// Keeps a reported member. Fails with bad_request for texts that are no words (cluster/word.h), an
// empty name or endpoint, a role or state that does not exist, or a process that was heard and has
// no incarnation. Clients are no members.
MUST_CHECK enum status topology_member_read(const struct message_member *message,
                                            struct topology_member *ret_member);

// Appends it as a member message.
void topology_member_encode(const struct topology_member *member, struct buffer *out);

struct topology;

struct topology *topology_new(void);
void topology_destroy(struct topology **take_topology);

// Takes in what a coordinator published; older news of the same coordinator is dropped, and so is
// the word of a process that has heard none yet (coordinator 0). Fails with bad_request for a
// malformed member (nothing is taken then) and wrong_cluster for another cluster. `ret_changed`:
// epoch, primary, the set of processes or the state of one is another than before.
MUST_CHECK enum status topology_update(struct topology *topology,
                                       const struct message_topology *message, uint64_t now_us,
                                       bool *ret_changed);

// The news of coordinators silent since before `expiry_us` no longer count, as long as there are
// others; the coordinator itself stays listed as unreachable. True if that changed something.
bool topology_expire(struct topology *topology, uint64_t expiry_us);

uint64_t topology_cluster_id(const struct topology *topology); // 0: not known yet
uint64_t topology_epoch(const struct topology *topology);      // highest known

// The member that leads; NULL while none is known.
const struct topology_member *topology_primary(const struct topology *topology);

// Members in order of their names; borrowed until the next update.
const struct topology_member *topology_members(const struct topology *topology, size_t *ret_count);
const struct topology_member *topology_find(const struct topology *topology, struct bytes name);

// Encodes it as one topology message to pass on (answers to topology_get).
void topology_encode(const struct topology *topology, struct buffer *out);

#endif
