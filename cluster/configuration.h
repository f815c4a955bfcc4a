/*
 * The configuration: the voters of a group, as its log names them (rule 31). Voters are told apart
 * by the id of their directory; their order is by that id, so that equal configurations have equal
 * bytes.
 */
#ifndef SKEIN_CLUSTER_CONFIGURATION_H
#define SKEIN_CLUSTER_CONFIGURATION_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

struct configuration_voter {
    uint64_t directory_id;                // never 0
    char name[NAME_SIZE_MAX + 1];         // of the storage node; never empty
    char endpoint[ENDPOINT_SIZE_MAX + 1]; // where it takes messages; never empty
};

// A plain value: it owns nothing and is copied by assignment. All zero is the empty one.
struct configuration {
    uint64_t cluster_id;                                // never 0 in one that was decoded
    char cluster_name[NAME_SIZE_MAX + 1];               // name in the configuration file
    size_t voter_count;                                 // at most VOTER_COUNT_MAX
    struct configuration_voter voters[VOTER_COUNT_MAX]; // by directory id
};

// Reads an encoded configuration. Fails with version_mismatch for another format and with
// bad_request for anything that is no configuration: no cluster, no voter, too many, one without
// id, name or endpoint, one named twice, or voters out of order.
MUST_CHECK enum status configuration_decode(struct bytes encoded,
                                            struct configuration *ret_configuration);

// Appends the encoded configuration to `out`. It has a cluster id and a voter.
void configuration_encode(const struct configuration *configuration, struct buffer *out);

// Sets the name of the cluster; bad_request if it is no word (cluster/word.h).
MUST_CHECK enum status configuration_set_cluster(struct configuration *configuration,
                                                 uint64_t cluster_id, struct bytes cluster_name);

// Adds a voter at its place. Fails with exists for an id or name that is there already, with
// too_large when there are VOTER_COUNT_MAX, with bad_request for an id of 0 or texts that are no
// words; the configuration is then untouched.
MUST_CHECK enum status configuration_add(struct configuration *configuration, uint64_t directory_id,
                                         struct bytes name, struct bytes endpoint);

// The voter with this directory; NULL if it is none.
const struct configuration_voter *configuration_find(const struct configuration *configuration,
                                                     uint64_t directory_id);

// The voter with this name; NULL if there is none. For people: a name is no identity.
const struct configuration_voter *configuration_find_name(const struct configuration *configuration,
                                                          struct bytes name);

// How many of `voter_count` voters are a majority.
size_t majority_of(size_t voter_count);

// Whether the voters among these directories are a majority of the configuration. A directory
// counts once, however often it is listed, and a stranger never.
bool configuration_has_majority(const struct configuration *configuration,
                                const uint64_t *directory_ids, size_t count);

#endif
