/*
 * The registry: the processes of the cluster as one coordinator hears of them, by name.
 */
#ifndef SKEIN_ACTORS_COORDINATOR_REGISTRY_H
#define SKEIN_ACTORS_COORDINATOR_REGISTRY_H

#include "cluster/process.h"
#include "cluster/topology.h"

// So many that a topology of them fits its message, whatever their names.
enum { REGISTRY_MEMBERS_MAX = 220 };

struct registry_member {
    struct topology_member record; // as last reported, or unreachable
    uint64_t from;                 // address that its reports come from; 0 until it was heard
    uint64_t heard_us;             // when it last reported
    uint64_t sent_us;              // when it was last sent the topology
    bool is_named;                 // by the configuration file: never forgotten
};

struct registry {
    struct registry_member members[REGISTRY_MEMBERS_MAX];
    size_t count;
    uint64_t change; // grows with every change that others must hear of at once
};

// A voter of the configuration file: listed as unreachable until it reports. bad_request: its name
// or endpoint is no word.
MUST_CHECK enum status registry_add_named(struct registry *registry, const struct voter_seed *seed);

// Takes a report that came from address `from`; `*ret_member` is the member then, borrowed until
// the next change, or NULL for a report that came late. Fails with bad_request for a malformed one,
// in_use while another process of that name reports, busy when there is no room.
MUST_CHECK enum status registry_report(struct registry *registry,
                                       const struct message_member *report, uint64_t from,
                                       uint64_t now_us, struct registry_member **ret_member);

// The connection to the member at this endpoint's address was lost: unreachable until it reports.
void registry_lose(struct registry *registry, uint64_t address);

// Members not heard since `expiry_us` are unreachable; those not heard since `forget_us` are
// dropped, unless the file names them.
void registry_expire(struct registry *registry, uint64_t expiry_us, uint64_t forget_us);

// The member of this name; NULL for none.
struct registry_member *registry_find(struct registry *registry, struct bytes name);

// Appends all members, encoded one after another.
void registry_encode(const struct registry *registry, struct buffer *out);

#endif
